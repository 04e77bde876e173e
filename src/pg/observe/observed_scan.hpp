// Reads of tables in report mode (R66): a statement runs by its own plan, and each row that one of
// its scans gives is judged on the way.
#pragma once

namespace entitle::pg {

void install_observed_scans();

} // namespace entitle::pg
