#include "transcript.hpp"

#include <algorithm>
#include <stdexcept>

namespace entitle::campaign {

namespace {

// The fields of an error or notice that do not name a process or a moment.
std::string fields(const PGresult *result) {
    static const std::vector<std::pair<const char *, int>> all = {
        {"severity", PG_DIAG_SEVERITY_NONLOCALIZED},
        {"sqlstate", PG_DIAG_SQLSTATE},
        {"message", PG_DIAG_MESSAGE_PRIMARY},
        {"detail", PG_DIAG_MESSAGE_DETAIL},
        {"hint", PG_DIAG_MESSAGE_HINT},
        {"context", PG_DIAG_CONTEXT},
        {"position", PG_DIAG_STATEMENT_POSITION},
        {"inner position", PG_DIAG_INTERNAL_POSITION},
        {"inner query", PG_DIAG_INTERNAL_QUERY},
        {"schema", PG_DIAG_SCHEMA_NAME},
        {"table", PG_DIAG_TABLE_NAME},
        {"column", PG_DIAG_COLUMN_NAME},
        {"type", PG_DIAG_DATATYPE_NAME},
        {"constraint", PG_DIAG_CONSTRAINT_NAME},
        {"file", PG_DIAG_SOURCE_FILE},
        {"line", PG_DIAG_SOURCE_LINE},
        {"function", PG_DIAG_SOURCE_FUNCTION},
    };
    std::string text;
    for (const auto &[name, field] : all) {
        const char *value = PQresultErrorField(result, field);
        if (value != nullptr) {
            text += std::string(" ") + name + "=[" + value + "]";
        }
    }
    return text;
}

} // namespace

Listener::Listener(const std::string &database, const std::string &role)
    : connection_(PQconnectdb(("dbname=" + database + " user=" + role).c_str())) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
        throw std::runtime_error(PQerrorMessage(connection_.get()));
    }
    PQsetNoticeReceiver(connection_.get(), keep_notice, this);
}

void Listener::keep_notice(void *listener, const PGresult *notice) {
    static_cast<Listener *>(listener)->notices_.push_back("notice" + fields(notice));
}

std::string Listener::collect(bool is_ordered) {
    std::string text;
    error_.clear();
    while (PGresult *raw = PQgetResult(connection_.get())) {
        const std::unique_ptr<PGresult, void (*)(PGresult *)> result(raw, PQclear);
        const ExecStatusType status = PQresultStatus(raw);
        text += std::string(PQresStatus(status)) + " " + PQcmdStatus(raw) + "\n";
        if (status == PGRES_COPY_OUT) {
            std::vector<std::string> lines;
            char *line = nullptr;
            for (int length = 0; (length = PQgetCopyData(connection_.get(), &line, 0)) >= 0;) {
                lines.emplace_back(line, static_cast<std::size_t>(length));
                PQfreemem(line);
            }
            std::sort(lines.begin(), lines.end());
            for (const std::string &copied : lines) {
                text += "copy " + copied;
            }
            continue;
        }
        if (status == PGRES_COPY_IN) {
            PQputCopyEnd(connection_.get(), nullptr);
            continue;
        }
        if (status == PGRES_FATAL_ERROR || status == PGRES_NONFATAL_ERROR) {
            const char *code = PQresultErrorField(raw, PG_DIAG_SQLSTATE);
            error_ = code == nullptr ? "?" : code;
            text += "error" + fields(raw) + "\n";
        }
        std::vector<std::string> rows;
        for (int column = 0; column < PQnfields(raw); ++column) {
            text += std::string(column == 0 ? "columns" : "") + " " + PQfname(raw, column) + ":" +
                    std::to_string(PQftype(raw, column)) +
                    (column + 1 == PQnfields(raw) ? "\n" : "");
        }
        for (int row = 0; row < PQntuples(raw); ++row) {
            std::string line = "row";
            for (int column = 0; column < PQnfields(raw); ++column) {
                line += PQgetisnull(raw, row, column) != 0
                            ? " | NULL"
                            : std::string(" | ") + PQgetvalue(raw, row, column);
            }
            rows.push_back(line + "\n");
        }
        if (!is_ordered) {
            std::sort(rows.begin(), rows.end());
        }
        for (const std::string &row : rows) {
            text += row;
        }
    }
    if (!is_ordered) {
        std::sort(notices_.begin(), notices_.end());
    }
    for (const std::string &notice : notices_) {
        text += notice + "\n";
    }
    notices_.clear();
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
        throw std::runtime_error("the session ended: " + text);
    }
    return text;
}

std::string Listener::tell(const std::string &commands, bool is_ordered) {
    PQsendQuery(connection_.get(), commands.c_str());
    return collect(is_ordered);
}

std::string Listener::tell_extended(const std::string &command, bool is_ordered) {
    PQsendQueryParams(connection_.get(), command.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0);
    return collect(is_ordered);
}

std::string Listener::prepare(const std::string &name, const std::string &command) {
    PQsendPrepare(connection_.get(), name.c_str(), command.c_str(), 0, nullptr);
    return collect(true);
}

std::string Listener::tell_prepared(const std::string &name, bool is_ordered) {
    PQsendQueryPrepared(connection_.get(), name.c_str(), 0, nullptr, nullptr, nullptr, 0);
    return collect(is_ordered);
}

} // namespace entitle::campaign
