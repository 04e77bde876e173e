#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"
#include "pg/lending/definer.hpp"
#include "pg/lending/following.hpp"

namespace entitle::pg {

namespace {

// How many triggers were running, one inside the other, where the innermost was opened.
int opened_at = -1;

int trigger_depth() { return DatumGetInt32(OidFunctionCall0(F_PG_TRIGGER_DEPTH)); }

// The statement of the extension's own, and not one of a trigger that it fires.
bool is_own_statement(int triggers) {
    return opened_at >= 0 && trigger_depth() == opened_at + triggers && OidIsValid(lender()) &&
           GetUserId() == lender() && !OidIsValid(function_in_charge());
}

} // namespace

bool is_following() { return is_own_statement(1); }

Following::Following() : outer_(opened_at) { opened_at = trigger_depth(); }

Following::~Following() { opened_at = outer_; }

} // namespace entitle::pg

using namespace entitle::pg;

// is_following() -> boolean: the same in the condition of a trigger, which is not running yet
ENTITLE_FUNCTION(entitle_is_following) { PG_RETURN_BOOL(is_own_statement(0)); }
