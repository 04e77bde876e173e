// Doors of the reports: what a role opens, and all that one user holds, as the checks decide it.
#include "pg/boundary/postgres.hpp"

#include "pg/subject/current_subject.hpp"
#include "pg/datum/business_day.hpp"
#include "pg/boundary/function.hpp"
#include "pg/boundary/no_destructor.hpp"
#include "pg/model/subject_load.hpp"
#include "pg/boundary/copy_out.hpp"
#include "pg/datum/row_set.hpp"
#include "pg/datum/datum.hpp"

#include "core/access.hpp"
#include "core/permission.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

// Kept only so that an error in the middle of a load leaks nothing: it is read anew each time.
const std::shared_ptr<const Catalogue> &fresh_catalogue() {
    static NoDestructor<std::shared_ptr<const Catalogue>> kept;
    load_catalogue(kept.get());
    return kept.get();
}

bool opens(const Subject &subject, const Session &session, const Capability &capability,
           std::optional<BrandId> brand) {
    if (brand) {
        return check_capability(&subject, session, capability.key, brand).allowed;
    }
    for (const Brand &each : subject.brands) {
        if (check_capability(&subject, session, capability.key, each.id)) {
            return true;
        }
    }
    return false;
}

// One right of a user, in words.
struct Right {
    const char *kind;
    const char *place;
    const char *key;
    const char *value;
};

struct PlainRights {
    Right *rights = nullptr;
    std::size_t count = 0;
};

struct RightText {
    const char *kind;
    std::string place;
    std::string key;
    std::string value;
};

void list_staff_rights(const Subject &subject, const Session &session,
                       std::vector<RightText> &rights) {
    if (subject.catalogue == nullptr) {
        return;
    }
    const KeyTable &permissions = subject.catalogue->permission_keys();
    for (const Brand &brand : subject.brands) {
        const std::string place = "brand " + std::to_string(brand.id);
        for (KeyIndex i = 0; i < permissions.size(); ++i) {
            if (check_permission(&subject, session, permissions.key(i), brand.id)) {
                rights.push_back({"permission", place, permissions.key(i), "held"});
            }
        }
        for (const std::string &metric : visible_metrics(&subject, session, brand.id)) {
            rights.push_back({"metric", place, metric, "visible"});
        }
    }
}

void list_grants(const Subject &subject, const Session &session, const std::vector<Grant> &grants,
                 std::vector<RightText> &rights) {
    for (const Grant &grant : grants) {
        const int level = access_level(&subject, session, grant.customer, &grant);
        if (level == kNoLevel) {
            continue;
        }
        std::string value = "L" + std::to_string(level);
        value += grant.days_back == kUnlimitedDays
                     ? ", all days"
                     : ", " + std::to_string(grant.days_back) + " days back";
        if (grant.valid_from != kFirstDay) {
            value += ", from " + day_text(grant.valid_from);
        }
        if (grant.valid_until != kLastDay) {
            value += ", until " + day_text(grant.valid_until);
        }
        rights.push_back(
            {"access", "customer " + std::to_string(grant.customer), "level", std::move(value)});
    }
}

PlainRights copy_out(const std::vector<RightText> &rights) {
    PlainRights plain;
    plain.rights = static_cast<Right *>(allocate((rights.size() + 1) * sizeof(Right)));
    for (const RightText &right : rights) {
        plain.rights[plain.count++] =
            Right{right.kind, copy_text(right.place), copy_text(right.key), copy_text(right.value)};
    }
    return plain;
}

} // namespace

// role_capabilities(role_id, brand_id) -> text[]: what opens to a member who holds that role alone,
// in the brand, or with NULL in any brand of its organization. R28
ENTITLE_FUNCTION(entitle_role_capabilities) {
    const auto role = bigint_argument(fcinfo, 0);
    const auto brand = bigint_argument(fcinfo, 1);
    static NoDestructor<Subject> kept;
    Subject &member = kept.get();
    const Session session{};
    PlainTexts texts;
    if (role && load_role_member(*role, fresh_catalogue, member)) {
        compute([&] {
            std::vector<std::string> keys;
            for (const Capability &capability : member.catalogue->capabilities()) {
                if (opens(member, session, capability, brand)) {
                    keys.push_back(capability.key);
                }
            }
            texts = copy_out(keys);
        });
    }
    return text_array(texts);
}

// user_rights(user_id) -> rows (kind, place, key, value): every permission, metric and grant that
// counts today.
ENTITLE_FUNCTION(entitle_user_rights) {
    const auto id = bigint_argument(fcinfo, 0);
    const Session session{std::nullopt, std::nullopt, asker_now().session.today};
    CachedUser *user = id ? find_user(*id) : nullptr;
    PlainRights rights;
    if (user != nullptr) {
        const std::vector<Grant> &grants = grants_of(user);
        const Subject &subject = *subject_of(user);
        compute([&] {
            std::vector<RightText> texts;
            list_staff_rights(subject, session, texts);
            list_grants(subject, session, grants, texts);
            rights = copy_out(texts);
        });
    }
    RowSet set = open_row_set(fcinfo);
    for (std::size_t i = 0; i < rights.count; ++i) {
        const Right &right = rights.rights[i];
        const Datum values[] = {CStringGetTextDatum(right.kind), CStringGetTextDatum(right.place),
                                CStringGetTextDatum(right.key), CStringGetTextDatum(right.value)};
        const bool nulls[] = {false, false, false, false};
        add_row(set, values, nulls);
    }
    return Datum(0);
}

// past_level(role, days_back, valid_from, valid_until, is_active, as_of) -> integer: the level that
// such a grant of such a user gave at that time. R33, R40
ENTITLE_FUNCTION(entitle_past_level) {
    const auto role = text_argument(fcinfo, 0);
    if (!role || PG_ARGISNULL(4) || PG_ARGISNULL(5)) {
        PG_RETURN_INT32(kNoLevel);
    }
    const auto today = business_date(PG_GETARG_TIMESTAMPTZ(5));
    const auto integer = [&](int number) {
        return PG_ARGISNULL(number) ? std::nullopt
                                    : std::optional<std::int32_t>(PG_GETARG_INT32(number));
    };
    const Grant grant = make_grant(0, role, integer(1), integer(2), integer(3));
    int level = kNoLevel;
    if (today) {
        compute([&] {
            Subject subject;
            subject.is_active = PG_GETARG_BOOL(4);
            level = access_level(&subject, Session{std::nullopt, std::nullopt, *today},
                                 grant.customer, &grant);
        });
    }
    PG_RETURN_INT32(level);
}
