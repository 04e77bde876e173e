// Doors of identity: signing in and out, and the session's choices.
#include "pg/boundary/postgres.hpp"

#include "pg/subject/current_subject.hpp"
#include "pg/boundary/function.hpp"
#include "pg/lending/definer.hpp"
#include "pg/model/lookup.hpp"
#include "pg/planner/plan_variant.hpp"
#include "pg/model/replay.hpp"
#include "pg/model/row_trigger.hpp"
#include "pg/check/sign_in.hpp"
#include "pg/subject/setting.hpp"
#include "pg/subject/statement.hpp"
#include "pg/subject/token.hpp"
#include "pg/subject/unheard.hpp"
#include "pg/datum/datum.hpp"

#include "core/access.hpp"
#include "core/brand_scope.hpp"
#include "core/crypto.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

constexpr int kDigestText = 2 * 32 + 1;

// A seal is kept as its digest: whoever can read the setting learns nothing to use.
void digest_seal(FunctionCallInfo fcinfo, int number, char (&text)[kDigestText]) {
    text[0] = '\0';
    if (number >= PG_NARGS() || PG_ARGISNULL(number)) {
        return;
    }
    const bytea *digest =
        DatumGetByteaPP(DirectFunctionCall1(sha256_bytea, PG_GETARG_DATUM(number)));
    hex_encode(VARDATA_ANY(digest), VARSIZE_ANY_EXHDR(digest), text);
    text[kDigestText - 1] = '\0';
}

void refuse_open_cursors(const char *action) {
    // A cursor opened by one user and fetched by another would mix their rows.
    if (has_open_cursors()) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("cannot %s while a cursor is open", action),
                        errhint("Close all cursors first, those WITH HOLD too.")));
    }
}

// A maintenance command runs the code of whoever owns what it works on, in a session that is
// another's.
void refuse_maintenance() {
    if (InSecurityRestrictedOperation()) {
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("cannot sign in within a security-restricted operation"),
                        errhint("Functions of indexes and materialized views sign nobody in.")));
    }
}

void refuse_broken_seal(const char *seal) {
    if (*carried_seal() != '\0' && !is_same_secret(carried_seal(), seal)) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the identity of this session is sealed"),
                        errhint("Give the seal that was given to sign_in.")));
    }
}

// A secret that was never filled in seals nothing that others could not open.
void refuse_empty_seal(FunctionCallInfo fcinfo) {
    const auto seal = PG_NARGS() > 2 ? text_argument(fcinfo, 2) : std::nullopt;
    if (seal && seal->empty()) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the seal is empty"),
                        errhint("Give a secret that only the application knows, or no seal.")));
    }
}

[[noreturn]] void raise_bad_token() {
    // The statement holds the token, and the log is no place for it.
    ereport(ERROR, (errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
                    errmsg("the token does not verify"), errhidestmt(true), errhidecontext(true),
                    errhint("Get a new token. The server's log tells why this one was refused.")));
    pg_unreachable();
}

// An asker whose choice of a brand or customer is being made.
const Asker &require_asker() {
    const Asker &asker = asker_now();
    if (asker.subject == nullptr || !asker.subject->is_active) {
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("nobody is signed in"),
                        errhint("Sign a user in with entitle.sign_in(login) first.")));
    }
    return asker;
}

// Nothing chosen, nothing to clear: whoever has no identity may ask for it too.
void clear_choice(std::optional<std::int64_t> Choice::*which) {
    std::optional<Choice> choice = carried_choice();
    if (choice) {
        (*choice).*which = std::nullopt;
        carry_choice(*choice);
    }
}

} // namespace

