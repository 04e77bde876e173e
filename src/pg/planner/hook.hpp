// The hooks into the executor and the planner.
#pragma once

namespace entitle::pg {

// Installs them; once per backend, from _PG_init.
void install_hooks();

} // namespace entitle::pg
