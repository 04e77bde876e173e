// A connection to the test server (libpq), owned by scope. Where it leads is PGHOST, PGPORT, PGUSER
// and PGDATABASE.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

namespace client {

using Row = std::vector<std::string>; // NULL is kNull

extern const char kNull[];

// What a command gave. Commands that fail give an error code instead of rows.
struct Answer {
    std::string error; // SQLSTATE, empty when it went well
    std::string message;
    std::string tag; // as "UPDATE 3"
    std::vector<Row> rows;

    bool ok() const { return error.empty(); }
    // The only value of the only row; a text that says what is wrong when there is no such value.
    std::string value() const;
};

class Connection {
  public:
    // To PGDATABASE, or to the database named.
    explicit Connection(const std::string &database = {});

    // Runs one or several commands by the simple protocol; the answer is that of the last.
    Answer run(const std::string &commands);

    // Runs commands that must go well, else the test fails here and now.
    Answer must(const std::string &commands);

    // Runs one command by the extended protocol, prepared in the same breath.
    Answer run_extended(const std::string &command, const std::vector<std::string> &values = {});

    Answer prepare(const std::string &name, const std::string &command);
    Answer run_prepared(const std::string &name, const std::vector<std::string> &values = {});

    // Runs COPY ... TO STDOUT; a row is a line.
    Answer copy_out(const std::string &command);

    // Sends commands without waiting; `finish` gets the answer of the last.
    void send(const std::string &commands);
    Answer finish();

    bool is_alive() const;
    PGconn *handle() { return connection_.get(); }

  private:
    struct Close {
        void operator()(PGconn *connection) const { PQfinish(connection); }
    };
    std::unique_ptr<PGconn, Close> connection_;
};

// Writes a text as a literal of SQL.
std::string quoted(const std::string &text);

} // namespace client