// sign_in(login, session_wide, seal) -> bigint, the user's id. The old identity is gone before the
// new login is looked at. R1, R47
ENTITLE_FUNCTION(entitle_sign_in) {
    char seal[kDigestText];
    const auto login = text_argument(fcinfo, 0);
    const bool is_local = PG_ARGISNULL(1) || !PG_GETARG_BOOL(1);
    digest_seal(fcinfo, 2, seal);
    refuse_maintenance();
    refuse_open_cursors("sign in");
    refuse_broken_seal(seal);
    refuse_empty_seal(fcinfo);
    carry_nobody(is_local);
    if (!login) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("login must not be NULL"),
                        errhint("Give the login of an active user in entitle.app_user.")));
    }
    const auto found = find_login(*login);
    const Subject *subject = found ? subject_of(find_user(found->user)) : nullptr;
    if (subject == nullptr || !subject->is_active || !may_sign_in(*found, *subject, *login)) {
        // The same for an unknown, an inactive and an unlisted login: nobody learns which exist.
        ereport(ERROR,
                (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("this login may not sign in"),
                 errhint("Sign in an active user of entitle.app_user, by exact login; owners, "
                         "managers and superusers need a row in entitle.sign_in_grant.")));
    }
    carry_identity(found->user, kNoEnd, is_local);
    if (*seal != '\0') {
        carry_seal(seal, is_local);
    }
    drop_contradicted_plans();
    note_unheard(is_local ? "entitle.sign_in" : nullptr);
    PG_RETURN_INT64(found->user);
}

// sign_in_token(token, session_wide) -> bigint, the user's id. The token's end is carried with the
// identity and compared at every statement.
ENTITLE_FUNCTION(entitle_sign_in_token) {
    const auto token = text_argument(fcinfo, 0);
    const bool is_local = PG_ARGISNULL(1) || !PG_GETARG_BOOL(1);
    refuse_maintenance();
    refuse_open_cursors("sign in");
    refuse_broken_seal("");
    carry_nobody(is_local);
    const TimedUser found = signing_in_user(token.value_or(std::string_view()),
                                            unix_seconds(statement_moment(is_own_statement())));
    if (!found.user) {
        raise_bad_token();
    }
    carry_identity(*found.user, found.until, is_local);
    drop_contradicted_plans();
    note_unheard(is_local ? "entitle.sign_in_token" : nullptr);
    PG_RETURN_INT64(*found.user);
}

// sign_out(seal) -> void
ENTITLE_FUNCTION(entitle_sign_out) {
    char seal[kDigestText];
    digest_seal(fcinfo, 0, seal);
    refuse_open_cursors("sign out");
    refuse_broken_seal(seal);
    carry_nobody(false);
    carry_seal("", false);
    drop_contradicted_plans();
    note_unheard(nullptr);
    PG_RETURN_VOID();
}

// current_user_id() -> bigint, NULL when nobody
ENTITLE_FUNCTION(entitle_current_user_id) {
    const Asker &asker = asker_now();
    if (asker.subject == nullptr) {
        PG_RETURN_NULL();
    }
    PG_RETURN_INT64(asker.subject->id);
}

// current_login() -> text, NULL when nobody
ENTITLE_FUNCTION(entitle_current_login) {
    const Asker &asker = asker_now();
    if (asker.subject == nullptr) {
        PG_RETURN_NULL();
    }
    const std::string &login = asker.subject->login;
    return text_datum(login);
}

// use_brand(brand_id) -> void, until the end of the transaction; NULL clears. R52
ENTITLE_FUNCTION(entitle_use_brand) {
    const auto brand = bigint_argument(fcinfo, 0);
    if (!brand) {
        clear_choice(&Choice::brand);
        drop_contradicted_plans();
        PG_RETURN_VOID();
    }
    const Asker &asker = require_asker();
    if (!is_member(*asker.subject, *brand)) {
        ereport(ERROR,
                (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                 errmsg("the signed-in user is no member of this brand"),
                 errhint("Choose a brand of a membership of the user, or of its organization.")));
    }
    carry_choice(Choice{asker.subject->id, brand, asker.session.chosen_customer});
    drop_contradicted_plans();
    note_unheard("entitle.use_brand");
    PG_RETURN_VOID();
}

