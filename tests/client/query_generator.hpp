// Random statements over the tables of random_query_world.sql. The same statement must make sense
// over the protected tables and over the plain ones, so tables are named without a schema, and its
// answer must depend on the rows alone: no order, clock or chance shows in it.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace entitle::client {

enum class Type { integer, number, text, date, uuid };

struct Column {
    std::string expression; // as it is named in its scope
    Type type;
};
using Scope = std::vector<Column>;

struct Statement {
    std::string text;
    std::string target;    // the table it writes to, empty for a query
    bool reads_new = true; // a row it inserts must be visible to it
};

class QueryGenerator {
  public:
    explicit QueryGenerator(std::uint64_t seed) : engine_(seed) {}

    Statement statement();
    std::string query() { return select(0, {}, {}); }

    // The same stream of chance serves the caller.
    std::size_t below(std::size_t bound) { return engine_() % bound; }
    bool chance(int percent) { return static_cast<int>(below(100)) < percent; }
    const char *one_of(std::initializer_list<const char *> words) {
        return words.begin()[below(words.size())];
    }

  private:
    std::string select(int depth, const Scope &outer, const std::vector<Type> &wanted);
    std::string plain_select(int depth, const Scope &outer, const std::vector<Type> &types);
    std::string grouped_select(int depth, const Scope &outer, const std::vector<Type> &types);
    std::string set_operation(int depth, const Scope &outer, const std::vector<Type> &types);
    std::string with_query(int depth, const std::vector<Type> &types);

    // Adds items to FROM and their columns to the scope.
    std::string from_clause(int depth, const Scope &outer, Scope &scope);
    std::string from_item(int depth, const Scope &before, Scope &columns);
    std::string join_condition(const Scope &left, const Scope &right, bool equality_only);

    std::string expression(Type type, int depth, const Scope &scope);
    std::string aggregate(Type type, int depth, const Scope &scope);
    std::string window(Type type, int depth, const Scope &scope);
    std::string condition(int depth, const Scope &scope);
    std::string subquery_condition(int depth, const Scope &scope);
    std::string constant(Type type);
    std::string column(Type type, const Scope &scope);

    Statement update();
    Statement erase();
    Statement insert();
    Statement merge();
    Statement writing_with();

    std::string alias() { return "a" + std::to_string(++aliases_); }
    Type any_type() { return static_cast<Type>(below(5)); }
    std::vector<Type> any_types();

    std::mt19937_64 engine_;
    int aliases_ = 0;
    std::vector<std::pair<std::string, std::vector<Type>>> with_; // queries of WITH in reach
};

// The columns of a table, named through an alias.
Scope table_scope(const std::string &table, const std::string &alias);

} // namespace entitle::client
