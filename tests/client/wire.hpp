// A connection that speaks the protocol by itself, for what libpq does not send: an Execute with a
// limit of rows, as JDBC's setFetchSize does it, and one for the portal of a declared cursor.
#pragma once

#include <string>
#include <vector>

#include "session.hpp"

namespace entitle::client {

class Wire {
  public:
    explicit Wire(const std::string &database);
    Wire(const Wire &) = delete;
    Wire &operator=(const Wire &) = delete;
    ~Wire();

    // Runs one or several commands by the simple protocol; the rows are those of all of them.
    Reply run(const std::string &commands);

    // Makes a portal of that name for the command.
    Reply bind(const std::string &portal, const std::string &command);

    // Executes a portal for at most so many rows, 0 for all. The reply's tag is empty when it was
    // suspended.
    Reply execute(const std::string &portal, int limit);

  private:
    void send(char type, const std::string &content);
    std::string receive(std::size_t length);
    Reply read_until_ready();

    int socket_ = -1;
};

} // namespace entitle::client
