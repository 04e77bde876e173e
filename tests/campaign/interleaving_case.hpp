// What the interleavings are made of: administrative changes, how they end, and what a reader does
// meanwhile.
#pragma once

#include "../client/session.hpp"
#include "../unit/naive_model.hpp"

#include <string>
#include <vector>

namespace entitle::campaign {

// One administrative command, whom it is about, and what it makes of the model.
struct Change {
    const char *name;
    naive::Id whom;
    std::string done;
    std::string undone;
    void (*apply)(naive::World &);
};
const std::vector<Change> &changes();

// How the administrator's transaction goes; %s stands for the command.
struct Ending {
    const char *name;
    std::vector<std::string> steps;
    std::size_t commits; // the step after which it is committed; past the end: never
};
const std::vector<Ending> &endings();

// plain: it must go well. read: what `answer` says. open, fetch, rest: a cursor is opened, gives
// some of its rows, gives the others. choose: from now on one customer is chosen.
enum class StepKind { plain, read, open, fetch, rest, choose };
struct ReaderStep {
    StepKind kind;
    std::string command;
    std::string (*answer)(const naive::World &, const naive::Asker &);
};
struct Script {
    const char *name;
    std::vector<ReaderStep> steps;
};
const std::vector<Script> &scripts();

// The questions that scripts ask by EXECUTE NAME.
struct Prepared {
    const char *name;
    const char *command;
    std::string (*answer)(const naive::World &, const naive::Asker &);
};
const std::vector<Prepared> &prepared();

// The rows of interleaving_world.sql: loaded once, by the administrator.
void load_interleaving_rows(client::Session &administrator);

// The ids that somebody sees, as a cursor of scripts() gives them.
std::vector<std::string> visible_deals(const naive::World &world, const naive::Asker &asker);

constexpr naive::Id kChosenCustomer = 1;
constexpr const char *kInterleavingRefused = "42501";

} // namespace entitle::campaign
