// Door of can_score: whether the asker may write a customer's metric values (R12 to R14).
#include "pg/postgres.hpp"

#include "pg/function.hpp"
#include "pg/lookup.hpp"
#include "pg/value.hpp"

#include "core/score.hpp"

using namespace entitle;
using namespace entitle::pg;

// can_score(customer_id) -> boolean
ENTITLE_FUNCTION(entitle_can_score) {
    const auto customer = bigint_argument(fcinfo, 0);
    const Asker &asker = asker_now();
    if (asker.subject == nullptr || !customer) {
        PG_RETURN_BOOL(false);
    }
    const auto facts = find_customer(*customer);
    bool allowed = false;
    if (facts) {
        compute([&] {
            allowed =
                check_can_score(asker.subject, asker.session, facts->status, facts->brand).allowed;
        });
    }
    PG_RETURN_BOOL(allowed);
}
