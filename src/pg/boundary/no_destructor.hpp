// What a backend keeps from its first use to its end.
#pragma once

#include <new>
#include <type_traits>

namespace entitle::pg {

// Holds a value that is never destroyed: at process exit PostgreSQL is gone before static
// destructors would run. For static objects of functions. It is made without allocating, so a hook
// or a callback may be the first to ask for it.
template <typename Value> class NoDestructor {
    static_assert(std::is_nothrow_default_constructible_v<Value>,
                  "out of memory would pass through PostgreSQL's frames");

  public:
    NoDestructor() noexcept { new (bytes_) Value; }
    NoDestructor(const NoDestructor &) = delete;
    NoDestructor &operator=(const NoDestructor &) = delete;

    Value &get() noexcept { return *std::launder(reinterpret_cast<Value *>(bytes_)); }

  private:
    alignas(Value) unsigned char bytes_[sizeof(Value)];
};

} // namespace entitle::pg
