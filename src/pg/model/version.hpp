// The library and the extension's objects in a database belong to one version. An update brings
// them one after the other.
#pragma once

namespace entitle::pg {

// Raises 55000, with what to do, when the objects are of another version than this library: what it
// would read could mean something else. regime: C
void check_version();

} // namespace entitle::pg
