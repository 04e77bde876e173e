// How queries call the row tests.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/planner/row_filter.hpp"

extern "C" {
#include "nodes/nodeFuncs.h"
}

namespace entitle::pg {

namespace {

bool is_null_constant(const Node *node) {
    return IsA(node, Const) && ENTITLE_NODE(Const, node)->constisnull;
}

} // namespace

bool is_row_test(Oid function, bool &is_branded) {
    FmgrInfo info;
    fmgr_info(function, &info);
    is_branded = info.fn_addr == entitle_brand_row_allowed ||
                 info.fn_addr == entitle_shared_brand_row_allowed;
    return is_branded || info.fn_addr == entitle_row_allowed ||
           info.fn_addr == entitle_shared_row_allowed;
}

bool is_shared_test(Oid function) {
    FmgrInfo info;
    fmgr_info(function, &info);
    return info.fn_addr == entitle_shared_row_allowed ||
           info.fn_addr == entitle_shared_brand_row_allowed;
}

bool is_row_test(const Node *condition) {
    bool is_branded = false;
    return condition != nullptr && IsA(condition, FuncExpr) &&
           is_row_test(ENTITLE_NODE(FuncExpr, condition)->funcid, is_branded);
}

bool read_call(List *arguments, bool is_branded, Call &call) {
    const RowTestLayout layout = row_test_layout(list_length(arguments), is_branded);
    auto *permission = static_cast<Node *>(linitial(arguments));
    auto *level = static_cast<Node *>(list_nth(arguments, layout.level));
    if (!IsA(permission, Const) || !IsA(level, Const)) {
        return false;
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
    return true;
}

Question permission_question(const Call &call) {
    return Question{call.brand == nullptr ? Fact::permission_held : Fact::some_brand_permitted,
                    call.permission.value_or(std::string_view())};
}

} // namespace entitle::pg
