// Watches SECURITY DEFINER functions through the function manager's hook, which PostgreSQL calls
// for each that is entered and left, whether or not by an error.
#include "pg/boundary/postgres.hpp"

#include "pg/lending/definer.hpp"
#include "pg/boundary/dump_preamble.hpp"
#include "pg/boundary/extension_schema.hpp"
#include "pg/boundary/function.hpp"
#include "pg/boundary/once.hpp"
#include "pg/lending/lent_rights.hpp"
#include "pg/lending/printed_tree.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
}

namespace entitle::pg {

namespace {

fmgr_hook_type next_manager = nullptr;
StatementUser find_user = nullptr;

// The path of the extension's own SECURITY DEFINER functions, as inventory.sql writes it and nobody
// else would.
constexpr char kOwnPath[] = "pg_catalog, pg_temp, pg_temp";

// What the hook keeps with a function's call site. A writer is write_row, to which the table's
// owner lends the rights.
enum Kind : int { unknown = 0, plain = 1, own = 2, foreign = 3, writer = 4 };

struct State {
    Oid in_charge;
    Oid lender;
    Oid function; // the innermost that is not the extension's own
    bool is_view_write;
};

State now{InvalidOid, InvalidOid, InvalidOid, false};

// Each function being run, and what was so outside of it.
struct Frame {
    State outside;
    Kind kind;
};
Frame *frames = nullptr;
int depth = 0;
int room = 0;

bool is_own(Oid function) { return is_extension_schema(get_func_namespace(function)); }

Kind kind_of(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) {
        return Kind::plain;
    }
    const auto *form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    const bool is_extension = is_extension_schema(form->pronamespace);
    Kind kind = Kind::plain;
    if (form->prosecdef) {
        kind = is_extension ? Kind::own : Kind::foreign;
    } else if (is_extension && strcmp(NameStr(form->proname), "write_row") == 0) {
        kind = Kind::writer;
    }
    ReleaseSysCache(tuple);
    return kind;
}

// A foreign key runs the triggers of the referring table, and its checks, as that one's owner, and
// no function manager tells. Who runs the innermost statement does.
// Returns: that owner, InvalidOid for a superuser and where none acts.
Oid find_owner_in_charge() {
    const Oid user = InNoForceRLSOperation() && find_user != nullptr ? find_user() : InvalidOid;
    return OidIsValid(user) && !superuser_arg(user) ? user : InvalidOid;
}

void enter(Kind kind, Oid function) {
    if (depth == room) {
        const int wanted = room == 0 ? 16 : 2 * room;
        frames = static_cast<Frame *>(
            frames == nullptr ? MemoryContextAlloc(TopMemoryContext, wanted * sizeof(Frame))
                              : repalloc(frames, wanted * sizeof(Frame)));
        room = wanted;
    }
    const Oid owner = find_owner_in_charge();
    frames[depth++] = Frame{now, kind};
    if (OidIsValid(owner) && (kind == Kind::own || kind == Kind::writer)) {
        now.in_charge = owner;
    }
    switch (kind) {
    case Kind::foreign:
        now.in_charge = GetUserId();
        now.function = function;
        break;
    case Kind::own:
        now.lender = GetUserId();
        now.function = InvalidOid;
        now.is_view_write = false;
        break;
    case Kind::writer:
        // Whoever calls it by name is lent nothing, nor is a superuser who writes the view.
        if (InLocalUserIdChange()) {
            now.lender = GetUserId();
            now.function = InvalidOid;
            now.is_view_write = true;
        }
        break;
    case Kind::plain:
    case Kind::unknown:
        if (OidIsValid(now.lender) && !is_own(function)) {
            now.function = function;
        }
        break;
    }
}

// A function that was entered before the library was loaded has left nothing here. Once it has
// returned, the user is its caller again; after an error the one in charge stays, who is no more
// than it.
void leave(bool has_returned) noexcept {
    if (depth > 0) {
        now = frames[--depth].outside;
    } else if (has_returned) {
        now =
            State{InLocalUserIdChange() ? GetUserId() : InvalidOid, InvalidOid, InvalidOid, false};
    }
}

// A maintenance command runs the code of whoever owns what it works on: nobody knows then whom the
// rights of a table's owner would be lent to.
void refuse_maintenance(Kind kind) {
    if (kind == Kind::writer && InSecurityRestrictedOperation()) {
        ereport(ERROR,
                (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                 errmsg("cannot write a filtered view within a security-restricted operation"),
                 errhint("Functions of indexes and materialized views write no such view.")));
    }
}

// A broken constraint is told with the values of the row, as far as whoever writes may read them:
// in a function of ours that is its owner, so they go to the server's log alone (S167). In the
// middle of PostgreSQL's own handler, which would throw the error on as it is.
void hide_values() {
    if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION) {
        return;
    }
    MemoryContextSwitchTo(CurTransactionContext);
    ErrorData *error = CopyErrorData();
    if (error->detail != nullptr) {
        if (error->detail_log == nullptr) {
            error->detail_log = error->detail;
        }
        error->detail = nullptr;
        FlushErrorState();
        ReThrowError(error);
    }
}