// current_brand_id() -> bigint: the chosen brand, else the only one, else NULL. R52
ENTITLE_FUNCTION(entitle_current_brand_id) {
    const Asker &asker = asker_now();
    const auto brand =
        asker.subject == nullptr ? std::nullopt : current_brand(*asker.subject, asker.session);
    if (!brand) {
        PG_RETURN_NULL();
    }
    PG_RETURN_INT64(*brand);
}

// use_customer(customer_id) -> void, until the end of the transaction; NULL clears. R45
ENTITLE_FUNCTION(entitle_use_customer) {
    const auto customer = bigint_argument(fcinfo, 0);
    if (!customer) {
        clear_choice(&Choice::customer);
        drop_contradicted_plans();
        PG_RETURN_VOID();
    }
    const Asker &asker = require_asker();
    // Judged as if nothing were chosen: the choice is about to change.
    const Session session{asker.session.chosen_brand, std::nullopt, asker.session.today};
    const Grant *grant = grant_of(asker.user, *customer);
    if (access_level(asker.subject, session, *customer, grant) == kNoLevel) {
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("the signed-in user has no access to this customer"),
                        errhint("Choose a customer of entitle.accessible_customers().")));
    }
    carry_choice(Choice{asker.subject->id, asker.session.chosen_brand, customer});
    drop_contradicted_plans();
    note_unheard("entitle.use_customer");
    PG_RETURN_VOID();
}

// current_customer_id() -> bigint, NULL when none is chosen
ENTITLE_FUNCTION(entitle_current_customer_id) {
    const Asker &asker = asker_now();
    if (!asker.session.chosen_customer) {
        PG_RETURN_NULL();
    }
    PG_RETURN_INT64(*asker.session.chosen_customer);
}

// Trigger of app_user: records the OID of the mapped role, so that a role dropped and created again
// under the same name does not inherit the mapping.
ENTITLE_FUNCTION(entitle_record_role_oid) {
    static constexpr const char *kColumns[] = {"db_role", "db_role_oid"};
    const FiredRow row = fired_row(fcinfo);
    const AttrNumber *columns = find_columns(fcinfo, row, kColumns, lengthof(kColumns));
    if (row.after == nullptr) {
        return pass(row);
    }
    bool has_no_role = false;
    const Datum role = column(row, row.after, columns[0], &has_no_role);
    // An applied update names every column; one that leaves the role as it is does not write it.
    // Nor does that of somebody who may write other columns of the row alone (S314).
    if ((is_replaying() || !is_exempt()) && row.before != nullptr && !has_no_role) {
        bool had_no_role = false;
        bool is_unbound = false;
        const Datum old_role = column(row, row.before, columns[0], &had_no_role);
        int bound_column = columns[1];
        Datum bound = column(row, row.before, columns[1], &is_unbound);
        if (!had_no_role &&
            strcmp(NameStr(*DatumGetName(old_role)), NameStr(*DatumGetName(role))) == 0) {
            return PointerGetDatum(heap_modify_tuple_by_cols(row.after, row.shape, 1, &bound_column,
                                                             &bound, &is_unbound));
        }
    }
    const Oid oid = has_no_role ? InvalidOid : get_role_oid(NameStr(*DatumGetName(role)), true);
    if (!has_no_role && !OidIsValid(oid)) {
        ereport(
            WARNING,
            (errcode(ERRCODE_UNDEFINED_OBJECT),
             errmsg("role \"%s\" does not exist: its entry in entitle.%s counts for nothing",
                    NameStr(*DatumGetName(role)), RelationGetRelationName(row.data->tg_relation)),
             errhint("Correct the name, or create the role and write db_role once more.")));
    }
    int recorded = columns[1];
    Datum value = ObjectIdGetDatum(oid);
    bool is_null = !OidIsValid(oid);
    return PointerGetDatum(
        heap_modify_tuple_by_cols(row.after, row.shape, 1, &recorded, &value, &is_null));
}

// asking_role() -> oid
ENTITLE_FUNCTION(entitle_asking_role) { PG_RETURN_OID(asking_role()); }
