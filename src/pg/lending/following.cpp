#include "pg/boundary/postgres.hpp"

#include "pg/boundary/trigger.hpp"
#include "pg/lending/definer.hpp"
#include "pg/lending/following.hpp"

namespace entitle::pg {

namespace {

// How many triggers were running, one inside the other, where the innermost was opened.
int opened_at = -1;

} // namespace

// The statement of the extension's own, and not one of a trigger that it fires.
bool is_following() {
    return opened_at >= 0 && trigger_depth() == opened_at + 1 && OidIsValid(lender()) &&
           GetUserId() == lender() && !OidIsValid(function_in_charge());
}

Following::Following() : outer_(opened_at) { opened_at = trigger_depth(); }

Following::~Following() { opened_at = outer_; }

} // namespace entitle::pg
