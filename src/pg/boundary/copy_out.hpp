// Results that leave C++: plain arrays in the current memory context.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <string>
#include <string_view>
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

// Allocates in the current memory context; throws where palloc would raise. regime: C++
void *allocate(std::size_t size);

// Copies without raising. regime: C++
const char *copy_text(std::string_view value);
PlainIds copy_out(const std::vector<std::int64_t> &values);
PlainTexts copy_out(const std::vector<std::string> &values);

} // namespace entitle::pg
