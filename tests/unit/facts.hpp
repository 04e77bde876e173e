// Turns the rows of a world into the facts src/core decides on, the way the extension loads them,
// and asks core. Every question is asked twice, without and with a trace: the answers must be equal
// and the trace must tell the same story, in every test that uses this.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/access.hpp"
#include "core/permission.hpp"
#include "core/protection.hpp"
#include "core/score.hpp"
#include "naive_model.hpp"

using CataloguePtr = std::shared_ptr<const entitle::Catalogue>;

CataloguePtr load_catalogue(const naive::World &world);

// What one asker gets from core. Requires: the world outlives the facts.
class Facts {
  public:
    Facts(const naive::World &world, const naive::Asker &asker)
        : Facts(world, asker, load_catalogue(world)) {}
    Facts(const naive::World &world, const naive::Asker &asker, CataloguePtr catalogue);

    using MaybeId = std::optional<naive::Id>;

    entitle::Decision permission(std::string_view key, MaybeId brand = {}) const;
    entitle::Decision capability(std::string_view key, MaybeId brand = {}) const;
    entitle::Decision metric(std::string_view key, MaybeId brand = {}) const;
    std::vector<std::string> visible_metrics(MaybeId brand = {}) const;
    std::vector<std::string> pages(std::string_view section, MaybeId brand = {}) const;
    std::vector<naive::Id> permitted_brands(std::string_view key) const;

    int level(naive::Id customer) const;
    entitle::Decision access(naive::Id customer, int min_level) const;
    entitle::Decision dated_access(naive::Id customer, int min_level,
                                   std::optional<entitle::Day> date) const;
    bool in_window(naive::Id customer, std::optional<entitle::Day> date) const;
    entitle::Decision manages_access(naive::Id customer) const;
    entitle::Decision can_score(naive::Id customer) const;
    entitle::Decision row(const naive::RowQuestion &question) const;

    // Null when nobody is signed in.
    const entitle::Subject *subject() const noexcept { return subject_ ? &*subject_ : nullptr; }
    const entitle::Session &session() const noexcept { return session_; }
    const entitle::Grant *grant(naive::Id customer) const noexcept;

    // The steps of the last question that gave a Decision.
    const entitle::Trace &trace() const noexcept { return trace_; }

  private:
    template <typename Ask> entitle::Decision ask_twice(Ask &&ask) const;
    std::optional<entitle::BrandId> brand_of(naive::Id customer) const;

    const naive::World &world_;
    entitle::Session session_;
    std::optional<entitle::Subject> subject_;
    std::vector<entitle::Grant> grants_;
    mutable entitle::Trace trace_;
};

entitle::RowRule rule_of(const naive::RowQuestion &question);

// The way a decision stopped, as one word; "allowed" when it did not.
std::string_view outcome(const entitle::Decision &decision);
