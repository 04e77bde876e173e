#include "history_client.hpp"

#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>

namespace entitle::campaign {

namespace {

struct Question {
    std::string text;
    std::string (*answer)(const naive::World &, const naive::Asker &);
};

std::string deals(const naive::World &world, const naive::Asker &asker) {
    return joined(shown_deals(history_rows().deals, world, asker, 20));
}

std::string papers(const naive::World &world, const naive::Asker &asker) {
    return shown_papers(history_rows().papers, world, asker);
}

std::string lines(const naive::World &world, const naive::Asker &asker) {
    return shown_lines(history_rows().lines, world, asker);
}

std::string levels(const naive::World &world, const naive::Asker &asker) {
    return joined(held_levels(world, asker, kHistoryCustomers));
}

std::string permitted(const naive::World &world, const naive::Asker &asker) {
    return joined(held_permissions(world, asker));
}

std::string one_permission(const naive::World &world, const naive::Asker &asker) {
    return naive::Model(world).has_permission(asker, std::nullopt, "conversions.view") ? "t" : "f";
}

// A statement keeps what its first question found, so the several checks of one are of one moment.
const std::vector<Question> &questions() {
    static const std::vector<Question> all = {
        {"SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM deal", deals},
        {"SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM (SELECT id FROM deal "
         "WHERE day > '1900-01-01' OFFSET 0) d",
         deals},
        {"SELECT deals_in_function()", deals},
        {"SELECT coalesce(string_agg(id || ':' || coalesce(price::text, '-'), ',' ORDER BY id), "
         "'') FROM paper_view",
         papers},
        {"SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM line", lines},
        {"SELECT string_agg(entitle.access_level(c)::text, ',' ORDER BY c) FROM generate_series(1, "
         "12) AS c",
         levels},
        {"SELECT string_agg(CASE WHEN entitle.has_permission(k, b) THEN 't' ELSE 'f' END, ',' "
         "ORDER BY b, k COLLATE \"C\") "
         "FROM generate_series(1, 4) AS b, unnest('{conversions.view,customers.view}'::text[]) AS "
         "k",
         permitted},
        {"SELECT entitle.has_permission('conversions.view')", one_permission},
    };
    return all;
}

class Client {
  public:
    Client(Shared &shared, std::uint64_t seed, const ClientKind &kind)
        : shared_(shared), random_(seed), kind_(kind), is_cancelled_(kind.are_cancelled) {}

    void run() {
        while (!shared_.is_over) {
            if (session_ == nullptr || PQstatus(session_->handle()) != CONNECTION_OK) {
                connect();
                continue;
            }
            transaction();
        }
    }

