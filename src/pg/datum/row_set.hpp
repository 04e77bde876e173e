// Rows on their way out of a function that returns a set.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "utils/tuplestore.h"
}

#include "pg/boundary/copy_out.hpp"

#include "core/trace.hpp"

namespace entitle::pg {

// A set being filled. PostgreSQL reads it once the function has returned.
struct RowSet {
    Tuplestorestate *store;
    TupleDesc columns;
};

// Begins the answer of the running function. regime: C
RowSet open_row_set(FunctionCallInfo fcinfo);
void add_row(RowSet &set, const Datum *values, const bool *nulls);

// Steps in plain memory, for explanations that leave C++. regime: C++
struct PlainStep {
    const char *gate;
    bool passed;
    const char *detail;
};
struct PlainSteps {
    PlainStep *steps = nullptr;
    std::size_t count = 0;
};
PlainSteps copy_out(const Trace &trace);

// Answers with numbered steps: (step, gate, passed, detail). regime: C
Datum return_steps(FunctionCallInfo fcinfo, const PlainSteps &steps);

} // namespace entitle::pg
