// Row decisions: permission or external access.
#include "core/protection.hpp"

#include <utility>

#include "core/permission.hpp"

#include "core/pure.hpp"

namespace entitle {

namespace {

Decision by_permission(const Subject *subject, const Session &session, const RowRule &rule,
                       std::optional<BrandId> brand, Trace *trace) {
    const Recorder recorder(trace);
    if (!rule.permission) {
        return recorder.fail(Gate::permission,
                             [] { return std::string("no permission opens this table"); });
    }
    if (rule.is_branded && !brand) {
        return recorder.fail(Gate::membership, [] { return std::string("the row has no brand"); });
    }
    return check_permission(subject, session, *rule.permission,
                            rule.is_branded ? brand : std::nullopt, trace);
}

Decision by_access(const Subject *subject, const Session &session, const RowRule &rule,
                   const RowFacts &row, Trace *trace) {
    const Recorder recorder(trace);
    if (!rule.level) {
        return recorder.fail(Gate::level,
                             [] { return std::string("no external access opens this table"); });
    }
    if (!row.customer) {
        return recorder.fail(Gate::customer, [] { return std::string("the row has no customer"); });
    }
    return check_access(subject, session, *row.customer, row.grant, *rule.level, rule.is_dated,
                        row.date, trace);
}

} // namespace

RowTest::RowTest(const Subject *subject, const Session &session, RowRule rule)
    : subject_(subject), session_(session), rule_(std::move(rule)) {
    allows_all_ = !rule_.is_branded &&
                  by_permission(subject_, session_, rule_, std::nullopt, nullptr).allowed;
}

bool RowTest::allows_by_permission(std::optional<BrandId> brand) {
    if (!rule_.is_branded || !brand) {
        return allows_all_;
    }
    if (last_brand_ != brand) {
        const auto known = brands_.find(*brand);
        last_answer_ =
            known != brands_.end()
                ? known->second
                : brands_
                      .emplace(*brand,
                               by_permission(subject_, session_, rule_, brand, nullptr).allowed)
                      .first->second;
        last_brand_ = brand;
    }
    return last_answer_;
}

bool RowTest::allows_by_access(const RowFacts &row) const {
    return by_access(subject_, session_, rule_, row, nullptr).allowed;
}

Decision check_row(const Subject *subject, const Session &session, const RowRule &rule,
                   const RowFacts &row, Trace *trace) {
    const Decision permitted = by_permission(subject, session, rule, row.brand, trace);
    if (permitted) {
        return permitted;
    }
    const Decision opened = by_access(subject, session, rule, row, trace);
    // A table closed to external access was refused by its permission: that gate is the reason
    // (R2).
    return rule.level ? opened : permitted;
}

} // namespace entitle
