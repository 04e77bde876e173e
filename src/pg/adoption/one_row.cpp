#include "pg/boundary/postgres.hpp"

#include "pg/adoption/one_row.hpp"

namespace entitle::pg {

OneRow expect_one_row(void (*visit)(const Source &source, const char *key, HeapTuple row,
                                    void *context),
                      void *context) {
    return OneRow{make_key_places(), visit, context};
}

void pass_one_row(const Source &source, const char *key, HeapTuple row, void *one_row) {
    const auto *all = static_cast<const OneRow *>(one_row);
    const Oid table = RelationGetRelid(source.table);
    if (first_place(all->places, key, table) != table) {
        const char *name = get_rel_name(source.adoption->table);
        ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
                        errmsg("several rows of adopted table \"%s\" have one key", name),
                        errhint("The key by which it is adopted must be that of one row, whatever "
                                "its partition; adopt the table by its primary key.")));
    }
    all->visit(source, key, row, all->context);
}

} // namespace entitle::pg
