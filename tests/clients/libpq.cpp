// libpq, with parameters.
#include <libpq-fe.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace {

constexpr const char kQuestion[] =
    "SELECT concat_ws(' ', coalesce(entitle.current_login(), 'none'), "
    "entitle.access_level($1::bigint), entitle.has_permission('customers.view'), "
    "(SELECT count(*) FROM orders_view), (SELECT count(price) FROM orders_view), "
    "(SELECT count(*) FROM invoices))";

std::string setting(const char *name) {
    const char *value = std::getenv(name);
    return value == nullptr ? "" : value;
}

PGconn *connect(const std::string &user, const std::string &port, const std::string &database) {
    PGconn *connection = PQconnectdb(("host=" + setting("CLIENT_HOST") + " port=" + port +
                                      " dbname=" + database + " user=" + user)
                                         .c_str());
    if (PQstatus(connection) != CONNECTION_OK) {
        std::cerr << PQerrorMessage(connection);
        std::exit(1);
    }
    return connection;
}

PGconn *connect(const std::string &user) {
    return connect(user, setting("CLIENT_PORT"), setting("CLIENT_DATABASE"));
}

std::string query(PGconn *connection, const char *sql, const std::vector<const char *> &values) {
    PGresult *result = PQexecParams(connection, sql, static_cast<int>(values.size()), nullptr,
                                    values.data(), nullptr, nullptr, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK) {
        std::cerr << PQerrorMessage(connection);
        std::exit(1);
    }
    const std::string answer = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
    PQclear(result);
    return answer;
}

std::string ask(PGconn *connection) { return query(connection, kQuestion, {"1"}); }

} // namespace

int main() {
    const std::string identity = setting("CLIENT_IDENTITY");
    PGconn *application = identity == "role" ? nullptr : connect("app");
    PGconn *administrator = connect("postgres", setting("SERVER_PORT"), "postgres");
    const auto as_person = [&](const std::string &login, const std::string &token,
                               const std::function<void(PGconn *)> &work) {
        if (application == nullptr) {
            PGconn *connection = connect("role_" + login);
            work(connection);
            PQfinish(connection);
            return;
        }
        query(application, "BEGIN", {});
        if (identity == "sign_in") {
            query(application, "SELECT entitle.sign_in($1)", {login.c_str()});
        } else {
            query(application, "SELECT set_config('entitle.token', $1, true)", {token.c_str()});
        }
        work(application);
        query(application, "COMMIT", {});
    };

    std::ifstream file(setting("CLIENT_PEOPLE"));
    std::map<std::string, std::string> people;
    for (std::string login, token; file >> login >> token;) {
        people[login] = token;
        as_person(login, token, [](PGconn *connection) { std::cout << ask(connection) << '\n'; });
    }
    if (application != nullptr) {
        std::cout << "after: " << ask(application) << '\n';
    }
    as_person("l30", people["l30"], [&](PGconn *connection) {
        std::cout << "before the revoke: " << ask(connection) << '\n';
        query(administrator, "SELECT entitle.revoke_access($1, $2)", {"1", "l30"});
        std::cout << "after the revoke: " << ask(connection) << '\n';
    });
    query(administrator, "SELECT entitle.grant_access($1, $2, 'L30', NULL)", {"1", "l30"});
    PQfinish(administrator);
    PQfinish(application);
}
