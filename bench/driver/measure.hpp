// Interleaved timing. The sides of a comparison take turns within one run, in another order every
// round, and only quotients or differences of the same round are looked at: what the machine does
// meanwhile meets all of them alike.
//
// The time of a run is the processor time of the server process and of this one: all data is in
// memory, so that nothing is waited for but a processor that others keep busy. The elapsed time is
// kept beside it. Where several processes work at a statement, only that counts.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bench {

// Seconds. processor < 0: not known, the elapsed ones count.
struct Sample {
    double processor, elapsed;
};

// One of the things compared. `run` is timed and tells an answer, which must be the same on every
// side; or `clock` runs and tells what it took.
struct Side {
    std::string name;
    std::function<void()> before; // not timed; may be empty
    std::function<std::string()> run;
    std::function<double()> processor = {}; // used so far by the server process
    std::function<Sample()> clock = {};
};

struct Limits {
    double seconds = 5.0;     // go on for so long
    int least = 5, most = 61; // rounds; three always
    double sample = 0.005;    // repeat a run until a sample takes so many seconds
    bool is_single = false;   // a sample is one run, and nothing is run before it
};

// Seconds per run, by side and round; and by side, how many runs make a sample.
struct Samples {
    std::vector<std::vector<double>> seconds; // processor time, or elapsed where that is not known
    std::vector<std::vector<double>> elapsed;
    std::vector<int> repetitions;
    int rounds = 0;
};

double now(); // seconds since some moment

// Times a run by itself.
Sample time_runs(const Side &side, int repetitions);

Samples interleave(const std::vector<Side> &sides, const Limits &limits);

struct Spread {
    double low = 0, median = 0, high = 0; // quartiles
};

Spread spread_of(std::vector<double> values);

// Round by round: measured / baseline, or (measured - baseline) * factor.
using Times = std::vector<std::vector<double>>;
Spread quotient(const Times &times, std::size_t measured, std::size_t baseline);
Spread difference(const Times &times, std::size_t measured, std::size_t baseline, double factor);

// The quotient of what is left when the time of an empty loop is taken off both.
Spread net_quotient(const Times &times, std::size_t measured, std::size_t baseline,
                    std::size_t loop);

} // namespace bench
