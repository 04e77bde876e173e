#include "pg/boundary/postgres.hpp"

#include "pg/datum/business_day.hpp"

namespace entitle::pg {

namespace {

pg_tz *business_zone = nullptr;

// Found once a second: zones may be apart by seconds.
std::int64_t known_second = -1;
std::int32_t known_today = 0;

// UTC is what PostgreSQL knows as GMT without reading a file, which every session would do.
pg_tz *find_zone(const char *name) {
    return pg_tzset(pg_strcasecmp(name, "UTC") == 0 ? "GMT" : name);
}

} // namespace

bool is_business_zone(const char *name) {
    pg_tz *zone = find_zone(name);
    return zone != nullptr && pg_tz_acceptable(zone);
}

void set_business_zone(const char *name) {
    business_zone = find_zone(name);
    known_second = -1;
}

std::optional<std::int32_t> business_date(TimestampTz moment) {
    int offset = 0;
    pg_tm broken;
    fsec_t fraction = 0;
    if (TIMESTAMP_NOT_FINITE(moment) ||
        timestamp2tm(moment, &offset, &broken, &fraction, nullptr, business_zone) != 0) {
        return std::nullopt;
    }
    return date2j(broken.tm_year, broken.tm_mon, broken.tm_mday) - POSTGRES_EPOCH_JDATE;
}

std::int32_t business_today(TimestampTz now) {
    const std::int64_t second = now / USECS_PER_SEC;
    if (second != known_second) {
        // A clock gives real moments, so they have a date.
        known_today = business_date(now).value_or(0);
        known_second = second;
    }
    return known_today;
}

} // namespace entitle::pg
