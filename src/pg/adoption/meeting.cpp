// Rows of one adopted table may wait for those of another, and two transactions that write one each
// see nothing of each other: the row would go on waiting for one that is there. So who lets rows in
// and who leaves one waiting take turns, by locks on parts of the table of adoptions.
#include "pg/boundary/postgres.hpp"

#include "pg/adoption/row_lock.hpp"
#include "pg/boundary/function.hpp"
#include "pg/model/part_lock.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

struct Meeting {
    const char *what;
    LOCKMODE mode;
};

// Writers of one table do not wait for each other, nor do those who use its rows.
constexpr Meeting kMeetings[] = {
    {"use", RowShareLock},       // of rows whose organization must stay
    {"write", RowExclusiveLock}, // rows that others may wait for
    {"wait", ShareLock},         // for rows that come
    {"move", ExclusiveLock},     // rows to another organization
};

} // namespace

// meet_writers(adoption_id, what): waits for whoever does what does not go together with this, and
// keeps the adoption so until the transaction ends. regime: C
ENTITLE_FUNCTION(entitle_meet_writers) {
    const std::int64_t adoption = PG_GETARG_INT64(0);
    const char *what = text_to_cstring(PG_GETARG_TEXT_PP(1));
    for (const Meeting &meeting : kMeetings) {
        if (strcmp(what, meeting.what) != 0) {
            continue;
        }
        lock_part("adoption", adoption, meeting.mode);
        if (meeting.mode == RowShareLock || meeting.mode == ShareLock) {
            demand_current_rows(adoption, NullableDatum{0, true});
        } else {
            demand_current_findings(adoption);
        }
        PG_RETURN_VOID();
    }
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("there is no meeting of writers \"%s\"", what),
                    errhint("It is use, write, wait or move.")));
}
