// Watches SECURITY DEFINER functions through the function manager's hook, which PostgreSQL calls
// for each that is entered and left, whether or not by an error.
#include "pg/postgres.hpp"

#include "pg/caller.hpp"
#include "pg/function.hpp"

extern "C" {
#include "catalog/pg_proc.h"
}

namespace entitle::pg {

namespace {

fmgr_hook_type next_manager = nullptr;

// What the hook keeps with a function's call site.
enum Kind : int { unknown = 0, plain = 1, own = 2, foreign = 3 };

Oid in_charge = InvalidOid;

// Who was in charge outside of each function being run.
Oid *outside = nullptr;
int depth = 0;
int room = 0;

Kind kind_of(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) {
        return Kind::plain;
    }
    const auto *form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    const Kind kind = !form->prosecdef                                           ? Kind::plain
                      : form->pronamespace == get_namespace_oid("entitle", true) ? Kind::own
                                                                                 : Kind::foreign;
    ReleaseSysCache(tuple);
    return kind;
}

void enter(Kind kind) {
    if (depth == room) {
        const int wanted = room == 0 ? 16 : 2 * room;
        outside = static_cast<Oid *>(
            outside == nullptr ? MemoryContextAlloc(TopMemoryContext, wanted * sizeof(Oid))
                               : repalloc(outside, wanted * sizeof(Oid)));
        room = wanted;
    }
    outside[depth++] = in_charge;
    if (kind == Kind::foreign) {
        in_charge = GetUserId();
    }
}

// A function that was entered before the library was loaded has left nothing here. Once it has
// returned, the user is its caller again; after an error the one in charge stays, who is no more
// than it.
void leave(bool has_returned) noexcept {
    if (depth > 0) {
        in_charge = outside[--depth];
    } else if (has_returned) {
        in_charge = InLocalUserIdChange() ? GetUserId() : InvalidOid;
    }
}

void on_function(FmgrHookEventType event, FmgrInfo *function, Datum *kept) {
    // The call site's own memory belongs to one hook; ours takes it only when it is alone.
    Kind kind = next_manager == nullptr ? static_cast<Kind>(DatumGetInt32(*kept)) : Kind::unknown;
    switch (event) {
    case FHET_START:
        if (kind == Kind::unknown) {
            kind = kind_of(function->fn_oid);
            if (next_manager == nullptr) {
                *kept = Int32GetDatum(kind);
            }
        }
        enter(kind);
        break;
    case FHET_END:
        leave(true);
        break;
    case FHET_ABORT:
        leave(false);
        break;
    }
    if (next_manager != nullptr) {
        next_manager(event, function, kept);
    }
}

// Nothing runs on from one transaction to the next: a procedure that ends one is no SECURITY
// DEFINER function, nor inside one.
void on_end(XactEvent event, void *) {
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) {
        depth = 0;
        in_charge = InvalidOid;
    }
}

} // namespace

Oid definer_in_charge() noexcept { return in_charge; }

bool acts_as_superuser() {
    // In a maintenance command the owner of the table is in charge.
    return superuser() && superuser_arg(GetOuterUserId()) && !InSecurityRestrictedOperation() &&
           (!OidIsValid(in_charge) || superuser_arg(in_charge));
}

void watch_callers() {
    in_charge = InLocalUserIdChange() ? GetUserId() : InvalidOid;
    next_manager = fmgr_hook;
    fmgr_hook = on_function;
    RegisterXactCallback(on_end, nullptr);
}

} // namespace entitle::pg

using namespace entitle::pg;

// acting_superuser() -> boolean. R53
ENTITLE_FUNCTION(entitle_acting_superuser) { PG_RETURN_BOOL(acts_as_superuser()); }

// definer_in_charge() -> oid, NULL when nobody's function but the extension's own is in charge
ENTITLE_FUNCTION(entitle_definer_in_charge) {
    if (!OidIsValid(definer_in_charge())) {
        PG_RETURN_NULL();
    }
    PG_RETURN_OID(definer_in_charge());
}

// Support function of the extension's SECURITY DEFINER functions. It has nothing to say; to be
// asked loads the library while the caller is planned, who is in charge then.
ENTITLE_FUNCTION(entitle_load_support) { PG_RETURN_POINTER(nullptr); }
