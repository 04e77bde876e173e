// Results that leave C++: plain arrays in the current memory context.
#pragma once

#include "pg/postgres.hpp"

#include <string>
#include <vector>

namespace entitle::pg {

struct PlainIds {
    std::int64_t *values = nullptr;
    std::size_t count = 0;
};
struct PlainTexts {
    Datum *values = nullptr;
    std::size_t count = 0;
};

// Copies without raising. regime: C++
PlainIds copy_out(const std::vector<std::int64_t> &values);
PlainTexts copy_out(const std::vector<std::string> &values);

} // namespace entitle::pg
