// How a restore is recognised (R53).
#pragma once

#include "pg/boundary/compat.hpp"

extern "C" {
#include "parser/parser.h"
#include "utils/rls.h"
#include "utils/xml.h"
}

namespace entitle::pg {

// Whether the session has the settings with which every dump and every session of pg_restore
// begins. check_function_bodies alone is switched off by migrations, too; row_security by hardly
// anything else. search_path is left out: a function with a path of its own could not see it.
inline bool has_dump_preamble() noexcept {
    return !check_function_bodies && !row_security && xmloption == XMLOPTION_CONTENT &&
           entitle_standard_strings();
}

} // namespace entitle::pg
