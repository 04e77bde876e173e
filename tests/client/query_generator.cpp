#include "query_generator.hpp"

#include <algorithm>
#include <map>

namespace entitle::client {

namespace {

const char *type_name(Type type) {
    switch (type) {
    case Type::integer:
        return "bigint";
    case Type::number:
        return "numeric";
    case Type::text:
        return "text";
    case Type::date:
        return "date";
    case Type::uuid:
        return "uuid";
    }
    return "";
}

const std::vector<std::string> &tables() {
    static const std::vector<std::string> names = {
        "orders",    "orders", "shipments",  "ledger",     "visits",        "stock",
        "recent",    "bill",   "movements",  "visits",     "shipments",     "stock",
        "orders",    "deals",  "deal_items", "bill_items", "contract_view", "contract_item_view",
        "deal_items"};
    return names;
}

std::string output_name(std::size_t number) { return "c" + std::to_string(number + 1); }

bool shares_type(const Scope &left, const Scope &right) {
    return std::any_of(left.begin(), left.end(), [&](const Column &one) {
        return std::any_of(right.begin(), right.end(),
                           [&](const Column &other) { return one.type == other.type; });
    });
}

// What a column is called in its table.
std::string plain_name(const Column &column) {
    return column.expression.substr(column.expression.find('.') + 1);
}

// Lists 1, 2, ... count.
std::string positions(std::size_t count) {
    std::string list;
    for (std::size_t i = 1; i <= count; ++i) {
        list += (i > 1 ? ", " : "") + std::to_string(i);
    }
    return list;
}

} // namespace

Scope table_scope(const std::string &table, const std::string &alias) {
    static const std::map<std::string, Scope> known = {
        {"orders",
         {{"order_id", Type::integer},
          {"brand_id", Type::integer},
          {"customer_id", Type::integer},
          {"order_date", Type::date},
          {"amount", Type::number},
          {"note", Type::text}}},
        {"shipments",
         {{"shipment_id", Type::integer},
          {"customer_uuid", Type::uuid},
          {"shipped_at::date", Type::date},
          {"weight", Type::integer},
          {"carrier", Type::text}}},
        {"ledger",
         {{"entry_id", Type::integer},
          {"brand_id", Type::integer},
          {"entered", Type::date},
          {"amount", Type::integer},
          {"note::text", Type::text}}},
        {"visits",
         {{"visit_id", Type::integer},
          {"customer_id", Type::integer},
          {"visited::date", Type::date},
          {"place", Type::text}}},
        {"stock",
         {{"stock_id", Type::integer},
          {"brand_id", Type::integer},
          {"customer_code::text", Type::text},
          {"quantity", Type::integer}}},
        {"deals",
         {{"deal_id", Type::integer},
          {"customer_id", Type::integer},
          {"signed", Type::date},
          {"worth", Type::number},
          {"title", Type::text}}},
        {"deal_items",
         {{"item_id", Type::integer},
          {"deal_id", Type::integer},
          {"quantity", Type::number},
          {"what", Type::text}}},
        {"bill",
         {{"bill_id", Type::integer},
          {"home", Type::uuid},
          {"customer_id", Type::integer},
          {"billed", Type::date},
          {"title", Type::text}}},
        {"bill_items",
         {{"item_id", Type::integer},
          {"bill_id", Type::integer},
          {"quantity", Type::number},
          {"what", Type::text}}},
        {"contract_view",
         {{"contract_id", Type::integer},
          {"customer_id", Type::integer},
          {"signed", Type::date},
          {"worth", Type::number},
          {"title", Type::text}}},
        {"contract_item_view",
         {{"item_id", Type::integer},
          {"contract_id", Type::integer},
          {"quantity", Type::number},
          {"what", Type::text}}},
        {"recent",
         {{"order_id", Type::integer},
          {"customer_id", Type::integer},
          {"order_date", Type::date},
          {"amount", Type::number},
          {"note", Type::text}}},
        {"movements",
         {{"id", Type::integer},
          {"customer_id", Type::integer},
          {"day", Type::date},
          {"what", Type::text}}},
    };
    Scope scope;
    for (const Column &column : known.at(table)) {
        scope.push_back({alias + "." + column.expression, column.type});
    }
    return scope;
}

std::vector<Type> QueryGenerator::any_types() {
    std::vector<Type> types(1 + below(4));
    for (Type &type : types) {
        type = any_type();
    }
    return types;
}

std::string QueryGenerator::constant(Type type) {
    switch (type) {
    case Type::integer:
        return std::to_string(below(45)) + "::bigint";
    case Type::number:
        return std::to_string(below(100)) + ".5";
    case Type::text:
        return std::string("'") +
               one_of({"note 1", "note 2", "place 3", "carrier 1", "C4", "C11", "entry 2"}) +
               "'::text";
    case Type::date:
        return "(current_date - " + std::to_string(below(40) * 9) + ")";
    case Type::uuid:
        return "md5('customer " + std::to_string(1 + below(40)) + "')::uuid";
    }
    return "";
}

std::string QueryGenerator::column(Type type, const Scope &scope) {
    std::vector<const Column *> fitting;
    for (const Column &column : scope) {
        if (column.type == type) {
            fitting.push_back(&column);
        }
    }
    return fitting.empty() ? constant(type) : fitting[below(fitting.size())]->expression;
}

std::string QueryGenerator::expression(Type type, int depth, const Scope &scope) {
    if (depth > 2 || chance(60)) {
        return chance(85) ? column(type, scope) : constant(type);
    }
    if (chance(20)) {
        return "CASE WHEN " + condition(depth + 1, scope) + " THEN " +
               expression(type, depth + 1, scope) + " ELSE " + column(type, scope) + " END";
    }
    if (chance(20)) {
        return "coalesce(" + column(type, scope) + ", " + expression(type, depth + 1, scope) + ")";
    }
    if (chance(35)) {
        const std::string table = tables()[below(tables().size())];
        const std::string name = alias();
        const Scope inner = table_scope(table, name);
        const std::string body = aggregate(type, 3, inner) + " FROM " + table + " " + name +
                                 " WHERE " + join_condition(scope, inner, false);
        return "(SELECT " + body + ")";
    }
    switch (type) {
    case Type::integer:
        switch (below(5)) {
        case 0:
            return "length(" + column(Type::text, scope) + ")::bigint";
        case 1:
            return "extract(day FROM " + column(Type::date, scope) + ")::bigint";
        case 2:
            return "orders_of(" + column(Type::integer, scope) + ")";
        case 3:
            return "stock_of(" + column(Type::integer, scope) + ")";
        default:
            return "(" + column(type, scope) + " + " + expression(type, depth + 1, scope) + ")";
        }
    case Type::number:
        return "(" + column(type, scope) + " - " + expression(Type::integer, depth + 1, scope) +
               ")";
    case Type::text:
        return "(" + column(type, scope) + " || '/' || " +
               expression(Type::integer, depth + 1, scope) + ")";
    case Type::date:
        return "(" + column(type, scope) + " + " + std::to_string(below(30)) + ")";
    case Type::uuid:
        return "md5(" + column(Type::text, scope) + ")::uuid";
    }
    return "";
}

std::string QueryGenerator::aggregate(Type type, int depth, const Scope &scope) {
    const std::string of = expression(type, depth + 1, scope);
    const std::string filter =
        chance(20) ? " FILTER (WHERE " + condition(3, scope) + ")" : std::string();
    switch (type) {
    case Type::integer:
        switch (below(4)) {
        case 0:
            return "count(*)" + filter;
        case 1:
            return "count(DISTINCT " + expression(any_type(), depth + 1, scope) + ")" + filter;
        case 2:
            return "(sum(" + of + ")" + filter + ")::bigint";
        default:
            return std::string(one_of({"min", "max"})) + "(" + of + ")" + filter;
        }
    case Type::number:
        return std::string(one_of({"sum", "min", "max"})) + "(" + of + ")" + filter;
    case Type::text:
        return chance(50) ? "string_agg(" + of + ", ',' ORDER BY " + of + ")" + filter
                          : "max(" + of + ")" + filter;
    case Type::date:
        return std::string(one_of({"min", "max"})) + "(" + of + ")" + filter;
    case Type::uuid:
        return "(min((" + of + ")::text)" + filter + ")::uuid";
    }
    return "";
}

// Equal rows of the ordering are peers, so no answer depends on their order.
std::string QueryGenerator::window(Type type, int depth, const Scope &scope) {
    const std::string over = " OVER (PARTITION BY " + expression(any_type(), depth + 2, scope) +
                             (chance(60) ? " ORDER BY " + column(any_type(), scope) : "") + ")";
    switch (type) {
    case Type::integer:
        return one_of({"count(*)", "rank()", "dense_rank()"}) + over;
    case Type::number:
        return "sum(" + column(type, scope) + ")" + over;
    case Type::uuid:
        return "(max((" + column(type, scope) + ")::text)" + over + ")::uuid";
    default:
        return "max(" + column(type, scope) + ")" + over;
    }
}

std::string QueryGenerator::condition(int depth, const Scope &scope) {
    if (depth < 3 && chance(30)) {
        const char *op = one_of({" AND ", " OR ", " AND NOT "});
        return "(" + condition(depth + 1, scope) + op + condition(depth + 1, scope) + ")";
    }
    if (depth < 3 && chance(35)) {
        return subquery_condition(depth, scope);
    }
    const Type type = any_type();
    switch (below(6)) {
    case 0:
        return column(type, scope) + one_of({" IS NULL", " IS NOT NULL"});
    case 1:
        return column(type, scope) + one_of({" IN (", " NOT IN ("}) + constant(type) + ", " +
               constant(type) + ", " + constant(type) + ")";
    case 2:
        return column(type, scope) + " IS DISTINCT FROM " + expression(type, depth + 1, scope);
    case 3:
        return column(Type::text, scope) + " LIKE '%" + std::to_string(below(9)) + "'";
    default:
        return expression(type, depth + 1, scope) +
               one_of({" = ", " < ", " > ", " <= ", " >= ", " <> "}) +
               expression(type, depth + 1, scope);
    }
}

std::string QueryGenerator::subquery_condition(int depth, const Scope &scope) {
    const Type type = any_type();
    switch (below(4)) {
    case 0:
        return column(type, scope) + one_of({" IN (", " NOT IN ("}) +
               select(std::max(depth + 1, 2), {}, {type}) + ")";
    case 1:
        return column(type, scope) + " = ANY (ARRAY(" + select(std::max(depth + 1, 2), {}, {type}) +
               "))";
    default: {
        const std::string table = tables()[below(tables().size())];
        const std::string name = alias();
        const Scope inner = table_scope(table, name);
        Scope both = inner;
        both.insert(both.end(), scope.begin(), scope.end());
        return std::string(one_of({"EXISTS", "NOT EXISTS"})) + " (SELECT FROM " + table + " " +
               name + " WHERE " + join_condition(scope, inner, false) +
               (chance(50) ? " AND " + condition(3, both) : "") + ")";
    }
    }
}

std::string QueryGenerator::join_condition(const Scope &left, const Scope &right,
                                           bool equality_only) {
    std::vector<std::pair<const Column *, const Column *>> pairs;
    for (const Column &one : left) {
        for (const Column &other : right) {
            if (one.type == other.type) {
                pairs.emplace_back(&one, &other);
            }
        }
    }
    if (pairs.empty()) {
        return column(Type::integer, right) + " = " + constant(Type::integer);
    }
    // Where both have a column of one name, they are mostly joined by it, as lines and documents
    // are.
    const auto named = std::partition(pairs.begin(), pairs.end(), [](const auto &pair) {
        return plain_name(*pair.first) == plain_name(*pair.second);
    });
    if (named != pairs.begin() && chance(60)) {
        pairs.erase(named, pairs.end());
    }
    const auto pair = pairs[below(pairs.size())];
    std::string text = pair.first->expression + " = " + pair.second->expression;
    if (!equality_only && chance(30)) {
        Scope both = left;
        both.insert(both.end(), right.begin(), right.end());
        text += " AND " + condition(3, both);
    }
    return text;
}

std::string QueryGenerator::from_item(int depth, const Scope &before, Scope &columns) {
    const std::string name = alias();
    if (!with_.empty() && chance(50)) {
        const auto &with = with_[below(with_.size())];
        for (std::size_t i = 0; i < with.second.size(); ++i) {
            columns.push_back({name + "." + output_name(i), with.second[i]});
        }
        return with.first + " " + name;
    }
    if (depth < 2 && chance(25)) {
        const std::vector<Type> types = any_types();
        const bool is_lateral = !before.empty() && chance(40);
        for (std::size_t i = 0; i < types.size(); ++i) {
            columns.push_back({name + "." + output_name(i), types[i]});
        }
        return std::string(is_lateral ? "LATERAL " : "") + "(" +
               select(depth + 1, is_lateral ? before : Scope{}, types) + ") " + name;
    }
    if (chance(10)) {
        columns = table_scope("orders", name);
        return "orders_over(" + std::to_string(below(90)) + ") " + name;
    }
    if (!before.empty() && chance(8)) {
        columns = table_scope("visits", name);
        return "LATERAL visits_of(" + column(Type::integer, before) + ") " + name;
    }
    const std::string table = tables()[below(tables().size())];
    columns = table_scope(table, name);
    return table + " " + name;
}

std::string QueryGenerator::from_clause(int depth, const Scope &outer, Scope &scope) {
    Scope first;
    std::string text = from_item(depth, outer, first);
    scope = first;
    const std::size_t joins = depth == 0 ? below(3) : below(2);
    for (std::size_t i = 0; i < joins; ++i) {
        Scope next;
        const char *kind = one_of({"JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"});
        // An item may look at those before it only where none of them can be missing.
        const bool is_inner = std::string(kind) == "JOIN" || std::string(kind) == "LEFT JOIN";
        const std::string item = from_item(depth, is_inner ? scope : Scope{}, next);
        const std::string on = join_condition(scope, next, !is_inner);
        // A full join takes nothing but an equality of both sides.
        text += std::string(" ") + (shares_type(scope, next) ? kind : "JOIN") + " " + item +
                " ON " + on;
        scope.insert(scope.end(), next.begin(), next.end());
    }
    return text;
}

std::string QueryGenerator::plain_select(int depth, const Scope &outer,
                                         const std::vector<Type> &types) {
    Scope scope;
    const std::string from = from_clause(depth, outer, scope);
    scope.insert(scope.end(), outer.begin(), outer.end());
    const bool is_distinct = chance(20);
    std::string list;
    for (std::size_t i = 0; i < types.size(); ++i) {
        const std::string value = !is_distinct && depth < 2 && chance(10)
                                      ? window(types[i], depth, scope)
                                      : expression(types[i], depth, scope);
        list += (i > 0 ? ", " : "") +
                ("(" + value + ")::" + type_name(types[i]) + " AS " + output_name(i));
    }
    return std::string("SELECT ") + (is_distinct ? "DISTINCT " : "") + list + " FROM " + from +
           (chance(55) ? " WHERE " + condition(depth, scope) : "");
}

std::string QueryGenerator::grouped_select(int depth, const Scope &outer,
                                           const std::vector<Type> &types) {
    Scope scope;
    const std::string from = from_clause(depth, outer, scope);
    const std::string one = scope[below(scope.size())].expression;
    const std::string other = scope[below(scope.size())].expression;
    std::string list;
    for (std::size_t i = 0; i < types.size(); ++i) {
        list += (i > 0 ? ", " : "") + ("(" + aggregate(types[i], depth, scope) +
                                       ")::" + type_name(types[i]) + " AS " + output_name(i));
    }
    Scope inside = scope;
    inside.insert(inside.end(), outer.begin(), outer.end());
    std::string text = "SELECT " + list + " FROM " + from +
                       (chance(45) ? " WHERE " + condition(depth, inside) : "");
    switch (below(6)) {
    case 0:
        break;
    case 1:
        text += " GROUP BY GROUPING SETS ((" + one + "), (" + other + "), ())";
        break;
    case 2:
        text += " GROUP BY ROLLUP (" + one + ", " + other + ")";
        break;
    case 3:
        text += " GROUP BY CUBE (" + one + ", " + other + ")";
        break;
    default:
        text += " GROUP BY " + one + (chance(40) ? ", " + other : "");
    }
    return text + (chance(30) ? " HAVING count(*) > " + std::to_string(below(4)) : "");
}

std::string QueryGenerator::set_operation(int depth, const Scope &outer,
                                          const std::vector<Type> &types) {
    const char *op = one_of({"UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL"});
    return "(" + select(depth + 1, outer, types) + ") " + op + " (" +
           select(depth + 1, outer, types) + ")";
}

std::string QueryGenerator::with_query(int depth, const std::vector<Type> &types) {
    const std::string name = "w" + std::to_string(++aliases_);
    const std::vector<Type> inner = any_types();
    const std::string body = select(depth + 1, {}, inner);
    with_.emplace_back(name, inner);
    std::string text = "WITH " + name + " AS " +
                       one_of({"", "MATERIALIZED ", "NOT MATERIALIZED "}) + "(" + body + ") " +
                       select(depth + 1, {}, types);
    with_.pop_back();
    return text;
}

std::string QueryGenerator::select(int depth, const Scope &outer, const std::vector<Type> &wanted) {
    const std::vector<Type> types = wanted.empty() ? any_types() : wanted;
    std::string text;
    if (depth == 0 && chance(15)) {
        text = with_query(depth, types);
    } else if (depth < 2 && chance(12)) {
        text = set_operation(depth, outer, types);
    } else if (chance(35)) {
        text = grouped_select(depth, outer, types);
    } else {
        text = plain_select(depth, outer, types);
    }
    // Rows that are equal in every column may change places.
    if (chance(15)) {
        text = "SELECT * FROM (" + text + ") " + alias() + " ORDER BY " + positions(types.size()) +
               (chance(50) ? " LIMIT " : " OFFSET ") + std::to_string(1 + below(9));
    }
    return text;
}

} // namespace entitle::client
