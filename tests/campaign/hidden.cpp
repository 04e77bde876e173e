#include "hidden.hpp"

namespace entitle::campaign {

namespace {

// What the model's tables show to the asker, as the asker reads them.
constexpr const char *kSeen = R"(
SELECT 'app_user', user_id::text, t::text FROM entitle.app_user t
UNION ALL SELECT 'organization', organization_id::text, t::text FROM entitle.organization t
UNION ALL SELECT 'brand', brand_id::text, t::text FROM entitle.brand t
UNION ALL SELECT 'role', role_id::text, t::text FROM entitle.role t
UNION ALL SELECT 'role_permission', role_id::text, t::text FROM entitle.role_permission t
UNION ALL SELECT 'membership', membership_id::text, t::text FROM entitle.membership t
UNION ALL SELECT 'customer', customer_id::text, t::text FROM entitle.customer t
UNION ALL SELECT 'customer', customer_id::text, t::text FROM entitle.customer_profile t
UNION ALL SELECT 'client_metric', metric_id::text, t::text FROM entitle.client_metric t
UNION ALL SELECT 'customer_metric', customer_id::text, t::text FROM entitle.customer_metric t
UNION ALL SELECT 'integration_link', customer_id::text, t::text FROM entitle.integration_link t
UNION ALL SELECT 'external_access', customer_id || ' ' || user_id, t::text FROM entitle.external_access t
UNION ALL SELECT 'invitation', invitation_id::text, t::text FROM entitle.invitation t
UNION ALL SELECT 'change_log', '', row(relation, action, row_key, old_row, new_row)::text FROM entitle.change_log
UNION ALL SELECT 'manages', c::text, '' FROM generate_series(-10, 45) c WHERE entitle.manages_access(c)
UNION ALL SELECT 'manages', c::text, '' FROM generate_series(2001, 2004) c WHERE entitle.manages_access(c)
UNION ALL SELECT 'manages', '9000000000', '' WHERE entitle.manages_access(9000000000)
UNION ALL SELECT 'customer', unnest(entitle.accessible_customers(10))::text, ''
ORDER BY 1, 2, 3)";

client::Reply see(client::Session &session, const Asker &asker) {
    session.must("BEGIN; SET LOCAL ROLE " + asker.role);
    if (asker.signs_in) {
        session.must("SELECT entitle.sign_in('" + asker.login + "')");
    }
    client::Reply reply = session.must(kSeen);
    session.must("ROLLBACK");
    return reply;
}

std::string id_or_null(const Asker &asker) { return asker.id.empty() ? "NULL" : asker.id; }

void look(client::Session &session, const Asker &asker) {
    session.must("SELECT naive.look(" + id_or_null(asker) + ")");
}

} // namespace

void note_hidden(client::Session &changed, const Asker &asker) {
    look(changed, asker);
    std::string values;
    for (const client::Row &row : see(changed, asker).rows) {
        values += (values.empty() ? "('" : ", ('") + row[0] + "', '" + row[1] + "')";
    }
    changed.must("DELETE FROM naive.seen" +
                 (values.empty() ? "" : "; INSERT INTO naive.seen VALUES " + values));
}

std::string change_hidden(client::Session &changed, client::QueryGenerator &random,
                          const Asker &asker) {
    const std::string chance = std::to_string(static_cast<double>(random.below(1000000)) / 1e6);
    const client::Reply done =
        changed.must("SELECT naive.change_hidden(" + id_or_null(asker) + ", " + chance + ")");
    return done.value() == client::kNull ? std::string() : done.value();
}

Sight sight(client::Session &session, const Asker &asker) {
    look(session, asker);
    Sight all{session.must("SELECT naive.sight()").value()};
    for (const client::Row &row : see(session, asker).rows) {
        all.push_back(row[0] + " " + row[1] + " " + row[2]);
    }
    return all;
}

} // namespace entitle::campaign
