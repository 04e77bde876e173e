// One libpq connection, for the client tests: results by value, a failed command is a test failure
// that names it.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

namespace entitle::client {

// What a command gave. `state` is empty when it succeeded.
struct Answer {
    std::string state;
    std::string message;
    std::vector<std::vector<std::string>> rows; // NULL is the text "NULL"

    bool ok() const { return state.empty(); }
    std::string value() const { return rows.empty() ? "no row" : rows.front().front(); }
    std::string column() const; // the first column, joined with commas
};

using Arguments = std::vector<std::string>;

class Connection {
  public:
    // Connects as PGHOST, PGPORT, PGUSER and PGDATABASE say, to another database when one is named.
    explicit Connection(const std::string &options = "");

    bool is_open() const;

    // Runs a command by the simple protocol, and the extended one when there are arguments.
    Answer run(const std::string &command, const Arguments &arguments = {});

    // The single value of a command that must succeed.
    std::string ask(const std::string &command, const Arguments &arguments = {});

    // Prepares by the extended protocol, and executes what was prepared.
    void prepare(const std::string &name, const std::string &command);
    Answer execute(const std::string &name, const Arguments &arguments = {});

    PGconn *raw() { return connection_.get(); }

  private:
    struct Close {
        void operator()(PGconn *connection) const { PQfinish(connection); }
    };
    std::unique_ptr<PGconn, Close> connection_;
};

// Reads and frees a result.
Answer take(PGresult *result);

} // namespace entitle::client
