// One order by its key through PgBouncer in transaction mode: eight clients over four server
// connections, each transaction another person's. Elapsed time counts, as most of the work is
// PgBouncer's. Without PgBouncer there is nothing to measure.
#include "bench.hpp"
#include "lookup.hpp"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

namespace bench {

namespace {

constexpr const char *kProgram = "/usr/sbin/pgbouncer";
constexpr int kPort = 6543; // of a socket in a folder of our own

std::string folder() { return std::filesystem::absolute("pooler").string(); }

pid_t process = 0;

// At the program's end too, however a case ends it.
void stop() {
    if (process > 0) {
        kill(process, SIGTERM);
        process = 0;
        // It removes its own files at the same time; what is left goes with the server's folder.
        std::error_code gone;
        std::filesystem::remove_all(folder(), gone);
    }
}

class Pooler {
  public:
    Pooler() {
        std::atexit(stop);
        std::filesystem::create_directory(folder());
        std::ofstream(folder() + "/users") << '"' << kPlain << "\" \"\"\n\"" << kApp << "\" \"\"\n";
        std::ofstream(folder() + "/ini")
            << "[databases]\nbench = host=" << std::getenv("PGHOST")
            << " port=" << std::getenv("PGPORT")
            << "\n[pgbouncer]\nlisten_addr =\nlisten_port = " << kPort
            << "\nunix_socket_dir = " << folder() << "\nauth_type = trust\nauth_file = " << folder()
            << "/users\npool_mode = transaction\ndefault_pool_size = 4\nlogfile = " << folder()
            << "/log\npidfile = " << folder() << "/pid\n";
        if (std::system((std::string(kProgram) + " -q -d " + folder() + "/ini").c_str()) != 0) {
            std::fputs("PgBouncer does not start\n", stderr);
            std::exit(1);
        }
        for (int i = 0; i < 500 && process <= 0; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            std::ifstream(folder() + "/pid") >> process;
        }
    }
    ~Pooler() { stop(); }
    Pooler(const Pooler &) = delete;
    Pooler &operator=(const Pooler &) = delete;
};

} // namespace

void measure_pooler(Bench &bench) {
    if (access(kProgram, X_OK) != 0) {
        std::puts("pooler       skipped: no PgBouncer");
        return;
    }
    Session session;
    const std::string key = some_key(session, "turn_1");
    const auto script = [&](const std::string &name, const std::string &enter) {
        std::ofstream(name) << "\\set u random(1, 32)\nBEGIN;\n"
                            << enter << ";\n"
                            << kLookup << key << ";\nCOMMIT;\n";
        return name;
    };
    const std::string plain =
        script("plain.pgbench", "SELECT set_config('bench.login', 'turn_' || :u, true)");
    const std::string entered = script("entered.pgbench", "SELECT entitle.sign_in('turn_' || :u)");
    session.run(std::string("ALTER ROLE ") + kApp + " LOGIN");
    const Pooler pooler;
    const std::string command = "pgbench -n -c 8 -j 1 -h " + folder() + " -p " +
                                std::to_string(kPort) + " -t " +
                                std::to_string(bench.is_quick ? 200 : 1000) + " -U ";
    const auto side = [&](const std::string &name, const std::string &role,
                          const std::string &file) {
        return Side{name, {}, {}, {}, [=] {
                        return Sample{-1, run_pgbench(command + role + " -f " + file + " bench")};
                    }};
    };
    Result labels;
    labels.topic = "pooler";
    labels.key = "lookup";
    labels.title = "a lookup through PgBouncer, another person in every transaction";
    labels.unit = "ratio";
    labels.baseline = "BEGIN; SELECT set_config(...); " + std::string(kLookup) + "...; COMMIT";
    labels.measured = "BEGIN; SELECT entitle.sign_in(...); " + std::string(kLookup) + "...; COMMIT";
    compare(bench, labels,
            {side("plain", kPlain, plain), side("entitle", kApp, entered),
             side("again", kPlain, plain)},
            bench.limits(10));
    session.run(std::string("ALTER ROLE ") + kApp + " NOLOGIN");
    std::remove(plain.c_str());
    std::remove(entered.c_str());
}

} // namespace bench
