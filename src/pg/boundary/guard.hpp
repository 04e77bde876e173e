// The guard between C++ and PostgreSQL. C++ exceptions never cross a C frame: they become a Report,
// a plain buffer on the stack, and the Report is raised after the C++ frames are gone. PostgreSQL
// errors never jump over live C++ objects: code that owns such objects calls PostgreSQL through
// call_pg.
//
// Words used in comments: "regime: C" may raise, holds no C++ object with a destructor across a
// call that raises; "regime: C++" may throw, never raises.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <exception>
#include <type_traits>

#include "core/result.hpp"

namespace entitle::pg {

// What went wrong, in plain memory.
struct Report {
    int sqlstate;
    char message[256];
    char detail[512];
    char hint[512];
    ErrorData *caught; // an error PostgreSQL raised inside call_pg, kept whole
};

// An error PostgreSQL raised inside call_pg, on its way to the door. It must get there.
class PgError : public std::exception {
  public:
    explicit PgError(ErrorData *data) noexcept : data_(data) {}
    const char *what() const noexcept override { return "an error of PostgreSQL"; }
    ErrorData *data() const noexcept { return data_; }

  private:
    ErrorData *data_;
};

// A core Error on its way to the door.
class Failure : public std::exception {
  public:
    explicit Failure(Error error) noexcept : error_(std::move(error)) {}
    const char *what() const noexcept override { return error_.message.c_str(); }
    const Error &error() const noexcept { return error_; }

  private:
    Error error_;
};

// Fills the report from the exception being handled. Call only inside a catch block.
void catch_into(Report &report) noexcept;

// Raises the report. regime: C
[[noreturn]] void raise(const Report &report);

// Runs C++ that may throw; whatever it throws is raised as an error once its frames are gone.
// regime: C
template <typename Body> void compute(Body &&body) {
    Report report;
    try {
        body();
        return;
    } catch (...) {
        catch_into(report);
    }
    raise(report);
}

// The door of every SQL-callable function (see function.hpp).
template <typename Body> Datum guard(FunctionCallInfo fcinfo, Body body) {
    Report report;
    try {
        return body(fcinfo);
    } catch (...) {
        catch_into(report);
    }
    raise(report);
}

// Runs `call(argument)` and returns the error it raised, null when none. The one PG_TRY of the
// project.
ErrorData *catch_error(void (*call)(void *), void *argument) noexcept;

// Calls PostgreSQL while C++ objects live: an error it raises comes out as PgError. regime: C++
// Requires: the callable holds only plain references and the result is plain, as the error jumps
// over them.
template <typename Call> auto call_pg(Call call) {
    using Value = decltype(call());
    static_assert(std::is_trivially_destructible_v<Call>, "the error would skip its destructor");
    if constexpr (std::is_void_v<Value>) {
        if (ErrorData *error =
                catch_error([](void *self) { (*static_cast<Call *>(self))(); }, &call)) {
            throw PgError(error);
        }
    } else {
        static_assert(std::is_trivially_destructible_v<Value>, "results are plain values");
        struct Frame {
            Call *call;
            Value value;
        } frame{&call, Value{}};
        if (ErrorData *error = catch_error(
                [](void *self) {
                    auto *inner = static_cast<Frame *>(self);
                    inner->value = (*inner->call)();
                },
                &frame)) {
            throw PgError(error);
        }
        return frame.value;
    }
}

} // namespace entitle::pg
