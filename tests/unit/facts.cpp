#include "facts.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace {

using entitle::Decision;
using entitle::Trace;

template <typename Items> void sort_by_id(Items &items) {
    std::sort(items.begin(), items.end(),
              [](const auto &left, const auto &right) { return left.id < right.id; });
}

bool reaches(const naive::Membership &membership, const naive::Brand &brand) {
    if (membership.brand_id) {
        return !membership.organization_id && *membership.brand_id == brand.brand_id;
    }
    return membership.organization_id && membership.organization_id == brand.organization_id;
}

entitle::Brand load_brand(const naive::World &world, const entitle::Catalogue &catalogue,
                          const naive::Brand &row) {
    entitle::Brand brand;
    brand.id = row.brand_id;
    brand.organization = row.organization_id;
    brand.name = "brand " + std::to_string(row.brand_id);
    brand.plan = row.plan_key.value_or("");
    brand.is_active = row.is_active;
    for (const auto &module : world.brand_module) {
        const auto index = catalogue.find_module(module.module_key);
        if (module.brand_id == row.brand_id && module.is_enabled && index) {
            brand.modules.push_back(*index);
        }
    }
    for (const auto &denial : world.plan_denial) {
        const auto index = catalogue.find_permission(denial.permission_key);
        if (row.plan_key && denial.plan_key == *row.plan_key && index) {
            brand.denied.push_back(*index);
        }
    }
    std::sort(brand.modules.begin(), brand.modules.end());
    std::sort(brand.denied.begin(), brand.denied.end());
    return brand;
}

entitle::Role load_role(const naive::World &world, const entitle::Catalogue &catalogue,
                        const naive::Role &row) {
    entitle::Role role;
    role.id = row.role_id;
    role.organization = row.organization_id;
    role.name = "role " + std::to_string(row.role_id);
    role.is_active = row.is_active;
    for (const auto &given : world.role_permission) {
        const auto index = catalogue.find_permission(given.permission_key);
        if (given.role_id == row.role_id && index) {
            role.permissions.push_back(*index);
        }
    }
    for (const auto &given : world.role_metric) {
        const auto index = catalogue.find_metric(given.metric_key);
        if (given.role_id == row.role_id && given.metric_key == "*") {
            role.all_metrics = true;
        } else if (given.role_id == row.role_id && index) {
            role.metrics.push_back(*index);
        }
    }
    std::sort(role.permissions.begin(), role.permissions.end());
    std::sort(role.metrics.begin(), role.metrics.end());
    return role;
}

// The row with which of its places are switched off.
entitle::Membership load_membership(const naive::World &world, const naive::Membership &row) {
    entitle::Membership membership{row.organization_id, row.brand_id, row.role_id, row.is_owner};
    std::optional<naive::Id> home = row.organization_id;
    for (const auto &brand : world.brand) {
        if (row.brand_id == brand.brand_id) {
            membership.is_brand_off = !brand.is_active;
            home = brand.organization_id;
        }
    }
    for (const auto &organization : world.organization) {
        if (home == organization.organization_id) {
            membership.is_organization_off = !organization.is_active;
        }
    }
    return membership;
}

entitle::Subject load_subject(const naive::World &world, CataloguePtr catalogue,
                              const naive::AppUser &user) {
    entitle::Subject subject;
    subject.id = user.user_id;
    subject.login = "user" + std::to_string(user.user_id);
    subject.is_active = user.is_active;
    subject.catalogue = std::move(catalogue);
    std::vector<naive::Membership> own;
    for (const auto &row : world.membership) {
        if (row.user_id == user.user_id) {
            own.push_back(row);
            subject.memberships.push_back(load_membership(world, row));
        }
    }
    for (const auto &brand : world.brand) {
        if (std::any_of(own.begin(), own.end(),
                        [&](const auto &membership) { return reaches(membership, brand); })) {
            subject.brands.push_back(load_brand(world, *subject.catalogue, brand));
        }
    }
    for (const auto &role : world.role) {
        if (std::any_of(own.begin(), own.end(), [&](const auto &membership) {
                return membership.role_id == role.role_id;
            })) {
            subject.roles.push_back(load_role(world, *subject.catalogue, role));
        }
    }
    sort_by_id(subject.brands);
    sort_by_id(subject.roles);
    subject.settle();
    return subject;
}

