// Delegated administration: comparing what is written with what the writer holds.
#include "core/delegation.hpp"

#include <algorithm>
#include <string>

#include "core/brand_scope.hpp"
#include "core/permission.hpp"

#include "core/pure.hpp"

namespace entitle {

namespace {

// Tells whether a permission is held with all that it requires, whatever modules, plans and
// switches say.
bool is_held_aside(const BrandScope &scope, KeyIndex asked) {
    const Catalogue &catalogue = *scope.subject.catalogue;
    std::vector<char> is_seen(catalogue.permission_keys().size(), 0);
    std::vector<KeyIndex> open = {asked};
    while (!open.empty()) {
        const KeyIndex index = open.back();
        open.pop_back();
        if (index == kUnknownKey) {
            return false;
        }
        if (is_seen[index] != 0) {
            continue;
        }
        is_seen[index] = 1;
        if (!find_holding(scope, false,
                          [&](const Role &role) { return contains(role.permissions, index); })) {
            return false;
        }
        const auto &needed = catalogue.permission(index).prerequisites;
        open.insert(open.end(), needed.begin(), needed.end());
    }
    return true;
}

// Finds what a role lists and the subject does not hold in the brand. Returns: none when nothing.
std::optional<std::string> find_missing(const BrandScope &scope, const Role &role) {
    const Catalogue &catalogue = *scope.subject.catalogue;
    for (const KeyIndex index : role.permissions) {
        if (!is_held_aside(scope, index)) {
            return index == kUnknownKey ? std::string("an unknown permission")
                                        : quoted(catalogue.permission_keys().key(index));
        }
    }
    const auto is_missing = [&](auto &&in_role) {
        return !find_holding(scope, false, in_role);
    };
    if (role.all_metrics && is_missing([](const Role &held) { return held.all_metrics; })) {
        return std::string("every metric");
    }
    for (const KeyIndex index : role.metrics) {
        if (index == kUnknownKey) {
            return std::string("an unknown metric");
        }
        if (is_missing([&](const Role &held) {
                return held.all_metrics || contains(held.metrics, index);
            })) {
            return "metric " + quoted(catalogue.metric_keys().key(index));
        }
    }
    return std::nullopt;
}

// What memberships of the organization alone reach: a brand that no membership names.
Brand brand_to_come(OrganizationId organization) {
    Brand brand;
    brand.id = INT64_MIN;
    brand.organization = organization;
    return brand;
}

std::string organization_text(OrganizationId organization) {
    return "organization " + std::to_string(organization);
}

// Decides whether a membership covers the whole organization; only then the subject's brands are
// all that it has. Returns: none when one does.
std::optional<Decision> check_covers(const Subject *subject, OrganizationId organization,
                                     const Recorder &recorder) {
    if (subject == nullptr || !subject->is_active) {
        return recorder.fail(Gate::identity,
                             [] { return std::string("no active user is signed in"); });
    }
    recorder.pass(Gate::identity, [&] { return "user " + quoted(subject->login) + " is active"; });
    const auto covers = [&](const Membership &membership) {
        return membership.organization == organization && !membership.brand;
    };
    if (subject->catalogue == nullptr ||
        std::none_of(subject->memberships.begin(), subject->memberships.end(), covers)) {
        return recorder.fail(Gate::membership, [&] {
            return "no membership of the whole " + organization_text(organization);
        });
    }
    recorder.pass(Gate::membership,
                  [&] { return "a member of the whole " + organization_text(organization); });
    return std::nullopt;
}

bool is_owner(const Subject *subject, std::optional<OrganizationId> organization) noexcept {
    return subject != nullptr && subject->is_active && organization &&
           std::any_of(subject->memberships.begin(), subject->memberships.end(),
                       [&](const Membership &membership) {
                           return membership.is_owner && !membership.brand &&
                                  membership.organization == organization;
                       });
}

Error beyond_own(std::string message, const Trace &trace) {
    return Error::denied(std::move(message),
                         "Ask an owner of the organization, or somebody who holds it.",
                         "The " + trace.back().detail + ".");
}

// Whether the place is one whose members the writer manages.
Decision check_manages(const Subject *writer, const Place &place, Trace *trace) {
    if (place.brand) {
        return check_permission(writer, Session{}, kManageMembers, place.brand, trace);
    }
    return check_in_organization(writer, kManageMembers, place.organization.value_or(0), trace);
}

// Decides about a membership as it was or will be, for a writer who is not the member.
Result<Passed> check_member(const Subject *writer, const MemberRow &row, Trace *trace) {
    const Membership &membership = row.membership;
    const Place place{membership.organization, membership.brand};
    if (!check_manages(writer, place, trace)) {
        return Error::denied(
            "permission denied to manage members there",
            "It takes members.manage in the organization, or in the brand for that brand."
            " To see why: SELECT * FROM entitle.explain_permission('members.manage', brand_id =>"
            " brand).");
    }
    if (membership.is_owner && !is_owner(writer, membership.organization)) {
        return Error::denied("only an owner makes or ends an owner",
                             "Ask an owner of the organization.");
    }
    if (!membership.role) {
        return Passed{};
    }
    if (row.role == nullptr ||
        row.role->organization != (membership.brand ? row.home : membership.organization)) {
        return Error::denied("permission denied to give this role there",
                             "Name a role of the organization that the membership is in.");
    }
    Trace steps;
    const bool is_passed = check_handing_on(writer, *row.role, place, &steps).allowed;
    if (trace != nullptr) {
        trace->insert(trace->end(), steps.begin(), steps.end());
    }
    return is_passed ? Result<Passed>(Passed{})
                     : Result<Passed>(
                           beyond_own("permission denied to give or take this role there", steps));
}

// Decides about a role as it was or will be.
Result<Passed> check_role(const Subject *writer, const Role &role, Trace *trace) {
    if (!check_in_organization(writer, kManageRoles, role.organization, trace)) {
        return unmanaged_role();
    }
    Trace steps;
    const Place whole{role.organization, std::nullopt};
    const bool is_passed = check_handing_on(writer, role, whole, &steps).allowed;
    if (trace != nullptr) {
        trace->insert(trace->end(), steps.begin(), steps.end());
    }
    if (!is_passed) {
        return beyond_own("permission denied to manage a role that grants more", steps);
    }
    const auto holds = [&](const Membership &membership) {
        return membership.role == role.id;
    };
    if (!is_owner(writer, role.organization) &&
        std::any_of(writer->memberships.begin(), writer->memberships.end(), holds)) {
        return Error::denied("nobody but an owner changes a role that he holds",
                             "Ask an owner, or somebody else who manages roles.");
    }
    return Passed{};
}

} // namespace

Decision check_in_organization(const Subject *subject, std::string_view permission,
                               OrganizationId organization, Trace *trace) {
    const Recorder recorder(trace);
    if (const auto denied = check_covers(subject, organization, recorder)) {
        return *denied;
    }
    const auto index = subject->catalogue->find_permission(permission);
    const Brand whole = brand_to_come(organization);
    if (!index || !subject->catalogue->permission(*index).is_active ||
        !is_held_aside(BrandScope{*subject, whole}, *index)) {
        return recorder.fail(Gate::permission, [&] {
            return quoted(permission) + " is not held in the whole " +
                   organization_text(organization);
        });
    }
    for (const Brand &brand : subject->brands) {
        if (brand.organization == organization &&
            !check_permission(subject, Session{}, permission, brand.id)) {
            return check_permission(subject, Session{}, permission, brand.id, trace);
        }
    }
    recorder.pass(Gate::permission, [&] {
        return quoted(permission) + " is held in the whole " + organization_text(organization);
    });
    return Decision{true, std::nullopt};
}

Decision check_handing_on(const Subject *subject, const Role &role, const Place &place,
                          Trace *trace) {
    const Recorder recorder(trace);
    std::optional<std::string> missing;
    if (role.is_gone && !is_owner(subject, role.organization)) {
        return recorder.fail(Gate::delegation, [&] {
            return "row of role " + quoted(role.name) +
                   " is gone, and nobody knows what it grants when it comes back";
        });
    }
    if (place.brand) {
        const auto [brand, denied] = enter_brand(subject, Session{}, place.brand, recorder);
        if (brand == nullptr) {
            return denied;
        }
        missing = find_missing(BrandScope{*subject, *brand}, role);
    } else {
        const OrganizationId organization = place.organization.value_or(0);
        if (const auto denied = check_covers(subject, organization, recorder)) {
            return *denied;
        }
        bool has_brands = false;
        for (const Brand &brand : subject->brands) {
            if (!missing && brand.organization == organization) {
                has_brands = true;
                missing = find_missing(BrandScope{*subject, brand}, role);
            }
        }
        // One that is switched off may come back: it counts like one that comes later (S441).
        const bool has_closed = std::count(subject->closed_homes.begin(),
                                           subject->closed_homes.end(), organization) > 0;
        if (!missing && (!has_brands || has_closed)) {
            const Brand whole = brand_to_come(organization);
            missing = find_missing(BrandScope{*subject, whole}, role);
        }
    }
    if (missing) {
        return recorder.fail(Gate::delegation, [&] {
            return "role " + quoted(role.name) + " grants " + *missing +
                   ", which the user does not hold there";
        });
    }
    recorder.pass(Gate::delegation,
                  [&] { return "the user holds all that role " + quoted(role.name) + " grants"; });
    return Decision{true, std::nullopt};
}

Result<Passed> check_role_write(const Subject *writer, const Role *before, const Role *after,
                                Trace *trace) {
    for (const Role *role : {before, after}) {
        if (role != nullptr) {
            if (auto checked = check_role(writer, *role, trace); !checked.ok()) {
                return checked;
            }
        }
    }
    return Passed{};
}

Result<Passed> check_member_write(const Subject *writer, const MemberRow *before,
                                  const MemberRow *after, Trace *trace) {
    const bool is_nobody = writer == nullptr || !writer->is_active;
    const auto is_own = [&](const MemberRow *row) {
        return !is_nobody && row != nullptr && row->user == writer->id;
    };
    if (is_own(before) && after == nullptr) {
        return Passed{}; // leaving
    }
    if (is_own(before) || is_own(after)) {
        return Error::denied("nobody changes his own membership, except by leaving",
                             "Ask an owner, or somebody else who manages members.");
    }
    for (const MemberRow *row : {before, after}) {
        if (row != nullptr) {
            if (auto checked = check_member(writer, *row, trace); !checked.ok()) {
                return checked;
            }
        }
    }
    return Passed{};
}

Result<Passed> check_owner_left(bool others) {
    if (!others) {
        return Error::denied(
            "an organization keeps its last active owner",
            "Make another active user an owner first: SELECT entitle.add_member(login,"
            " organization_id => organization, is_owner => true).");
    }
    return Passed{};
}

Result<Passed> check_new_user(const Subject *writer, bool administers, Trace *trace) {
    const Recorder recorder(trace);
    if (administers) {
        recorder.pass(Gate::permission,
                      [] { return std::string("manages the external access of a customer"); });
        return Passed{};
    }
    if (writer != nullptr && writer->is_active) {
        for (const Brand &brand : writer->brands) {
            if (check_permission(writer, Session{}, kManageMembers, brand.id) ||
                check_permission(writer, Session{}, "external_access.manage", brand.id)) {
                recorder.pass(Gate::permission,
                              [&] { return "manages users of " + brand_text(brand); });
                return Passed{};
            }
        }
        for (const Membership &membership : writer->memberships) {
            if (membership.organization &&
                check_in_organization(writer, kManageMembers, *membership.organization)) {
                recorder.pass(Gate::permission, [&] {
                    return "manages users of " + organization_text(*membership.organization);
                });
                return Passed{};
            }
        }
    }
    recorder.fail(Gate::permission,
                  [] { return std::string("manages neither members nor external access"); });
    return Error::denied("permission denied to set up users",
                         "It takes members.manage or external_access.manage in some brand, or L80 "
                         "or L90 on some customer.");
}

Result<Passed> check_switched_user(const Subject *writer, const HeldPlaces &places, Trace *trace) {
    const Recorder recorder(trace);
    const auto refuse = [&](std::string why) {
        recorder.fail(Gate::permission, [&] { return why; });
        return Error::denied(
            "permission denied to switch this user off or on",
            "It takes managing every place where the user has rights. Rights in the own places end "
            "by entitle.remove_member(membership_id) and entitle.revoke_access(customer_id, "
            "login).");
    };
    if (places.is_superuser) {
        return refuse("the user is mapped to a superuser");
    }
    if (places.memberships.empty() && places.grants.empty()) {
        return refuse("the user has no place that anybody manages");
    }
    for (const MemberRow &row : places.memberships) {
        if (!check_member(writer, row, trace).ok()) {
            return refuse("a membership is beyond the writer");
        }
    }
    for (const HeldGrant &held : places.grants) {
        const bool is_own = held.row.user == held.writer.user;
        if (!is_managing(held.writer) ||
            (!is_own && !check_removed_grant(held.writer, held.row).ok())) {
            return refuse("a grant is beyond the writer");
        }
    }
    recorder.pass(Gate::permission,
                  [] { return std::string("every place of the user is the writer's to manage"); });
    return Passed{};
}

Result<Passed> check_invitation_open(Day last_day, const Session &session) {
    if (session.today > last_day) {
        return Error::denied("this invitation has ended",
                             "Its last day was " + day_text(last_day) + ": ask for another one.");
    }
    return Passed{};
}

Error unmanaged_role() {
    return Error::denied(
        "permission denied to manage roles of this organization",
        "It takes roles.manage by a membership of the whole organization. To see why:"
        " SELECT * FROM entitle.explain_permission('roles.manage', brand_id => brand).");
}

Error superusers_only(std::string_view what) {
    return Error::denied("permission denied to change " + std::string(what),
                         "Only a superuser may.");
}

Error no_such_user() {
    return Error::bad_value("there is no active user with this login",
                            "Set the user up with entitle.add_user(login), or invite them with "
                            "entitle.invite_user; logins match byte for byte.");
}

} // namespace entitle
