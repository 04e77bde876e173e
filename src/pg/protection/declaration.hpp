// What protect_table was told of a table. Read by index, without SQL, as the rights are. regime: C
// throughout.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>

extern "C" {
#include "nodes/pg_list.h"
#include "utils/jsonb.h"
}

namespace entitle::pg {

// Texts live in the current memory context; a null pointer is a NULL.
struct Declaration {
    Oid relation = InvalidOid; // the one declared, of a part its root
    const char *customer_column = nullptr;
    const char *date_column = nullptr;
    const char *brand_column = nullptr;
    std::int32_t min_level = 0;
    const char *view_permission = nullptr;
    const char *insert_permission = nullptr;
    const char *update_permission = nullptr;
    const char *delete_permission = nullptr;
    std::optional<std::int32_t> external_insert_level;
    std::optional<std::int32_t> external_update_level;
    std::optional<std::int32_t> external_delete_level;
    Jsonb *masked_columns = nullptr;
    bool has_shared_rows = false; // those without customer show to every signed-in user
    Oid parent = InvalidOid;
    const char *parent_key = nullptr; // the foreign key to it, where there are several
    bool is_model = false; // the model's own table or view of customers, as visibility.sql shows it
};

// Finds what is declared of a table, of the one it is a part of, or of the one that a filtered view
// is of. `table` becomes the table whose rows these are.
// Returns: false when nothing is declared; the table is as good as any other then.
bool find_declaration(Oid relation, Declaration &declared, Oid &table);

// Finds what is declared of a table in report mode (R66), by the table's own number.
bool find_reported_declaration(Oid relation, Declaration &declared);

// The filtered view of a declared table, else InvalidOid.
Oid find_view(Oid table);

// Finds what is declared of a table whose triggers fire: also of a partition that was attached
// since its root was protected. Errors: 55000 when nothing is declared.
Declaration require_declaration(Relation table);

// What is declared of the tables that follow this one, at whatever distance: a List of
// Declaration *.
List *find_lines(Oid relation);

// The columns that decide about a document, as they are called now, and what lets it be seen: read
// from its policy, which follows renamed columns.
struct DecidingColumns {
    const char *customer; // null pointers for those that are not declared
    const char *date;
    const char *brand;
};
// Requires: document.parent is invalid. Errors: 55000 when the policy is not as it was made.
DecidingColumns find_deciding_columns(const Declaration &document);

// The indexes of the primary keys of a table and of its parts, as OIDs. Errors: 55000 when the
// table has none.
List *find_primary_keys(Oid table);

// The masked columns in the order of the table's. Errors: 55000 when one is no longer there.
struct MaskedColumn {
    const char *name;
    std::int32_t level; // that sees it by external access
    bool is_given;      // by a new row
};
struct MaskedColumns {
    MaskedColumn *columns;
    int count;
};
MaskedColumns find_masked_columns(const Declaration &declared, Oid table);

// Returns: an object's field as text, a null pointer when there is none or it is null.
const char *get_json_field(Datum object, const char *name);

// A relation's name with its schema, as SQL writes it.
const char *qualified_name(Oid relation);

} // namespace entitle::pg