std::vector<entitle::Grant> load_grants(const naive::World &world, naive::Id user) {
    std::vector<entitle::Grant> grants;
    for (const auto &row : world.external_access) {
        if (row.user_id == user) {
            const bool is_gone =
                std::any_of(world.customer.begin(), world.customer.end(), [&](const auto &item) {
                    return item.customer_id == row.customer_id && item.is_gone;
                });
            grants.push_back(entitle::Grant{row.customer_id,
                                            row.valid_from.value_or(entitle::kFirstDay),
                                            row.valid_until.value_or(entitle::kLastDay),
                                            row.days_back.value_or(entitle::kUnlimitedDays),
                                            static_cast<std::int16_t>(row.level), is_gone});
        }
    }
    std::sort(grants.begin(), grants.end(),
              [](const auto &left, const auto &right) { return left.customer < right.customer; });
    return grants;
}

// A trace tells at least one step and ends where the decision fell: at its failed gate, or at a
// passed one.
void expect_told(const Decision &decision, const Trace &trace) {
    ASSERT_FALSE(trace.empty());
    EXPECT_EQ(decision.allowed, !decision.failed.has_value());
    EXPECT_EQ(decision.allowed, trace.back().passed);
    for (const entitle::Step &step : trace) {
        EXPECT_FALSE(step.detail.empty());
        EXPECT_NE(step.gate, entitle::Gate::decision) << "the caller writes the decision";
    }
    if (decision.failed) {
        EXPECT_TRUE(std::any_of(trace.begin(), trace.end(),
                                [&](const entitle::Step &step) {
                                    return !step.passed && step.gate == *decision.failed;
                                }))
            << "no step failed at gate " << entitle::gate_name(*decision.failed);
    }
}

} // namespace

CataloguePtr load_catalogue(const naive::World &world) {
    entitle::CatalogueRows rows;
    for (const auto &row : world.permission) {
        rows.permissions.push_back({row.permission_key, row.is_active});
    }
    for (const auto &row : world.permission_module) {
        rows.permission_modules.push_back({row.permission_key, row.module_key});
    }
    for (const auto &row : world.permission_prerequisite) {
        rows.permission_prerequisites.push_back({row.permission_key, row.requires_key});
    }
    for (const auto &row : world.metric) {
        rows.metrics.push_back(row.metric_key);
    }
    for (const auto &row : world.metric_module) {
        rows.metric_modules.push_back({row.metric_key, row.module_key});
    }
    for (const auto &row : world.capability) {
        rows.capabilities.push_back({row.capability_key, row.section, row.position});
    }
    for (const auto &row : world.capability_permission) {
        rows.alternatives.push_back({row.capability_key, row.alternative, row.permission_key});
    }
    return std::make_shared<const entitle::Catalogue>(rows);
}

Facts::Facts(const naive::World &world, const naive::Asker &asker, CataloguePtr catalogue)
    : world_(world), session_{asker.chosen_brand, asker.chosen_customer, asker.today} {
    for (const auto &user : world.app_user) {
        if (asker.user_id == user.user_id) {
            subject_ = load_subject(world, catalogue, user);
            grants_ = load_grants(world, user.user_id);
        }
    }
}

template <typename Ask> Decision Facts::ask_twice(Ask &&ask) const {
    const Decision silent = ask(nullptr);
    trace_.clear();
    const Decision told = ask(&trace_);
    EXPECT_EQ(outcome(silent), outcome(told));
    EXPECT_EQ(silent.allowed, told.allowed);
    expect_told(told, trace_);
    return silent;
}

Decision Facts::permission(std::string_view key, MaybeId brand) const {
    return ask_twice([&](Trace *trace) {
        return entitle::check_permission(subject(), session_, key, brand, trace);
    });
}

Decision Facts::capability(std::string_view key, MaybeId brand) const {
    return ask_twice([&](Trace *trace) {
        return entitle::check_capability(subject(), session_, key, brand, trace);
    });
}

Decision Facts::metric(std::string_view key, MaybeId brand) const {
    return ask_twice([&](Trace *trace) {
        return entitle::check_metric(subject(), session_, key, brand, trace);
    });
}

