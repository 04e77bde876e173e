// A connection for tests that compare whatever a command gives: error codes, command tags, rows of
// every protocol and of COPY.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

namespace entitle::client {

using Row = std::vector<std::string>; // NULL is kNull

extern const char kNull[];

// What a command gave. Commands that fail give an error code instead of rows.
struct Reply {
    std::string error; // SQLSTATE, empty when it went well
    std::string message;
    std::string tag; // as "UPDATE 3"
    std::vector<Row> rows;

    bool ok() const { return error.empty(); }
    // The only value of the only row; a text that says what is wrong when there is no such value.
    std::string value() const;
};

// Of equal numerics with other scales, as 1.5 and 1.50, the order of rows decides which one a set
// operation or a group shows. Makes them the same text.
void trim_scales(std::vector<Row> &rows);

class Session {
  public:
    // To PGDATABASE, or to the database named.
    explicit Session(const std::string &database = {});

    // Runs one or several commands by the simple protocol; the reply is that of the last.
    Reply run(const std::string &commands);

    // Runs commands that must go well, else the test fails here and now.
    Reply must(const std::string &commands);

    // Runs one command by the extended protocol, prepared in the same breath.
    Reply run_extended(const std::string &command, const std::vector<std::string> &values = {});

    Reply prepare(const std::string &name, const std::string &command);
    Reply run_prepared(const std::string &name, const std::vector<std::string> &values = {});

    // Runs COPY ... TO STDOUT; a row is a line.
    Reply copy_out(const std::string &command);

    // Runs COPY ... FROM STDIN with these lines.
    Reply copy_in(const std::string &command, const std::string &lines);

    // For what only libpq itself can do.
    PGconn *handle() { return connection_.get(); }

    bool is_in_transaction() const {
        return PQtransactionStatus(connection_.get()) == PQTRANS_INTRANS;
    }

  private:
    struct Close {
        void operator()(PGconn *connection) const { PQfinish(connection); }
    };
    std::unique_ptr<PGconn, Close> connection_;
};

} // namespace entitle::client
