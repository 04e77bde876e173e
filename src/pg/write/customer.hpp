// What the guard of customers and the recalculation of scores agree on.
#pragma once

namespace entitle::pg {

// True while recalc_scores writes scores (R17).
extern bool is_recalculating;

} // namespace entitle::pg