std::vector<std::string> Facts::visible_metrics(MaybeId brand) const {
    return entitle::visible_metrics(subject(), session_, brand);
}

std::vector<std::string> Facts::pages(std::string_view section, MaybeId brand) const {
    return entitle::allowed_capabilities(subject(), session_, section, brand);
}

std::vector<naive::Id> Facts::permitted_brands(std::string_view key) const {
    return entitle::permitted_brands(subject(), session_, key);
}

const entitle::Grant *Facts::grant(naive::Id customer) const noexcept {
    return entitle::find_grant(grants_, customer);
}

int Facts::level(naive::Id customer) const {
    const int silent = entitle::access_level(subject(), session_, customer, grant(customer));
    trace_.clear();
    EXPECT_EQ(silent,
              entitle::access_level(subject(), session_, customer, grant(customer), &trace_));
    EXPECT_FALSE(trace_.empty());
    EXPECT_EQ(silent != entitle::kNoLevel, !trace_.empty() && trace_.back().passed);
    return silent;
}

Decision Facts::access(naive::Id customer, int min_level) const {
    return ask_twice([&](Trace *trace) {
        return entitle::check_access(subject(), session_, customer, grant(customer), min_level,
                                     false, std::nullopt, trace);
    });
}

Decision Facts::dated_access(naive::Id customer, int min_level,
                             std::optional<entitle::Day> date) const {
    return ask_twice([&](Trace *trace) {
        return entitle::check_access(subject(), session_, customer, grant(customer), min_level,
                                     true, date, trace);
    });
}

bool Facts::in_window(naive::Id customer, std::optional<entitle::Day> date) const {
    const entitle::Grant *found = grant(customer);
    return found != nullptr && level(customer) != entitle::kNoLevel &&
           entitle::in_window(*found, session_, date);
}

std::optional<entitle::BrandId> Facts::brand_of(naive::Id customer) const {
    for (const auto &row : world_.customer) {
        if (row.customer_id == customer) {
            return row.brand_id;
        }
    }
    return std::nullopt;
}

Decision Facts::manages_access(naive::Id customer) const {
    return ask_twice([&](Trace *trace) {
        return entitle::check_manages_access(subject(), session_, customer, brand_of(customer),
                                             grant(customer), trace);
    });
}

Decision Facts::can_score(naive::Id customer) const {
    std::string status;
    for (const auto &row : world_.customer) {
        if (row.customer_id == customer) {
            status = row.status;
        }
    }
    return ask_twice([&](Trace *trace) {
        return entitle::check_can_score(subject(), session_, status, brand_of(customer), trace);
    });
}

Decision Facts::row(const naive::RowQuestion &question) const {
    const entitle::RowRule rule = rule_of(question);
    entitle::RowFacts facts;
    facts.brand = question.brand_id;
    facts.customer = question.customer_id;
    facts.grant = question.customer_id ? grant(*question.customer_id) : nullptr;
    facts.date = question.on_date;
    facts.lacks_customer = !question.customer_id;
    const Decision decision = ask_twice(
        [&](Trace *trace) { return entitle::check_row(subject(), session_, rule, facts, trace); });
    // The test that policies ask row by row says the same, in whichever order its two halves are
    // asked.
    entitle::RowTest test(subject(), session_, rule);
    bool by_access = false;
    if (facts.customer) {
        test.prepare_one(*facts.customer, facts.grant);
        by_access = test.allows_prepared(*facts.customer, facts.date);
    }
    by_access = by_access || (facts.lacks_customer && test.allows_shared());
    EXPECT_EQ(decision.allowed, by_access || test.allows_by_permission(facts.brand));
    // So does what it worked out beforehand for a scan.
    test.prepare(grants_);
    if (facts.customer) {
        EXPECT_EQ(by_access, test.allows_prepared(*facts.customer, facts.date));
    }
    return decision;
}

entitle::RowRule rule_of(const naive::RowQuestion &question) {
    return entitle::RowRule{question.permission, question.min_level, question.has_brand,
                            question.is_dated, question.is_shared};
}

std::string_view outcome(const Decision &decision) {
    return decision.failed ? entitle::gate_name(*decision.failed) : "allowed";
}
