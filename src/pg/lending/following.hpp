// Whether the extension writes the model for an application's own table, whose rows stand for the
// model's (R64). Then nobody's rights are asked, because whoever wrote the table was allowed to by
// the table's privileges. Only code of ours opens this, for the run of its own statement: no
// setting, no SQL and no other session reaches it.
#pragma once

#include "pg/boundary/postgres.hpp"

namespace entitle::pg {

// Tells a row's trigger whether the write is one of an adoption's. What other code writes that such
// a write fires (the DBA's triggers, cascades into applications' tables) is not. regime: C
bool is_following();

// Opens it for as long as it lives.
class Following {
  public:
    Following();
    ~Following();
    Following(const Following &) = delete;
    Following &operator=(const Following &) = delete;

  private:
    int outer_;
};

} // namespace entitle::pg
