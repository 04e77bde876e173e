// Questions of analysts over documents and their lines, protected in three ways: lines follow their
// documents, both are read through filtered views, or lines have a customer and a date of their
// own. For each way and person the geometric mean of all questions, and the worst of them.
#include "bench.hpp"

#include <algorithm>
#include <cmath>

namespace bench {

namespace {

// {documents}, {lines}: the tables as o and l. {document}, {line}: their names alone. By hand
// {lines} brings the documents along, and {own} is the condition on what the person may see.
struct Question {
    const char *key;
    const char *sql;
};

constexpr Question kQuestions[] = {
    {"all",
     "SELECT count(*) || ' ' || coalesce(sum(l.price * l.quantity), 0) FROM {lines} WHERE {own}"},
    {"category",
     "SELECT count(*) || ' ' || coalesce(sum(l.price), 0) FROM {lines} JOIN bench.product p ON"
     " p.product_id = l.product_id WHERE p.category = 'category 7' AND {own}"},
    {"product",
     "SELECT count(*) || ' ' || coalesce(sum(l.price), 0) FROM {lines} WHERE l.product_id = 77 AND"
     " {own}"},
    {"price",
     "SELECT count(*) || ' ' || coalesce(sum(l.quantity), 0) FROM {lines} WHERE l.price > 999 AND"
     " {own}"},
    {"note", "SELECT count(*)::text FROM {lines} WHERE l.note LIKE '%77' AND {own}"},
    {"months",
     "SELECT string_agg(q::text, ' ' ORDER BY q) FROM (SELECT date_trunc('month', o.order_date),"
     " c.country, sum(l.price * l.quantity) FROM {documents} JOIN bench.{line} l ON l.document_id ="
     " o.document_id JOIN bench.client c ON c.customer_id = o.customer_id WHERE o.order_date >="
     " current_date - 100 AND {own} GROUP BY 1, 2) q"},
    {"best",
     "SELECT string_agg(q.total::text, ' ') FROM (SELECT sum(l.price * l.quantity) AS total FROM"
     " {documents} JOIN bench.{line} l ON l.document_id = o.document_id WHERE o.order_date >="
     " current_date - 200 AND {own} GROUP BY o.document_id ORDER BY 1 DESC LIMIT 10) q"},
    {"exists",
     "SELECT count(*)::text FROM {documents} WHERE EXISTS (SELECT FROM bench.{line} l WHERE"
     " l.document_id = o.document_id AND l.quantity > 9) AND {own}"},
    {"none",
     "SELECT count(*)::text FROM {documents} WHERE NOT EXISTS (SELECT FROM bench.{line} l WHERE"
     " l.document_id = o.document_id AND l.quantity > 5) AND {own}"},
    {"left",
     "SELECT count(*) || ' ' || count(l.number) FROM {documents} LEFT JOIN bench.{line} l ON"
     " l.document_id = o.document_id AND l.price > 500 WHERE o.order_date >= current_date - 100 AND"
     " {own}"},
};

// A way to protect lines: what is read, and what is read by hand.
struct Way {
    const char *key;
    const char *title;
    const char *document, *line;
    const char *plain_document, *plain_line;
    bool has_own; // the lines' customer is their own
};

constexpr Way kWays[] = {
    {"parent", "lines by their documents", "document", "document_line", "document", "document_line",
     false},
    {"view", "through filtered views", "masked_document_view", "masked_line_view",
     "masked_document", "masked_line", false},
    {"own", "lines with a customer of their own", "document", "own_line", "document", "own_line",
     true},
};

void replace(std::string &text, const std::string &what, const std::string &by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
        text.replace(at, what.size(), by);
    }
}

std::string protected_query(const Question &question, const Way &way) {
    std::string sql = question.sql;
    replace(sql, "{documents}", std::string("bench.") + way.document + " o");
    replace(sql, "{lines}", std::string("bench.") + way.line + " l");
    replace(sql, "{line}", way.line);
    replace(sql, "{own}", "true");
    return sql;
}

std::string plain_query(const Question &question, const Way &way, const Own &own) {
    std::string sql = question.sql;
    std::string from = own.from;
    std::string condition = own.condition;
    if (way.has_own && sql.find("{lines}") != std::string::npos) {
        replace(from, "o.", "l.");
        replace(condition, "o.", "l.");
    }
    const std::string line = std::string("bench.") + way.plain_line + " l";
    replace(sql, "{documents}", std::string("bench.") + way.plain_document + " o" + from);
    replace(sql, "{lines}",
            way.has_own || condition.empty() ? line + from
                                             : line + " JOIN bench." + way.plain_document +
                                                   " o ON o.document_id = l.document_id" + from);
    replace(sql, "{line}", way.plain_line);
    replace(sql, "{own}", condition.empty() ? "true" : condition);
    return sql;
}

Spread only(double value) { return {value, value, value}; }

// Adds the mean and the worst of what was measured since.
void summarize(Bench &bench, std::size_t first, const Result &labels, double mean_target,
               double worst_target) {
    double sum = 0;
    double control = 0;
    const Result *worst = nullptr;
    for (std::size_t i = first; i < bench.results.size(); ++i) {
        const Result &result = bench.results[i];
        sum += std::log(result.value.median);
        control += std::log(result.control.median);
        worst = worst == nullptr || result.value.median > worst->value.median ? &result : worst;
    }
    const auto count = static_cast<double>(bench.results.size() - first);
    Result extreme = *worst;
    extreme.key = labels.key + "worst";
    extreme.title =
        labels.title + ": the worst, " + worst->title.substr(worst->title.rfind(' ') + 1);
    extreme.target = worst_target;
    Result mean = labels;
    mean.key += "mean";
    mean.title += ": geometric mean";
    mean.unit = "ratio";
    mean.target = mean_target;
    mean.value = mean.elapsed = only(std::exp(sum / count));
    mean.control = only(std::exp(control / count));
    mean.rounds = worst->rounds;
    mean.baseline = "all questions by hand";
    mean.measured = "all questions";
    bench.add(std::move(mean));
    bench.add(std::move(extreme));
}

void ask_all(Bench &bench, const Way &way, const std::string &login, bool is_parallel) {
    const bool is_staff = login == "staff";
    Result labels;
    labels.topic = "analytics";
    labels.key = std::string(way.key) + "_" + login + (is_parallel ? "_parallel_" : "_");
    labels.title =
        std::string(way.title) + ", " + person(login) + (is_parallel ? ", two workers" : "");
    const std::size_t first = bench.results.size();
    for (const Question &question : kQuestions) {
        const SharedSession session = open_session();
        session->sign_in(login);
        if (is_parallel) {
            session->run("SET max_parallel_workers_per_gather = 2");
        }
        std::vector<std::string> ways;
        const std::vector<Own> owned =
            is_staff ? std::vector<Own>{{}} : hand_written(*session, login);
        for (const Own &own : owned) {
            ways.push_back(plain_query(question, way, own));
        }
        const std::string by_hand = ways.size() == 1 ? ways.front() : quickest(session, ways);
        const std::string measured = protected_query(question, way);
        Result one = labels;
        one.key += question.key;
        one.title += std::string(": ") + question.key;
        one.baseline = shortened(by_hand);
        one.measured = measured;
        std::vector<Side> sides = {prepared(session, "by_hand", kPlain, by_hand),
                                   prepared(session, "protected", kApp, measured),
                                   prepared(session, "again", kPlain, by_hand)};
        if (is_parallel) {
            for (Side &side : sides) {
                side.processor = {}; // the workers' would be missing
            }
        }
        compare(bench, one, sides, bench.limits(is_staff ? 9 : 1.5));
    }
    summarize(bench, first, labels, is_staff ? 1.01 : 1.10, is_staff ? 1.10 : 2.0);
}

} // namespace

void measure_analytics(Bench &bench) {
    for (const Way &way : kWays) {
        ask_all(bench, way, "staff", false);
        ask_all(bench, way, "staff", true);
        for (const char *login :
             {"outsider_1", "outsider_10", "outsider_100", "outsider_1000", "outsider_1000_year"}) {
            ask_all(bench, way, login, false);
        }
    }
    ask_all(bench, kWays[0], "outsider_10", true);
    ask_all(bench, kWays[0], "outsider_1000", true);
}

} // namespace bench
