// Settings: definitions, checks, and reading them back.
#include "pg/boundary/postgres.hpp"

#include "pg/datum/business_day.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/boundary/once.hpp"
#include "pg/subject/setting.hpp"
#include "pg/model/invalidation.hpp"

namespace entitle::pg {

namespace {

constexpr const char kIdentity[] = "entitle.identity";
constexpr const char kSeal[] = "entitle.seal";
constexpr const char kChoice[] = "entitle.choice";

constexpr std::size_t kSealSize = 64;

char *identity_value = nullptr;
char *seal_value = nullptr;
char *token_value = nullptr;
char *choice_value = nullptr;
char *zone_value = nullptr;
char *full_record_fields_value = nullptr;
char *keys_file_value = nullptr;
char *audience_value = nullptr;
char *issuer_value = nullptr;
std::uint64_t token_setup_generation = 0;

// Reads a whole number and moves `text` behind it. Written out because strtoll skips blanks and
// signs.
std::optional<std::int64_t> take_number(const char *&text) noexcept {
    const char *at = text;
    const bool is_negative = *at == '-';
    at += is_negative ? 1 : 0;
    std::int64_t number = 0;
    const char *first = at;
    for (; *at >= '0' && *at <= '9'; ++at) {
        if (at - first >= 19 || pg_mul_s64_overflow(number, 10, &number) ||
            pg_sub_s64_overflow(number, *at - '0', &number)) {
            return std::nullopt;
        }
    }
    if (at == first || (!is_negative && number == PG_INT64_MIN)) {
        return std::nullopt;
    }
    text = at;
    return is_negative ? number : -number;
}

// "user", or "user@end" when a token signed the user in. Returns: nobody when malformed.
Carried parse_identity(const char *text) noexcept {
    const Carried nobody{std::nullopt, kNoEnd};
    const auto user = take_number(text);
    if (!user || *text == '\0') {
        return Carried{user, kNoEnd};
    }
    if (*text != '@') {
        return nobody;
    }
    ++text;
    const auto until = take_number(text);
    return until && *text == '\0' ? Carried{user, *until} : nobody;
}

// "user:brand:customer", either of the latter empty when it is not chosen.
std::optional<Choice> parse_choice(const char *text) noexcept {
    const auto user = take_number(text);
    if (!user || *text != ':') {
        return std::nullopt;
    }
    ++text;
    const auto brand = take_number(text);
    if (*text != ':') {
        return std::nullopt;
    }
    ++text;
    const auto customer = take_number(text);
    return *text == '\0' ? std::optional<Choice>(Choice{*user, brand, customer}) : std::nullopt;
}

// True while C++ itself writes a carrier.
bool is_own_write = false;

// An identity is set in a session, never by a configuration file, a role, a database or a
// connection option; and by a superuser, even where GRANT SET ON PARAMETER would let others.
// Workers get what their leader has.
bool may_carry(GucSource source) {
    return (source == PGC_S_DEFAULT || source == PGC_S_SESSION) &&
           (is_own_write || InitializingParallelWorker || (IsTransactionState() && superuser()));
}

bool check_identity(char **value, void **, GucSource source) {
    if (**value != '\0' && !may_carry(source)) {
        GUC_check_errdetail("An identity is set in a session, by a superuser or by signing in.");
        return false;
    }
    if (**value != '\0' && !parse_identity(*value).user) {
        GUC_check_errdetail("The value is a user id, or empty for nobody.");
        GUC_check_errhint("Sign users in with entitle.sign_in(login).");
        return false;
    }
    return true;
}

bool check_seal(char **value, void **, GucSource source) {
    const std::size_t size = strlen(*value);
    return size == 0 ? source != PGC_S_SESSION || may_carry(source)
                     : size == kSealSize && may_carry(source);
}

// A client gives its own token, with the connection or in the session; nobody gives one to others
// by a role's or database's settings.
bool check_token(char **value, void **, GucSource source) {
    if (**value != '\0' && source != PGC_S_SESSION && source != PGC_S_CLIENT) {
        GUC_check_errdetail("A token can only be set in a session or when connecting.");
        return false;
    }
    // A cursor opened by one user and fetched by another would mix their rows.
    if (source == PGC_S_SESSION && strcmp(*value, carried_token()) != 0 && has_open_cursors()) {
        GUC_check_errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE);
        GUC_check_errmsg("cannot change the token while a cursor is open");
        GUC_check_errhint("Close all cursors first, those WITH HOLD too.");
        return false;
    }
    return true;
}

bool check_choice(char **value, void **, GucSource source) {
    if (**value != '\0' && (!may_carry(source) || !parse_choice(*value))) {
        GUC_check_errhint("Use entitle.use_brand(brand_id) or entitle.use_customer(customer_id).");
        return false;
    }
    return true;
}

void assign_carrier(const char *, void *) { advance_epoch(); }

void assign_token_setup(const char *, void *) {
    ++token_setup_generation;
    advance_epoch();
}

bool check_zone(char **value, void **, GucSource) {
    if (!is_business_zone(*value)) {
        GUC_check_errdetail("Time zone \"%s\" is not known, or uses leap seconds.", *value);
        return false;
    }
    return true;
}

void assign_zone(const char *value, void *) {
    set_business_zone(value);
    advance_epoch();
}

// PostgreSQL defines a setting without room in its table with a warning, and then does not know it.
void require_setting(const char *name) {
    if (GetConfigOption(name, true, false) == nullptr) {
        ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
    }
}

void set_carrier(const char *name, const char *value, bool is_local) {
    struct Write {
        const char *name;
        const char *value;
        GucAction action;
    } write{name, value, is_local ? GUC_ACTION_LOCAL : GUC_ACTION_SET};
    is_own_write = true;
    ErrorData *error = catch_error(
        [](void *argument) {
            const auto *what = static_cast<const Write *>(argument);
            (void)set_config_option(what->name, what->value, PGC_SUSET, PGC_S_SESSION, what->action,
                                    true, 0, false);
        },
        &write);
    is_own_write = false;
    if (error != nullptr) {
        ReThrowError(error);
    }
}

} // namespace

