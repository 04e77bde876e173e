// The statements that write. A statement changes no row twice, and gives each row values that do
// not depend on the order in which rows are met.
#include "query_generator.hpp"

namespace entitle::client {

namespace {

struct Target {
    const char *name;
    const char *id;
    const char *key;              // what other tables are matched by
    std::vector<Column> settable; // all but what partitions the table
    const char *columns;          // for INSERT
    const char *fresh;            // a row made from row `t`
    const char *source;           // distinct keys, as k
};

const std::vector<Target> &targets() {
    static const std::vector<Target> all = {
        {"orders",
         "order_id",
         "customer_id",
         {{"brand_id", Type::integer},
          {"customer_id", Type::integer},
          {"order_date", Type::date},
          {"amount", Type::number},
          {"note", Type::text}},
         "order_id, brand_id, customer_id, order_date, amount, note",
         "t.order_id + 100000, t.brand_id, t.customer_id, t.order_date, t.amount, 'copy'",
         "(SELECT DISTINCT customer_id AS k FROM visits)"},
        {"shipments",
         "shipment_id",
         "weight",
         {{"customer_uuid", Type::uuid}, {"weight", Type::integer}, {"carrier", Type::text}},
         "shipment_id, customer_uuid, shipped_at, weight, carrier",
         "t.shipment_id + 100000, t.customer_uuid, t.shipped_at, t.weight, 'copy'",
         "(SELECT DISTINCT quantity AS k FROM stock)"},
        {"ledger",
         "entry_id",
         "brand_id",
         {{"brand_id", Type::integer}, {"entered", Type::date}, {"amount", Type::integer}},
         "entry_id, brand_id, entered, amount, note",
         "t.entry_id + 100000, t.brand_id, t.entered, t.amount, 'copy'",
         "(SELECT DISTINCT brand_id AS k FROM orders)"},
        {"visits",
         "visit_id",
         "customer_id",
         {{"visited", Type::date}, {"place", Type::text}},
         "visit_id, customer_id, visited, place",
         "t.visit_id + 100000, t.customer_id, t.visited, 'copy'",
         "(SELECT DISTINCT customer_id AS k FROM orders)"},
        {"stock",
         "stock_id",
         "quantity",
         {{"quantity", Type::integer}, {"customer_code", Type::text}},
         "stock_id, brand_id, customer_code, quantity",
         "t.stock_id + 100000, t.brand_id, t.customer_code, t.quantity",
         "(SELECT DISTINCT weight AS k FROM shipments)"},
    };
    return all;
}

} // namespace

Statement QueryGenerator::update() {
    const Target &target = targets()[below(targets().size())];
    const Scope scope = table_scope(target.name, "t");
    std::string list;
    for (const Column &column : target.settable) {
        if (list.empty() || chance(25)) {
            const Column &changed =
                list.empty() ? target.settable[below(target.settable.size())] : column;
            if (list.find(changed.expression + " =") == std::string::npos) {
                list += (list.empty() ? "" : ", ") + changed.expression + " = " +
                        (chance(50) ? constant(changed.type) : expression(changed.type, 2, scope));
            }
        }
    }
    Statement statement{std::string("UPDATE ") + target.name + " t SET " + list, target.name, true};
    const bool has_source = chance(35);
    statement.text += has_source ? std::string(" FROM ") + target.source + " s WHERE t." +
                                       target.key + " = s.k AND "
                                 : " WHERE ";
    statement.text += condition(1, scope) + " RETURNING t.*";
    return statement;
}

Statement QueryGenerator::erase() {
    const Target &target = targets()[below(targets().size())];
    const Scope scope = table_scope(target.name, "t");
    const bool has_source = chance(35);
    return Statement{std::string("DELETE FROM ") + target.name + " t" +
                         (has_source ? std::string(" USING ") + target.source + " s WHERE t." +
                                           target.key + " = s.k AND "
                                     : " WHERE ") +
                         condition(1, scope) + " RETURNING t.*",
                     target.name, true};
}

Statement QueryGenerator::insert() {
    const Target &target = targets()[below(targets().size())];
    const std::string name = target.name;
    const Scope scope = table_scope(name, "t");
    std::string text = "INSERT INTO " + name + " (" + target.columns + ") SELECT ";
    if ((name == "orders" || name == "ledger") && chance(40)) {
        // Each row meets itself.
        text += std::string("t.*") + " FROM " + name + " t WHERE " + condition(1, scope) +
                " ON CONFLICT (" + target.id + ") DO ";
        text += chance(30) ? "NOTHING" : "UPDATE SET amount = excluded.amount + 1";
    } else {
        text += std::string(target.fresh) + " FROM " + name + " t WHERE " + condition(1, scope);
    }
    const bool is_returning = chance(70);
    const bool reads_new = is_returning || text.find("DO UPDATE") != std::string::npos;
    return Statement{text + (is_returning ? " RETURNING *" : ""), name, reads_new};
}

Statement QueryGenerator::merge() {
    const Target &target = targets()[below(targets().size())];
    const Scope scope = table_scope(target.name, "t");
    const Column &changed = target.settable[below(target.settable.size())];
    const std::string id = target.id;
    // Half of the source's rows match themselves; the others are new.
    std::string text = std::string("MERGE INTO ") + target.name + " t USING (SELECT b.*, b." + id +
                       " + CASE WHEN b." + id + " % 2 = 0 THEN 0 ELSE 100000 END AS other FROM " +
                       target.name + " b WHERE b." + id + " % " + std::to_string(2 + below(5)) +
                       " < 2) s ON t." + id + " = s.other";
    if (chance(50)) {
        text += " WHEN MATCHED AND " + condition(2, scope) +
                (chance(50) ? std::string(" THEN DELETE") : std::string(" THEN DO NOTHING"));
    }
    text += " WHEN MATCHED THEN UPDATE SET " + changed.expression + " = " + constant(changed.type);
    if (chance(60)) {
        std::string values = target.fresh;
        for (std::size_t at = 0; (at = values.find("t.", at)) != std::string::npos; at += 2) {
            values.replace(at, 2, "s.");
        }
        text += std::string(" WHEN NOT MATCHED THEN INSERT (") + target.columns + ") VALUES (" +
                values + ")";
    }
    return Statement{text, target.name, false};
}

Statement QueryGenerator::writing_with() {
    const Statement inner = chance(50) ? update() : erase();
    const std::string table = one_of({"orders", "visits", "stock", "ledger"});
    return Statement{"WITH changed AS (" + inner.text +
                         ") SELECT (SELECT count(*) FROM changed), " +
                         aggregate(Type::integer, 1, table_scope(table, "x")) + " FROM " + table +
                         " x WHERE " + condition(2, table_scope(table, "x")),
                     inner.target, true};
}

Statement QueryGenerator::statement() {
    aliases_ = 0;
    if (!chance(22)) {
        return Statement{query(), "", true};
    }
    switch (below(5)) {
    case 0:
        return update();
    case 1:
        return erase();
    case 2:
        return insert();
    case 3:
        return merge();
    default:
        return writing_with();
    }
}

} // namespace entitle::client
