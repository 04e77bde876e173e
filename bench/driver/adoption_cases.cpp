// Writes of an application's own tables whose rows stand for users and customers (R64), beside the
// same tables without that: COPY of a million rows, and rows changed one by one. In a database of
// its own.
#include "bench.hpp"

#include <cstdio>
#include <filesystem>

namespace bench {

namespace {

constexpr const char *kDatabase = "bench_adoption";
constexpr int kChanged = 100; // rows one by one, in a transaction that is undone

// What is copied: kind is person or client.
struct Source {
    const char *kind;
    const char *columns;
    const char *rows; // of generate_series AS g
    const char *adopt;
};
constexpr Source kSources[] = {
    {"person",
     "id uuid PRIMARY KEY, email text NOT NULL UNIQUE, name text, is_active boolean NOT NULL,"
     " visits integer NOT NULL",
     "gen_random_uuid(), 'person' || g || '@example.org', 'Person ' || g, true, 0",
     "SELECT entitle.adopt_users('adopted_person', 'email', 'id', 'name', 'is_active')"},

    {"client",
     "id uuid PRIMARY KEY, email text NOT NULL UNIQUE, name text, is_active boolean NOT NULL,"
     " visits integer NOT NULL",
     "gen_random_uuid(), 'client' || g || '@example.org', 'Client ' || g, true, 0",
     "SELECT entitle.adopt_customers('adopted_client', 'id', 'name', NULL, 'is_active')"},

};

std::string file_of(const Source &source) {
    return std::filesystem::absolute(std::string("bench_") + source.kind + ".tsv").string();
}

void copies(Bench &bench, const SharedSession &session, const Source &source, int rows,
            std::optional<Spread> &control) {
    const std::string kind = source.kind;
    const std::string from = " FROM '" + file_of(source) + "'";
    const auto side = [&](const std::string &name, const std::string &table) {
        const auto left = std::make_shared<std::string>();
        return undone(
            session, name, [=] { return session->run("COPY " + table + from); },
            "SELECT count(*) FROM " + table, left);
    };
    Result labels;
    labels.topic = "adoption";
    labels.key = "copy_" + kind;
    labels.title = "COPY of " + with_commas(rows) + (kind == "person" ? " users" : " customers");
    labels.target = 1.5;
    labels.baseline = "COPY plain_" + kind + from;
    labels.measured = "COPY adopted_" + kind + from;
    compare_slow(bench, labels, side("plain", "plain_" + kind), side("adopted", "adopted_" + kind),
                 control);
}

// One row after the other, each found by its unique e-mail.
void changes(Bench &bench, const SharedSession &session, const Source &source,
             const std::string &column, const std::string &title) {
    const std::string kind = source.kind;
    const auto side = [&](const std::string &name, const std::string &table) {
        const std::string prepared = name + "_" + column + "_" + kind;
        session->prepare(prepared, "UPDATE " + table + " SET " + column + " = " + column +
                                       (column == "visits" ? " + 1" : " || 'x'") +
                                       " WHERE email = $1::text");
        const Side inner = {name,
                            {},
                            [=] {
                                for (int i = 1; i <= kChanged; ++i) {
                                    session->execute(prepared,
                                                     {kind + std::to_string(i) + "@example.org"});
                                }
                                return std::string();
                            },
                            [=] {
                                return session->processor_time();
                            }};
        return Side{name, {}, {}, {}, [=] {
                        session->run("BEGIN");
                        const Sample sample = time_runs(inner, 1);
                        session->run("ROLLBACK");
                        return sample;
                    }};
    };
    Result labels;
    labels.topic = "adoption";
    labels.key = column + "_" + kind;
    labels.title = title;
    labels.target = 1.3;
    labels.baseline = "UPDATE plain_" + kind + " SET " + column + " = ... WHERE email = $1";
    labels.measured = "UPDATE adopted_" + kind + " SET " + column + " = ... WHERE email = $1";
    compare(bench, labels,
            {side("plain", "plain_" + kind), side("adopted", "adopted_" + kind),
             side("again", "plain_" + kind)},
            bench.limits(6));
}

} // namespace

void measure_adoption(Bench &bench) {
    const int rows = bench.is_quick ? 50000 : 1000000;
    Session administrator;
    administrator.run(std::string("CREATE DATABASE ") + kDatabase);
    {
        const SharedSession session = open_session(kDatabase);
        session->run("CREATE EXTENSION entitle");
        std::optional<Spread> control;
        for (const Source &source : kSources) {
            const std::string kind = source.kind;
            for (const std::string &table : {"plain_" + kind, "adopted_" + kind}) {
                session->run("CREATE TABLE " + table + " (" + source.columns + ")");
            }
            session->run(std::string("COPY (SELECT ") + source.rows + " FROM generate_series(1, " +
                         std::to_string(rows) + ") AS g) TO '" + file_of(source) + "'");
            session->run(source.adopt);
            copies(bench, session, source, rows, control);
            for (const std::string &table : {"plain_" + kind, "adopted_" + kind}) {
                session->run("COPY " + table + " FROM '" + file_of(source) + "'");
            }
            std::remove(file_of(source).c_str());
            session->run("VACUUM ANALYZE");
            const std::string what = kind == "person" ? " of a user" : " of a customer";
            changes(bench, session, source, "name", "one row, the name" + what);
            changes(bench, session, source, "visits", "one row, what says nothing" + what);
        }
    }
    administrator.run(std::string("DROP DATABASE ") + kDatabase);
}

} // namespace bench