  private:
    void connect() {
        shared_.ended += session_ == nullptr ? 0 : 1;
        session_.reset();
        try {
            session_ = std::make_unique<client::Session>(kind_.where);
        } catch (const std::runtime_error &) {
            if (!kind_.may_crash) {
                throw;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            return;
        }
        has_prepared_ = false;
        if (!kind_.is_pooled) {
            prepare();
        }
    }

    // The server that went takes its sessions along; what they were about to answer is not
    // answered.
    bool is_lost(const client::Reply &reply) const {
        return PQstatus(session_->handle()) != CONNECTION_OK ||
               (kind_.may_crash &&
                (reply.error.compare(0, 3, "57P") == 0 || reply.error == "no SQLSTATE"));
    }

    void prepare() {
        bool is_good = true;
        for (std::size_t i = 0; i < questions().size(); ++i) {
            is_good =
                is_good && session_->prepare("p" + std::to_string(i), questions()[i].text).ok() &&
                session_->run("PREPARE s" + std::to_string(i) + " AS " + questions()[i].text).ok();
        }
        has_prepared_ = is_good;
    }

    // Signs somebody in, asks some questions, and ends.
    void transaction() {
        naive::Asker asker;
        asker.today = kHistoryToday;
        const auto user = static_cast<naive::Id>(1 + random_() % kHistoryUsers);
        if (!session_->run(random_() % 3 == 0 ? "BEGIN ISOLATION LEVEL REPEATABLE READ" : "BEGIN")
                 .ok()) {
            return;
        }
        const std::size_t first = shared_.earliest();
        const client::Reply reply =
            session_->run("SELECT entitle.sign_in('user " + std::to_string(user) + "')");
        if (is_lost(reply)) {
            session_.reset();
            return;
        }
        const bool may_be = is_true(
            first, [&](const naive::World &world) { return is_active(world, user) == reply.ok(); });
        if (!may_be && (reply.ok() || reply.error == "42501")) {
            shared_.fail("sign_in of user " + std::to_string(user) + " gave " +
                         (reply.ok() ? "the user" : reply.message));
        }
        if (reply.ok()) {
            asker.user_id = user;
            if (random_() % 3 == 0) {
                const auto brand = static_cast<naive::Id>(1 + random_() % 4);
                if (session_
                        ->run("SAVEPOINT s; SELECT entitle.use_brand(" + std::to_string(brand) +
                              ")")
                        .ok()) {
                    asker.chosen_brand = brand;
                } else {
                    session_->run("ROLLBACK TO s");
                }
            }
            for (std::size_t count = 1 + random_() % 5; count > 0 && !shared_.is_over; --count) {
                if (!ask(asker)) {
                    break;
                }
            }
        }
        if (session_ == nullptr) {
            return;
        }
        session_->run(random_() % 2 == 0 ? "COMMIT" : "ROLLBACK");
        // A cancel that comes late may have met that.
        while (PQtransactionStatus(session_->handle()) == PQTRANS_INTRANS ||
               PQtransactionStatus(session_->handle()) == PQTRANS_INERROR) {
            session_->run("ROLLBACK");
        }
    }

    // Returns: whether the transaction goes on.
    bool ask(const naive::Asker &asker) {
        const std::size_t number = random_() % questions().size();
        const Question &question = questions()[number];
        const bool cancels = is_cancelled_ && random_() % 2 == 0;
        session_->run("SAVEPOINT question");
        const std::size_t first = shared_.earliest();
        client::Reply reply;
        if (cancels) {
            // In one message, so that the time counts from the question on.
            const std::string cancel =
                "SELECT fault_cancel(" + std::to_string(1 + random_() % 3000) + "); ";
            reply = session_->run(cancel + (random_() % 2 == 0 && has_prepared_
                                                ? "EXECUTE s" + std::to_string(number)
                                                : question.text));
        } else {
            switch (has_prepared_ ? random_() % 4 : 2 + random_() % 2) {
            case 0:
                reply = session_->run_prepared("p" + std::to_string(number));
                break;
            case 1:
                reply = session_->run("EXECUTE s" + std::to_string(number));
                break;
            case 2:
                reply = session_->run_extended(question.text);
                break;
            default:
                reply = session_->run(question.text);
            }
        }
        if (is_lost(reply)) {
            session_.reset();
            return false;
        }
        if (reply.error == "57014") {
            ++shared_.cancelled;
            was_cancelled_ = true;
            return session_->run("ROLLBACK TO question").ok() ||
                   session_->run("ROLLBACK TO question").ok();
        }
        if (!reply.ok()) {
            if (reply.error == "25P02" && is_cancelled_) {
                return false; // a late cancel met the savepoint
            }
            if (reply.error == "40001" || (kind_.is_standby && reply.error == "40P01")) {
                ++shared_.refused;
                return session_->run("ROLLBACK TO question").ok();
            }
            if (kind_.may_crash && reply.error == "25P02") {
                return false; // a conflict with replay met the savepoint
            }
            shared_.fail("user " + std::to_string(*asker.user_id) + ": " + question.text + ": " +
                         reply.message);
            return false;
        }
        judge(question, asker, first, reply.value());
        return true;
    }

    void judge(const Question &question, const naive::Asker &asker, std::size_t first,
               const std::string &answer) {
        ++shared_.answers;
        shared_.after_cancel += was_cancelled_ ? 1 : 0;
        shared_.with_content += answer.empty() || answer == "f" ? 0 : 1;
        if (is_true(first, [&](const naive::World &world) {
                return question.answer(world, asker) == answer;
            })) {
            was_cancelled_ = false;
            return;
        }
        const std::size_t last = shared_.history.sent();
        std::string text = std::string(was_cancelled_ ? "after a cancel, " : "") + "user " +
                           std::to_string(*asker.user_id) + ", brand " +
                           (asker.chosen_brand ? std::to_string(*asker.chosen_brand) : "none") +
                           ", states " + std::to_string(first) + " to " + std::to_string(last) +
                           "\n" + question.text + "\nanswer: " + answer + "\n";
        for (std::size_t i = first; i <= last; ++i) {
            text += "state " + std::to_string(i) + ": " +
                    question.answer(*shared_.history.state(i), asker) + "\n";
        }
        shared_.fail(text + shared_.history.described(first));
        was_cancelled_ = false;
    }

    // Whether something holds in one of the states from `first` until now.
    template <typename Test> bool is_true(std::size_t first, Test test) {
        const std::size_t last = shared_.history.sent();
        for (std::size_t i = first; i <= last; ++i) {
            const auto state = shared_.history.state(i);
            if (state != nullptr && test(*state)) {
                return true;
            }
        }
        return false;
    }

    static bool is_active(const naive::World &world, naive::Id user) {
        naive::Asker asker;
        asker.user_id = user;
        return naive::Model(world).is_known_and_active(asker);
    }

    Shared &shared_;
    std::mt19937_64 random_;
    const ClientKind &kind_;
    bool is_cancelled_;
    bool was_cancelled_ = false;
    bool has_prepared_ = false;
    std::unique_ptr<client::Session> session_;
};

} // namespace

void run_client(Shared &shared, std::uint64_t seed, const ClientKind &kind) {
    try {
        Client(shared, seed, kind).run();
    } catch (const std::exception &error) {
        shared.fail(error.what());
    }
}

} // namespace entitle::campaign
