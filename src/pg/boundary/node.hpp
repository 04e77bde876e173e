// PostgreSQL's nodes and lists as C++ reads them: casts that keep const, and loops over lists.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <type_traits>

namespace entitle::pg {

// castNode for const and other pointers alike.
template <typename Type, typename From>
std::conditional_t<std::is_const_v<From>, const Type, Type> *
checked_node([[maybe_unused]] NodeTag tag, From *node) {
    Assert(node == nullptr || nodeTag(node) == tag);
    return reinterpret_cast<std::conditional_t<std::is_const_v<From>, const Type, Type> *>(node);
}

// The node as what its tag says it is; a server with assertions looks at the tag.
#define ENTITLE_NODE(type, node) entitle::pg::checked_node<type>(T_##type, node)

// What a list holds, for loops. They may append to the list, but not delete from it: that takes
// foreach_delete_current.
template <typename Value> class Each {
  public:
    class Place {
      public:
        Place(const List *list, int number) : list_(list), number_(number) {}
        Value operator*() const {
            const ListCell &cell = list_->elements[number_];
            if constexpr (std::is_pointer_v<Value>) {
                return static_cast<Value>(cell.ptr_value);
            } else if constexpr (std::is_same_v<Value, Oid>) {
                return cell.oid_value;
            } else {
                return cell.int_value;
            }
        }
        Place &operator++() {
            ++number_;
            return *this;
        }
        bool operator!=(const Place &other) const { return number_ != other.number_; }

      private:
        const List *list_;
        int number_;
    };

    explicit Each(const List *list) : list_(list), count_(list_length(list)) {}
    [[nodiscard]] Place begin() const { return {list_, 0}; }
    [[nodiscard]] Place end() const { return {list_, count_}; }

  private:
    const List *list_;
    int count_;
};

// for (const auto *item : each<PlanInvalItem>(plan->invalItems))
template <typename Item> Each<Item *> each(const List *list) { return Each<Item *>(list); }
inline Each<Oid> each_oid(const List *list) { return Each<Oid>(list); }
inline Each<int> each_int(const List *list) { return Each<int>(list); }

} // namespace entitle::pg
