// Makes memory run out where a test wants it: loaded before a server starts (LD_PRELOAD), it stands
// before the C library's malloc in every backend; as a library of SQL functions it is told which
// allocations fail.
//
//   fault_arm(skip, count)   the next `skip` allocations of this backend succeed, and `count` after
//   them fail fault_disarm()           gives how many have failed since fault_met() gives how many
//   allocations have been asked for since it was armed
//
// A backend alone is armed; the postmaster and other backends never fail.
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <ctime>

extern "C" {
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;

// The C library's own, under the names by which it calls them itself.
void *__libc_malloc(std::size_t size);
void *__libc_calloc(std::size_t count, std::size_t size);
void *__libc_realloc(void *old, std::size_t size);
}

namespace {

bool is_armed = false;
long met = 0;
long first = 0;
long last = 0;
long failed = 0;

bool fails() {
    if (!is_armed) {
        return false;
    }
    const long now = met++;
    if (now < first || now >= last) {
        return false;
    }
    ++failed;
    errno = ENOMEM;
    return true;
}

} // namespace

extern "C" {

PGDLLEXPORT void *malloc(std::size_t size) { return fails() ? nullptr : __libc_malloc(size); }
PGDLLEXPORT void *calloc(std::size_t count, std::size_t size) {
    return fails() ? nullptr : __libc_calloc(count, size);
}
PGDLLEXPORT void *realloc(void *old, std::size_t size) {
    return fails() ? nullptr : __libc_realloc(old, size);
}

PGDLLEXPORT Datum fault_arm(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(fault_arm);
Datum fault_arm(PG_FUNCTION_ARGS) {
    first = PG_GETARG_INT32(0);
    last = first + PG_GETARG_INT32(1);
    met = failed = 0;
    is_armed = true;
    PG_RETURN_VOID();
}

PGDLLEXPORT Datum fault_disarm(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(fault_disarm);
Datum fault_disarm(PG_FUNCTION_ARGS) {
    (void)fcinfo;
    is_armed = false;
    PG_RETURN_INT64(failed);
}

PGDLLEXPORT Datum fault_cancel(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(fault_cancel);
Datum fault_cancel(PG_FUNCTION_ARGS) {
    static timer_t timer;
    static bool is_made = false;
    if (!is_made) {
        sigevent event = {};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = SIGINT; // what a client's cancel comes to
        is_made = timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
    }
    itimerspec when = {};
    when.it_value.tv_nsec = 1000L * PG_GETARG_INT32(0);
    PG_RETURN_BOOL(is_made && timer_settime(timer, 0, &when, nullptr) == 0);
}
}
