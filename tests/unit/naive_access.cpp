// Section C of the rules, and what asks about one customer or one row, by loops over rows.
#include "naive_model.hpp"

namespace naive {

const Customer *Model::find_customer(Id customer_id) const {
    for (const Customer &customer : world_.customer) {
        if (customer.customer_id == customer_id) {
            return &customer;
        }
    }
    return nullptr;
}

// R34: the one grant per customer and user. R45: with a customer chosen, as if no other grant
// existed.
const ExternalAccess *Model::find_grant(const Asker &asker, Id customer_id) const {
    if (asker.chosen_customer && *asker.chosen_customer != customer_id) {
        return nullptr;
    }
    for (const ExternalAccess &grant : world_.external_access) {
        if (asker.user_id && grant.user_id == *asker.user_id && grant.customer_id == customer_id) {
            return &grant;
        }
    }
    return nullptr;
}

namespace {

// R33: nothing else is accepted
bool is_one_of_the_six(int level) {
    return level == 10 || level == 20 || level == 30 || level == 40 || level == 80 || level == 90;
}

} // namespace

Gate Model::access_gate(const Asker &asker, Id customer_id, int min_level, bool is_dated,
                        std::optional<Date> on_date) const {
    if (!is_known_and_active(asker)) {
        return Gate::identity;
    }
    const ExternalAccess *grant = find_grant(asker, customer_id);
    if (grant == nullptr) {
        return Gate::customer;
    }
    // R64: it waits until the customer comes back
    const Customer *customer = find_customer(customer_id);
    if (customer != nullptr && customer->is_gone) {
        return Gate::customer;
    }
    // R40: both inclusive
    if (grant->valid_from && asker.today < *grant->valid_from) {
        return Gate::validity;
    }
    if (grant->valid_until && asker.today > *grant->valid_until) {
        return Gate::validity;
    }
    if (!is_one_of_the_six(grant->level) || !is_one_of_the_six(min_level) ||
        grant->level < min_level) {
        return Gate::level;
    }
    // R39: undated tables are not narrowed. R38: NULL is unlimited
    if (!is_dated || !grant->days_back) {
        return Gate::none;
    }
    // R38: a row with no date is hidden under a limit; negative days are refused
    if (!on_date || *on_date == kMinusInfinity || *grant->days_back < 0) {
        return Gate::window;
    }
    const std::int64_t first_day = std::int64_t{asker.today} - std::int64_t{*grant->days_back};
    return std::int64_t{*on_date} >= first_day ? Gate::none : Gate::window;
}

int Model::access_level(const Asker &asker, Id customer_id) const {
    // R33: each level includes the ones below
    int highest = 0;
    for (int level : {10, 20, 30, 40, 80, 90}) {
        if (access_gate(asker, customer_id, level, false, std::nullopt) == Gate::none) {
            highest = level;
        }
    }
    return highest;
}

bool Model::is_in_window(const Asker &asker, Id customer_id, std::optional<Date> on_date) const {
    return access_gate(asker, customer_id, 10, true, on_date) == Gate::none;
}

bool Model::manages_access(const Asker &asker, Id customer_id) const {
    const Customer *customer = find_customer(customer_id);
    if (customer == nullptr) {
        return false;
    }
    if (has_permission(asker, customer->brand_id, "external_access.manage")) {
        return true;
    }
    return access_level(asker, customer_id) >= 80;
}

bool Model::can_score(const Asker &asker, Id customer_id) const {
    const Customer *customer = find_customer(customer_id);
    if (customer == nullptr) {
        return false;
    }
    const bool views_and_edits = has_permission(asker, customer->brand_id, "customers.view") &&
                                 has_permission(asker, customer->brand_id, "customers.edit");
    if (customer->status == "ACTV") {
        return views_and_edits;
    }
    if (customer->status == "PAIN") {
        return views_and_edits &&
               has_permission(asker, customer->brand_id, "customers.client_metrics");
    }
    return false;
}

bool Model::sees_metrics(const Asker &asker, std::optional<Id> organization_id) const {
    for (const Brand &brand : world_.brand) {
        if (brand.organization_id == organization_id &&
            has_permission(asker, brand.brand_id, "customers.view") &&
            has_permission(asker, brand.brand_id, "customers.client_metrics")) {
            return true;
        }
    }
    return false;
}

// R52: rows that carry their brand are always judged by it
bool Model::row_shows_by_permission(const Asker &asker, const RowQuestion &row) const {
    if (!row.permission || (row.has_brand && !row.brand_id)) {
        return false;
    }
    return has_permission(asker, row.has_brand ? row.brand_id : std::nullopt, *row.permission);
}

bool Model::row_shows_by_access(const Asker &asker, const RowQuestion &row) const {
    return row.min_level && row.customer_id &&
           access_gate(asker, *row.customer_id, *row.min_level, row.is_dated, row.on_date) ==
               Gate::none;
}

bool Model::row_shows(const Asker &asker, const RowQuestion &row) const {
    const bool is_everybodys = row.is_shared && !row.customer_id && is_known_and_active(asker);
    return is_everybodys || row_shows_by_permission(asker, row) || row_shows_by_access(asker, row);
}

bool Model::may_move(const Asker &asker, const std::vector<RowQuestion> &before,
                     const std::vector<RowQuestion> &after) const {
    const bool shows_after = row_shows(asker, after.front());
    const bool shows_before = row_shows(asker, before.front());
    for (std::size_t i = 0; i < after.size(); ++i) {
        const bool could_then = shows_after && row_shows(asker, after[i]);
        const bool could_now = shows_before && row_shows(asker, before[i]);
        if (could_then && !could_now) {
            return false;
        }
    }
    return true;
}

} // namespace naive
