// From C++ failures to PostgreSQL errors: the one table of SQLSTATEs.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/guard.hpp"

#include <new>
#include <string_view>

namespace entitle::pg {

namespace {

int sqlstate_of(ErrorCode code) noexcept {
    switch (code) {
    case ErrorCode::bad_value:
        return ERRCODE_INVALID_PARAMETER_VALUE;
    case ErrorCode::denied:
        return ERRCODE_INSUFFICIENT_PRIVILEGE;
    case ErrorCode::broken_rule:
        return ERRCODE_CHECK_VIOLATION;
    case ErrorCode::wrong_state:
        return ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
    }
    return ERRCODE_INTERNAL_ERROR;
}

template <std::size_t Size> void copy_text(char (&to)[Size], std::string_view from) noexcept {
    std::size_t length = from.size() < Size ? from.size() : Size - 1;
    // Never cut a UTF-8 character in two: the client could not read the message.
    while (length < from.size() && length > 0 && (from[length] & 0xC0) == 0x80) {
        --length;
    }
    from.copy(to, length);
    to[length] = '\0';
}

void fill(Report &report, int sqlstate, std::string_view message, std::string_view detail = {},
          std::string_view hint = {}) noexcept {
    report.sqlstate = sqlstate;
    report.caught = nullptr;
    copy_text(report.message, message);
    copy_text(report.detail, detail);
    copy_text(report.hint, hint);
}

} // namespace

void catch_into(Report &report) noexcept {
    try {
        throw;
    } catch (const PgError &error) {
        fill(report, ERRCODE_INTERNAL_ERROR, "error of PostgreSQL");
        report.caught = error.data();
    } catch (const Failure &failure) {
        const Error &error = failure.error();
        fill(report, sqlstate_of(error.code), error.message, error.detail, error.hint);
    } catch (const std::bad_alloc &) {
        fill(report, ERRCODE_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception &error) {
        fill(report, ERRCODE_INTERNAL_ERROR, "internal error in entitle", error.what());
    } catch (...) {
        fill(report, ERRCODE_INTERNAL_ERROR, "internal error in entitle");
    }
}

void raise(const Report &report) {
    if (report.caught != nullptr) {
        ReThrowError(report.caught);
    }
    ereport(ERROR, (errcode(report.sqlstate), errmsg_internal("%s", report.message),
                    report.detail[0] != '\0' ? errdetail_internal("%s", report.detail) : 0,
                    report.hint[0] != '\0' ? errhint("%s", report.hint) : 0));
    pg_unreachable();
}

} // namespace entitle::pg
