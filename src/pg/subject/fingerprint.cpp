// What decides is put in one by one, in the order that the loaders give.
#include "pg/boundary/postgres.hpp"

#include "pg/subject/fingerprint.hpp"

#include <functional>
#include <optional>
#include <string_view>

namespace entitle::pg {

namespace {

class Print {
  public:
    void add(std::uint64_t number) noexcept {
        value_ = (value_ ^ number) * 0x9E3779B97F4A7C15U;
        value_ ^= value_ >> 29U;
    }
    template <typename Id> void add(const std::optional<Id> &id) noexcept {
        add(id ? 1 : 0);
        add(static_cast<std::uint64_t>(id.value_or(0)));
    }
    void add(std::string_view text) noexcept {
        add(text.size());
        add(std::hash<std::string_view>()(text));
    }
    void add(const std::vector<KeyIndex> &keys) noexcept {
        add(keys.size());
        for (const KeyIndex key : keys) {
            add(key);
        }
    }
    std::uint64_t value() const noexcept { return value_ | 1U; }

  private:
    std::uint64_t value_ = 0xCBF29CE484222325U;
};

} // namespace

std::uint64_t print_of(const Catalogue &catalogue) noexcept {
    Print print;
    const auto add_modules = [&](const std::vector<KeyIndex> &modules) {
        print.add(modules);
        for (const KeyIndex module : modules) {
            print.add(catalogue.module_name(module));
        }
    };
    for (KeyIndex i = 0; i < catalogue.permission_keys().size(); ++i) {
        const Permission &permission = catalogue.permission(i);
        print.add(catalogue.permission_keys().key(i));
        print.add(permission.is_active ? 1 : 0);
        print.add(permission.prerequisites);
        add_modules(permission.modules);
    }
    for (KeyIndex i = 0; i < catalogue.metric_keys().size(); ++i) {
        print.add(catalogue.metric_keys().key(i));
        add_modules(catalogue.metric(i).modules);
    }
    for (const Capability &capability : catalogue.capabilities()) {
        print.add(capability.key);
        print.add(capability.section ? std::string_view(*capability.section) : std::string_view());
        print.add(static_cast<std::uint64_t>(capability.position));
        for (const std::vector<KeyIndex> &alternative : capability.alternatives) {
            print.add(alternative);
        }
    }
    return print.value();
}

std::uint64_t print_of(const Subject &subject, std::uint64_t catalogue_print) noexcept {
    Print print;
    print.add(subject.is_active ? 1 : 0);
    if (subject.memberships.empty()) {
        return print.value();
    }
    print.add(catalogue_print);
    for (const Membership &membership : subject.memberships) {
        print.add(membership.organization);
        print.add(membership.brand);
        print.add(membership.role);
        print.add(membership.is_owner ? 1 : 0);
    }
    for (const Brand &brand : subject.brands) {
        print.add(static_cast<std::uint64_t>(brand.id));
        print.add(brand.organization);
        print.add(brand.modules);
        print.add(brand.denied);
        print.add(std::string_view(brand.uuid));
        print.add(std::string_view(brand.code));
    }
    for (const Role &role : subject.roles) {
        print.add(static_cast<std::uint64_t>(role.id));
        print.add(static_cast<std::uint64_t>(role.organization));
        print.add(role.is_active ? 1 : 0);
        print.add(role.all_metrics ? 1 : 0);
        print.add(role.permissions);
        print.add(role.metrics);
    }
    return print.value();
}

std::uint64_t print_of(const std::vector<Grant> &grants) noexcept {
    Print print;
    for (const Grant &grant : grants) {
        print.add(static_cast<std::uint64_t>(grant.customer));
        print.add(static_cast<std::uint32_t>(grant.valid_from));
        print.add(static_cast<std::uint32_t>(grant.valid_until));
        print.add(static_cast<std::uint32_t>(grant.days_back));
        print.add(static_cast<std::uint32_t>(grant.level));
        print.add(grant.is_customer_gone ? 1 : 0);
    }
    return print.value();
}

} // namespace entitle::pg
