// Everything that a server tells a client in answer to commands, as one text: rows, tags, errors
// with all their fields but the process, notices.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

namespace entitle::campaign {

// One client of one of the two databases.
class Listener {
  public:
    Listener(const std::string &database, const std::string &role);

    // What comes back, line by line. Rows and notices are sorted where their order is the plan's to
    // choose.
    std::string tell(const std::string &commands, bool is_ordered = false);
    std::string tell_prepared(const std::string &name, bool is_ordered = false);
    std::string prepare(const std::string &name, const std::string &command);
    std::string tell_extended(const std::string &command, bool is_ordered = false);

    // The SQLSTATE of the last error, empty when there was none since the last call.
    const std::string &error() const { return error_; }

  private:
    struct Close {
        void operator()(PGconn *connection) const { PQfinish(connection); }
    };
    static void keep_notice(void *listener, const PGresult *notice);
    std::string collect(bool is_ordered);

    std::unique_ptr<PGconn, Close> connection_;
    std::vector<std::string> notices_;
    std::string error_;
};

} // namespace entitle::campaign
