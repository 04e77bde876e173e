// A session that is sent commands which may wait for another.
#pragma once

#include "../client/session.hpp"

#include <poll.h>

#include <stdexcept>
#include <string>

namespace entitle::campaign {

class Stepper {
  public:
    explicit Stepper(const std::string &where) : session_(where) {
        pid_ = PQbackendPID(session_.handle());
    }

    client::Session &session() { return session_; }
    int pid() const { return pid_; }

    void send(const std::string &command) {
        if (PQsendQuery(session_.handle(), command.c_str()) != 1) {
            throw std::runtime_error(PQerrorMessage(session_.handle()));
        }
        reply_ = client::Reply();
        is_waiting_ = true;
    }
    bool is_waiting() const { return is_waiting_; }

    // Returns whether the command is over, by that many milliseconds from now.
    bool is_over(int milliseconds) {
        PGconn *connection = session_.handle();
        while (is_waiting_) {
            if (PQconsumeInput(connection) != 1) {
                throw std::runtime_error(PQerrorMessage(connection));
            }
            if (PQisBusy(connection) != 0) {
                pollfd socket{PQsocket(connection), POLLIN, 0};
                if (poll(&socket, 1, milliseconds) == 0) {
                    return false;
                }
                continue;
            }
            PGresult *result = PQgetResult(connection);
            if (result == nullptr) {
                is_waiting_ = false;
            } else {
                take(result);
                PQclear(result);
            }
        }
        return true;
    }
    const client::Reply &reply() const { return reply_; }

  private:
    void take(const PGresult *result) {
        const ExecStatusType status = PQresultStatus(result);
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
            const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
            reply_.error = code == nullptr ? "no SQLSTATE" : code;
            reply_.message = PQresultErrorMessage(result);
            return;
        }
        reply_.rows.clear();
        for (int i = 0; i < PQntuples(result); ++i) {
            reply_.rows.push_back({PQgetvalue(result, i, 0)});
        }
    }

    client::Session session_;
    int pid_ = 0;
    bool is_waiting_ = false;
    client::Reply reply_;
};

} // namespace entitle::campaign
