-- lint: adopted tables (R64).

CREATE FUNCTION entitle_internal.lint_adoptions() RETURNS SETOF entitle.finding
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    adopted entitle.adoption;
BEGIN
    FOR adopted IN SELECT * FROM entitle.adoption a WHERE NOT a.is_forgotten ORDER BY a.adoption_id LOOP
        RETURN QUERY SELECT 'error', adopted.source::text, p.problem, p.remedy FROM entitle_internal.adoption_problems(adopted) p;
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = adopted.source);
        RETURN QUERY
            SELECT 'warning', adopted.source::text, format('%s of its rows do not give all that they say, because of what is in their way', count(DISTINCT f.source_key)),
                   'SELECT * FROM entitle.verify_adoption();'
            FROM entitle.adoption_finding f WHERE f.adoption_id = adopted.adoption_id HAVING count(*) > 0;
        RETURN QUERY
            SELECT 'warning', adopted.source::text, 'no index finds the rows of a key, so every write reads the whole table',
                   format('CREATE UNIQUE INDEX ON %s (%I);', adopted.source, adopted.key_columns[1])
            WHERE NOT EXISTS (SELECT
                              FROM pg_index i
                              JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                              WHERE i.indrelid = adopted.source AND i.indisvalid AND i.indpred IS NULL
                                AND a.attname = adopted.key_columns[1]);
        BEGIN
            RETURN QUERY
                SELECT 'error', adopted.source::text, format('%s of its rows are not followed: the %s differ', count(*), adopted.kind),
                       format('SELECT entitle.sync_adopted(%L);', adopted.source)
                FROM entitle_internal.differing_rows(adopted) d
                WHERE NOT EXISTS (SELECT FROM entitle.adoption_finding f WHERE f.adoption_id = adopted.adoption_id AND f.source_key = d.source_key)
                HAVING count(*) > 0;
        EXCEPTION
            WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
                 OR system_error THEN RAISE; -- tells of the server, not of what is looked at
            WHEN OTHERS THEN
                RETURN QUERY VALUES ('error', adopted.source::text, format('its rows cannot be read: %s', SQLERRM), '-- Adopt the table again, as it is now.');
        END;
    END LOOP;
    RETURN QUERY
        SELECT 'notice', t.tgrelid::regclass::text, format('trigger %I follows a table that is not adopted, and does nothing', t.tgname),
               format('DROP TRIGGER %I ON %s;', t.tgname, t.tgrelid::regclass)
        FROM pg_trigger t
        WHERE t.tgfoid = 'entitle_internal.follow_source()'::regprocedure AND t.tgparentid = 0
          AND NOT EXISTS (SELECT
                          FROM entitle.adoption a, entitle_internal.protection_family(a.source) f
                          WHERE NOT a.is_forgotten AND f = t.tgrelid);
END
$$;
COMMENT ON FUNCTION entitle_internal.lint_adoptions() IS 'lint: adopted tables that are not followed, and rows that give nothing';
REVOKE ALL ON FUNCTION entitle_internal.lint_adoptions() FROM PUBLIC;
