// One order by its key through pgbench, a run of its own for every sample. The person is known by
// the database role that connects. The processor time of pgbench and of its server process counts,
// which its parents learn when both have ended.
#include "bench.hpp"
#include "lookup.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

namespace bench {

namespace {

constexpr const char *kScript = "lookup.pgbench";

std::string first_line(const std::string &path) {
    std::string line;
    std::ifstream file(path);
    std::getline(file, line);
    return line;
}

// The server's first process.
class Postmaster {
  public:
    Postmaster() : folder_("/proc/" + pid()) {}

    // The processor time of its processes that have ended, in steps of some milliseconds; negative
    // where the kernel does not tell.
    [[nodiscard]] double ended() const {
        const std::string stat = first_line(folder_ + "/stat");
        const std::size_t name_end = stat.rfind(')');
        if (name_end == std::string::npos) {
            return -1;
        }
        std::istringstream fields(stat.substr(name_end + 1));
        std::string skipped;
        for (int i = 0; i < 13; ++i) { // state to stime
            fields >> skipped;
        }
        double user = 0;
        double system = 0;
        fields >> user >> system;
        return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
    }

    // The processes that have not.
    [[nodiscard]] std::string children() const {
        return first_line(folder_ + "/task/" + folder_.substr(6) + "/children");
    }

  private:
    static std::string pid() {
        Session session;
        const std::string file = session.run("SELECT pg_read_file('postmaster.pid')");
        return file.substr(0, file.find('\n'));
    }

    std::string folder_;
};

double own_children() {
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    const auto seconds = [](const timeval &time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// What a transaction takes.
Sample sample_of(const Postmaster &postmaster, const std::string &command, int transactions) {
    const std::string children = postmaster.children();
    const double server = postmaster.ended();
    const double client = own_children();
    const double seconds = run_pgbench(command);
    const double deadline = now() + 1;
    while (postmaster.children() != children && now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const double used = own_children() - client + postmaster.ended() - server;
    return {server < 0 ? -1 : used / transactions, seconds};
}

void pgbench(Bench &bench, const Postmaster &postmaster, const Reader &reader,
             const std::string &mode) {
    const int transactions = bench.is_quick ? 1000 : 5000;
    Session session;
    const std::string command = std::string("pgbench -n -M ") + mode + " -f " + kScript +
                                " -D key=" + some_key(session, reader.login) + " -t " +
                                std::to_string(transactions) + " -U ";
    const auto side = [&](const std::string &role) {
        return Side{role, {}, {}, {}, [=, &postmaster] {
                        return sample_of(postmaster, command + role, transactions);
                    }};
    };
    const std::string role = std::string("role_") + reader.login;
    Result labels;
    labels.topic = "pgbench";
    labels.key = std::string(reader.login) + "_" + mode;
    labels.title = person(reader.login) + ", " + mode;
    labels.target = target_of(reader, mode);
    labels.baseline = command + kPlain;
    labels.measured = command + role;
    compare(bench, labels, {side(kPlain), side(role), side(kPlain)}, bench.limits(6));
}

} // namespace

void measure_pgbench(Bench &bench) {
    const Postmaster postmaster;
    std::ofstream(kScript) << kLookup << ":key;\n";
    for (const Reader &reader : kReaders) {
        for (const char *mode : kModes) {
            pgbench(bench, postmaster, reader, mode);
        }
    }
    std::remove(kScript);
}

} // namespace bench
