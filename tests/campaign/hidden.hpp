// What an asker may not see, and how it is changed behind the asker's back.
#pragma once

#include <string>
#include <vector>

#include "../client/query_generator.hpp"
#include "../client/session.hpp"

namespace entitle::campaign {

struct Asker {
    std::string id; // empty for nobody
    std::string login;
    std::string role;     // the database role that logs in
    bool signs_in = true; // else the role stands for the user, or for nobody
};

// Notes in schema naive of the database what the asker may see there.
void note_hidden(client::Session &changed, const Asker &asker);

// One change of something hidden: rows, masked cells, others' grants, roles, members, users,
// customers, invitations. Returns what was done, empty when nothing was.
std::string change_hidden(client::Session &changed, client::QueryGenerator &random,
                          const Asker &asker);

// All that the asker may see: where two databases have the same, whatever else they differ in is
// hidden.
using Sight = std::vector<std::string>;
Sight sight(client::Session &session, const Asker &asker);

} // namespace entitle::campaign
