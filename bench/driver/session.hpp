// One connection to the server, and the few ways in which the cases use it. Any failure ends the
// program: a benchmark that goes on after an error measures nothing.
#pragma once

#include <libpq-fe.h>

#include <string>
#include <vector>

namespace bench {

class Session {
  public:
    // Connects by PGHOST and the like. An empty role: the one of PGUSER; database: of PGDATABASE.
    explicit Session(const std::string &role = "", const std::string &database = "");
    ~Session();
    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;

    // Runs a statement, by the simple protocol. Returns: the first field of its first row, or "".
    std::string run(const std::string &sql);

    // Runs a statement and returns the first field of every row.
    std::vector<std::string> column(const std::string &sql);

    // Runs a statement by the extended protocol, unprepared. Returns: as run.
    std::string ask(const std::string &sql, const std::vector<std::string> &parameters);

    void prepare(const std::string &name, const std::string &sql);

    // Executes a prepared statement. Returns: as run.
    std::string execute(const std::string &name, const std::vector<std::string> &parameters = {});

    // SET ROLE, if it is not that role already.
    void become(const std::string &role);

    // Signs in for the whole session, as the role that connected.
    void sign_in(const std::string &login);

    [[nodiscard]] int backend() const { return PQbackendPID(connection_); }

    // The processor time that the session's server process has used so far, in seconds; negative
    // where the kernel does not tell. Exact while the process waits for the next statement.
    double processor_time();

  private:
    std::string first_field(PGresult *result, const std::string &what);

    PGconn *connection_;
    std::string role_;
    int schedstat_ = -1;
};

} // namespace bench
