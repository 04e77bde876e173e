// How queries call the row tests.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/guard.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/row_filter.hpp"

extern "C" {
#include "nodes/nodeFuncs.h"
}

#include "core/protection.hpp"

namespace entitle::pg {

namespace {

bool is_null_constant(const Node *node) {
    return IsA(node, Const) && ENTITLE_NODE(Const, node)->constisnull;
}

// Tells the two spellings apart, by whichever name, by what they call: whether the test is of a
// brand's rows. Returns: none for any other function.
std::optional<bool> is_branded_test(Oid function) {
    FmgrInfo info;
    fmgr_info(function, &info);
    if (info.fn_addr == entitle_brand_row_allowed ||
        info.fn_addr == entitle_shared_brand_row_allowed) {
        return true;
    }
    const bool is_plain =
        info.fn_addr == entitle_row_allowed || info.fn_addr == entitle_shared_row_allowed;
    return is_plain ? std::optional<bool>(false) : std::nullopt;
}

// The rule of a call. regime: C++
RowRule rule_of(const Call &call) {
    RowRule rule;
    if (call.permission) {
        rule.permission = std::string(*call.permission);
    }
    rule.level = call.level;
    rule.is_branded = call.is_branded;
    rule.is_dated = call.date != nullptr;
    return rule;
}

} // namespace

bool is_shared_test(Oid function) {
    FmgrInfo info;
    fmgr_info(function, &info);
    return info.fn_addr == entitle_shared_row_allowed ||
           info.fn_addr == entitle_shared_brand_row_allowed;
}

bool is_row_test(const Node *condition) {
    return condition != nullptr && IsA(condition, FuncExpr) &&
           is_branded_test(ENTITLE_NODE(FuncExpr, condition)->funcid);
}

std::optional<Call> read_row_test(const Node *condition) {
    if (condition == nullptr || !IsA(condition, FuncExpr)) {
        return std::nullopt;
    }
    const auto *function = ENTITLE_NODE(FuncExpr, condition);
    const auto is_branded = is_branded_test(function->funcid);
    return is_branded ? read_call(function->args, *is_branded) : std::nullopt;
}

std::optional<Call> read_call(List *arguments, bool is_branded) {
    Call call{};
    call.is_branded = is_branded;
    const RowTestLayout layout = row_test_layout(list_length(arguments), is_branded);
    auto *permission = static_cast<Node *>(linitial(arguments));
    auto *level = static_cast<Node *>(list_nth(arguments, layout.level));
    if (!IsA(permission, Const) || !IsA(level, Const)) {
        return std::nullopt;
    }
    call.customer = static_cast<Node *>(list_nth(arguments, layout.customer));
    call.brand =
        layout.brand < 0 ? nullptr : static_cast<Node *>(list_nth(arguments, layout.brand));
    call.date = layout.date < 0 ? nullptr : static_cast<Node *>(list_nth(arguments, layout.date));
    if (!is_null_constant(permission)) {
        text *key = DatumGetTextPP(ENTITLE_NODE(Const, permission)->constvalue);
        call.permission =
            std::string_view(VARDATA_ANY(key), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(key)));
    }
    if (!is_null_constant(level) && !is_null_constant(call.customer)) {
        call.level = DatumGetInt32(ENTITLE_NODE(Const, level)->constvalue);
    }
    return call;
}

void set_level(FuncExpr *call, int level) {
    const bool is_branded = *is_branded_test(call->funcid);
    const RowTestLayout layout = row_test_layout(list_length(call->args), is_branded);
    static_cast<Const *>(list_nth(call->args, layout.level))->constvalue = Int32GetDatum(level);
}

bool implies(const Call &strong, const Call &weak) {
    bool answer = false;
    compute([&] { answer = entitle::implies(rule_of(strong), rule_of(weak)); });
    return answer;
}

Question permission_question(const Call &call) {
    return Question{call.brand == nullptr ? Fact::permission_held : Fact::some_brand_permitted,
                    call.permission.value_or(std::string_view())};
}

} // namespace entitle::pg
