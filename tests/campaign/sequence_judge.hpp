// Judges one step by one writer. See sequence_model.hpp.
#pragma once

#include "sequence_model.hpp"

namespace entitle::campaign {

class Judge {
  public:
    // Requires: both outlive it.
    Judge(const Affairs &affairs, const Step &step)
        : now_(affairs), step_(step), model_(affairs.world), rules_(affairs.world),
          me_(step.writer), asker_{step.writer, {}, {}, 0}, is_active_(rules_.is_active(me_)) {}

    Verdict run();

  private:
    using Member = naive::Membership;
    using Grant = naive::ExternalAccess;

    // What the writer sees and manages
    bool owns(Id organization) const { return is_active_ && rules_.owns(me_, organization); }
    bool manages_organization(Id organization) const;
    bool manages_brand(Id brand) const;
    bool manages_user(Id user) const;
    bool manages_customer(MaybeId customer) const;
    bool belongs_to(Id organization) const;
    bool sees_role(Id role) const;
    bool sees_member(const Member &row) const;
    bool sees_user(Id user) const;
    bool sees_grant(const Grant &row) const;
    bool may_withdraw(const OpenInvitation &row) const;
    std::string sight() const;

    // What is there
    const naive::Role *find_role(Id role) const;
    const naive::Role *find_role(const std::string &name, Id organization) const;
    MaybeId home_of(Id brand) const;
    MaybeId only_organization() const;
    MaybeId find_login(const std::string &login) const;
    bool is_held(Id role) const;
    bool is_unplaced(Id user) const;
    // Whom nobody needs to invite: S361, S362
    bool is_at_hand(Id user) const {
        return rules_.is_active(user) && (manages_user(user) || is_unplaced(user));
    }
    bool has_name(Id organization, const std::string &name, Id but = 0) const;
    bool lists(Id role, const std::string &key, bool is_metric) const;
    bool is_me(const std::string &login) const {
        return is_active_ && now_.logins.at(me_) == login;
    }
    const Grant *find_grant(Id customer, Id user) const;
    static bool has_member(const Affairs &in, const Member &row);
    static bool has_owner(const naive::World &world, Id organization);
    bool keeps_owners_of(const naive::World &after, Id user) const;

    // R41 to R43
    struct GrantRights {
        bool is_manager;
        int level;
        bool manages() const { return is_manager || level >= 80; }
        bool is_mere() const { return !is_manager && level < 90; }
    };
    GrantRights rights_on(Id customer, Id writer) const;
    bool may_give(const Grant &row, Id writer) const;
    bool may_take(const Grant &row, Id writer) const;
    bool may_change(const Grant &before, const Grant &after, Id writer, bool notes = false) const;
    static bool is_kept(const Grant &before, const Grant *after);
    std::vector<bool> move_rights(const Grant &row) const;

    Verdict refused() const;
    Verdict broken() const;
    Verdict nothing() const;
    Verdict as(bool is_refused, bool is_broken = false) const;

    Verdict insert_role() const;
    Verdict change_role() const;
    Verdict delete_role() const;
    Verdict list_key() const;
    Verdict unlist_key() const;
    Verdict exchange_key() const;
    Verdict create_role() const;
    Verdict set_role() const;
    bool may_list(Id role, const std::string &key, bool is_metric) const;

    template <typename Is, typename Change> Verdict write_members(Is is, Change change) const;
    Verdict insert_member(const Member &row) const;
    Verdict write_some_members() const;
    Verdict add_member() const;

    Verdict insert_user() const;
    Verdict write_user(Id user, bool is_on) const;
    Verdict switch_login() const;

    Verdict write_grant() const;
    Verdict grant_access() const;
    Verdict revoke_access() const;

    Verdict invite() const;
    Verdict accept() const;
    Verdict withdraw() const;

    Verdict interfere() const;

    const Affairs &now_;
    const Step &step_;
    naive::Model model_;
    naive::Delegation rules_;
    Id me_;
    naive::Asker asker_;
    bool is_active_;
};

} // namespace entitle::campaign
