// The notes hang among the reset callbacks of memory that ends with what they are about, whatever
// happens: an execution's own, which is found again from a QueryDesc, and a portal's.
#include "pg/boundary/postgres.hpp"

#include "pg/subject/current_subject.hpp"
#include "pg/subject/cursor.hpp"
#include "pg/model/lookup.hpp"
#include "pg/subject/statement.hpp"

extern "C" {
#include "nodes/execnodes.h"
#include "tcop/pquery.h"
}

namespace entitle::pg {

namespace {

struct Note {
    MemoryContextCallback callback;
    std::uint64_t version; // of the customers; 0 when the plan relies on none
    RightsMark rights;
    bool is_rewound;
    std::uint64_t key_questions; // before it was rewound
};

void forget(void *) {} // marks the callback as ours

Note *find_note(const QueryDesc *query) noexcept {
    const MemoryContextCallback *callback = query->estate->es_query_cxt->reset_cbs;
    while (callback != nullptr && callback->func != forget) {
        callback = callback->next;
    }
    return callback == nullptr ? nullptr : static_cast<Note *>(callback->arg);
}

Note &get_note(QueryDesc *query) {
    Note *note = find_note(query);
    if (note == nullptr) {
        MemoryContext context = query->estate->es_query_cxt;
        note = static_cast<Note *>(MemoryContextAllocZero(context, sizeof(Note)));
        note->callback.func = forget;
        note->callback.arg = note;
        MemoryContextRegisterResetCallback(context, &note->callback);
    }
    return *note;
}

struct PortalNote {
    MemoryContextCallback callback;
    PortalNote *next;
    Portal portal;
    bool is_locked;
    RightsMark rights;
};
PortalNote *portal_notes = nullptr;

// Whether it is a cursor without a plan to run: its rows come from where they were put aside. Those
// that are pinned belong to a loop that runs.
bool is_held(const PortalData *portal) noexcept {
    return !portal->portalPinned && portal->strategy == PORTAL_ONE_SELECT &&
           portal->holdStore != nullptr && portal->queryDesc == nullptr;
}

void unlock(PortalNote &note) noexcept {
    if (note.is_locked) {
        note.is_locked = false;
        note.portal->status = PORTAL_READY;
    }
}

Portal loading_portal = nullptr;

void forget_portal(void *argument) {
    PortalNote **at = &portal_notes;
    while (*at != nullptr && *at != argument) {
        at = &(*at)->next;
    }
    if (*at != nullptr) {
        *at = (*at)->next;
    }
}

PortalNote *find_portal_note(const PortalData *portal) noexcept {
    PortalNote *note = portal_notes;
    while (note != nullptr && note->portal != portal) {
        note = note->next;
    }
    return note;
}

} // namespace

void note_customers(QueryDesc *query, std::uint64_t version) {
    if (version != 0) {
        get_note(query).version = version;
    }
}

void note_rights(QueryDesc *query, const RightsMark &asked) {
    if (asked.is_set) {
        add_mark(get_note(query).rights, asked);
    }
}

bool has_begun_with(const QueryDesc *query, std::uint64_t version) {
    const Note *note = find_note(query);
    return note == nullptr || note->version == 0 || note->version == version;
}

bool keeps_rights(const QueryDesc *query) {
    const Note *note = find_note(query);
    return note == nullptr || !note->rights.is_set || has_same_rights(note->rights);
}

void raise_changed_rights() {
    ereport(ERROR,
            (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
             errmsg("the rights this statement was planned with have changed"),
             errhint("Run the statement again; in a transaction, run the transaction again.")));
    pg_unreachable();
}

void note_portal(Portal portal, const RightsMark &asked) {
    PortalNote *note = find_portal_note(portal);
    if (note == nullptr) {
        note = static_cast<PortalNote *>(
            MemoryContextAllocZero(portal->portalContext, sizeof(PortalNote)));
        note->portal = portal;
        note->callback.func = forget_portal;
        note->callback.arg = note;
        note->next = portal_notes;
        portal_notes = note;
        MemoryContextRegisterResetCallback(portal->portalContext, &note->callback);
    }
    add_mark(note->rights, asked);
}

void note_loading_portal() noexcept { loading_portal = ActivePortal; }

bool may_be_rewinding() noexcept {
    // A plan is rewound outside of its runs, and works out its index conditions then. Only what
    // scrolls is.
    return PortalIsValid(ActivePortal) &&
           (ActivePortal->cursorOptions & CURSOR_OPT_NO_SCROLL) == 0 &&
           ActivePortal->queryDesc != nullptr && ActivePortal->queryDesc->estate != nullptr &&
           is_own_statement();
}

bool may_be_rewinding_around(MemoryContext memory) noexcept {
    return may_be_rewinding() && ActivePortal->queryDesc->estate->es_query_cxt != memory;
}

void note_answer(const RightsMark &rights, bool is_begun) {
    if (may_be_rewinding() &&
        (!is_begun || is_asked_from(ActivePortal->queryDesc->estate->es_query_cxt))) {
        note_rights(ActivePortal->queryDesc, rights);
        if (is_begun) {
            Note &note = get_note(ActivePortal->queryDesc);
            note.is_rewound = true;
            note.key_questions = key_questions;
        }
    }
    if (loading_portal == nullptr) {
        return;
    }
    const Portal portal = loading_portal;
    loading_portal = nullptr;
    if (portal == ActivePortal) { // else it may be gone
        note_portal(portal, rights);
    }
}

void end_rewind(const QueryDesc *query) {
    Note *note = find_note(query);
    if (note != nullptr && note->is_rewound) {
        note->is_rewound = false;
        note->rights.uses_keys = note->rights.uses_keys || note->key_questions != key_questions;
    }
}

void note_stored(const QueryDesc *query) {
    const Note *note = find_note(query);
    if (note != nullptr && note->rights.is_set) {
        note_portal(ActivePortal, with_grants(note->rights));
    }
}

void check_portal(const char *name) {
    const Portal portal = portal_notes == nullptr ? nullptr : GetPortalByName(name);
    PortalNote *note = portal == nullptr ? nullptr : find_portal_note(portal);
    if (note != nullptr && !has_same_rights(note->rights)) {
        raise_changed_rights();
    }
}

void fail_outdated_portals() {
    if (portal_notes == nullptr || !IsTransactionState()) {
        return;
    }
    for (PortalNote *note = portal_notes; note != nullptr; note = note->next) {
        if (note->portal->status != PORTAL_READY && !note->is_locked) {
            continue;
        }
        if (has_same_rights(note->rights)) {
            unlock(*note);
        } else {
            note->is_locked = false;
            note->rights.is_mixed = true; // rights may come back; these rows do not
            MarkPortalFailed(note->portal);
        }
    }
}

void lock_portals() noexcept {
    for (PortalNote *note = portal_notes; note != nullptr; note = note->next) {
        if (note->portal->status == PORTAL_READY && is_held(note->portal)) {
            note->portal->status = PORTAL_FAILED; // what has failed can be closed, unlike all else
            note->is_locked = true;
        }
    }
}

} // namespace entitle::pg
