// Rows of a statement that were looked at already, because a scan may give the same row again, as
// the inner side of a nested loop does. A bit for each row of a block. regime: C++
#pragma once

#include "pg/boundary/postgres.hpp"

#include <array>
#include <unordered_map>

extern "C" {
#include "access/htup_details.h"
#include "storage/itemptr.h"
}

namespace entitle::pg {

class SeenRows {
  public:
    // Tells whether the row is new, and notes it. Past a bound rows are no longer noted, and each
    // counts as new.
    bool add(Oid table, const ItemPointerData &at) {
        const std::uint64_t block =
            static_cast<std::uint64_t>(table) << 32U | ItemPointerGetBlockNumberNoCheck(&at);
        const auto offset = static_cast<std::size_t>(ItemPointerGetOffsetNumberNoCheck(&at));
        if (offset >= kBits) {
            return true;
        }
        if (last_ == nullptr || block != last_block_) {
            if (blocks_.size() >= kMaxBlocks && blocks_.find(block) == blocks_.end()) {
                return true;
            }
            last_ = &blocks_[block];
            last_block_ = block;
        }
        const std::uint64_t bit = std::uint64_t{1} << offset % 64;
        std::uint64_t &word = (*last_)[offset / 64];
        const bool is_new = (word & bit) == 0;
        word |= bit;
        return is_new;
    }

  private:
    static constexpr std::size_t kWords = MaxHeapTuplesPerPage / 64 + 1;
    static constexpr std::size_t kBits = kWords * 64;
    static constexpr std::size_t kMaxBlocks = 200000;
    using Block = std::array<std::uint64_t, kWords>;
    std::unordered_map<std::uint64_t, Block> blocks_; // references stay good
    Block *last_ = nullptr;
    std::uint64_t last_block_ = 0;
};

} // namespace entitle::pg
