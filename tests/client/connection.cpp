// Connections.
#include "connection.hpp"

#include <gtest/gtest.h>

namespace entitle::client {

namespace {

std::vector<const char *> pointers(const Arguments &arguments) {
    std::vector<const char *> values;
    for (const std::string &argument : arguments) {
        values.push_back(argument.c_str());
    }
    return values;
}

} // namespace

std::string Answer::column() const {
    std::string joined;
    for (const auto &row : rows) {
        joined += (joined.empty() ? "" : ",") + row.front();
    }
    return joined;
}

Answer take(PGresult *result) {
    Answer answer;
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_PIPELINE_SYNC) {
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        answer.state = state == nullptr ? "no SQLSTATE" : state;
        answer.message = PQresultErrorMessage(result);
    }
    for (int row = 0; row < PQntuples(result); ++row) {
        std::vector<std::string> values;
        for (int column = 0; column < PQnfields(result); ++column) {
            values.emplace_back(PQgetisnull(result, row, column) ? "NULL"
                                                                 : PQgetvalue(result, row, column));
        }
        answer.rows.push_back(std::move(values));
    }
    PQclear(result);
    return answer;
}

Connection::Connection(const std::string &options)
    : connection_(PQconnectdb(("application_name=client_tests " + options).c_str())) {
    EXPECT_TRUE(is_open()) << PQerrorMessage(raw());
    PQsetNoticeProcessor(
        raw(), [](void *, const char *) {}, nullptr);
}

bool Connection::is_open() const { return PQstatus(connection_.get()) == CONNECTION_OK; }

Answer Connection::run(const std::string &command, const Arguments &arguments) {
    if (arguments.empty()) {
        return take(PQexec(raw(), command.c_str()));
    }
    const auto values = pointers(arguments);
    return take(PQexecParams(raw(), command.c_str(), static_cast<int>(values.size()), nullptr,
                             values.data(), nullptr, nullptr, 0));
}

std::string Connection::ask(const std::string &command, const Arguments &arguments) {
    const Answer answer = run(command, arguments);
    EXPECT_TRUE(answer.ok()) << command << ": " << answer.message;
    return answer.value();
}

void Connection::prepare(const std::string &name, const std::string &command) {
    const Answer answer = take(PQprepare(raw(), name.c_str(), command.c_str(), 0, nullptr));
    EXPECT_TRUE(answer.ok()) << command << ": " << answer.message;
}

Answer Connection::execute(const std::string &name, const Arguments &arguments) {
    const auto values = pointers(arguments);
    return take(PQexecPrepared(raw(), name.c_str(), static_cast<int>(values.size()), values.data(),
                               nullptr, nullptr, 0));
}

} // namespace entitle::client
