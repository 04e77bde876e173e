// Keys and verified tokens of this backend.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/guard.hpp"
#include "pg/boundary/no_destructor.hpp"
#include "pg/model/lookup.hpp"
#include "pg/subject/subject_cache.hpp"
#include "pg/subject/setting.hpp"
#include "pg/subject/token.hpp"

#include "core/token.hpp"

extern "C" {
#include "mb/pg_wchar.h"
#include "storage/fd.h"
}

#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

namespace entitle::pg {

namespace {

constexpr std::size_t kMaxTokens = 256;
constexpr std::int64_t kEpochDifference =
    std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * SECS_PER_DAY;

struct KnownToken {
    TokenVerdict verdict;
    TokenFault told = TokenFault::none; // what the log already knows
};

struct Known {
    TokenKeys keys;
    TokenTerms terms;
    std::unordered_map<std::string, KnownToken> tokens;
    KnownToken unkept; // for what is too large to keep
    std::uint64_t setup = UINT64_MAX;
    TimestampTz reload = 0;
};

Known &known() {
    static NoDestructor<Known> everything;
    return everything.get();
}

// A key file in memory; null where there is none to read.
struct FileText {
    char *text;
    std::size_t size;
};

void tell_unreadable(const char *path, const char *why) {
    ereport(LOG_SERVER_ONLY, (errmsg("no token verifies: token key file \"%s\" %s", path, why)));
}

// Reads the whole file. Failures are told to the log and give nothing. regime: C
FileText read_key_file(const char *path) {
    const FileText nothing{nullptr, 0};
    if (path == nullptr || *path == '\0') {
        return nothing;
    }
    FILE *file = AllocateFile(path, "rb");
    if (file == nullptr) {
        ereport(LOG_SERVER_ONLY,
                (errcode_for_file_access(),
                 errmsg("no token verifies: could not open token key file \"%s\": %m", path)));
        return nothing;
    }
    struct stat state;
    const bool is_known = fstat(fileno(file), &state) == 0;
    const bool is_regular = is_known && S_ISREG(state.st_mode);
    const bool is_open_to_all = is_known && (state.st_mode & S_IWOTH) != 0;
    FileText read = nothing;
    if (is_regular && !is_open_to_all) {
        read.text = static_cast<char *>(palloc(kMaxKeyFile + 1));
        read.size = fread(read.text, 1, kMaxKeyFile + 1, file);
    }
    FreeFile(file);
    if (!is_regular) {
        tell_unreadable(path, "is no regular file");
    } else if (is_open_to_all) {
        tell_unreadable(path, "can be written by everyone");
    }
    return read;
}

void forget_keys(Known &kept) noexcept {
    kept.keys = TokenKeys{};
    kept.tokens.clear();
}

// Brings the keys up to the configuration. Whatever goes wrong leaves no keys, so no token
// verifies. regime: C
void load_keys() {
    const TokenSetup setup = token_setup();
    Known &kept = known();
    if (kept.setup == setup.generation && kept.reload == PgReloadTime) {
        return;
    }
    forget_keys(kept);
    const FileText file = read_key_file(setup.keys_file);
    bool is_refused = false;
    compute([&] {
        kept.terms = TokenTerms{setup.audience, setup.issuer};
        if (file.text == nullptr) {
            return;
        }
        auto parsed = parse_token_keys(std::string_view(file.text, file.size));
        is_refused = !parsed.ok();
        if (parsed.ok()) {
            kept.keys = parsed.value();
        }
    });
    if (is_refused) {
        tell_unreadable(setup.keys_file, "is no set of keys, or names a key twice");
    }
    for (const std::string &fault : kept.keys.left_out) {
        ereport(LOG_SERVER_ONLY, (errmsg("token key file \"%s\": %s; it is left out",
                                         setup.keys_file, fault.c_str())));
    }
    kept.setup = setup.generation;
    kept.reload = PgReloadTime;
}

// Returns: what is known about the token, verified now if it is new. regime: C
KnownToken &known_token(std::string_view token) {
    load_keys();
    KnownToken *found = nullptr;
    compute([&] {
        Known &kept = known();
        if (token.size() > kMaxToken) {
            kept.unkept = KnownToken{verify_token(token, kept.keys, kept.terms)};
            found = &kept.unkept;
            return;
        }
        std::string text(token);
        const auto at = kept.tokens.find(text);
        if (at != kept.tokens.end()) {
            found = &at->second;
            return;
        }
        if (kept.tokens.size() >= kMaxTokens) {
            kept.tokens.clear();
        }
        KnownToken fresh{verify_token(token, kept.keys, kept.terms)};
        found = &kept.tokens.emplace(std::move(text), std::move(fresh)).first->second;
    });
    return *found;
}

// Tokens are UTF-8. In a database of another encoding only ASCII is sure to mean the same.
bool is_login_text(const std::string &subject) noexcept {
    return GetDatabaseEncoding() == PG_UTF8 ||
           std::all_of(subject.begin(), subject.end(),
                       [](char character) { return static_cast<unsigned char>(character) < 0x80; });
}

void tell_fault(TokenFault fault) {
    // Hidden, because the statement may hold the token.
    ereport(LOG_SERVER_ONLY, (errmsg("a token was refused: %s", describe(fault)), errhidestmt(true),
                              errhidecontext(true)));
}

struct Judged {
    std::optional<UserId> user;
    TokenFault fault;
};

Judged judge(const KnownToken &token, std::int64_t now) {
    const TokenFault fault = check_token_time(token.verdict, now);
    if (fault != TokenFault::none) {
        return Judged{std::nullopt, fault};
    }
    const auto user =
        is_login_text(token.verdict.subject) ? user_by_login(token.verdict.subject) : std::nullopt;
    return Judged{user, user ? TokenFault::none : TokenFault::unknown_user};
}

} // namespace

TimedUser token_user(std::string_view token, std::int64_t now) {
    KnownToken &found = known_token(token);
    const Judged judged = judge(found, now);
    if (judged.fault != found.told) {
        found.told = judged.fault;
        if (judged.fault != TokenFault::none) {
            tell_fault(judged.fault);
        }
    }
    if (judged.fault == TokenFault::not_yet) {
        return TimedUser{std::nullopt, found.verdict.valid_from};
    }
    return TimedUser{judged.user, judged.user ? found.verdict.valid_until : kNoEnd};
}

TimedUser signing_in_user(std::string_view token, std::int64_t now) {
    const KnownToken &found = known_token(token);
    const std::int64_t until = found.verdict.valid_until;
    Judged judged = judge(found, now);
    if (judged.user) {
        const Subject *subject = subject_of(find_user(*judged.user));
        if (subject == nullptr || !subject->is_active) {
            judged = Judged{std::nullopt, TokenFault::unknown_user};
        }
    }
    if (judged.fault != TokenFault::none) {
        tell_fault(judged.fault);
    }
    return TimedUser{judged.user, until};
}

std::int64_t unix_seconds(TimestampTz moment) noexcept {
    const std::int64_t second = moment / USECS_PER_SEC - (moment % USECS_PER_SEC < 0 ? 1 : 0);
    return second + kEpochDifference;
}

TimestampTz moment_of(std::int64_t unix_second) noexcept {
    constexpr std::int64_t kMost = PG_INT64_MAX / USECS_PER_SEC;
    const std::int64_t second = unix_second - kEpochDifference;
    return second > kMost ? PG_INT64_MAX : second * USECS_PER_SEC;
}

} // namespace entitle::pg
