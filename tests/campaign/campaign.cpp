#include "campaign.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace entitle::campaign {

namespace {

constexpr long kMaxFailures = 5;
// What a part counts its cases by.
std::string case_of(const std::string &part) {
    if (part == "interleavings") {
        return "permutations";
    }
    if (part == "faults") {
        return "tries";
    }
    if (part == "adoption" || part == "reports") {
        return "statements";
    }
    if (part == "decisions" || part == "pairs" || part == "sequences" || part == "crashes" ||
        part == "promotions") {
        return part;
    }
    return "answers";
}

constexpr auto kTellEvery = std::chrono::seconds(10);

} // namespace

Report::Report(std::string name, const Options &options)
    : name_(std::move(name)), options_(options) {
    std::fprintf(stderr, "%s: seed %llu, %d seconds\n", name_.c_str(),
                 static_cast<unsigned long long>(options_.seed), options_.seconds);
}

bool Report::is_over() const {
    if (options_.cases > 0) {
        return failures_ >= kMaxFailures || counted(case_of(name_)) >= options_.cases;
    }
    return failures_ >= kMaxFailures ||
           std::chrono::steady_clock::now() - began_ > std::chrono::seconds(options_.seconds);
}

std::uint64_t Report::next_round() {
    begin_round(options_.seed + static_cast<std::uint64_t>(rounds_));
    return round_seed_;
}

void Report::begin_round(std::uint64_t number) {
    round_seed_ = number;
    ++rounds_;
    const auto now = std::chrono::steady_clock::now();
    if (now - told_ > kTellEvery) {
        told_ = now;
        std::string line = name_ + ": round " + std::to_string(rounds_);
        for (const auto &[key, value] : counts_) {
            if (key.find(" with error ") != std::string::npos) {
                continue;
            }
            line += ", " + std::to_string(value) + " " + key;
        }
        std::fprintf(stderr, "%s\n", line.c_str());
    }
}

long Report::counted(const std::string &key) const {
    const auto found = counts_.find(key);
    return found == counts_.end() ? 0 : found->second;
}

void Report::fail(const std::string &what, std::uint64_t round_seed) {
    ++failures_;
    std::fprintf(
        stderr, "%s: FAILED\n%s\nrepeat it: tests/campaign/run --seed %llu --rounds 1 %s\n",
        name_.c_str(), what.c_str(), static_cast<unsigned long long>(round_seed), name_.c_str());
}

bool Report::close() {
    const auto took =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began_)
            .count();
    counts_["rounds"] = rounds_;
    counts_["seconds"] = static_cast<long>(took);
    counts_["failures"] = failures_;
    for (const auto &[key, value] : counts_) {
        std::printf("figure\t%s\t%s\t%ld\n", name_.c_str(), key.c_str(), value);
    }
    std::printf("figure\t%s\tseed\t%llu\n", name_.c_str(),
                static_cast<unsigned long long>(options_.seed));
    std::fflush(stdout);
    return failures_ == 0;
}

int run_parts(int count, char **words, const std::map<std::string, Part> &parts) {
    Options options;
    const auto part = count < 2 ? parts.end() : parts.find(words[1]);
    for (int i = 2; i + 1 < count; i += 2) {
        const std::string name = words[i];
        const char *value = words[i + 1];
        if (name == "--seconds") {
            options.seconds = std::atoi(value);
        } else if (name == "--seed") {
            options.seed = std::strtoull(value, nullptr, 10);
        } else if (name == "--cases") {
            options.cases = std::atol(value);
        } else if (name == "--rounds") {
            options.rounds = std::atol(value);
        } else {
            std::fprintf(stderr, "no option: %s\n", name.c_str());
            return 2;
        }
    }
    if (part == parts.end()) {
        std::fprintf(stderr, "parts:");
        for (const auto &known : parts) {
            std::fprintf(stderr, " %s", known.first.c_str());
        }
        std::fprintf(stderr, "\n");
        return 2;
    }
    try {
        return part->second(options) ? 0 : 1;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}

std::string read_file(const std::string &path) {
    std::ifstream file(path);
    if (!file) {
        throw std::runtime_error("no " + path);
    }
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string fault_library() {
    const char *library = std::getenv("ENTITLE_FAULT_LIBRARY");
    if (library == nullptr) {
        throw std::runtime_error(
            "ENTITLE_FAULT_LIBRARY does not name the library of tests/campaign/shim");
    }
    return library;
}

} // namespace entitle::campaign
