#include "report.hpp"

#include <cstdio>
#include <cstdlib>

namespace bench {

namespace {

std::string quoted(const std::string &text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            char code[8];
            std::snprintf(code, sizeof(code), "\\u%04x", static_cast<unsigned>(c));
            out += code;
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.6g", value);
    return text;
}

std::string spread(const Spread &s) {
    return "{\"p25\": " + number(s.low) + ", \"median\": " + number(s.median) +
           ", \"p75\": " + number(s.high) + "}";
}

} // namespace

void print_heading() {
    std::printf("%-62s %8s %8s %8s %8s %8s %8s\n", "", "p25", "median", "p75", "control", "elapsed",
                "target");
}

void print_result(const Result &r) {
    char target[16] = "";
    const char *verdict = "";
    if (r.target) {
        std::snprintf(target, sizeof(target), "%.4g", *r.target);
        verdict = r.value.median <= *r.target ? "met" : "NOT MET";
    }
    const std::string name = r.topic + ": " + r.title;
    std::printf("%-62s %8.4g %8.4g %8.4g %8.4g %8.4g %8s %-8s%s, %d x %d\n", name.c_str(),
                r.value.low, r.value.median, r.value.high, r.control.median, r.elapsed.median,
                target, verdict, r.unit.c_str(), r.rounds, r.repetitions);
    std::fflush(stdout);
}

void write_json(const std::string &path, const Facts &facts, const std::vector<Result> &results) {
    std::FILE *file = std::fopen(path.c_str(), "w");
    if (file == nullptr) {
        std::perror(path.c_str());
        std::exit(1);
    }
    std::fputs("{\n", file);
    for (const auto &[name, value] : facts) {
        std::fprintf(file, "  %s: %s,\n", quoted(name).c_str(), quoted(value).c_str());
    }
    std::fputs("  \"results\": [", file);
    const char *comma = "\n";
    for (const Result &r : results) {
        std::fprintf(file,
                     "%s    {\"topic\": %s, \"key\": %s, \"title\": %s, \"unit\": %s,\n"
                     "     \"value\": %s, \"control\": %s, \"elapsed\": %s, \"target\": %s,\n"
                     "     \"rounds\": %d, \"repetitions\": %d, \"baseline_median\": %s,\n"
                     "     \"baseline\": %s,\n     \"measured\": %s}",
                     comma, quoted(r.topic).c_str(), quoted(r.key).c_str(), quoted(r.title).c_str(),
                     quoted(r.unit).c_str(), spread(r.value).c_str(), spread(r.control).c_str(),
                     spread(r.elapsed).c_str(), r.target ? number(*r.target).c_str() : "null",
                     r.rounds, r.repetitions, number(r.baseline_median).c_str(),
                     quoted(r.baseline).c_str(), quoted(r.measured).c_str());
        comma = ",\n";
    }
    std::fputs("\n  ]\n}\n", file);
    std::fclose(file);
}

} // namespace bench
