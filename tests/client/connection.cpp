#include "connection.hpp"

#include <stdexcept>

namespace client {

const char kNull[] = "(null)";

namespace {

struct Clear {
    void operator()(PGresult *result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Clear>;

Answer read_answer(const PGresult *result) {
    Answer answer;
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
        const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        answer.error = code == nullptr ? "no SQLSTATE" : code;
        answer.message = PQresultErrorMessage(result);
        return answer;
    }
    answer.tag = PQcmdStatus(const_cast<PGresult *>(result));
    for (int row = 0; row < PQntuples(result); ++row) {
        Row values;
        for (int column = 0; column < PQnfields(result); ++column) {
            values.emplace_back(
                PQgetisnull(result, row, column) != 0 ? kNull : PQgetvalue(result, row, column));
        }
        answer.rows.push_back(std::move(values));
    }
    return answer;
}

std::vector<const char *> pointers(const std::vector<std::string> &values) {
    std::vector<const char *> result;
    for (const std::string &value : values) {
        result.push_back(value == kNull ? nullptr : value.c_str());
    }
    return result;
}

} // namespace

std::string Answer::value() const {
    if (!ok()) {
        return message;
    }
    return rows.size() == 1 && rows[0].size() == 1 ? rows[0][0]
                                                   : std::to_string(rows.size()) + " rows";
}

Connection::Connection(const std::string &database)
    : connection_(PQconnectdb(database.empty() ? "" : ("dbname=" + database).c_str())) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
        throw std::runtime_error(PQerrorMessage(connection_.get()));
    }
    PQsetNoticeProcessor(
        connection_.get(), [](void *, const char *) {}, nullptr);
}

Answer Connection::run(const std::string &commands) {
    const Result result(PQexec(connection_.get(), commands.c_str()));
    return read_answer(result.get());
}

Answer Connection::must(const std::string &commands) {
    Answer answer = run(commands);
    if (!answer.ok()) {
        throw std::runtime_error(answer.message + "in: " + commands.substr(0, 1000));
    }
    return answer;
}

Answer Connection::run_extended(const std::string &command,
                                const std::vector<std::string> &values) {
    const Result result(PQexecParams(connection_.get(), command.c_str(),
                                     static_cast<int>(values.size()), nullptr,
                                     pointers(values).data(), nullptr, nullptr, 0));
    return read_answer(result.get());
}

Answer Connection::prepare(const std::string &name, const std::string &command) {
    const Result result(PQprepare(connection_.get(), name.c_str(), command.c_str(), 0, nullptr));
    return read_answer(result.get());
}

Answer Connection::run_prepared(const std::string &name, const std::vector<std::string> &values) {
    const Result result(PQexecPrepared(connection_.get(), name.c_str(),
                                       static_cast<int>(values.size()), pointers(values).data(),
                                       nullptr, nullptr, 0));
    return read_answer(result.get());
}

Answer Connection::copy_out(const std::string &command) {
    Result result(PQexec(connection_.get(), command.c_str()));
    if (PQresultStatus(result.get()) != PGRES_COPY_OUT) {
        return read_answer(result.get());
    }
    std::vector<Row> lines;
    char *line = nullptr;
    for (int length = 0; (length = PQgetCopyData(connection_.get(), &line, 0)) >= 0;) {
        lines.push_back({std::string(line, static_cast<std::size_t>(length))});
        PQfreemem(line);
    }
    Answer answer = finish();
    if (answer.ok()) {
        answer.rows = std::move(lines);
    }
    return answer;
}

void Connection::send(const std::string &commands) {
    if (PQsendQuery(connection_.get(), commands.c_str()) == 0) {
        throw std::runtime_error(PQerrorMessage(connection_.get()));
    }
}

Answer Connection::finish() {
    Answer answer;
    for (Result result(PQgetResult(connection_.get())); result != nullptr;
         result.reset(PQgetResult(connection_.get()))) {
        const Answer next = read_answer(result.get());
        answer = answer.ok() ? next : answer;
    }
    return answer;
}

bool Connection::is_alive() const { return PQstatus(connection_.get()) == CONNECTION_OK; }

std::string quoted(const std::string &text) {
    std::string result = "'";
    for (const char letter : text) {
        result += letter;
        if (letter == '\'') {
            result += letter;
        }
    }
    return result + "'";
}

} // namespace client
