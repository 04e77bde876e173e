#include "measure.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <numeric>

namespace bench {

double now() {
    using Clock = std::chrono::steady_clock;
    return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

namespace {

void prepare(const Side &side) {
    if (side.before) {
        side.before();
    }
}

double seconds_of(const Sample &sample) {
    return sample.processor < 0 ? sample.elapsed : sample.processor;
}

// Runs every side once, compares the answers and warms up. Returns: by side, how often a run is
// repeated.
std::vector<int> try_out(const std::vector<Side> &sides, const Limits &limits) {
    std::vector<int> repetitions(sides.size(), 1);
    std::string first;
    for (std::size_t i = 0; i < sides.size(); ++i) {
        prepare(sides[i]);
        if (sides[i].clock) {
            continue;
        }
        const double began = now();
        const std::string answer = sides[i].run();
        first = i == 0 ? answer : first;
        if (answer != first) {
            std::fprintf(stderr, "%s answers \"%s\", %s answers \"%s\"\n", sides[0].name.c_str(),
                         first.c_str(), sides[i].name.c_str(), answer.c_str());
            std::exit(1);
        }
        // The first run planned, and perhaps loaded: the second tells what a run takes.
        if (!limits.is_single && now() - began < 20 * limits.sample) {
            const double took = seconds_of(time_runs(sides[i], 1));
            const double runs = std::ceil(limits.sample / std::max(took, 1e-6));
            repetitions[i] = std::clamp(static_cast<int>(runs), 1, 1000);
        }
    }
    return repetitions;
}

double own_processor_time() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

Sample take_sample(const Side &side, int repetitions) {
    prepare(side);
    if (side.clock) {
        return side.clock();
    }
    if (repetitions > 1) {
        side.run(); // what changing sides costs is not the question
    }
    return time_runs(side, repetitions);
}

template <typename Compare> Spread by_round(const Times &times, Compare compare) {
    std::vector<double> values;
    for (std::size_t round = 0; round < times.front().size(); ++round) {
        values.push_back(compare([&](std::size_t side) { return times[side][round]; }));
    }
    return spread_of(std::move(values));
}

} // namespace

Sample time_runs(const Side &side, int repetitions) {
    const double server = side.processor ? side.processor() : -1;
    const double own = own_processor_time();
    const double began = now();
    for (int i = 0; i < repetitions; ++i) {
        side.run();
    }
    const double elapsed = (now() - began) / repetitions;
    if (server < 0) {
        return {-1, elapsed};
    }
    return {(own_processor_time() - own + side.processor() - server) / repetitions, elapsed};
}

Samples interleave(const std::vector<Side> &sides, const Limits &limits) {
    Samples samples;
    samples.seconds.resize(sides.size());
    samples.elapsed.resize(sides.size());
    samples.repetitions = try_out(sides, limits);
    const double began = now();
    std::vector<std::size_t> order(sides.size());
    std::iota(order.begin(), order.end(), 0);
    // Slow sides may take the least number of rounds past the time, but not past three times as
    // much.
    while (samples.rounds < 3 ||
           (samples.rounds < limits.least && now() - began < 3 * limits.seconds) ||
           (samples.rounds < limits.most && now() - began < limits.seconds)) {
        for (const std::size_t i : order) {
            const Sample sample = take_sample(sides[i], samples.repetitions[i]);
            samples.seconds[i].push_back(seconds_of(sample));
            samples.elapsed[i].push_back(sample.elapsed);
        }
        ++samples.rounds;
        // Forwards, backwards, and then beginning with the next: every side comes first, last and
        // after every other.
        std::reverse(order.begin(), order.end());
        if (samples.rounds % 2 == 0) {
            std::rotate(order.begin(), order.begin() + 1, order.end());
        }
    }
    return samples;
}

Spread spread_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const auto at = [&](double fraction) {
        const double place = fraction * static_cast<double>(values.size() - 1);
        const auto below = static_cast<std::size_t>(place);
        const std::size_t above = std::min(below + 1, values.size() - 1);
        return values[below] +
               (place - static_cast<double>(below)) * (values[above] - values[below]);
    };
    return values.empty() ? Spread{} : Spread{at(0.25), at(0.5), at(0.75)};
}

Spread quotient(const Times &times, std::size_t measured, std::size_t baseline) {
    return by_round(times, [=](const auto &of) { return of(measured) / of(baseline); });
}

Spread difference(const Times &times, std::size_t measured, std::size_t baseline, double factor) {
    return by_round(times, [=](const auto &of) { return (of(measured) - of(baseline)) * factor; });
}

Spread net_quotient(const Times &times, std::size_t measured, std::size_t baseline,
                    std::size_t loop) {
    return by_round(times, [=](const auto &of) {
        return (of(measured) - of(loop)) / (of(baseline) - of(loop));
    });
}

} // namespace bench