void on_function(FmgrHookEventType event, FmgrInfo *function, Datum *kept) {
    // The call site's own memory belongs to one hook; ours takes it only when it is alone.
    const bool is_own = depth > 0 && frames[depth - 1].kind == Kind::own;
    Kind kind = next_manager == nullptr ? static_cast<Kind>(DatumGetInt32(*kept)) : Kind::unknown;
    switch (event) {
    case FHET_START:
        if (kind == Kind::unknown) {
            kind = kind_of(function->fn_oid);
            if (next_manager == nullptr) {
                *kept = Int32GetDatum(kind);
            }
        }
        // Before anything is noted: PostgreSQL does not tell the end of a function refused here.
        refuse_maintenance(kind);
        if (kind == Kind::own || kind == Kind::writer) {
            pin_settings();
            if (kind == Kind::own) {
                pin_texts();
            }
            hide_trees_within();
        } else {
            check_lent_function(function->fn_oid, kind == Kind::foreign);
        }
        enter(kind, function->fn_oid);
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
    if (event == FHET_ABORT && is_own) {
        hide_values();
    }
}

// Nothing runs on from one transaction to the next: a procedure that ends one is no SECURITY
// DEFINER function, nor inside one.
void on_end(XactEvent event, void *) {
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) {
        depth = 0;
        now = State{InvalidOid, InvalidOid, InvalidOid, false};
        forget_watched();
    }
}

} // namespace

Oid definer_in_charge() noexcept { return now.in_charge; }

Oid lender() noexcept { return now.lender; }

bool is_view_write() noexcept { return now.is_view_write; }

Oid function_in_charge() noexcept { return now.function; }

int find_borrowers(Oid *roles, int wanted) noexcept {
    int count = 0;
    const auto add = [&](Oid role) {
        for (int i = 0; i < count && i < wanted; ++i) {
            if (roles[i] == role) {
                return;
            }
        }
        if (OidIsValid(role)) {
            if (count < wanted) {
                roles[count] = role;
            }
            ++count;
        }
    };
    add(GetSessionUserId());
    add(GetOuterUserId());
    add(now.in_charge);
    for (int i = 0; i < depth; ++i) {
        add(frames[i].outside.in_charge);
        add(frames[i].outside.lender);
    }
    return count;
}

// Support functions load the library before the functions are run that a query calls. Those that
// are called without a query, by the protocol or to end a window's aggregate, find it not loaded.
void demand_seen() {
    if (depth == 0 && InLocalUserIdChange() && !IsParallelWorker() &&
        strcmp(namespace_search_path, kOwnPath) == 0) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("a function of entitle was called before its library was loaded"),
                        errhint("Call it again, in a SELECT.")));
    }
}

bool acts_as_superuser() {
    // In a maintenance command the owner of the table is in charge.
    return superuser() && superuser_arg(GetOuterUserId()) && !InSecurityRestrictedOperation() &&
           (!OidIsValid(now.in_charge) || superuser_arg(now.in_charge));
}

bool is_restoring() { return has_dump_preamble() && acts_as_superuser(); }

void watch_callers(StatementUser find) {
    once([] { RegisterXactCallback(on_end, nullptr); });
    find_user = find;
    now.in_charge = InLocalUserIdChange() ? GetUserId() : InvalidOid;
    next_manager = fmgr_hook;
    fmgr_hook = on_function;
}

} // namespace entitle::pg

using namespace entitle::pg;

// acting_superuser() -> boolean. R53
ENTITLE_FUNCTION(entitle_acting_superuser) { PG_RETURN_BOOL(acts_as_superuser()); }

// restoring() -> boolean. R53
ENTITLE_FUNCTION(entitle_restoring) { PG_RETURN_BOOL(is_restoring()); }

// definer_in_charge() -> oid, NULL when nobody's function but the extension's own is in charge; 0,
// which is no role, where nobody knows whose code is: PostgreSQL itself runs that of a table's
// owner, for a maintenance command or a foreign key
ENTITLE_FUNCTION(entitle_definer_in_charge) {
    if (InSecurityRestrictedOperation() || InNoForceRLSOperation()) {
        PG_RETURN_OID(InvalidOid);
    }
    if (!OidIsValid(definer_in_charge())) {
        PG_RETURN_NULL();
    }
    PG_RETURN_OID(definer_in_charge());
}
