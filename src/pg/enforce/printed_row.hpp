// Rows that would be printed with the trees of statements (S200). regime: C
#pragma once

namespace entitle::pg {

// Chains into the analysis and the planning of statements.
void install_printed_rows();

} // namespace entitle::pg
