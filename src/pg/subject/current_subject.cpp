// Who is asking: the user signed in, of a token or of the role, looked up once per statement.
#include "pg/boundary/postgres.hpp"

#include "pg/subject/current_subject.hpp"
#include "pg/datum/business_day.hpp"
#include "pg/subject/cursor.hpp"
#include "pg/subject/setting.hpp"
#include "pg/model/invalidation.hpp"
#include "pg/subject/statement.hpp"
#include "pg/model/model_table.hpp"
#include "pg/subject/token.hpp"
#include "pg/subject/unheard.hpp"

namespace entitle::pg {

namespace {

constexpr int kMaxAttempts = 3;

// No statement began then: whoever asks next is asked anew.
constexpr TimestampTz kNoStart = PG_INT64_MIN;

Asker asker{};
std::uint64_t found_epoch = 0;

// From this moment on somebody else may be asking: a token ends, or begins.
TimestampTz asker_until = PG_INT64_MAX;

// The configuration a token was last verified under.
TimestampTz known_reload = 0;

// The roles the asker was found for: SET ROLE assigns no setting of ours, so nothing else tells of
// them, and a maintenance command neither.
Oid known_role = InvalidOid;
Oid known_outer = InvalidOid;

// Asked for every row, hence the short way where nothing is maintained.
bool is_known_role() noexcept {
    const Oid outer = GetOuterUserId();
    return outer == known_outer &&
           (InSecurityRestrictedOperation() ? asking_role() : outer) == known_role;
}

// The statement whose first question was already asked, and memory of its own that it was asked
// from.
TimestampTz known_start = 0;
std::uint64_t known_number = 0;
MemoryContext known_memory = nullptr;

// The moment of the statement that asks.
TimestampTz moment = 0;

// The user a database role stands for.
struct Mapping {
    Oid role;
    std::uint64_t generation;
    bool is_mapped;
    UserId user;
};
Mapping mapping{};

// The user whom the asking role stands for: SET ROLE changes it, SECURITY DEFINER does not.
std::optional<UserId> mapped_user() {
    const Oid role = asking_role();
    if (!OidIsValid(role)) {
        return std::nullopt;
    }
    if (mapping.role != role || mapping.generation != mapping_generation()) {
        Mapping fresh = {role, mapping_generation(), false, 0};
        // By OID: a renamed role stays who it was, and one dropped and created again under the same
        // name is somebody else.
        Reader reader = open_reader();
        Rows rows =
            open_rows(reader, Table::app_user, TableIndex::user_by_role, 1, ObjectIdGetDatum(role));
        if (next_row(rows)) {
            bool is_null = false;
            fresh.user = get_bigint(rows, UserColumn::id, &is_null);
            fresh.is_mapped = !is_null;
        }
        close_rows(rows);
        close_reader(reader);
        mapping = fresh;
    }
    return mapping.is_mapped ? std::optional<UserId>(mapping.user) : std::nullopt;
}

// Finds who is asking at this statement's moment, and until when that holds. Whoever is signed
// in, or shows a token, is that user or nobody: what fails never falls back to the role.
TimedUser asking_user() {
    // Whoever is signed in lends nothing to the code of those whose tables are maintained.
    if (asking_role() != GetOuterUserId()) {
        return TimedUser{mapped_user(), kNoEnd};
    }
    const Carried carried = carried_identity();
    const std::int64_t now = unix_seconds(moment);
    if (carried.user) {
        return now < carried.until ? TimedUser{carried.user, carried.until}
                                   : TimedUser{std::nullopt, kNoEnd};
    }
    if (*carried_seal() != '\0') {
        return TimedUser{std::nullopt, kNoEnd};
    }
    const char *token = carried_token();
    return *token == '\0' ? TimedUser{mapped_user(), kNoEnd} : token_user(token, now);
}

void resolve_asker() {
    for (int attempt = 0; found_epoch != epoch() && attempt < kMaxAttempts; ++attempt) {
        settle_tables();
        const std::uint64_t before = epoch();
        asker.subject = nullptr;
        asker.user = nullptr;
        pin_user(nullptr);
        asker.session.chosen_brand.reset();
        asker.session.chosen_customer.reset();
        const TimedUser found = asking_user();
        const std::optional<UserId> id = found.user;
        asker_until = moment_of(found.until);
        if (id) {
            asker.user = find_user(*id);
            asker.subject = subject_of(asker.user);
            // Whoever is switched off is nobody (R1): no name, no choice, nothing of their own.
            if (asker.subject != nullptr && !asker.subject->is_active) {
                asker.user = nullptr;
                asker.subject = nullptr;
            }
            pin_user(asker.user);
            const std::optional<Choice> choice = carried_choice();
            if (asker.user != nullptr && choice && choice->user == *id) {
                asker.session.chosen_brand = choice->brand;
                asker.session.chosen_customer = choice->customer;
            }
        }
        found_epoch = before;
    }
}

void accept_invalidations(bool is_own) {
    AcceptInvalidationMessages();
    settle_tables();
    if (has_unwatched_tables()) {
        invalidate_everything();
    }
    moment = statement_moment(is_own);
    if (moment >= asker_until || PgReloadTime != known_reload) {
        known_reload = PgReloadTime;
        advance_epoch();
    }
    const Day today = business_today(moment);
    if (today != asker.session.today) {
        asker.session.today = today;
        advance_epoch();
    }
    if (!is_known_role()) {
        known_outer = GetOuterUserId();
        known_role = asking_role();
        advance_epoch();
    }
}

// Finds the asker. Returns: whether it is the statement's first question, or may have another
// answer than the one before.
bool find_asker() {
    unheard = nullptr;
    const TimestampTz start = GetCurrentStatementStartTimestamp();
    bool is_first = false;
    if (start != known_start || statement_number != known_number || !is_known_role() ||
        CurrentMemoryContext != known_memory) {
        const bool is_own = is_own_statement();
        is_first =
            is_own || start != known_start || statement_number != known_number || !is_known_role();
        if (is_first) {
            accept_invalidations(is_own);
        }
        known_start = is_own ? kNoStart : start;
        known_number = statement_number;
        known_memory = CurrentMemoryContext;
    }
    if (found_epoch != epoch()) {
        resolve_asker();
        is_first = true;
    }
    return is_first;
}

// What was noted of the running statement. Asked for every row, so the same is not noted again.
struct Noted {
    std::uint64_t statement, epoch, keys;
    bool has_all_grants;
};
Noted noted{};

Noted noted_now() noexcept {
    return {statement_number, found_epoch, customer_generation(), has_all_grants(asker.user)};
}

bool is_noted() noexcept {
    const Noted now = noted_now();
    return now.statement == noted.statement && now.epoch == noted.epoch && now.keys == noted.keys &&
           now.has_all_grants == noted.has_all_grants && found_epoch == epoch();
}

// A question from outside of the running statement may belong to a portal's plan as well.
void note_asked(bool is_own) {
    if (!is_own && is_noted()) {
        return;
    }
    // Without the grants a mark does not outlive a change of the tables that is none of rights.
    if ((may_go_on_later() || may_be_rewinding()) && asker.user != nullptr) {
        (void)few_grants_of(asker.user);
    }
    const RightsMark mark = mark_of(asker);
    note_answer(mark, true);
    note_question(mark);
    noted = noted_now();
}

} // namespace

const Asker &current_asker() {
    if (find_asker()) {
        note_asked(true);
    }
    return asker;
}

const Asker &observed_asker() {
    if (find_asker()) {
        known_start = kNoStart; // the statement's own first question comes later
    }
    return asker;
}

std::uint64_t asker_epoch() noexcept { return found_epoch; }

const Asker &asker_now() {
    unheard = nullptr;
    const bool is_own = is_own_statement();
    if (is_own) {
        known_start = kNoStart;
    }
    accept_invalidations(is_own);
    if (found_epoch != epoch()) {
        resolve_asker();
    }
    note_asked(is_own);
    return asker;
}

RightsMark with_grants(const RightsMark &asked) {
    RightsMark mark = asked;
    if (mark.is_set && mark.grants_print == 0 && found_epoch == epoch() && asker.user != nullptr &&
        asker.subject->id == mark.user && few_grants_of(asker.user) != nullptr) {
        add_mark(mark, mark_of(asker));
    }
    return mark;
}

bool has_same_rights(const RightsMark &begun) {
    // A look at other rows is no question of the present statement's.
    if (find_asker()) {
        known_start = kNoStart;
    }
    const Asker &now = asker;
    if (is_same_mark(begun, mark_of(now))) {
        return true;
    }
    if (now.user == nullptr || begun.user != now.subject->id) {
        return false;
    }
    (void)grants_of(now.user);
    return is_same_mark(begun, mark_of(now));
}

void load_asker_grants() {
    const Asker &who = current_asker();
    if (who.user != nullptr) {
        (void)grants_of(who.user);
    }
}

} // namespace entitle::pg
