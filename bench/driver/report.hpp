// What was measured, and how it is written down: a line for each result as it comes, and a JSON
// file at the end.
#pragma once

#include "measure.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

struct Result {
    std::string topic; // the case it belongs to
    std::string key;   // unique within the topic
    std::string title;
    std::string unit;               // "ratio", or the unit of a difference
    std::string baseline, measured; // what was run
    std::optional<double> target;   // met when the median is not above it
    Spread value, control;
    Spread elapsed; // value, by elapsed time
    int rounds = 0, repetitions = 0;
    double baseline_median = 0; // milliseconds, or megabytes: what size of thing was compared
};

using Facts = std::vector<std::pair<std::string, std::string>>;

void print_heading();
void print_result(const Result &result);

// Writes facts about the run and all results.
void write_json(const std::string &path, const Facts &facts, const std::vector<Result> &results);

} // namespace bench
