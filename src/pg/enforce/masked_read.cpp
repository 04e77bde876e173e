// The masks stay in memory while nothing about them changes: a table that has none costs a look
// into a short sorted list.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/boundary/trigger.hpp"
#include "pg/lending/definer.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/boundary/function.hpp"
#include "pg/boundary/once.hpp"
#include "pg/boundary/table_owner.hpp"
#include "pg/protection/masked_columns.hpp"
#include "pg/enforce/masked_read.hpp"

#include <algorithm>

namespace entitle::pg {

namespace {

ExecutorCheckPerms_hook_type next_check = nullptr;

// absent: no extension in this database, or one that is being created.
enum class State { unknown, absent, loaded };

State state = State::unknown;
Masks masks = {};
std::uint64_t changes = 0;    // grows whenever something may have become stale
bool has_own_changes = false; // by the running transaction, which may take them back

void forget() noexcept {
    ++changes;
    state = State::unknown;
}

// regime: callback
void on_relcache(Datum, Oid relation) {
    if (state != State::loaded || relation == InvalidOid ||
        std::binary_search(masks.watched.begin(), masks.watched.end(), relation)) {
        forget();
    }
}

void on_transaction(XactEvent event, void *) {
    if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT ||
        event == XACT_EVENT_PREPARE) {
        if (has_own_changes) {
            forget();
        }
        has_own_changes = false;
    } else if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PARALLEL_COMMIT) {
        has_own_changes = false;
    }
}

void on_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void *) {
    if (event == SUBXACT_EVENT_ABORT_SUB && has_own_changes) {
        forget();
    }
}

void bring_up_to_date() {
    while (state == State::unknown) {
        const std::uint64_t at_start = changes;
        const Oid extension = get_extension_oid("entitle", true);
        if (!OidIsValid(extension) || (creating_extension && CurrentExtensionObject == extension)) {
            state = changes == at_start ? State::absent : State::unknown;
            continue;
        }
        const Masks loaded = load_masks();
        if (changes != at_start) {
            MemoryContextDelete(loaded.context);
            CHECK_FOR_INTERRUPTS();
            continue;
        }
        if (masks.context != nullptr) {
            MemoryContextDelete(masks.context);
        }
        MemoryContextSetParent(loaded.context, TopMemoryContext);
        masks = loaded;
        state = State::loaded;
    }
}

bool is_before(const MaskedTable &table, Oid relation) noexcept {
    return table.relation < relation;
}

const MaskedTable *find_masked(Oid relation) {
    if (state == State::unknown) {
        bring_up_to_date();
    }
    if (state == State::absent || masks.tables.count == 0) {
        return nullptr;
    }
    const MaskedTable *found =
        std::lower_bound(masks.tables.begin(), masks.tables.end(), relation, is_before);
    return found != masks.tables.end() && found->relation == relation ? found : nullptr;
}

bool touches(const Bitmapset *used, const MaskedTable &table) {
    return table.is_closed ? bms_next_member(used, bit_of(InvalidAttrNumber) - 1) >= 0
                           : bms_overlap(used, table.columns);
}

// Whether someone is the owner of the table, or may do as the owner may.
bool has_owners_rights(Oid relation, Oid user) {
    const Oid owner = table_owner(relation);
    return OidIsValid(owner) && has_privs_of_role(user, owner);
}

bool is_masked_from(Oid relation, Oid user) {
    return find_masked(relation) != nullptr && !has_bypassrls_privilege(user) &&
           !has_owners_rights(relation, user);
}

bool is_refused(const EntitleAccess &access) {
    if (!OidIsValid(access.relid) || access.requiredPerms == 0) {
        return false;
    }
    const MaskedTable *table = find_masked(access.relid);
    if (table == nullptr ||
        !(touches(access.selectedCols, *table) || touches(access.insertedCols, *table) ||
          touches(access.updatedCols, *table))) {
        return false;
    }
    return is_masked_from(access.relid,
                          OidIsValid(access.checkAsUser) ? access.checkAsUser : GetUserId());
}

// In the words of a missing privilege on the column. regime: C
[[noreturn]] void raise_refused(Oid relation) {
    const MaskedTable *table = find_masked(relation);
    const char *view = table == nullptr ? nullptr : get_rel_name(table->view);
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied for table %s", get_rel_name(relation)),
             view == nullptr ? errhint("Some of the columns are masked. SELECT * FROM "
                                       "entitle.verify_protection() tells what mends the view.")
                             : errhint("Some of the columns are masked; read and write them "
                                       "through the filtered view \"%s\".",
                                       view)));
}

bool on_check(ENTITLE_CHECK_PARAMETERS) {
    for (const auto *access : each<EntitleAccess>(ENTITLE_CHECKED)) {
        if (is_refused(*access)) {
            if (is_error) {
                raise_refused(access->relid);
            }
            return false;
        }
    }
    return next_check == nullptr || next_check(ENTITLE_CHECK_ARGUMENTS);
}

} // namespace

bool writes_masked(const QueryDesc *query) {
    for (const auto *written : each<ResultRelInfo>(entitle_result_relations(query->estate))) {
        const Oid relation = RelationGetRelid(written->ri_RelationDesc);
        if (is_view_write() ? find_masked(relation) != nullptr
                            : is_masked_from(relation, GetUserId())) {
            return true;
        }
    }
    return false;
}

bool is_masked_from(Oid relation, AttrNumber column, Oid user) {
    const MaskedTable *table = find_masked(relation);
    return table != nullptr &&
           (table->is_closed || bms_is_member(bit_of(column), table->columns)) &&
           is_masked_from(relation, user);
}

void install_masked_reads() {
    once([] { CacheRegisterRelcacheCallback(on_relcache, static_cast<Datum>(0)); });
    once([] { RegisterXactCallback(on_transaction, nullptr); });
    once([] { RegisterSubXactCallback(on_subtransaction, nullptr); });
    next_check = ExecutorCheckPerms_hook;
    ExecutorCheckPerms_hook = on_check;
}

} // namespace entitle::pg

// Signals that what is declared changed: every backend reads it anew. Row trigger, AFTER. regime: C
ENTITLE_FUNCTION(entitle_signal_declaration) {
    CacheInvalidateRelcache(entitle::pg::require_trigger(fcinfo)->tg_relation);
    entitle::pg::has_own_changes = true;
    return Datum(0);
}
