// The doors: every SQL-callable C++ function is declared with ENTITLE_FUNCTION, so none can forget
// the guard, the C linkage or the exported symbol.
#pragma once

#include "pg/boundary/postgres.hpp"

#include "pg/boundary/guard.hpp"

#define ENTITLE_FUNCTION(name)                                                                     \
    extern "C" {                                                                                   \
    extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS);                                               \
    PG_FUNCTION_INFO_V1(name);                                                                     \
    }                                                                                              \
    static Datum name##_body(FunctionCallInfo fcinfo);                                             \
    extern "C" Datum name(PG_FUNCTION_ARGS) { return entitle::pg::guard(fcinfo, name##_body); }    \
    static Datum name##_body([[maybe_unused]] FunctionCallInfo fcinfo)
