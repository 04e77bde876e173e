// Filtered views of lines, which join the lines' documents only to test them, in queries that join
// the documents' own view by the same key: there each document was tested already.
#pragma once

#include "pg/boundary/postgres.hpp"

#include "pg/planner/document_join.hpp"
#include "pg/planner/leaky_query.hpp"

namespace entitle::pg {

// Leaves the documents out of such views, whose barriers go with them.
// Requires: no expression of the query leaks, because hidden lines come as far as the join.
// Returns: whether there were any. regime: C
bool drop_joined_documents(const QueryLevel &level, const Leaks &leaks);

} // namespace entitle::pg
