// The campaign's program: campaign NAME [--seconds N] [--seed N] [--rounds N], in a server that is
// PGHOST's.
#include "campaign.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>

namespace entitle::campaign {
namespace {

int run(int count, char **words) {
    static const std::map<std::string, bool (*)(const Options &)> parts = {
        {"pairs", run_pairs},
        {"histories", run_histories},
        {"cancels", run_cancels},
        {"faults", run_faults},
    };
    Options options;
    const auto part = count < 2 ? parts.end() : parts.find(words[1]);
    for (int i = 2; i + 1 < count; i += 2) {
        const std::string name = words[i];
        const char *value = words[i + 1];
        if (name == "--seconds") {
            options.seconds = std::atoi(value);
        } else if (name == "--seed") {
            options.seed = std::strtoull(value, nullptr, 10);
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
    return part->second(options) ? 0 : 1;
}

} // namespace
} // namespace entitle::campaign

int main(int count, char **words) {
    try {
        return entitle::campaign::run(count, words);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
