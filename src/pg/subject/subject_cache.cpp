// Rights in memory: the backend's few users, found again as long as their generations hold.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/guard.hpp"
#include "pg/boundary/no_destructor.hpp"
#include "pg/model/subject_load.hpp"
#include "pg/model/lookup.hpp"
#include "pg/subject/fingerprint.hpp"
#include "pg/subject/subject_cache.hpp"
#include "pg/model/invalidation.hpp"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>

#include "core/permission.hpp"

namespace entitle::pg {

// One user's rights. The two halves go stale apart: a grant does not touch memberships, nor the
// other way round.
struct CachedUser {
    UserId id = 0;
    std::uint64_t last_use = 0;

    bool is_loaded = false;
    bool exists = false;
    std::uint64_t user_generation = 0;
    std::uint64_t model_generation = 0; // counts only for a user with memberships
    Subject subject;
    std::uint64_t subject_print = 0; // of all that decides for them

    std::uint64_t access_generation = 0;
    bool has_all_grants = false;
    bool has_many_grants = false; // more than a planner should load
    std::vector<Grant> grants;    // all of them, by customer
    struct Probe {
        Grant grant;
        bool is_found;
    };
    std::vector<Probe> probes; // single rows, until all are worth loading

    GrantSummary summary;
    std::uint64_t summary_generation = UINT64_MAX; // of the grants
    std::uint64_t print_generation = UINT64_MAX;
    std::uint64_t grants_print = 0; // of all of them, never 0
    bool has_dated_grants = false;
    Session summary_session;
    bool summary_active = false;
    std::uint64_t versions[GrantSummary::kCount] = {}; // of the summary's customers
};

namespace {

constexpr std::size_t kMaxUsers = 128;
constexpr std::size_t kMaxGrants = 400000; // over all users kept: about 10 MB
constexpr std::size_t kMaxProbes = 64;
constexpr std::size_t kFewGrants = 1000;
constexpr int kMaxAttempts = 3;

struct Cache {
    std::unordered_map<UserId, std::unique_ptr<CachedUser>> users;
    std::uint64_t clock = 0;
    bool has_grown = false; // since it was last made sure that all fits
    std::shared_ptr<const Catalogue> catalogue;
    std::uint64_t catalogue_generation = 0;
    std::uint64_t catalogue_print = 0;
};

Cache &cache() {
    static NoDestructor<Cache> the_cache;
    return the_cache.get();
}

// Whose rights are never pushed out: the asker's.
const CachedUser *held = nullptr;

// How often a planner went without the asker's grants because they are many.
std::uint64_t unknown_count = 0;

const std::shared_ptr<const Catalogue> &current_catalogue() {
    Cache &kept = cache();
    for (int attempt = 0;
         kept.catalogue == nullptr || kept.catalogue_generation != model_generation(); ++attempt) {
        const std::uint64_t generation = model_generation();
        load_catalogue(kept.catalogue);
        kept.catalogue_print = print_of(*kept.catalogue);
        kept.catalogue_generation = generation;
        if (attempt == kMaxAttempts) {
            break; // good for this question; its generation says that it is stale
        }
    }
    return kept.catalogue;
}

bool is_current(const CachedUser &user) noexcept {
    return user.is_loaded && user.user_generation == user_generation(user.id) &&
           (user.subject.catalogue == nullptr || user.model_generation == model_generation());
}

void load_user(CachedUser &user) {
    for (int attempt = 0; !is_current(user) && attempt < kMaxAttempts; ++attempt) {
        const std::uint64_t of_user = user_generation(user.id);
        const std::uint64_t of_model = model_generation();
        user.is_loaded = false;
        user.exists = load_subject(user.id, current_catalogue, user.subject);
        user.subject_print = print_of(user.subject, cache().catalogue_print);
        user.user_generation = of_user;
        user.model_generation = of_model;
        user.is_loaded = true;
    }
}

void drop_stale_grants(CachedUser &user) noexcept {
    const std::uint64_t generation = access_generation(user.id);
    if (user.access_generation != generation) {
        user.has_all_grants = false;
        user.has_many_grants = false;
        user.probes.clear();
        user.access_generation = generation;
    }
}

void load_all_grants(CachedUser &user) {
    drop_stale_grants(user);
    for (int attempt = 0; !user.has_all_grants; ++attempt) {
        const std::uint64_t generation = access_generation(user.id);
        (void)load_grants(user.id, SIZE_MAX, user.grants);
        cache().has_grown = true;
        user.probes.clear();
        user.access_generation = generation;
        user.has_all_grants = true;
        if (generation != access_generation(user.id) && attempt < kMaxAttempts) {
            user.has_all_grants = false;
        }
    }
}

// Makes room: the users not asked about for the longest time go first, never `keep`. regime: C++
void evict(Cache &kept, UserId keep) {
    for (;;) {
        std::size_t grants = 0;
        const CachedUser *oldest = nullptr;
        for (const auto &entry : kept.users) {
            const CachedUser &user = *entry.second;
            grants += user.grants.capacity();
            const bool is_in_use = user.id == keep || &user == held;
            if (!is_in_use && (oldest == nullptr || user.last_use < oldest->last_use)) {
                oldest = &user;
            }
        }
        if (oldest == nullptr || (kept.users.size() <= kMaxUsers && grants <= kMaxGrants)) {
            return;
        }
        advance_epoch();              // somebody may hold a reference to it
        const UserId id = oldest->id; // the key would lie in what is erased
        kept.users.erase(id);
    }
}

CachedUser &cached_user(UserId id) {
    CachedUser *found = nullptr;
    compute([&] {
        Cache &kept = cache();
        auto at = kept.users.find(id);
        if (at == kept.users.end()) {
            auto fresh = std::make_unique<CachedUser>();
            fresh->id = id;
            at = kept.users.emplace(id, std::move(fresh)).first;
            kept.has_grown = true;
        }
        if (kept.has_grown) {
            evict(kept, id);
            kept.has_grown = false;
        }
        found = at->second.get();
        found->last_use = ++kept.clock;
    });
    load_user(*found);
    return *found;
}

// The last version given to a list of customers. Never taken back: a user who was forgotten and
// loaded again begins with new ones.
std::uint64_t version_count = 0;

} // namespace

RightsMark mark_of(const Asker &who) noexcept {
    RightsMark mark;
    mark.is_set = true;
    mark.keys_generation = customer_generation();
    if (who.user == nullptr) {
        return mark;
    }
    CachedUser &user = *who.user;
    mark.user = user.id;
    mark.subject_print = user.subject_print;
    mark.access_generation = access_generation(user.id);
    mark.brand = who.session.chosen_brand;
    mark.customer = who.session.chosen_customer;
    mark.today = who.session.today;
    if (user.has_all_grants && user.access_generation == mark.access_generation) {
        if (user.print_generation != user.access_generation) {
            user.grants_print = print_of(user.grants);
            user.has_dated_grants =
                std::any_of(user.grants.begin(), user.grants.end(), [](const Grant &grant) {
                    return grant.valid_from != kFirstDay || grant.valid_until != kLastDay ||
                           grant.days_back != kUnlimitedDays;
                });
            user.print_generation = user.access_generation;
        }
        mark.grants_print = user.grants_print;
        mark.has_dated_grants = user.has_dated_grants;
    }
    return mark;
}

bool is_same_mark(const RightsMark &begun, const RightsMark &now) noexcept {
    if (begun.is_mixed || now.is_mixed || begun.user != now.user ||
        begun.subject_print != now.subject_print || begun.brand != now.brand ||
        begun.customer != now.customer ||
        (begun.uses_keys && begun.keys_generation != now.keys_generation)) {
        return false;
    }
    const bool has_same_grants =
        begun.access_generation == now.access_generation ||
        (begun.grants_print != 0 && begun.grants_print == now.grants_print);
    return has_same_grants &&
           (begun.today == now.today || (now.grants_print != 0 && !now.has_dated_grants));
}

void add_mark(RightsMark &all, const RightsMark &one) noexcept {
    if (!all.is_set) {
        all = one;
        return;
    }
    if (!is_same_mark(all, one)) {
        all.is_mixed = true;
        return;
    }
    if (one.uses_keys && !all.uses_keys) {
        all.uses_keys = true;
        all.keys_generation = one.keys_generation;
    }
    if (all.grants_print == 0 && all.access_generation == one.access_generation) {
        all.grants_print = one.grants_print;
        all.has_dated_grants = one.has_dated_grants;
    }
}

CachedUser *find_user(std::int64_t id) {
    CachedUser &user = cached_user(id);
    return user.exists ? &user : nullptr;
}

void pin_user(const CachedUser *user) noexcept { held = user; }

const Subject *subject_of(const CachedUser *user) noexcept {
    return user == nullptr ? nullptr : &user->subject;
}

bool has_all_grants(const CachedUser *user) noexcept {
    return user == nullptr || user->has_all_grants;
}

const Grant *grant_of(CachedUser *user, CustomerId customer) {
    drop_stale_grants(*user);
    if (!user->has_all_grants && user->probes.size() >= kMaxProbes) {
        load_all_grants(*user);
    }
    if (user->has_all_grants) {
        return find_grant(user->grants, customer);
    }
    for (const CachedUser::Probe &probe : user->probes) {
        if (probe.grant.customer == customer) {
            return probe.is_found ? &probe.grant : nullptr;
        }
    }
    CachedUser::Probe probe{Grant{}, false};
    const std::uint64_t generation = user->access_generation;
    probe.is_found = load_grant(user->id, customer, probe.grant);
    probe.grant.customer = customer;
    drop_stale_grants(*user);
    compute([&] { user->probes.push_back(probe); });
    if (generation != user->access_generation) {
        // Something changed while reading: the answer is good for this question, not for the next.
        user->access_generation = generation;
    }
    return probe.is_found ? &user->probes.back().grant : nullptr;
}

const std::vector<Grant> &grants_of(CachedUser *user) {
    load_all_grants(*user);
    return user->grants;
}

const std::vector<Grant> *few_grants_of(CachedUser *user) {
    drop_stale_grants(*user);
    if (!user->has_all_grants && !user->has_many_grants) {
        const std::uint64_t generation = user->access_generation;
        const bool is_complete = load_grants(user->id, kFewGrants, user->grants);
        user->has_all_grants = is_complete;
        user->has_many_grants = !is_complete;
        if (is_complete && generation != access_generation(user->id)) {
            load_all_grants(*user);
        }
    }
    return user->has_all_grants ? &user->grants : nullptr;
}

const GrantSummary &grant_summary(const Asker &who) {
    CachedUser &user = *who.user;
    load_all_grants(user);
    if (user.summary_generation != user.access_generation ||
        user.summary_session.today != who.session.today ||
        user.summary_session.chosen_customer != who.session.chosen_customer ||
        user.summary_active != who.subject->is_active) {
        GrantSummary fresh;
        compute([&] { fresh = summarize(who.subject, who.session, user.grants); });
        for (std::size_t i = 0; i < GrantSummary::kCount; ++i) {
            if (user.versions[i] == 0 || user.summary.fingerprints[i] != fresh.fingerprints[i]) {
                user.versions[i] = ++version_count;
            }
        }
        user.summary = fresh;
        user.summary_generation = user.access_generation;
        user.summary_session = who.session;
        user.summary_active = who.subject->is_active;
    }
    return user.summary;
}

const std::uint64_t *customer_versions(const Asker &who) {
    (void)grant_summary(who);
    return who.user->versions;
}

const GrantSummary *cheap_grant_summary(const Asker &who) {
    if (few_grants_of(who.user) == nullptr) {
        ++unknown_count;
        return nullptr;
    }
    return &grant_summary(who);
}

std::uint64_t unknown_grants() noexcept { return unknown_count; }

PlainIds reached_customers(const Asker &who, int level, bool unlimited_only) {
    PlainIds ids;
    if (who.user == nullptr) {
        return ids;
    }
    (void)customer_versions(who); // whoever goes on with this list later can tell that it changed
    const std::vector<Grant> &grants = who.user->grants;
    compute([&] {
        std::vector<CustomerId> customers;
        for (const Grant &grant : grants) {
            if (unlimited_only && earliest_day(grant, who.session) != kFirstDay) {
                continue;
            }
            if (check_access(who.subject, who.session, grant.customer, &grant, level, false,
                             std::nullopt)) {
                customers.push_back(grant.customer);
            }
        }
        ids = copy_out(customers);
    });
    return ids;
}

PlainIds permitted_brand_ids(const Asker &asker, std::string_view permission) {
    PlainIds ids;
    compute([&] { ids = copy_out(permitted_brands(asker.subject, asker.session, permission)); });
    return ids;
}

bool manages_access(const Asker &who, CustomerId customer) {
    if (who.user == nullptr) {
        return false;
    }
    const auto facts = find_customer(customer);
    if (!facts) {
        return false;
    }
    const Grant *grant = grant_of(who.user, customer);
    bool allowed = false;
    compute([&] {
        allowed =
            check_manages_access(who.subject, who.session, customer, facts->brand, grant).allowed;
    });
    return allowed;
}

} // namespace entitle::pg
