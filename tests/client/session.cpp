// Sessions.
#include "session.hpp"

#include <regex>
#include <stdexcept>

namespace entitle::client {

const char kNull[] = "(null)";

namespace {

struct Clear {
    void operator()(PGresult *result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Clear>;

Reply read_reply(const PGresult *result) {
    Reply reply;
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
        const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        reply.error = code == nullptr ? "no SQLSTATE" : code;
        reply.message = PQresultErrorMessage(result);
        return reply;
    }
    reply.tag = PQcmdStatus(const_cast<PGresult *>(result));
    for (int row = 0; row < PQntuples(result); ++row) {
        Row values;
        for (int column = 0; column < PQnfields(result); ++column) {
            values.emplace_back(
                PQgetisnull(result, row, column) != 0 ? kNull : PQgetvalue(result, row, column));
        }
        reply.rows.push_back(std::move(values));
    }
    return reply;
}

std::vector<const char *> pointers(const std::vector<std::string> &values) {
    std::vector<const char *> result;
    for (const std::string &value : values) {
        result.push_back(value == kNull ? nullptr : value.c_str());
    }
    return result;
}

} // namespace

std::string Reply::value() const {
    if (!ok()) {
        return message;
    }
    return rows.size() == 1 && rows[0].size() == 1 ? rows[0][0]
                                                   : std::to_string(rows.size()) + " rows";
}

Session::Session(const std::string &database)
    : connection_(PQconnectdb(database.empty() ? "" : ("dbname=" + database).c_str())) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
        throw std::runtime_error(PQerrorMessage(connection_.get()));
    }
    PQsetNoticeProcessor(
        connection_.get(), [](void *, const char *) {}, nullptr);
}

Reply Session::run(const std::string &commands) {
    const Result result(PQexec(connection_.get(), commands.c_str()));
    return read_reply(result.get());
}

Reply Session::must(const std::string &commands) {
    Reply reply = run(commands);
    if (!reply.ok()) {
        throw std::runtime_error(reply.message + "in: " + commands.substr(0, 1000));
    }
    return reply;
}

Reply Session::run_extended(const std::string &command, const std::vector<std::string> &values) {
    const Result result(PQexecParams(connection_.get(), command.c_str(),
                                     static_cast<int>(values.size()), nullptr,
                                     pointers(values).data(), nullptr, nullptr, 0));
    return read_reply(result.get());
}

Reply Session::prepare(const std::string &name, const std::string &command) {
    const Result result(PQprepare(connection_.get(), name.c_str(), command.c_str(), 0, nullptr));
    return read_reply(result.get());
}

Reply Session::run_prepared(const std::string &name, const std::vector<std::string> &values) {
    const Result result(PQexecPrepared(connection_.get(), name.c_str(),
                                       static_cast<int>(values.size()), pointers(values).data(),
                                       nullptr, nullptr, 0));
    return read_reply(result.get());
}

Reply Session::copy_out(const std::string &command) {
    Result result(PQexec(connection_.get(), command.c_str()));
    if (PQresultStatus(result.get()) != PGRES_COPY_OUT) {
        return read_reply(result.get());
    }
    std::vector<Row> lines;
    char *line = nullptr;
    for (int length = 0; (length = PQgetCopyData(connection_.get(), &line, 0)) >= 0;) {
        lines.push_back({std::string(line, static_cast<std::size_t>(length))});
        PQfreemem(line);
    }
    Reply reply;
    while ((result = Result(PQgetResult(connection_.get()))) != nullptr) {
        reply = reply.ok() ? read_reply(result.get()) : reply;
    }
    if (reply.ok()) {
        reply.rows = std::move(lines);
    }
    return reply;
}

Reply Session::copy_in(const std::string &command, const std::string &lines) {
    Result result(PQexec(connection_.get(), command.c_str()));
    if (PQresultStatus(result.get()) != PGRES_COPY_IN) {
        return read_reply(result.get());
    }
    if (PQputCopyData(connection_.get(), lines.data(), static_cast<int>(lines.size())) != 1 ||
        PQputCopyEnd(connection_.get(), nullptr) != 1) {
        throw std::runtime_error(PQerrorMessage(connection_.get()));
    }
    Reply reply;
    while ((result = Result(PQgetResult(connection_.get()))) != nullptr) {
        reply = reply.ok() ? read_reply(result.get()) : reply;
    }
    return reply;
}

void trim_scales(std::vector<Row> &rows) {
    static const std::regex scale(R"((\.\d*[1-9])0+\b|\.0+\b)");
    for (Row &row : rows) {
        for (std::string &value : row) {
            if (value.find('.') != std::string::npos) {
                value = std::regex_replace(value, scale, "$1");
            }
        }
    }
}

} // namespace entitle::client
