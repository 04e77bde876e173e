-- External access that is rows of an application's table: each names a customer and a user by the keys that adopted tables have (R64).

-- Facts: whether it is active, customer, user, the word for the level, days back, first and last day. A row that names nobody, or no
-- customer, gives nothing, and nothing is wrong with it.
CREATE FUNCTION entitle_internal.wanted_access(adopted entitle.adoption, keys text[])
    RETURNS TABLE (source_key text, customer_id bigint, user_id bigint, role text, days_back integer, valid_from date, valid_until date, problem text, waits_for text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT DISTINCT ON (f.source_key COLLATE "C") f.source_key, c.customer_id, u.user_id, d.role, d.days_back, d.valid_from, d.valid_until,
           CASE WHEN c.customer_id IS NULL THEN format('no customer has the key "%s"', f.facts[2])
                WHEN u.user_id IS NULL THEN format('no user has the key "%s"', f.facts[3])
                WHEN (d.role IN ('L10', 'L20', 'L30', 'L40', 'L80', 'L90')) IS NOT TRUE THEN format('"%s" is no level', f.facts[4])
                WHEN d.days_back < 0 THEN 'days back are negative'
                WHEN d.valid_until < d.valid_from THEN 'the last day is before the first' END,
           CASE WHEN c.customer_id IS NULL THEN format('%s %s', adopted.options ->> 'customers', f.facts[2])
                WHEN u.user_id IS NULL THEN format('%s %s', adopted.options ->> 'users', f.facts[3]) END
    FROM entitle_internal.source_facts(adopted.adoption_id, keys) f
    LEFT JOIN entitle.customer c ON c.adoption_id = (adopted.options ->> 'customers')::bigint AND c.source_key = f.facts[2]
    LEFT JOIN entitle.app_user u ON u.adoption_id = (adopted.options ->> 'users')::bigint AND u.source_key = f.facts[3]
    CROSS JOIN LATERAL (SELECT CASE WHEN adopted.options -> 'levels' ? f.facts[4] THEN adopted.options -> 'levels' ->> f.facts[4] ELSE f.facts[4] END,
                               f.facts[5]::integer, entitle_internal.fact_day(f.facts[6]), entitle_internal.fact_day(f.facts[7]))
               AS d (role, days_back, valid_from, valid_until)
    WHERE f.facts[1] = 't' AND f.facts[2] IS NOT NULL AND f.facts[3] IS NOT NULL
    ORDER BY f.source_key COLLATE "C", f.facts;
END
$$;
COMMENT ON FUNCTION entitle_internal.wanted_access(entitle.adoption, text[]) IS 'The grants that the rows of an adopted table stand for';
REVOKE ALL ON FUNCTION entitle_internal.wanted_access(entitle.adoption, text[]) FROM PUBLIC;

CREATE FUNCTION entitle_internal.follow_access(adopted entitle.adoption, keys text[]) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    source CONSTANT bigint := adopted.adoption_id;
    is_whole CONSTANT boolean := keys IS NULL;
    wanted entitle.external_access[];
    losers text[];
    problems text[];
    waits text[];
    more text[];
    lost record;
    changed bigint := 0;
    touched bigint;
BEGIN
    LOOP
        SELECT array_agg(ROW(w.customer_id, w.user_id, w.role, w.days_back, w.valid_from, w.valid_until, NULL, source, w.source_key)::entitle.external_access)
                   FILTER (WHERE w.problem IS NULL),
               coalesce(array_agg(w.source_key) FILTER (WHERE w.problem IS NOT NULL), '{}'),
               coalesce(array_agg(w.problem) FILTER (WHERE w.problem IS NOT NULL), '{}'),
               coalesce(array_agg(w.waits_for) FILTER (WHERE w.problem IS NOT NULL), '{}')
        INTO wanted, losers, problems, waits
        FROM entitle_internal.wanted_access(adopted, keys) w;
        EXIT WHEN is_whole;
        -- Which row gives the grant now may be about to give another.
        more := ARRAY(SELECT g.source_key
                      FROM unnest(wanted) w
                      JOIN entitle.external_access g ON g.customer_id = w.customer_id AND g.user_id = w.user_id AND g.adoption_id = source
                      WHERE NOT EXISTS (SELECT FROM unnest(keys) AS k WHERE k = g.source_key));
        EXIT WHEN more = '{}';
        keys := keys || more;
    END LOOP;

    IF adopted.options ? 'estranged' THEN
        FOR lost IN
            SELECT w.source_key
            FROM unnest(wanted) w
            WHERE NOT EXISTS (SELECT
                              FROM entitle.external_access g
                              WHERE g.adoption_id = source AND g.source_key = w.source_key
                                AND (g.customer_id, g.user_id, g.role, g.days_back, g.valid_from, g.valid_until)
                                    IS NOT DISTINCT FROM (w.customer_id, w.user_id, w.role, w.days_back, w.valid_from, w.valid_until))
        LOOP
            losers := losers || lost.source_key;
            problems := problems || (adopted.options ->> 'estranged');
            waits := waits || NULL::text;
        END LOOP;
        wanted := ARRAY(SELECT w FROM unnest(wanted) w WHERE NOT EXISTS (SELECT FROM unnest(losers) AS l WHERE l = w.source_key));
    END IF;
    -- A customer and user have one grant (R34); the row that gives it goes on giving it.
    FOR lost IN
        SELECT l.source_key, l.first_key, l.is_held
        FROM (SELECT w.source_key, first_value(w.source_key) OVER pair AS first_key, g.customer_id IS NOT NULL AND g.adoption_id IS DISTINCT FROM source AS is_held
              FROM unnest(wanted) w
              LEFT JOIN entitle.external_access g ON g.customer_id = w.customer_id AND g.user_id = w.user_id
              WINDOW pair AS (PARTITION BY w.customer_id, w.user_id ORDER BY (g.adoption_id = source AND g.source_key = w.source_key) IS TRUE DESC, w.source_key)) l
        WHERE l.is_held OR l.first_key <> l.source_key
        ORDER BY l.source_key
    LOOP
        losers := losers || lost.source_key;
        problems := problems || 'the user has a grant on the customer already'::text;
        waits := waits || CASE WHEN NOT lost.is_held THEN format('%s %s', source, lost.first_key) END;
    END LOOP;
    IF losers <> '{}' AND adopted.on_conflict = 'refuse' THEN
        PERFORM entitle_internal.raise_conflict(adopted, '23505', problems, losers, is_whole);
    END IF;
    PERFORM entitle_internal.note_findings(adopted, keys, losers, problems, waits);
    wanted := ARRAY(SELECT w FROM unnest(wanted) w WHERE NOT EXISTS (SELECT FROM unnest(losers) AS l WHERE l = w.source_key));

    IF is_whole THEN
        keys := ARRAY(SELECT g.source_key FROM entitle.external_access g WHERE g.adoption_id = source);
    END IF;
    DELETE FROM entitle.external_access g
    USING (SELECT DISTINCT k FROM unnest(keys) AS k) AS k (source_key)
    WHERE g.adoption_id = source AND g.source_key = k.source_key
      AND NOT EXISTS (SELECT
                      FROM unnest(wanted) w
                      WHERE w.source_key = g.source_key AND w.customer_id = g.customer_id AND w.user_id = g.user_id);
    GET DIAGNOSTICS touched = ROW_COUNT;
    changed := changed + touched;
    UPDATE entitle.external_access g
    SET role = w.role, days_back = w.days_back, valid_from = w.valid_from, valid_until = w.valid_until
    FROM unnest(wanted) w
    WHERE g.adoption_id = source AND g.source_key = w.source_key
      AND (g.role, g.days_back, g.valid_from, g.valid_until) IS DISTINCT FROM (w.role, w.days_back, w.valid_from, w.valid_until);
    GET DIAGNOSTICS touched = ROW_COUNT;
    changed := changed + touched;
    INSERT INTO entitle.external_access (customer_id, user_id, role, days_back, valid_from, valid_until, adoption_id, source_key)
    SELECT w.customer_id, w.user_id, w.role, w.days_back, w.valid_from, w.valid_until, source, w.source_key
    FROM unnest(wanted) w
    WHERE NOT EXISTS (SELECT FROM entitle.external_access g WHERE g.adoption_id = source AND g.source_key = w.source_key);
    GET DIAGNOSTICS touched = ROW_COUNT;
    RETURN changed + touched;
END
$$;
COMMENT ON FUNCTION entitle_internal.follow_access(entitle.adoption, text[]) IS 'Has the grants follow the rows of an adopted table';
REVOKE ALL ON FUNCTION entitle_internal.follow_access(entitle.adoption, text[]) FROM PUBLIC;

CREATE FUNCTION entitle_internal.differing_access(adopted entitle.adoption) RETURNS TABLE (source_key text, problem text)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(w.source_key, g.source_key),
           coalesce(w.problem, CASE WHEN g.source_key IS NULL THEN 'there is no grant for the row'
                                    WHEN w.source_key IS NULL THEN 'there is a grant of a row that gives none'
                                    ELSE 'the grant differs from the row' END)
    FROM entitle_internal.wanted_access(adopted, NULL) w
    FULL JOIN (SELECT * FROM entitle.external_access g WHERE g.adoption_id = adopted.adoption_id) g ON g.source_key = w.source_key
    WHERE w.problem IS NOT NULL
       OR (g.customer_id, g.user_id, g.role, g.days_back, g.valid_from, g.valid_until)
          IS DISTINCT FROM (w.customer_id, w.user_id, w.role, w.days_back, w.valid_from, w.valid_until)
    $$;
COMMENT ON FUNCTION entitle_internal.differing_access(entitle.adoption) IS 'Where grants differ from the rows of an adopted table';
REVOKE ALL ON FUNCTION entitle_internal.differing_access(entitle.adoption) FROM PUBLIC;

CREATE FUNCTION entitle_internal.adopt_access_steps(
    source regclass, customer_column name, user_column name, level text, level_column name, levels jsonb, days_back integer, days_back_column name,
    valid_from_column name, valid_until_column name, active_when text, on_conflict text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    known CONSTANT text[] := '{L10,L20,L30,L40,L80,L90}';
    keys CONSTANT regtype[] := '{smallint,integer,bigint,uuid,text,varchar,anyenum}';
    declared entitle.adoption;
    unknown text;
BEGIN
    PERFORM entitle_internal.check_adoptable(source, 'entitle.adopt_access'::regproc::regprocedure);
    IF customer_column IS NULL OR user_column IS NULL THEN
        RAISE EXCEPTION 'no customer or user column is given' USING ERRCODE = '22004', HINT = 'Give the columns that name the customer and the user.';
    END IF;
    IF jsonb_typeof(coalesce(levels, '{}')) <> 'object' THEN
        RAISE EXCEPTION 'levels are no object' USING ERRCODE = '22023', HINT = 'Give the words of the column: {"viewer": "L10", "admin": "L80"}.';
    END IF;
    SELECT l INTO unknown
    FROM (SELECT value FROM jsonb_each_text(coalesce(levels, '{}')) UNION ALL SELECT level WHERE level_column IS NULL) AS l (l)
    WHERE (l = ANY (known)) IS NOT TRUE LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no level %', coalesce(quote_literal(unknown), 'NULL')
            USING ERRCODE = '22023', HINT = format('Levels are %s.', array_to_string(known, ', '));
    END IF;
    IF days_back < 0 THEN
        RAISE EXCEPTION 'days back are negative' USING ERRCODE = '22023', HINT = 'NULL is unlimited.';
    END IF;
    declared.source := source;
    declared.kind := 'access';
    declared.key_columns := entitle_internal.adopted_key(source, NULL);
    declared.facts := ARRAY[coalesce(active_when, 'true'),
                            entitle_internal.column_fact(source, 'customer_column', customer_column, keys),
                            entitle_internal.column_fact(source, 'user_column', user_column, keys),
                            CASE WHEN level_column IS NULL THEN quote_literal(level) || '::text'
                            ELSE entitle_internal.column_fact(source, 'level_column', level_column, '{text,varchar,char,smallint,integer,anyenum}') END,
                            CASE WHEN days_back_column IS NULL THEN coalesce(days_back::text, 'NULL::text')
                            ELSE entitle_internal.column_fact(source, 'days_back_column', days_back_column, '{smallint,integer,bigint}') END,
                            entitle_internal.column_fact(source, 'valid_from_column', valid_from_column, '{date,timestamp,timestamptz}'),
                            entitle_internal.column_fact(source, 'valid_until_column', valid_until_column, '{date,timestamp,timestamptz}')];
    declared.options := jsonb_build_object('levels', coalesce(levels, '{}'), 'customer_column', customer_column, 'user_column', user_column);
    declared.on_conflict := on_conflict;
    PERFORM entitle_internal.install_adoption(declared);
END
$$;
COMMENT ON FUNCTION entitle_internal.adopt_access_steps(regclass, name, name, text, name, jsonb, integer, name, name, name, text, text) IS 'What adopt_access does';
REVOKE ALL ON FUNCTION entitle_internal.adopt_access_steps(regclass, name, name, text, name, jsonb, integer, name, name, name, text, text) FROM PUBLIC;

CREATE FUNCTION entitle.adopt_access(
    source regclass,
    customer_column name,
    user_column name,
    level text DEFAULT 'L30',
    level_column name DEFAULT NULL,
    levels jsonb DEFAULT '{}',
    days_back integer DEFAULT NULL,
    days_back_column name DEFAULT NULL,
    valid_from_column name DEFAULT NULL,
    valid_until_column name DEFAULT NULL,
    active_when text DEFAULT NULL,
    on_conflict text DEFAULT 'refuse') RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.adopt_access(regclass, name, name, text, name, jsonb, integer, name, name, name, text, text) IS
    'Has the rows of an application''s table stand for external access of adopted users to adopted customers; levels says what the words of its level column mean (R64)'
    '. Raises 42501: the caller does not own the table, or those it refers to; 22004, 22023: an argument is missing or wrong; 42703: no such column; '
    '42804: a column has an unfit type; 42809: no table that can be; 23505: a row cannot be followed';
REVOKE ALL ON FUNCTION entitle.adopt_access(regclass, name, name, text, name, jsonb, integer, name, name, name, text, text) FROM PUBLIC;
