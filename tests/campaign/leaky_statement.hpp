// Random statements that would tell of a hidden row or value if anything of it reached them:
// errors, notices, keys, functions of entitle, the model's tables.
#pragma once

#include <string>

#include "../client/query_generator.hpp"

namespace entitle::campaign {

struct Leaky {
    std::string text;
    bool is_ordered = false;   // its rows come in an order that the statement asks for
    std::string channel;       // a side channel by which its answer may differ
    bool meets_keys = false;   // it gives a row a key that a hidden one may bear, or refers to one
    bool is_explained = false; // its answer is a plan
};

class LeakyGenerator {
  public:
    explicit LeakyGenerator(client::QueryGenerator &random) : random_(random) {}

    Leaky statement();

  private:
    std::string condition(const client::Scope &scope);
    std::string value(const client::Scope &scope);
    std::string column(client::Type type, const client::Scope &scope);
    std::string number(const client::Scope &scope);
    Leaky query();
    Leaky write();
    Leaky key();
    Leaky ask();
    Leaky model();

    client::QueryGenerator &random_;
};

} // namespace entitle::campaign