Carried carried_identity() noexcept {
    return parse_identity(identity_value == nullptr ? "" : identity_value);
}

const char *carried_seal() noexcept { return seal_value == nullptr ? "" : seal_value; }

const char *carried_token() noexcept { return token_value == nullptr ? "" : token_value; }

TokenSetup token_setup() noexcept {
    return TokenSetup{keys_file_value, audience_value, issuer_value, token_setup_generation};
}

bool has_open_cursors() { return IsTransactionState() && !ThereAreNoReadyPortals(); }

std::optional<Choice> carried_choice() noexcept {
    return parse_choice(choice_value == nullptr ? "" : choice_value);
}

void carry_identity(std::int64_t user, std::int64_t until, bool is_local) {
    char text[64];
    if (until == kNoEnd) {
        pg_snprintf(text, sizeof(text), INT64_FORMAT, user);
    } else {
        pg_snprintf(text, sizeof(text), INT64_FORMAT "@" INT64_FORMAT, user, until);
    }
    set_carrier(kIdentity, text, is_local);
}

void carry_nobody(bool is_local) { set_carrier(kIdentity, "", is_local); }

void carry_seal(const char *digest, bool is_local) { set_carrier(kSeal, digest, is_local); }

void carry_choice(const Choice &choice) {
    char brand[24] = "";
    char customer[24] = "";
    char text[80];
    if (choice.brand) {
        pg_snprintf(brand, sizeof(brand), INT64_FORMAT, *choice.brand);
    }
    if (choice.customer) {
        pg_snprintf(customer, sizeof(customer), INT64_FORMAT, *choice.customer);
    }
    pg_snprintf(text, sizeof(text), INT64_FORMAT ":%s:%s", choice.user, brand, customer);
    set_carrier(kChoice, text, true);
}

const char *full_record_fields() noexcept {
    return full_record_fields_value == nullptr ? "" : full_record_fields_value;
}

