// Planner support of functions that the model's own policies call. regime: C
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/conflict_guard.hpp"

extern "C" {
#include "nodes/supportnodes.h"
}

using namespace entitle::pg;

namespace {

void guard_query(const Node *request) {
    if (IsA(request, SupportRequestSimplify)) {
        guard_conflict(ENTITLE_NODE(SupportRequestSimplify, request)->root);
    }
}

} // namespace

// Support function of the extension's SECURITY DEFINER functions, and of what the model's own
// policies call. To be asked loads the library while the caller is planned, who is in charge then.
ENTITLE_FUNCTION(entitle_load_support) {
    guard_query(reinterpret_cast<const Node *>(PG_GETARG_POINTER(0)));
    return Datum(0);
}

// The same for manages_user. Queries mostly come to users from memberships and grants that show,
// and those users show, too. PostgreSQL would guess a third of them, and then look up each one's
// role.
ENTITLE_FUNCTION(entitle_manages_user_support) {
    auto *request = reinterpret_cast<Node *>(PG_GETARG_POINTER(0));
    guard_query(request);
    if (IsA(request, SupportRequestSelectivity)) {
        ENTITLE_NODE(SupportRequestSelectivity, request)->selectivity = 1.0;
        return PointerGetDatum(request);
    }
    return Datum(0);
}
