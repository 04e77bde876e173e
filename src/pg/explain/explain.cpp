// Doors of the explanations of checks: core's own checks with a trace, for oneself and for those
// about whom the asker may know. A user that the asker may not know gives the very answer that one
// that does not exist gives.
#include "pg/boundary/postgres.hpp"

#include "pg/subject/current_subject.hpp"
#include "pg/lending/definer.hpp"
#include "pg/explain/explain.hpp"
#include "pg/boundary/function.hpp"
#include "pg/model/lookup.hpp"
#include "pg/datum/datum.hpp"

#include "core/membership.hpp"
#include "core/permission.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace entitle::pg {

bool knows_all() { return acts_as_superuser(); }

bool is_about_asker(const Asker &asker, std::optional<std::string_view> login) noexcept {
    return !login || (asker.subject != nullptr && asker.subject->login == *login);
}

CachedUser *find_by_login(std::string_view login) {
    const auto user = user_by_login(login);
    return user ? find_user(*user) : nullptr;
}

Decision refuse_user(std::string_view login, Trace &trace) {
    return Recorder(&trace).fail(Gate::identity, [&] {
        return "no user \"" + std::string(login) + "\" about whom you may ask";
    });
}

PlainSteps close_trace(Trace &trace, const Decision &decision) {
    trace.push_back(conclude(decision));
    return copy_out(trace);
}

} // namespace entitle::pg

namespace {

using Check = Decision (*)(const Subject *, const Session &, std::string_view,
                           std::optional<BrandId>, Trace *);

// The brand that a question about another user is judged in: the one named, else the user's only
// one. regime: C
std::optional<BrandId> brand_of_question(std::string_view login, std::optional<BrandId> named) {
    const Subject *subject = subject_of(find_by_login(login));
    return named || subject == nullptr ? named : current_brand(*subject, Session{});
}

// (key, login, brand_id): the steps of a check. regime: C
Datum explain_key(FunctionCallInfo fcinfo, Check check, Gate unnamed) {
    const auto key = text_argument(fcinfo, 0);
    const auto login = text_argument(fcinfo, 1);
    const auto named = bigint_argument(fcinfo, 2);
    const auto explain = [&](const Subject *subject, const Session &session,
                             std::optional<BrandId> brand, Trace &trace) {
        return key ? check(subject, session, *key, brand, &trace)
                   : Recorder(&trace).fail(unnamed, [] { return std::string("no key is given"); });
    };
    PlainSteps steps;
    if (is_about_asker(asker_now(), login)) {
        const Asker &asker = asker_now();
        compute([&] {
            Trace trace;
            const Decision decision = explain(asker.subject, asker.session, named, trace);
            steps = close_trace(trace, decision);
        });
        return return_steps(fcinfo, steps);
    }
    // Finding one user may push another out of memory, so each is found again where it is used.
    const bool knows_everybody = knows_all();
    const auto brand = brand_of_question(*login, named);
    const Asker &asker = asker_now();
    const Session session{std::nullopt, std::nullopt, asker.session.today};
    bool may_ask = knows_everybody;
    compute([&] { may_ask = may_ask || may_ask_about(asker.subject, asker.session, brand); });
    const Subject *subject = may_ask ? subject_of(find_by_login(*login)) : nullptr;
    compute([&] {
        Trace trace;
        // A manager knows the members of the brand, and nobody else's.
        const bool is_known =
            subject != nullptr && (knows_everybody || is_member(*subject, *brand));
        const Decision decision =
            is_known ? explain(subject, session, named, trace) : refuse_user(*login, trace);
        steps = close_trace(trace, decision);
    });
    return return_steps(fcinfo, steps);
}

} // namespace

// explain_permission(permission, login, brand_id) -> steps. R1 to R5, R20, R22 to R27, R52
ENTITLE_FUNCTION(entitle_explain_permission) {
    return explain_key(fcinfo, check_permission, Gate::permission);
}

// explain_capability(capability, login, brand_id) -> steps. R28
ENTITLE_FUNCTION(entitle_explain_capability) {
    return explain_key(fcinfo, check_capability, Gate::capability);
}

// explain_metric(metric, login, brand_id) -> steps. R30, R31
ENTITLE_FUNCTION(entitle_explain_metric) { return explain_key(fcinfo, check_metric, Gate::metric); }
