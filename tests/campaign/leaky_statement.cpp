#include "leaky_statement.hpp"

namespace entitle::campaign {

using client::Scope;
using client::Type;

namespace {

struct Table {
    const char *name;
    const char *id;
    bool is_written;
    Scope scope; // named through the alias t
};

const std::vector<Table> &tables() {
    static const auto named = [](const char *name) {
        return client::table_scope(name, "t");
    };
    static const std::vector<Table> all = {
        {"orders", "order_id", true, named("orders")},
        {"shipments", "shipment_id", true, named("shipments")},
        {"ledger", "entry_id", true, named("ledger")},
        {"visits", "visit_id", true, named("visits")},
        {"stock", "stock_id", true, named("stock")},
        {"deals", "deal_id", true, named("deals")},
        {"deal_items", "item_id", true, named("deal_items")},
        {"bill", "bill_id", false, named("bill")},
        {"bill_items", "item_id", false, named("bill_items")},
        {"contract_view", "contract_id", true, named("contract_view")},
        {"contract_item_view", "item_id", true, named("contract_item_view")},
        {"tickets_view",
         "ticket_id",
         true,
         {{"t.ticket_id", Type::integer},
          {"t.customer_id", Type::integer},
          {"t.opened", Type::date},
          {"t.code", Type::text},
          {"t.severity", Type::integer},
          {"t.note", Type::text}}},
        {"tickets",
         "ticket_id",
         true,
         {{"t.ticket_id", Type::integer},
          {"t.customer_id", Type::integer},
          {"t.opened", Type::date},
          {"t.code", Type::text},
          {"t.note", Type::text}}},
        {"remarks",
         "remark_id",
         true,
         {{"t.remark_id", Type::integer}, {"t.ticket_id", Type::integer}, {"t.body", Type::text}}},
    };
    return all;
}

std::string quoted(const char *text) { return std::string("'") + text + "'"; }

} // namespace

std::string LeakyGenerator::column(Type type, const Scope &scope) {
    std::vector<const client::Column *> fitting;
    for (const client::Column &one : scope) {
        if (one.type == type) {
            fitting.push_back(&one);
        }
    }
    if (!fitting.empty()) {
        return fitting[random_.below(fitting.size())]->expression;
    }
    switch (type) {
    case Type::integer:
        return "13";
    case Type::number:
        return "13.5";
    case Type::text:
        return "'hot'::text";
    case Type::date:
        return "date '2020-01-01'";
    case Type::uuid:
        return "md5('customer 1')::uuid";
    }
    return "";
}

std::string LeakyGenerator::number(const Scope &scope) {
    return column(random_.chance(50) ? Type::number : Type::integer, scope);
}

// True or an error or a notice, by what it meets.
std::string LeakyGenerator::condition(const Scope &scope) {
    const std::string text = column(Type::text, scope);
    const std::string count = number(scope);
    const std::string day = column(Type::date, scope);
    const std::string hot = random_.one_of({"13.5", "0", "50.5", "7", "-1", "13", "25"});
    switch (random_.below(24)) {
    case 0:
        return "1 / (" + count + " - " + hot + ") IS NOT NULL";
    case 1:
        return "CASE WHEN " + text + " LIKE 'hot%' THEN " + text + "::integer END IS NULL";
    case 2:
        return "own.tell(" + text + ")";
    case 3:
        return "own.tell((" + count + ")::numeric)";
    case 4:
        return "own.tell(" + day + ")";
    case 5:
        return "own.boom(" + text + ")";
    case 6:
        return "own.inverse((" + count + ")::numeric) <> 0";
    case 7:
        return text + " OPERATOR(own.===) 'hot 1'";
    case 8:
        return "(" + count + ")::smallint >= 0";
    case 9:
        return "sqrt((" + count + ")::numeric) >= 0";
    case 10:
        return "ln((" + count + ")::numeric + 0.5) IS NOT NULL";
    case 11:
        return "'x' ~ " + text;
    case 12:
        return "'abc' LIKE '%' || " + text;
    case 13:
        return "coalesce(substr(" + text + ", 6), '0')::numeric >= 0";
    case 14:
        return day + " - date '2000-01-01' > -100000000";
    case 15:
        return "(" + day + ")::timestamp + interval '1 year' > '1990-01-01'";
    case 16:
        return "substring('abcdef', 1, (" + count + ")::integer) IS NOT NULL";
    case 17:
        return "format(" + text + ") IS NOT NULL";
    case 18:
        return text + " LIKE '" + random_.one_of({"hot%", "note%", "%x", "T1%"}) + "'";
    case 19:
        return "length(repeat('x', least((" + count + ")::numeric, 100)::integer)) >= 0";
    case 20:
        return count + " > (SELECT 1 / (min(o.brand_id) - 1) FROM stock o)";
    case 21:
        return count + " = " + hot;
    case 22:
        return "chr((" + count + ")::integer) IS NOT NULL";
    default:
        return "(" + condition(scope) + random_.one_of({" AND ", " OR ", " AND NOT "}) +
               condition(scope) + ")";
    }
}

std::string LeakyGenerator::value(const Scope &scope) {
    switch (random_.below(6)) {
    case 0:
        return "1 / (" + number(scope) + " - 13.5)";
    case 1:
        return "own.inverse((" + number(scope) + ")::numeric)::text";
    case 2:
        return column(Type::text, scope);
    case 3:
        return "own.tell(" + column(Type::text, scope) + ")";
    case 4:
        return "(" + condition(scope) + ")";
    default:
        return number(scope);
    }
}

Leaky LeakyGenerator::query() {
    const Table &table = tables()[random_.below(tables().size())];
    const Scope &t = table.scope;
    const std::string from = std::string(" FROM ") + table.name + " t";
    const std::string id = std::string("t.") + table.id;
    Leaky leaky;
    switch (random_.below(13)) {
    case 0:
    case 1:
        leaky.text = "SELECT " + id + from + " WHERE " + condition(t);
        break;
    case 2:
        leaky.text = "SELECT " + id + ", " + value(t) + from + " WHERE " + condition(t) +
                     " ORDER BY " + value(t) + ", 1";
        break;
    case 3:
        leaky.text = "SELECT " + value(t) + " AS v, count(*)" + from + " GROUP BY 1 HAVING " +
                     random_.one_of({"count(*) > 1", "min(1 / (length('x') - 1.5)) < 0", "true"});
        break;
    case 4:
        leaky.text = "SELECT count(*) FILTER (WHERE " + condition(t) + "), max((" + value(t) +
                     ")::text)" + from + (random_.chance(50) ? " WHERE " + condition(t) : "");
        break;
    case 5: {
        const Table &other = tables()[random_.below(tables().size())];
        leaky.text = "SELECT t.*, o.o" + from + " JOIN (SELECT t." + other.id + " AS o FROM " +
                     other.name + " t WHERE " + condition(other.scope) + ") o ON o.o = " + id +
                     " WHERE " + condition(t);
        break;
    }
    case 6:
        leaky.text = "SELECT " + id + ", (SELECT count(*) FROM orders o WHERE o.customer_id = " +
                     column(Type::integer, t) + " AND own.tell(o.note))" + from;
        break;
    case 7:
        leaky.text = "WITH w AS " + std::string(random_.one_of({"", "NOT ", ""})) +
                     "MATERIALIZED (SELECT t.*" + from + " WHERE " + condition(t) +
                     ") SELECT count(*), min(w::text) FROM w";
        break;
    case 8:
        leaky.text = "SELECT " + id + ", row_number() OVER (ORDER BY " + value(t) + ", " + id +
                     ")" + from + " WHERE " + condition(t);
        break;
    case 9:
        leaky.text = "SELECT DISTINCT ON (" + id + ") " + id + ", " + value(t) + from + " WHERE " +
                     condition(t) + " ORDER BY " + id + ", 2";
        break;
    case 10:
        leaky.text = "SELECT t::text" + from + " WHERE " + condition(t) + " ORDER BY " + id +
                     " LIMIT " + std::to_string(random_.below(9)) + " FOR UPDATE OF t";
        break;
    case 11:
        leaky.text = "SELECT * FROM own." +
                     std::string(random_.one_of({"told_orders", "told_tickets"})) + " t WHERE " +
                     random_.one_of({"true", "own.tell(t.note)", "t.note LIKE 'note%'",
                                     "t.customer_id = 7", "own.boom(t.note)"});
        break;
    default:
        leaky.text = "SELECT " + id + from + " TABLESAMPLE BERNOULLI (60) REPEATABLE (" +
                     std::to_string(random_.below(5)) + ") WHERE " + condition(t);
    }
    if (random_.chance(12)) {
        leaky.text = "EXPLAIN (COSTS OFF, VERBOSE " + std::string(random_.one_of({"on", "off"})) +
                     ") " + leaky.text;
        leaky.is_ordered = true;
        leaky.is_explained = true;
    }
    return leaky;
}

Leaky LeakyGenerator::write() {
    const Table *table = nullptr;
    do {
        table = &tables()[random_.below(tables().size())];
    } while (!table->is_written);
    const Scope &t = table->scope;
    const std::string id = std::string("t.") + table->id;
    Leaky leaky;
    const client::Column &target = t[1 + random_.below(t.size() - 1)];
    std::string name = target.expression.substr(2);
    name = name.substr(0, name.find("::"));
    const std::string returning = random_.chance(60) ? " RETURNING " + value(t) + ", " + id : "";
    switch (random_.below(5)) {
    case 0:
    case 1:
        leaky.text = std::string("UPDATE ") + table->name + " t SET " + name + " = " + name +
                     " WHERE " + condition(t) + returning;
        break;
    case 2:
        leaky.text = std::string("UPDATE ") + table->name + " t SET " + name + " = " +
                     random_.one_of({"NULL", "DEFAULT", name.c_str()}) + " WHERE " + id + " % " +
                     std::to_string(2 + random_.below(9)) + " = 0 AND " + condition(t) + returning;
        break;
    case 3:
        leaky.text = std::string("DELETE FROM ") + table->name + " t WHERE " + condition(t) +
                     " AND " + id + " % 5 = " + std::to_string(random_.below(5)) + returning;
        break;
    default:
        leaky.text = std::string("MERGE INTO ") + table->name +
                     " t USING (SELECT generate_series(1, 260) AS k) s ON " + id + " = s.k AND " +
                     condition(t) + " WHEN MATCHED AND " + condition(t) + " THEN " +
                     random_.one_of(
                         {"DELETE", "DO NOTHING", ("UPDATE SET " + name + " = t." + name).c_str()});
    }
    // A changed key of a document, or a deleted one, meets the lines that hold on to it.
    leaky.meets_keys = true;
    return leaky;
}

// Keys that hidden rows bear, or that they are referred to by.
Leaky LeakyGenerator::key() {
    const std::string number = std::to_string(1 + random_.below(260));
    const std::string customer = std::to_string(1 + random_.below(40));
    const std::string conflict =
        random_.one_of({"", " ON CONFLICT DO NOTHING", " ON CONFLICT DO NOTHING"});
    Leaky leaky;
    leaky.meets_keys = true;
    switch (random_.below(10)) {
    case 0:
        leaky.text = "INSERT INTO orders VALUES (" + number + ", " +
                     random_.one_of({"1", "2", "3", "NULL"}) + ", " + customer +
                     ", current_date, 5, 'new')" + conflict + " RETURNING *";
        break;
    case 1:
        leaky.text = "INSERT INTO orders VALUES (" + number + ", 1, " + customer +
                     ", current_date, 5, 'new') ON CONFLICT (order_id) DO UPDATE SET amount = "
                     "orders.amount + 1 WHERE own.tell(orders.note) RETURNING *";
        break;
    case 2:
        leaky.text = "INSERT INTO tickets_view (ticket_id, customer_id, opened, code) VALUES (" +
                     std::to_string(9000 + random_.below(9)) + ", " + customer +
                     ", current_date, 'T" + number + "')" + " RETURNING *";
        break;
    case 3:
        leaky.text = "INSERT INTO tickets (customer_id, opened, code) VALUES (" + customer +
                     ", current_date, 'hot " + number + "')" + conflict;
        break;
    case 4:
        leaky.text = "UPDATE tickets t SET code = 'T" + number +
                     "' WHERE ticket_id = " + std::to_string(1 + random_.below(160));
        break;
    case 5:
        leaky.text = "INSERT INTO remarks VALUES (" + std::to_string(9000 + random_.below(5)) +
                     ", " + number + ", 'new')" + conflict + " RETURNING *";
        break;
    case 6:
        leaky.text = "UPDATE remarks SET ticket_id = " + number +
                     " WHERE remark_id % 7 = " + std::to_string(random_.below(7));
        break;
    case 7:
        leaky.text = "UPDATE tickets SET ticket_id = ticket_id + 50000 WHERE ticket_id = " + number;
        break;
    case 8:
        leaky.text = "DELETE FROM tickets_view WHERE ticket_id = " + number + " RETURNING *";
        break;
    default:
        leaky.text = "SELECT lastval()";
    }
    return leaky;
}

// Functions of entitle about rows, customers and users, hidden ones among them.
Leaky LeakyGenerator::ask() {
    const std::string number = std::to_string(1 + random_.below(260));
    const std::string customer =
        random_.chance(90) ? std::to_string(1 + random_.below(42)) : "2001";
    const std::string brand = random_.one_of({"1", "2", "3", "4", "9", "NULL"});
    const std::string user = std::to_string(100 + random_.below(45));
    const std::string login =
        quoted(random_.one_of({"viewer", "everything", "second", "basic", "orders",
                               "customer owner", "one customer", "nothing", "nobody at all",
                               "inactive", "mixed", "role of both", "owner", "second owner"}));
    const std::string permission =
        quoted(random_.one_of({"conversions.view", "customers.view", "customers.edit",
                               "external_access.manage", "products.view", "roles.manage"}));
    const std::string table = quoted(
        (std::string("rq.") +
         random_.one_of({"orders", "shipments", "visits", "deals", "deal_items", "bill_items",
                         "contract", "contract_item", "tickets", "remarks", "ledger"}))
            .c_str());
    Leaky leaky;
    switch (random_.below(30)) {
    case 0:
        leaky.text =
            "SELECT entitle.access_level(" + customer + "), entitle.can_score(" + customer + ")";
        break;
    case 1:
        leaky.text = "SELECT * FROM entitle.explain_row(" + table + ", '" + number + "')";
        break;
    case 2:
        leaky.text =
            "SELECT * FROM entitle.explain_row(" + table + ", '" + number + "', " + login + ")";
        break;
    case 3:
        leaky.text = "SELECT * FROM entitle.explain_action(" + table + ", '" + number + "', " +
                     quoted(random_.one_of({"update", "delete"})) + ")";
        break;
    case 4:
        leaky.text = "SELECT * FROM entitle.explain_permission(" + permission + ", " + login +
                     ", " + brand + ")";
        break;
    case 5:
        leaky.text = "SELECT * FROM entitle.customer_access(" + customer + ")";
        break;
    case 6:
        leaky.text = "SELECT * FROM entitle.user_access(" + login + ")";
        break;
    case 7:
        leaky.text = "SELECT * FROM entitle.permission_matrix(" +
                     std::string(random_.one_of({"1", "2", "9"})) + ")";
        break;
    case 8:
        leaky.text = "SELECT entitle.user_has_permission(" + user + ", " + permission + ", " +
                     brand + "), entitle.user_access_level(" + user + ", " + customer + ")";
        break;
    case 9:
        leaky.text = "SELECT entitle.grant_access(" + customer + ", " + login + ", " +
                     quoted(random_.one_of({"L10", "L30", "L80", "L90", "L77"})) + ", " +
                     random_.one_of({"7", "NULL", "-1"}) + ")";
        break;
    case 10:
        leaky.text = "SELECT entitle.revoke_access(" + customer + ", " + login + ")";
        break;
    case 11:
        leaky.text = "SELECT entitle.deactivate_customer(" + customer + ")";
        break;
    case 12:
        leaky.text = "SELECT entitle.reactivate_customer(" + customer + ")";
        break;
    case 13:
        leaky.text = "SELECT entitle.set_metric_value(" + customer + ", 'pays', 50)";
        break;
    case 14:
        leaky.text = "SELECT * FROM entitle.recalc_scores()";
        break;
    case 15:
        leaky.text = "SELECT entitle.invite_user(" + login + ", customer_id => " + customer +
                     ", access_role => 'L10')";
        break;
    case 16:
        leaky.text = "SELECT entitle.add_member(" + login + ", " +
                     quoted(random_.one_of({"read-only", "sales", "second viewer", "billing"})) +
                     ", " + random_.one_of({"1", "2", "NULL"}) + ")";
        break;
    case 17:
        leaky.text = "SELECT entitle.remove_member(membership_id) FROM generate_series(1, 30) AS "
                     "membership_id";
        break;
    case 18:
        leaky.text = "SELECT entitle.create_role('mine " + number + "', '{conversions.view}')";
        break;
    case 19:
        leaky.text = "SELECT entitle.drop_role(" + std::to_string(1 + random_.below(110)) + ")";
        break;
    case 20:
        leaky.text = "SELECT entitle.use_customer(" + customer + ")";
        break;
    case 21:
        leaky.text = "SELECT entitle.use_brand(" + brand + ")";
        break;
    case 22:
        leaky.text =
            "SELECT * FROM entitle." +
            std::string(random_.one_of({"protected_tables", "verify_protection()", "invitation",
                                        "customer_profile", "customer_metric_value"}));
        break;
    case 23:
        leaky.text = "SELECT entitle.accept_invitation(" + std::to_string(random_.below(5)) + ")";
        break;
    case 24:
        leaky.text = "SELECT entitle.manages_user(" + user + "), entitle.manages_access(" +
                     customer + "), entitle.customer_allowed(" + customer +
                     ", 'customers.view'), entitle.can_link(" + customer + ")";
        break;
    case 25:
        leaky.text = "SELECT entitle.managed_organizations(), entitle.managed_brands(), "
                     "entitle.own_roles()";
        break;
    case 26:
        leaky.text =
            "SELECT entitle." +
            std::string(random_.one_of({"deactivate_user", "reactivate_user", "add_user"})) + "(" +
            login + ")";
        leaky.channel = "whether a user has rights elsewhere";
        break;
    case 27:
        leaky.text = "SELECT * FROM entitle." +
                     std::string(random_.one_of({"rights_of(", "explain_sign_in("})) + login + ")";
        break;
    case 28:
        leaky.text = "SELECT * FROM entitle.compare_roles(" + std::to_string(1 + random_.below(9)) +
                     ", " + std::to_string(101 + random_.below(5)) + ")";
        break;
    default:
        leaky.text = "SELECT entitle.days_back_filter(" + customer +
                     ", current_date - 20), "
                     "entitle.accessible_customers(20), entitle.permitted_brands(" +
                     permission + ")";
    }
    return leaky;
}

Leaky LeakyGenerator::model() {
    struct Place {
        const char *table;
        const char *text;
        const char *number;
        const char *settable;
    };
    static const std::vector<Place> places = {
        {"customer", "legal_name", "customer_id", "notes"},
        {"customer", "notes", "client_score", "trade_name"},
        {"customer_profile", "legal_name", "customer_id", ""},
        {"external_access", "notes", "user_id", "notes"},
        {"external_access", "role", "days_back", "days_back"},
        {"app_user", "full_name", "user_id", "full_name"},
        {"role", "name", "role_id", "name"},
        {"role_permission", "permission_key", "role_id", ""},
        {"membership", "is_owner::text", "user_id", "role_id"},
        {"client_metric", "name", "multiplier", "multiplier"},
        {"customer_metric", "value::text", "value", "value"},
        {"integration_link", "external_id", "customer_id", "external_id"},
        {"change_log", "new_row::text", "change_id", ""},
        {"invitation", "login", "customer_id", ""},
        {"organization", "name", "organization_id", ""},
        {"brand", "name", "brand_id", ""},
    };
    const Place &place = places[random_.below(places.size())];
    const Scope scope = {{std::string("t.") + place.text, Type::text},
                         {std::string("t.") + place.number, Type::number}};
    const std::string table = std::string("entitle.") + place.table;
    const bool has_times = std::string(place.table) == "change_log";
    Leaky leaky;
    if (*place.settable != '\0' && random_.chance(35)) {
        leaky.meets_keys = true;
        if (std::string(place.table) == "app_user") {
            leaky.channel = "whether a user has rights elsewhere";
        }
        leaky.text = random_.chance(60)
                         ? "UPDATE " + table + " t SET " + place.settable + " = " + place.settable +
                               " WHERE " + condition(scope) + " RETURNING " + value(scope)
                         : "DELETE FROM " + table + " t WHERE " + condition(scope) + " RETURNING " +
                               value(scope);
        return leaky;
    }
    leaky.text = "SELECT " +
                 (has_times ? std::string("t.relation, t.action, t.row_key") : value(scope)) +
                 " FROM " + table + " t WHERE " + condition(scope);
    if (random_.chance(10)) {
        leaky.text = "EXPLAIN (COSTS OFF) " + leaky.text;
        leaky.is_explained = true;
    }
    return leaky;
}

Leaky LeakyGenerator::statement() {
    const std::size_t kind = random_.below(100);
    if (kind < 22) {
        Leaky leaky;
        const client::Statement statement = random_.statement();
        leaky.text = statement.text;
        leaky.meets_keys = !statement.target.empty();
        return leaky;
    }
    return kind < 55   ? query()
           : kind < 68 ? write()
           : kind < 78 ? key()
           : kind < 90 ? ask()
                       : model();
}

} // namespace entitle::campaign
