#include "session.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace bench {

namespace {

[[noreturn]] void give_up(const std::string &what, const char *why) {
    std::fprintf(stderr, "%s\n%s", what.c_str(), why);
    std::exit(1);
}

std::vector<const char *> pointers(const std::vector<std::string> &texts) {
    std::vector<const char *> values;
    values.reserve(texts.size());
    for (const std::string &text : texts) {
        values.push_back(text.c_str());
    }
    return values;
}

} // namespace

Session::Session(const std::string &role, const std::string &database)
    : connection_(PQconnectdb(
          ((role.empty() ? "" : "user=" + role) + (database.empty() ? "" : " dbname=" + database))
              .c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) {
        give_up("cannot connect", PQerrorMessage(connection_));
    }
}

Session::~Session() {
    if (schedstat_ >= 0) {
        close(schedstat_);
    }
    PQfinish(connection_);
}

std::string Session::first_field(PGresult *result, const std::string &what) {
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        give_up(what, PQerrorMessage(connection_));
    }
    std::string field;
    if (PQntuples(result) > 0 && PQnfields(result) > 0) {
        field = PQgetvalue(result, 0, 0);
    }
    PQclear(result);
    return field;
}

std::string Session::run(const std::string &sql) {
    return first_field(PQexec(connection_, sql.c_str()), sql);
}

std::vector<std::string> Session::column(const std::string &sql) {
    PGresult *result = PQexec(connection_, sql.c_str());
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        give_up(sql, PQerrorMessage(connection_));
    }
    std::vector<std::string> fields;
    for (int row = 0; row < PQntuples(result); ++row) {
        fields.emplace_back(PQgetvalue(result, row, 0));
    }
    PQclear(result);
    return fields;
}

void Session::prepare(const std::string &name, const std::string &sql) {
    first_field(PQprepare(connection_, name.c_str(), sql.c_str(), 0, nullptr), sql);
}

std::string Session::ask(const std::string &sql, const std::vector<std::string> &parameters) {
    return first_field(PQexecParams(connection_, sql.c_str(), static_cast<int>(parameters.size()),
                                    nullptr, pointers(parameters).data(), nullptr, nullptr, 0),
                       sql);
}

std::string Session::execute(const std::string &name, const std::vector<std::string> &parameters) {
    return first_field(PQexecPrepared(connection_, name.c_str(),
                                      static_cast<int>(parameters.size()),
                                      pointers(parameters).data(), nullptr, nullptr, 0),
                       name);
}

double Session::processor_time() {
    if (schedstat_ < 0) {
        const std::string path = "/proc/" + std::to_string(backend()) + "/schedstat";
        schedstat_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    }
    char text[64] = "";
    if (schedstat_ < 0 || pread(schedstat_, text, sizeof(text) - 1, 0) <= 0) {
        return -1;
    }
    return std::strtod(text, nullptr) / 1e9;
}

void Session::become(const std::string &role) {
    if (role != role_) {
        run(role.empty() ? "RESET ROLE" : "SET ROLE " + role);
        role_ = role;
    }
}

void Session::sign_in(const std::string &login) {
    become("");
    run("SELECT entitle.sign_in('" + login + "', true)");
}

} // namespace bench
