// The door that tells why a sign-in is refused or not (R62).
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"
#include "pg/check/sign_in.hpp"
#include "pg/datum/datum.hpp"
#include "pg/datum/row_set.hpp"
#include "pg/explain/explain.hpp"
#include "pg/model/lookup.hpp"
#include "pg/subject/current_subject.hpp"

#include "core/brand_scope.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

// Tells whether the role may call sign_in at all. regime: C
bool may_call_sign_in(Oid role) {
    return DatumGetBool(OidFunctionCall3(
        F_HAS_FUNCTION_PRIVILEGE_OID_TEXT_TEXT, ObjectIdGetDatum(role),
        CStringGetTextDatum("entitle.sign_in(text,boolean,text)"), CStringGetTextDatum("EXECUTE")));
}

Decision tell(const SignInRight &right, bool may_call, const std::string &role,
              const Recorder &recorder) {
    if (!may_call) {
        return recorder.fail(Gate::privilege, [&] {
            return "role " + quoted(role) + " has no EXECUTE on entitle.sign_in";
        });
    }
    recorder.pass(Gate::privilege, [&] { return "role " + quoted(role) + " may call sign_in"; });
    const auto pass = [&](const char *why) {
        recorder.pass(Gate::permission, [&] { return std::string(why); });
        return Decision{true, std::nullopt};
    };
    if (right.is_superuser_role) {
        return pass("the role is a superuser, who may sign in anyone");
    }
    if (!right.is_superuser && !right.has_weight) {
        return pass("the user neither owns nor manages anything");
    }
    if (right.is_listed) {
        return pass("sign_in_grant lists the user for the role");
    }
    if (right.is_listed_for_all) {
        return pass("sign_in_grant has an entry without login for the role");
    }
    return recorder.fail(Gate::permission, [&] {
        return std::string(right.is_superuser ? "the user is mapped to a superuser"
                                              : "the user owns or manages something") +
               ", and sign_in_grant does not list him for role " + quoted(role);
    });
}

} // namespace

// explain_sign_in(login, db_role, may_ask) -> steps: whether the role, or the asking one, may sign
// the user in. Whom the asker may not ask about is as one who does not exist.
ENTITLE_FUNCTION(entitle_explain_sign_in) {
    const auto login = text_argument(fcinfo, 0);
    const char *name = PG_ARGISNULL(1) ? nullptr : NameStr(*PG_GETARG_NAME(1));
    const bool may_ask = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
    const Oid role = name == nullptr ? GetOuterUserId() : get_role_oid(name, true);
    const char *role_name = name != nullptr ? name : GetUserNameFromId(role, false);
    const auto found = login && may_ask ? find_login(*login) : std::nullopt;
    const Subject *subject = found ? subject_of(find_user(found->user)) : nullptr;
    const bool is_active = subject != nullptr && subject->is_active;
    SignInRight right;
    if (is_active && OidIsValid(role)) {
        right = judge_sign_in(role, *found, *subject, *login);
    }
    const bool may_call = OidIsValid(role) && may_call_sign_in(role);
    PlainSteps steps;
    compute([&] {
        Trace trace;
        const Recorder recorder(&trace);
        Decision decision;
        if (subject == nullptr) {
            decision = refuse_user(login.value_or(std::string_view()), trace);
        } else if (!is_active) {
            decision = recorder.fail(Gate::identity, [&] {
                return "user " + quoted(subject->login) + " is switched off";
            });
        } else {
            recorder.pass(Gate::identity,
                          [&] { return "user " + quoted(subject->login) + " is active"; });
            decision = tell(right, may_call, role_name, recorder);
        }
        steps = close_trace(trace, decision);
    });
    return return_steps(fcinfo, steps);
}
