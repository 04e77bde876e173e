// Parts of the library's start that happen once, however often the start is repeated: where it
// failed for want of memory, PostgreSQL begins it anew with the next statement that needs the
// library.
#pragma once

namespace entitle::pg {

// Runs a step unless it has been done, which is when it returned once. A step that may raise does
// one thing. Requires: each call has a lambda of its own.
template <typename Step> void once(Step step) {
    static bool is_done = false;
    if (!is_done) {
        step();
        is_done = true;
    }
}

} // namespace entitle::pg
