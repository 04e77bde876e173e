#include "server_control.hpp"

#include "campaign.hpp"

#include <cstdlib>
#include <stdexcept>

namespace entitle::campaign {

namespace {

std::string quoted(const std::string &word) { return "'" + word + "'"; }

void control(const std::string &data, const std::string &words) {
    run_command("pg_ctl -D " + quoted(data) + " -t 120 -w -s " + words);
}

} // namespace

void run_command(const std::string &command) {
    const std::string log = work_folder("") + "command.log";
    if (std::system((command + " >" + quoted(log) + " 2>&1 </dev/null").c_str()) != 0) {
        throw std::runtime_error(command + "\n" + read_file(log));
    }
}

std::string work_folder(const std::string &name) {
    const char *server = std::getenv("ENTITLE_SERVER");
    if (server == nullptr) {
        throw std::runtime_error("ENTITLE_SERVER does not name the server's folder");
    }
    const std::string folder = std::string(server) + "/work";
    return folder + "/" + name;
}

void start_server(const std::string &data) {
    control(data, "-l " + quoted(work_folder("server.log")) + " start");
}

void stop_at_once(const std::string &data) { control(data, "-m immediate stop"); }

void promote_server(const std::string &data) { control(data, "promote"); }

} // namespace entitle::campaign
