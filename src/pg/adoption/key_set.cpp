#include "pg/boundary/postgres.hpp"

#include "pg/adoption/key_set.hpp"

extern "C" {
#include "common/hashfn.h"
}

namespace entitle::pg {

namespace {

uint32 hash_text(const void *key, Size) {
    const char *text = *static_cast<const char *const *>(key);
    return hash_bytes(reinterpret_cast<const unsigned char *>(text),
                      static_cast<int>(strlen(text)));
}

int compare_texts(const void *one, const void *other, Size) {
    return strcmp(*static_cast<const char *const *>(one), *static_cast<const char *const *>(other));
}

} // namespace

HTAB *make_key_set(const char *const *keys, int count) {
    HASHCTL control{};
    control.keysize = sizeof(char *);
    control.entrysize = sizeof(char *);
    control.hash = hash_text;
    control.match = compare_texts;
    control.hcxt = CurrentMemoryContext;
    HTAB *wanted = hash_create("entitle: keys", count + 1, &control,
                               HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
    for (int i = 0; i < count; ++i) {
        hash_search(wanted, &keys[i], HASH_ENTER, nullptr);
    }
    return wanted;
}

bool has_key(HTAB *set, const char *key) {
    return hash_search(set, &key, HASH_FIND, nullptr) != nullptr;
}

} // namespace entitle::pg
