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

struct Place {
    const char *key;
    Oid table;
};

HTAB *make_table(const char *name, int count, Size size) {
    HASHCTL control{};
    control.keysize = sizeof(char *);
    control.entrysize = size;
    control.hash = hash_text;
    control.match = compare_texts;
    control.hcxt = CurrentMemoryContext;
    return hash_create(name, count, &control,
                       HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

} // namespace

HTAB *make_key_set(const char *const *keys, int count) {
    HTAB *wanted = make_table("entitle: keys", count + 1, sizeof(char *));
    for (int i = 0; i < count; ++i) {
        hash_search(wanted, &keys[i], HASH_ENTER, nullptr);
    }
    return wanted;
}

bool has_key(HTAB *set, const char *key) {
    return hash_search(set, &key, HASH_FIND, nullptr) != nullptr;
}

KeyPlaces make_key_places() {
    return KeyPlaces{make_table("entitle: places of keys", 64, sizeof(Place)),
                     CurrentMemoryContext};
}

Oid first_place(const KeyPlaces &places, const char *key, Oid table) {
    bool is_known = false;
    auto *place = static_cast<Place *>(hash_search(places.table, &key, HASH_ENTER, &is_known));
    if (!is_known) {
        place->key = MemoryContextStrdup(places.memory, key);
        place->table = table;
    }
    return place->table;
}

} // namespace entitle::pg
