// Servers that a part of the campaign starts, stops, promotes and kills. The program runs as their
// user, with their programs in PATH.
#pragma once

#include <string>

namespace entitle::campaign {

// Runs a command of the shell, quietly. Errors: runtime_error with what it printed.
void run_command(const std::string &command);

// A folder of that name that the program may write to.
std::string work_folder(const std::string &name);

// The parts of pg_ctl that are needed, each waiting until it is done.
void start_server(const std::string &data);
void stop_at_once(const std::string &data);
void promote_server(const std::string &data);

} // namespace entitle::campaign
