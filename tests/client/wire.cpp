// Messages of the protocol, version 3.0, over the server's Unix socket.
#include "wire.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace entitle::client {

namespace {

std::string variable(const char *name, const char *otherwise) {
    const char *value = std::getenv(name);
    return value == nullptr ? otherwise : value;
}

std::string number(int value) {
    const std::uint32_t bits = htonl(static_cast<std::uint32_t>(value));
    return std::string(reinterpret_cast<const char *>(&bits), sizeof(bits));
}

int read_number(const std::string &text, std::size_t at) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, text.data() + at, sizeof(bits));
    return static_cast<int>(ntohl(bits));
}

std::string with_end(const std::string &text) { return text + '\0'; }

Row read_row(const std::string &content) {
    Row row;
    for (std::size_t at = 2; at < content.size();) {
        const int length = read_number(content, at);
        at += 4;
        row.push_back(length < 0 ? kNull : content.substr(at, static_cast<std::size_t>(length)));
        at += length < 0 ? 0 : static_cast<std::size_t>(length);
    }
    return row;
}

void read_error(const std::string &content, Reply &reply) {
    for (std::size_t at = 0; at < content.size() && content[at] != '\0';) {
        const std::string value(content.c_str() + at + 1);
        if (content[at] == 'C') {
            reply.error = value;
        } else if (content[at] == 'M') {
            reply.message = value;
        }
        at += value.size() + 2;
    }
}

} // namespace

Wire::Wire(const std::string &database) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = variable("PGHOST", "") + "/.s.PGSQL." + variable("PGPORT", "5432");
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (::connect(socket_, reinterpret_cast<const sockaddr *>(&address), sizeof(address)) != 0) {
        ::close(socket_);
        throw std::runtime_error("no server at " + path);
    }
    constexpr int kVersion = 3 << 16;
    const std::string start = number(kVersion) + with_end("user") +
                              with_end(variable("PGUSER", "postgres")) + with_end("database") +
                              with_end(database) + '\0';
    const std::string message = number(static_cast<int>(start.size() + 4)) + start;
    (void)::send(socket_, message.data(), message.size(), MSG_NOSIGNAL);
    const Reply reply = read_until_ready();
    if (!reply.ok()) {
        ::close(socket_);
        throw std::runtime_error(reply.message);
    }
}

Wire::~Wire() { ::close(socket_); }

void Wire::send(char type, const std::string &content) {
    const std::string message = type + number(static_cast<int>(content.size() + 4)) + content;
    (void)::send(socket_, message.data(), message.size(), MSG_NOSIGNAL);
}

std::string Wire::receive(std::size_t length) {
    std::string text(length, '\0');
    for (std::size_t at = 0; at < length;) {
        const ssize_t got = ::recv(socket_, text.data() + at, length - at, 0);
        if (got <= 0) {
            throw std::runtime_error("the server closed the connection");
        }
        at += static_cast<std::size_t>(got);
    }
    return text;
}

Reply Wire::read_until_ready() {
    Reply reply;
    for (;;) {
        const std::string head = receive(5);
        const std::string content = receive(static_cast<std::size_t>(read_number(head, 1)) - 4);
        switch (head[0]) {
        case 'D':
            reply.rows.push_back(read_row(content));
            break;
        case 'E':
            read_error(content, reply);
            break;
        case 'C':
            reply.tag = content.c_str();
            break;
        case 'Z':
            return reply;
        default:
            break;
        }
    }
}

Reply Wire::run(const std::string &commands) {
    send('Q', with_end(commands));
    return read_until_ready();
}

Reply Wire::bind(const std::string &portal, const std::string &command) {
    const std::string nothing(2, '\0'); // a count
    send('P', with_end("") + with_end(command) + nothing);
    send('B', with_end(portal) + with_end("") + nothing + nothing + nothing);
    send('S', "");
    return read_until_ready();
}

Reply Wire::execute(const std::string &portal, int limit) {
    send('E', with_end(portal) + number(limit));
    send('S', "");
    return read_until_ready();
}

} // namespace entitle::client
