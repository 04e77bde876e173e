// What the parts of the campaign share: how long, from which seed, where figures go, and how a
// failing case is told.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace entitle::campaign {

struct Options {
    int seconds = 30;
    std::uint64_t seed = 20261129;
    long rounds = 0; // at most so many, 0 for as many as the time takes
    long cases = 0;  // goes on until it has tried so many, whatever the time; 0 for the time alone
};

// The figures and failures of one part. Progress goes to stderr, figures to stdout as `figure NAME
// KEY VALUE`, tab separated.
class Report {
  public:
    Report(std::string name, const Options &options);

    // Whether the time is over, or too much has failed.
    bool is_over() const;
    bool has_next_round() const {
        return !is_over() && (options_.rounds == 0 || rounds_ < options_.rounds);
    }
    long round() const { return rounds_; }
    // The seed of the next round; a round made from it alone is the same again.
    std::uint64_t next_round();
    // For a part whose rounds go through numbers: what --seed repeats is that number.
    void begin_round(std::uint64_t number);

    void count(const std::string &key, long by = 1) { counts_[key] += by; }
    void set(const std::string &key, long value) { counts_[key] = value; }
    long counted(const std::string &key) const;
    // Tells what went wrong in this round, or in that one, and how to repeat it.
    void fail(const std::string &what) { fail(what, round_seed_); }
    void fail(const std::string &what, std::uint64_t round_seed);

    // Prints the figures. Returns whether nothing failed.
    bool close();

  private:
    std::string name_;
    Options options_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point told_ = began_;
    std::map<std::string, long> counts_;
    std::uint64_t round_seed_ = 0;
    long rounds_ = 0;
    long failures_ = 0;
};

using Part = bool (*)(const Options &);

// A program's main: runs the part that the command line names. Returns: the exit code.
int run_parts(int count, char **words, const std::map<std::string, Part> &parts);

// The parts that need a server.
bool run_pairs(const Options &options);
bool run_faults(const Options &options);
bool run_histories(const Options &options);
bool run_cancels(const Options &options);
bool run_pooled(const Options &options);
bool run_crashes(const Options &options);
bool run_promotions(const Options &options);
bool run_sequences(const Options &options);
bool run_interleavings(const Options &options);
bool run_adoption(const Options &options);
bool run_reports(const Options &options);

std::string read_file(const std::string &path);

// The library of shim/malloc_fault.cpp, as the runner built it.
std::string fault_library();

} // namespace entitle::campaign