void define_settings() {
    constexpr int carrier =
        GUC_SUPERUSER_ONLY | GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE;
    // The three carriers keep in the session what sign_in, use_brand and use_customer were told,
    // because settings follow transactions, savepoints and parallel workers by themselves. C++
    // alone writes them, and superusers by SET; empty by default.
    once([] {
        DefineCustomStringVariable(
            kIdentity, "The signed-in user, written by entitle.sign_in().",
            "Follows transactions and savepoints. Superusers may set it to a user id.",
            &identity_value, "", PGC_SUSET, carrier, check_identity, assign_carrier, nullptr);
        require_setting(kIdentity);
    });
    // RESET ALL leaves it: what ends an identity must not open the way to another one.
    once([] {
        DefineCustomStringVariable(kSeal, "Digest of the seal given to entitle.sign_in().",
                                   "While it is set, only the same seal signs in or out.",
                                   &seal_value, "", PGC_SUSET, carrier | GUC_NO_RESET_ALL,
                                   check_seal, assign_carrier, nullptr);
        require_setting(kSeal);
    });
    // Anybody sets it, in a session or while connecting: a client has no other way to tell who it
    // is where nobody signs it in. It is its own proof, so no right is needed. Empty by default.
    once([] {
        DefineCustomStringVariable(
            "entitle.token", "A signed token that tells who is asking.",
            "Counts where nobody is signed in; worth nothing unless it verifies.", &token_value, "",
            PGC_USERSET, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, check_token,
            assign_carrier, nullptr);
        require_setting("entitle.token");
    });
    // These three say whose tokens are believed. The server's configuration alone sets them,
    // because whoever chooses the keys is whoever they like. Empty by default, which believes no
    // token.
    once([] {
        DefineCustomStringVariable(
            "entitle.token_keys_file", "The file of keys (JWK Set) that tokens are verified with.",
            "Read anew when the configuration is reloaded. A relative path starts in the data "
            "directory.",
            &keys_file_value, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY, nullptr, assign_token_setup,
            nullptr);
        require_setting("entitle.token_keys_file");
    });
    once([] {
        DefineCustomStringVariable("entitle.token_audience",
                                   "The audience (aud) that tokens must be for.",
                                   "While it is empty no token verifies.", &audience_value, "",
                                   PGC_SIGHUP, 0, nullptr, assign_token_setup, nullptr);
        require_setting("entitle.token_audience");
    });
    once([] {
        DefineCustomStringVariable("entitle.token_issuer",
                                   "The issuer (iss) that tokens must be from.",
                                   "While it is empty no token verifies.", &issuer_value, "",
                                   PGC_SIGHUP, 0, nullptr, assign_token_setup, nullptr);
        require_setting("entitle.token_issuer");
    });
    once([] {
        DefineCustomStringVariable(
            kChoice,
            "The chosen brand and customer, written by entitle.use_brand() and use_customer().",
            nullptr, &choice_value, "", PGC_SUSET, carrier, check_choice, assign_carrier, nullptr);
        require_setting(kChoice);
    });
    // Superusers set both of these, for the server or a database: a user who could would move the
    // end of their own days, or make customers complete with less. By default days are those of
    // UTC, and the columns are what a fresh installation requires of a full record.
    once([] {
        DefineCustomStringVariable(
            "entitle.time_zone", "The business time zone, in which \"today\" begins and ends.",
            "Days back and validity dates are counted in it, whatever the session's own time zone.",
            &zone_value, "UTC", PGC_SUSET, 0, check_zone, assign_zone, nullptr);
        require_setting("entitle.time_zone");
    });
    once([] {
        DefineCustomStringVariable(
            "entitle.full_record_fields", "The customer columns that a full record has filled.",
            "A PAIN customer becomes ACTV by a later save that leaves all of them filled.",
            &full_record_fields_value, "country, address, contact_email", PGC_SUSET, GUC_LIST_INPUT,
            nullptr, nullptr, nullptr);
        require_setting("entitle.full_record_fields");
    });
    once([] { ENTITLE_RESERVE_SETTINGS("entitle"); });
}

} // namespace entitle::pg
