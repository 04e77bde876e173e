-- The minor releases of PostgreSQL whose fixes row-level security relies on. Data with a date: renew both together.

CREATE FUNCTION entitle_internal.safe_releases() RETURNS TABLE (major integer, minor integer, known_on date)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    -- CVE-2026-14666 among the reasons.
    SELECT r.major, r.minor, date '2026-11-28'
    FROM (VALUES (14, 25), (15, 20), (16, 16), (17, 12), (18, 7), (19, 0)) AS r (major, minor)
    $$;
COMMENT ON FUNCTION entitle_internal.safe_releases() IS
    'The oldest minor release of each major that has the known fixes of row-level security, and the day of this list';
REVOKE ALL ON FUNCTION entitle_internal.safe_releases() FROM PUBLIC;

CREATE FUNCTION entitle_internal.lint_release(version_number integer, on_date date) RETURNS SETOF entitle.finding
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT 'warning', 'server',
           format('PostgreSQL %s.%s lacks fixes that row-level security relies on', version_number / 10000, version_number % 10000),
           format('-- install PostgreSQL %s.%s or later', s.major, s.minor)
    FROM entitle_internal.safe_releases() s
    WHERE s.major = version_number / 10000 AND s.minor > version_number % 10000
    UNION ALL
    SELECT 'warning', 'server', format('PostgreSQL %s is not among the releases that were looked at', version_number / 10000),
           '-- install a release of entitle that knows this major'
    WHERE NOT EXISTS (SELECT FROM entitle_internal.safe_releases() s WHERE s.major = version_number / 10000)
    UNION ALL
    -- PostgreSQL releases fixes every three months.
    SELECT 'notice', 'server', format('the list of PostgreSQL''s fixes that lint knows is of %s', to_char(s.known_on, 'YYYY-MM-DD')),
           '-- install the latest release of entitle'
    FROM (SELECT max(r.known_on) AS known_on FROM entitle_internal.safe_releases() r) s
    WHERE on_date - s.known_on > 180
    $$;
COMMENT ON FUNCTION entitle_internal.lint_release(integer, date) IS
    'lint: a server (server_version_num) without the fixes of row-level security; a list that is more than 180 days old on that date';
REVOKE ALL ON FUNCTION entitle_internal.lint_release(integer, date) FROM PUBLIC;
