-- What shows masked columns past the filtered view: views and SECURITY DEFINER functions that read the table with the rights of an
-- owner who may read these columns. protect_table warns of them, lint calls them errors.

CREATE FUNCTION entitle.masked_readers(relation regclass, masked name[])
    RETURNS TABLE (severity text, reader text, finding text, remedy text)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH hidden AS (
        SELECT a.attrelid, a.attnum
        FROM entitle.protection_family(masked_readers.relation) f
        JOIN pg_attribute a ON a.attrelid = f AND a.attname = ANY (masked) AND a.attnum > 0 AND NOT a.attisdropped),
    -- A whole row is recorded as a use of the table only; the rule's tree tells it (attribute 0).
    view AS (
        SELECT DISTINCT c.oid, c.relkind, c.relowner, c.relacl, h.attrelid, h.attnum,
               EXISTS (SELECT FROM pg_options_to_table(c.reloptions) t
                       WHERE t.option_name = 'security_invoker' AND t.option_value::boolean) AS is_invoker
        FROM hidden h
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = h.attrelid
        JOIN pg_rewrite w ON w.oid = d.objid
        JOIN pg_class c ON c.oid = w.ev_class AND c.relkind IN ('v', 'm')
        WHERE (d.refobjsubid = h.attnum OR d.refobjsubid = 0 AND w.ev_action::text LIKE '%:varattno 0 %')
          AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgfoid = 'entitle.write_view()'::regprocedure)),
    -- Somebody else than the owner reads it.
    read_view AS (
        SELECT v.*, x.grantee
        FROM view v
        JOIN LATERAL (
            SELECT e.grantee FROM aclexplode(v.relacl) e WHERE e.privilege_type = 'SELECT'
            UNION
            SELECT e.grantee FROM pg_attribute a, aclexplode(a.attacl) e WHERE a.attrelid = v.oid AND e.privilege_type = 'SELECT') x
            ON x.grantee <> v.relowner)
    SELECT 'error', v.oid::regclass::text,
           CASE v.relkind WHEN 'm' THEN format('the materialized view keeps masked columns of table %s', masked_readers.relation)
                          ELSE format('the view shows masked columns of table %s with the rights of its owner %s',
                                      masked_readers.relation, v.relowner::regrole) END,
           CASE v.relkind WHEN 'm' THEN format('DROP MATERIALIZED VIEW %s;', v.oid::regclass)
                          ELSE format('ALTER VIEW %s SET (security_invoker = true);', v.oid::regclass) END
    FROM read_view v
    WHERE (v.relkind = 'm' OR NOT v.is_invoker) AND has_column_privilege(v.relowner, v.attrelid, v.attnum, 'SELECT')
    GROUP BY v.oid, v.relkind, v.relowner
    UNION ALL
    SELECT 'notice', v.oid::regclass::text,
           format('the view reads masked columns of table %s, which its readers may not', masked_readers.relation),
           format('-- let it read %s instead', entitle.find_view(masked_readers.relation))
    FROM read_view v
    WHERE v.relkind = 'v' AND v.is_invoker
      AND CASE v.grantee WHEN 0 THEN true ELSE NOT has_column_privilege(v.grantee, v.attrelid, v.attnum, 'SELECT') END
    GROUP BY v.oid
    UNION ALL
    -- PostgreSQL knows what a function reads when its body is SQL and was parsed; else its text must tell.
    SELECT 'error', p.oid::regprocedure::text,
           format('the SECURITY DEFINER function reads table %s with the rights of its owner %s, masked columns too',
                  masked_readers.relation, p.proowner::regrole),
           format('ALTER FUNCTION %s SECURITY INVOKER;', p.oid::regprocedure)
    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
    WHERE p.prosecdef AND l.lanname NOT IN ('c', 'internal') AND p.prokind IN ('f', 'p')
      AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
      AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'entitle'::regnamespace)
      AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
                  WHERE x.grantee <> p.proowner AND x.privilege_type = 'EXECUTE')
      AND EXISTS (SELECT FROM hidden h
                  JOIN pg_class c ON c.oid = h.attrelid
                  WHERE has_column_privilege(p.proowner, h.attrelid, h.attnum, 'SELECT')
                    AND (p.prosrc ~* ('\m' || regexp_replace(c.relname, '([^[:alnum:]_])', '\\\1', 'g') || '\M')
                         OR EXISTS (SELECT FROM pg_depend d
                                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                                      AND d.refclassid = 'pg_class'::regclass AND d.refobjid = h.attrelid)))
    $$;
COMMENT ON FUNCTION entitle.masked_readers(regclass, name[]) IS
    'Views and SECURITY DEFINER functions that others may use and that show masked columns of a table, and views that its masks break';
GRANT EXECUTE ON FUNCTION entitle.masked_readers(regclass, name[]) TO PUBLIC;

CREATE FUNCTION entitle.warn_of_readers(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT r.* FROM entitle.masked_readers(declared.relation, entitle.masked_names(declared)) r ORDER BY r.reader
    LOOP
        RAISE WARNING '%: %', found.reader, found.finding
            USING HINT = CASE found.severity WHEN 'error' THEN found.remedy || ' Or let it read the filtered view.'
                              ELSE 'Let it read the filtered view.' END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle.warn_of_readers(entitle.protection) IS 'Warns of views and functions that show masked columns, and of views that masks break';
GRANT EXECUTE ON FUNCTION entitle.warn_of_readers(entitle.protection) TO PUBLIC;
