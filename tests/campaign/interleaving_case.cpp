#include "interleaving_case.hpp"

#include "history.hpp"

#include <algorithm>
#include <stdexcept>

namespace entitle::campaign {

namespace {

using naive::Asker;
using naive::World;

ShopRows &rows() {
    static ShopRows all;
    return all;
}

std::string deals(const World &world, const Asker &asker) {
    return joined(visible_deals(world, asker));
}

// A row that shows and may not be written is an error (R3).
std::string written(const World &world, const Asker &asker, bool (*is_meant)(const ShopRow &)) {
    std::vector<std::string> ids;
    for (const ShopRow &row : rows().deals) {
        if (!is_meant(row) || !deal_shows(world, asker, row, "conversions.view", 10)) {
            continue;
        }
        if (!deal_shows(world, asker, row, "conversions.update", 20)) {
            return kInterleavingRefused;
        }
        ids.push_back(std::to_string(row.id));
    }
    return joined(ids);
}

std::string all_written(const World &world, const Asker &asker) {
    return written(world, asker, [](const ShopRow &) { return true; });
}

std::string some_written(const World &world, const Asker &asker) {
    return written(world, asker, [](const ShopRow &row) { return row.customer <= 2; });
}

std::string papers(const World &world, const Asker &asker) {
    return shown_papers(rows().papers, world, asker);
}

std::string lines(const World &world, const Asker &asker) {
    return shown_lines(rows().lines, world, asker);
}

std::string rights(const World &world, const Asker &asker) {
    return joined(held_levels(world, asker, 6)) + "," + joined(held_permissions(world, asker));
}

std::string given(const World &world, const Asker &asker) {
    return naive::Model(world).manages_access(asker, 4) ? "" : kInterleavingRefused;
}

std::string everything(const World &world, const Asker &asker) {
    return deals(world, asker) + "; " + papers(world, asker) + "; " + lines(world, asker) + "; " +
           rights(world, asker);
}

constexpr const char *kDeals =
    "SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM deal";
constexpr const char *kPapers =
    "SELECT coalesce(string_agg(id || ':' || coalesce(price::text, '-'), ',' ORDER BY id), '') FROM"
    " paper_view";
constexpr const char *kLines =
    "SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM line";
constexpr const char *kRights =
    "SELECT concat_ws(',', (SELECT string_agg(entitle.access_level(c)::text, ',' ORDER BY c) FROM"
    " generate_series(1, 6) AS c), (SELECT string_agg(CASE WHEN entitle.has_permission(k, b) THEN"
    " 't' ELSE 'f' END, ',' ORDER BY b, k COLLATE \"C\") FROM generate_series(1, 4) AS b,"
    " unnest('{conversions.view,customers.view}'::text[]) AS k))";
const std::string kAll = "SELECT concat_ws('; ', (" + std::string(kDeals) + "), (" + kPapers +
                         "), (" + kLines + "), (" + kRights + "))";
// The rows that an UPDATE gives out come in no order.
const std::string kWriting = "WITH w AS (UPDATE deal SET note = 'w' ";
const std::string kWritten =
    " RETURNING id) SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM w";

ReaderStep plain(const char *command) { return {StepKind::plain, command, nullptr}; }

} // namespace

std::vector<std::string> visible_deals(const World &world, const Asker &asker) {
    return shown_deals(rows().deals, world, asker, 10);
}

const std::vector<Ending> &endings() {
    static const std::vector<Ending> all = {
        {"committed", {"BEGIN", "%s", "COMMIT"}, 2},
        {"rolled back", {"BEGIN", "%s", "ROLLBACK"}, 9},
        {"committed at once", {"%s"}, 0},
        {"taken back to a savepoint", {"BEGIN; SAVEPOINT s", "%s", "ROLLBACK TO s", "COMMIT"}, 9},
        {"prepared", {"BEGIN", "%s", "PREPARE TRANSACTION 'i'", "COMMIT PREPARED 'i'"}, 3},
    };
    return all;
}

const std::vector<Prepared> &prepared() {
    static const std::vector<Prepared> all = {{"deals", kDeals, deals},
                                              {"everything", kAll.c_str(), everything}};
    return all;
}

const std::vector<Script> &scripts() {
    static const std::vector<Script> all = [] {
        std::vector<Script> made;
        for (const Prepared &one : prepared()) {
            const ReaderStep read{StepKind::read, one.command, one.answer};
            const ReaderStep again{StepKind::read, "EXECUTE " + std::string(one.name), one.answer};
            made.push_back({one.name, {plain("BEGIN"), read, again, plain("COMMIT")}});
            made.push_back(
                {one.name,
                 {plain("BEGIN ISOLATION LEVEL REPEATABLE READ"), again, again, plain("COMMIT")}});
            made.push_back({one.name, {again, read, again}});
            made.push_back({one.name,
                            {plain("BEGIN ISOLATION LEVEL SERIALIZABLE; SAVEPOINT a"), read,
                             plain("ROLLBACK TO a"), again, plain("ROLLBACK")}});
        }
        const ReaderStep some{StepKind::fetch, "FETCH 2 FROM c", nullptr};
        const ReaderStep rest{StepKind::rest, "FETCH ALL FROM c", nullptr};
        const auto cursor = [](const char *command) {
            return ReaderStep{StepKind::open, command, nullptr};
        };
        made.push_back({"a cursor",
                        {cursor("BEGIN; DECLARE c CURSOR FOR SELECT id FROM deal"), some, rest,
                         plain("ROLLBACK")}});
        made.push_back({"a held cursor",
                        {cursor("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT id FROM deal"), some,
                         plain("COMMIT"), rest}});
        made.push_back({"a sorted cursor, and a customer is chosen",
                        {cursor("BEGIN; DECLARE c CURSOR FOR SELECT id FROM deal ORDER BY day, id"),
                         some,
                         {StepKind::choose, "SELECT entitle.use_customer(1)", nullptr},
                         rest,
                         plain("ROLLBACK")}});
        const ReaderStep read{StepKind::read, kDeals, deals};
        made.push_back({"a write",
                        {plain("BEGIN"),
                         {StepKind::read, kWriting + kWritten, all_written},
                         read,
                         plain("ROLLBACK")}});
        made.push_back(
            {"a write of some",
             {plain("BEGIN ISOLATION LEVEL REPEATABLE READ"),
              read,
              {StepKind::read, kWriting + "WHERE customer_id <= 2" + kWritten, some_written},
              plain("ROLLBACK")}});
        made.push_back({"a function",
                        {plain("BEGIN ISOLATION LEVEL REPEATABLE READ"),
                         {StepKind::read, "SELECT deals_in_function()", deals},
                         {StepKind::read, "SELECT deals_in_function()", deals},
                         plain("COMMIT")}});
        made.push_back(
            {"a grant of one's own",
             {plain("BEGIN"),
              {StepKind::read, "SELECT entitle.grant_access(4, 'user 3', 'L10', 7)", given},
              plain("ROLLBACK"),
              read}});
        return made;
    }();
    return all;
}

void load_interleaving_rows(client::Session &administrator) {
    rows() = load_shop(administrator, kHistoryToday);
}

} // namespace entitle::campaign
