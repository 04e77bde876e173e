// What it costs to say who is asking: sign_in and sign_in_token, one call in a transaction of its
// own, beside set_config. A token that was seen before costs a look-up; the first time, its
// signature is checked, so that each algorithm has its own price.
#include "bench.hpp"

#include "../../src/core/crypto.hpp"
#include "../../tests/token/forge.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

namespace bench {

namespace {

constexpr const char *kLogin = "turn_1";
constexpr const char *kTokenSettings[] = {"entitle.token_keys_file", "entitle.token_audience",
                                          "entitle.token_issuer"};

// More than a backend keeps, so that asked in turn each of them is always new.
constexpr int kManyTokens = 600;

// Lets the server verify the issuer's tokens, for as long as it lives.
class Verifying {
  public:
    explicit Verifying(const forge::Issuer &issuer)
        : file_(std::filesystem::absolute("bench_keys.json").string()) {
        std::ofstream(file_) << issuer.key_file();
        session_.run("SELECT entitle.current_user_id()"); // loads the library
        const char *values[] = {file_.c_str(), forge::kAudience, forge::kIssuer};
        for (int i = 0; i < 3; ++i) {
            session_.run(std::string("ALTER SYSTEM SET ") + kTokenSettings[i] + " = '" + values[i] +
                         "'");
        }
        session_.run("SELECT pg_reload_conf()");
        for (int i = 0; i < 500 && session_.run("SHOW entitle.token_issuer") != forge::kIssuer;
             ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    }
    ~Verifying() {
        for (const char *name : kTokenSettings) {
            session_.run(std::string("ALTER SYSTEM RESET ") + name);
        }
        session_.run("SELECT pg_reload_conf()");
        std::remove(file_.c_str());
    }
    Verifying(const Verifying &) = delete;
    Verifying &operator=(const Verifying &) = delete;

  private:
    Session session_;
    std::string file_;
};

// One call after the other, each with the next value.
Side calling(const SharedSession &session, const std::string &name, const std::string &call,
             const std::vector<std::string> &values) {
    session->prepare(name, "SELECT length(" + call + "::text) > 0");
    const auto next = std::make_shared<std::size_t>(0);
    return {name,
            {},
            [=] {
                const std::string &value = values[(*next)++ % values.size()];
                return session->execute(name, {value});
            },
            [=] {
                return session->processor_time();
            }};
}

// Compares a secret with a guess, so often that it can be timed.
Side comparing(const std::string &name, const std::string &guess) {
    return {name, {}, [=] {
                const std::string secret(guess.size(), 's');
                int same = 0;
                for (int i = 0; i < 1000; ++i) {
                    same += entitle::is_same_secret(secret, guess) ? 1 : 0;
                }
                return std::to_string(same);
            }};
}

// S117: the time tells nothing of where a guess is wrong, so the quotient is 1.
void measure_secrets(Bench &bench) {
    Result labels;
    labels.topic = "identity";
    labels.key = "secret";
    labels.title = "a guess that is wrong at its end, against one that is wrong at once";
    labels.unit = "ratio";
    labels.baseline = "is_same_secret, 256 bytes, the first is wrong";
    labels.measured = "is_same_secret, 256 bytes, the last is wrong";
    labels.target = 1.05;
    const std::string rest(255, 's');
    compare(bench, labels,
            {comparing("at_once", 'x' + rest), comparing("at_end", rest + 'x'),
             comparing("again", 'x' + rest)},
            bench.limits(2));
}

} // namespace

void measure_identity(Bench &bench) {
    measure_secrets(bench);
    const forge::Issuer issuer;
    const Verifying verifying(issuer);
    const SharedSession session = open_session();
    session->run(
        "SET client_min_messages = error"); // each sign-in ends with its call, and is told so
    const auto tokens = [&](const std::string &id, int count) {
        std::vector<std::string> made;
        for (int i = 0; i < count; ++i) {
            made.push_back(issuer.token(id, forge::claims_of(kLogin, 4102444800 + i)));
        }
        return made;
    };
    const std::string set = "set_config('bench.login', $1::text, true)";
    const std::string by_token = "entitle.sign_in_token($1)";
    const auto against_set = [&](const std::string &key, const std::string &title,
                                 const std::string &call, const std::vector<std::string> &values) {
        Result labels;
        labels.topic = "identity";
        labels.key = key;
        labels.title = title;
        labels.unit = "ratio";
        labels.baseline = "SELECT " + set;
        labels.measured = "SELECT " + call;
        compare(bench, labels,
                {calling(session, key + "_set", set, values), calling(session, key, call, values),
                 calling(session, key + "_again", set, values)},
                bench.limits(4));
    };
    against_set("sign_in", "sign_in", "entitle.sign_in($1)", {kLogin});
    against_set("cached", "sign_in_token, seen before", by_token, tokens("e1", 1));
    against_set("setting", "entitle.token, seen before, and a question",
                "(set_config('entitle.token', $1, true) || entitle.current_login())",
                tokens("e1", 1));
    for (const char *id : {"h1", "r1", "e1", "d1"}) {
        against_set(std::string("first_") + id,
                    std::string("sign_in_token, first time, ") + forge::algorithm_of(id), by_token,
                    tokens(id, kManyTokens));
    }
}

} // namespace bench
