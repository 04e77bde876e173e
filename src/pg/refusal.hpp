// The hint of PostgreSQL's own refusal of a new row by row-level security.
#pragma once

namespace entitle::pg {

// Chains into the executor. regime: C
void install_refusals();

} // namespace entitle::pg
