-- The model follows adopted tables (R64): for the keys that were written, or for all, what their rows say now is written into the
-- model. Each function reads first and writes then; it is called by entitle_internal.follow alone, under which the model's guards let
-- it pass.

-- A day as a fact gives it: the number of days since 2000.
CREATE FUNCTION entitle_internal.fact_day(fact text) RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE fact WHEN '-2147483648' THEN '-infinity'::date WHEN '2147483647' THEN 'infinity'::date
           ELSE make_date(2000, 1, 1) + fact::integer END
    $$;
COMMENT ON FUNCTION entitle_internal.fact_day(text) IS 'The day that a fact of an adopted table gives as a number';
REVOKE ALL ON FUNCTION entitle_internal.fact_day(text) FROM PUBLIC;

CREATE FUNCTION entitle_internal.raise_conflict(adopted entitle.adoption, code text, problems text[], keys text[], is_whole boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    -- Which rows, is told to whoever adopts the table: its owner may read them.
    RAISE EXCEPTION '%', format('row of adopted table "%s" cannot be followed: %s', adopted.source, problems[1])
                         || CASE WHEN is_whole THEN format(' (rows with the keys %s)', array_to_string(keys[1:10], ', ')) ELSE '' END
        USING ERRCODE = CASE WHEN adopted.options ? 'estranged' THEN '42501' ELSE code END,
              HINT = CASE WHEN adopted.options ? 'estranged' THEN 'Let a superuser adopt the table again, as it is, or give the tables one owner.'
                     WHEN is_whole THEN 'Mend these rows, leave them out by active_when, or adopt the table with on_conflict => ''report''.'
                     ELSE 'Write another value; the adoption of the table refuses this one (on_conflict).' END;
END
$$;
COMMENT ON FUNCTION entitle_internal.raise_conflict(entitle.adoption, text, text[], text[], boolean) IS
    'Refuses what stands in the way of an adopted row, naming the rows to whoever adopts the table';
REVOKE ALL ON FUNCTION entitle_internal.raise_conflict(entitle.adoption, text, text[], text[], boolean) FROM PUBLIC;

CREATE FUNCTION entitle_internal.note_findings(adopted entitle.adoption, keys text[], found_keys text[], problems text[], waits text[])
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF EXISTS (SELECT FROM entitle.adoption_finding f WHERE f.adoption_id = adopted.adoption_id) THEN
        DELETE FROM entitle.adoption_finding f
        WHERE f.adoption_id = adopted.adoption_id AND (keys IS NULL OR EXISTS (SELECT FROM unnest(keys) AS k WHERE k = f.source_key));
    END IF;
    IF found_keys <> '{}' THEN
        INSERT INTO entitle.adoption_finding (adoption_id, source_key, problem, waits_for)
        SELECT adopted.adoption_id, n.source_key, n.problem, n.waits_for
        FROM unnest(found_keys, problems, waits) AS n (source_key, problem, waits_for);
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.note_findings(entitle.adoption, text[], text[], text[], text[]) IS
    'Puts these findings in the place of those that the keys, or all rows, of an adopted table had';
REVOKE ALL ON FUNCTION entitle_internal.note_findings(entitle.adoption, text[], text[], text[], text[]) FROM PUBLIC;

-- The login of a user that cannot have one, because the row has none or another user has it. Nobody signs in by it: such a user is
-- not active. Another one each time: nobody takes it before (S378).
CREATE FUNCTION entitle_internal.no_login() RETURNS text
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT format('(no login) %s', gen_random_uuid()) $$;
COMMENT ON FUNCTION entitle_internal.no_login() IS 'What stands for the login of an adopted user who cannot have one';
REVOKE ALL ON FUNCTION entitle_internal.no_login() FROM PUBLIC;

-- Facts: whether it is active, login, full name.
CREATE FUNCTION entitle_internal.wanted_users(adopted entitle.adoption, keys text[])
    RETURNS TABLE (source_key text, login text, full_name text, is_active boolean)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT DISTINCT ON (f.source_key COLLATE "C") f.source_key, l.login, f.facts[3], l.login IS NOT NULL AND f.facts[1] IS NOT DISTINCT FROM 't'
    FROM entitle_internal.source_facts(adopted.adoption_id, keys) f
    CROSS JOIN LATERAL (SELECT btrim(f.facts[2], E' \t\n\r\f\x0b') AS told) t
    CROSS JOIN LATERAL (SELECT CASE WHEN t.told <> '' AND NOT starts_with(t.told, '(no login) ')
                                    THEN CASE WHEN (adopted.options ->> 'fold_case')::boolean THEN lower(t.told) ELSE t.told END END AS login) l
    ORDER BY f.source_key COLLATE "C", f.facts[1] DESC NULLS LAST, l.login;
END
$$;
COMMENT ON FUNCTION entitle_internal.wanted_users(entitle.adoption, text[]) IS 'The users that the rows of an adopted table stand for';
REVOKE ALL ON FUNCTION entitle_internal.wanted_users(entitle.adoption, text[]) FROM PUBLIC;

CREATE FUNCTION entitle_internal.follow_users(adopted entitle.adoption, keys text[]) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    source CONSTANT bigint := adopted.adoption_id;
    is_whole CONSTANT boolean := keys IS NULL;
    found_keys text[];
    logins text[];
    names text[];
    actives boolean[];
    more text[];
    losers text[];
    lost text[];
    is_in_use boolean;
    changed bigint := 0;
    touched bigint;
BEGIN
    LOOP
        SELECT array_agg(w.source_key), array_agg(w.login), array_agg(w.full_name), array_agg(w.is_active)
        INTO found_keys, logins, names, actives
        FROM entitle_internal.wanted_users(adopted, keys) w;
        EXIT WHEN is_whole;
        -- Who has one of these logins may be about to lose it: two rows that swap theirs are followed together.
        more := ARRAY(SELECT u.source_key
                      FROM unnest(found_keys, logins, actives) AS w (source_key, login, is_active)
                      JOIN entitle.app_user u ON u.login = w.login AND u.adoption_id = source
                      WHERE w.is_active AND NOT EXISTS (SELECT FROM unnest(keys) AS k WHERE k = u.source_key));
        EXIT WHEN more = '{}';
        keys := keys || more;
    END LOOP;

    -- A login has one active user; who has it keeps it.
    SELECT array_agg(l.source_key ORDER BY l.source_key COLLATE "C") FILTER (WHERE l.is_held OR l.place > 1),
           array_agg(l.login ORDER BY l.source_key COLLATE "C") FILTER (WHERE l.is_held OR l.place > 1), bool_or(l.is_in_use)
    INTO losers, lost, is_in_use
    FROM (SELECT w.source_key, w.login, h.adoption_id = source AND h.source_key <> w.source_key AS is_in_use,
                 row_number() OVER (PARTITION BY w.login COLLATE "C"
                                    ORDER BY (h.source_key = w.source_key AND h.is_active) IS TRUE DESC, w.source_key COLLATE "C") AS place,
                 h.user_id IS NOT NULL AND h.adoption_id IS DISTINCT FROM source AS is_held
          FROM unnest(found_keys, logins, actives) AS w (source_key, login, is_active)
          LEFT JOIN entitle.app_user h ON h.login = w.login
          WHERE w.is_active) l;
    IF losers <> '{}' AND adopted.on_conflict = 'refuse' THEN
        PERFORM entitle_internal.raise_conflict(adopted, '23505', ARRAY(SELECT format('login "%s" is taken', l) FROM unnest(lost) AS l), losers, is_whole);
    END IF;
    PERFORM entitle_internal.note_findings(adopted, keys, losers, ARRAY(SELECT format('login "%s" is taken', l) FROM unnest(lost) AS l),
                                           ARRAY(SELECT 'login ' || l FROM unnest(lost) AS l));

    -- The wanted logins become free.
    IF is_in_use THEN
        UPDATE entitle.app_user u
        SET login = entitle_internal.no_login(), is_active = false
        FROM unnest(found_keys, logins, actives) AS w (source_key, login, is_active)
        WHERE u.login = w.login AND u.adoption_id = source AND w.is_active AND u.source_key <> w.source_key AND NOT EXISTS (SELECT FROM unnest(losers) AS l WHERE l = w.source_key);
        GET DIAGNOSTICS touched = ROW_COUNT;
        changed := changed + touched;
    END IF;
    UPDATE entitle.app_user u
    SET login = CASE WHEN w.is_active THEN w.login ELSE u.login END, full_name = w.full_name, is_active = w.is_active
    FROM (SELECT p.source_key, p.login, p.full_name, p.is_active AND (p.source_key IN (SELECT l FROM unnest(losers) AS l)) IS NOT TRUE
          FROM unnest(found_keys, logins, names, actives) AS p (source_key, login, full_name, is_active)) AS w (source_key, login, full_name, is_active)
    WHERE u.adoption_id = source AND u.source_key = w.source_key
      AND (u.full_name IS DISTINCT FROM w.full_name OR u.is_active <> w.is_active OR w.is_active AND u.login <> w.login);
    GET DIAGNOSTICS touched = ROW_COUNT;
    changed := changed + touched;
    IF touched < cardinality(found_keys) THEN
        INSERT INTO entitle.app_user (login, full_name, is_active, adoption_id, source_key)
        SELECT CASE WHEN w.is_active THEN w.login ELSE entitle_internal.no_login() END, w.full_name, w.is_active, source, w.source_key
        FROM (SELECT p.source_key, p.login, p.full_name, p.is_active AND (p.source_key IN (SELECT l FROM unnest(losers) AS l)) IS NOT TRUE
              FROM unnest(found_keys, logins, names, actives) AS p (source_key, login, full_name, is_active)) AS w (source_key, login, full_name, is_active)
        WHERE NOT EXISTS (SELECT FROM entitle.app_user u WHERE u.adoption_id = source AND u.source_key = w.source_key);
        GET DIAGNOSTICS touched = ROW_COUNT;
        changed := changed + touched;
    END IF;
    -- Whose row went is inactive, and what was granted to him waits (R43).
    IF is_whole THEN
        keys := ARRAY(SELECT u.source_key FROM entitle.app_user u WHERE u.adoption_id = source AND u.is_active);
    END IF;
    IF cardinality(keys) = cardinality(found_keys) AND NOT is_whole THEN
        RETURN changed; -- each key was found
    END IF;
    UPDATE entitle.app_user u
    SET is_active = false
    FROM (SELECT k FROM unnest(keys) AS k EXCEPT SELECT f FROM unnest(found_keys) AS f) AS gone (source_key)
    WHERE u.adoption_id = source AND u.source_key = gone.source_key AND u.is_active;
    GET DIAGNOSTICS touched = ROW_COUNT;
    RETURN changed + touched;
END
$$;
COMMENT ON FUNCTION entitle_internal.follow_users(entitle.adoption, text[]) IS 'Has the users follow the rows of an adopted table';
REVOKE ALL ON FUNCTION entitle_internal.follow_users(entitle.adoption, text[]) FROM PUBLIC;

CREATE FUNCTION entitle_internal.differing_users(adopted entitle.adoption) RETURNS TABLE (source_key text, problem text)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(w.source_key, u.source_key),
           CASE WHEN u.user_id IS NULL THEN 'there is no user for the row'
                WHEN w.source_key IS NULL THEN 'the user of a row that is gone is active'
                ELSE 'the user differs from the row' END
    FROM entitle_internal.wanted_users(adopted, NULL) w
    FULL JOIN (SELECT * FROM entitle.app_user u WHERE u.adoption_id = adopted.adoption_id) u ON u.source_key = w.source_key COLLATE "C"
    WHERE CASE WHEN u.user_id IS NULL THEN true
               WHEN w.source_key IS NULL THEN u.is_active
               ELSE u.full_name IS DISTINCT FROM w.full_name OR u.is_active <> w.is_active OR w.is_active AND u.login <> w.login COLLATE "C" END
    $$;
COMMENT ON FUNCTION entitle_internal.differing_users(entitle.adoption) IS 'Where users differ from the rows of an adopted table';
REVOKE ALL ON FUNCTION entitle_internal.differing_users(entitle.adoption) FROM PUBLIC;

-- With reports, the rows were not written themselves: what is in their way is nobody's error.
CREATE FUNCTION entitle_internal.follow_rows(adoption_id bigint, keys text[], reports boolean DEFAULT false) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = auto SET enable_nestloop = on
    AS $$
DECLARE
    many CONSTANT integer := 100; -- keys: a plan for few, or for a table that was empty, would compare each of them with each row
    adopted entitle.adoption;
    waiting record;
    changed bigint := 0;
BEGIN
    SELECT * INTO adopted FROM entitle.adoption a WHERE a.adoption_id = follow_rows.adoption_id;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    IF reports THEN
        adopted.on_conflict := 'report';
    END IF;
    IF entitle_internal.estranged_tables(adopted) IS NOT NULL THEN
        -- What it gives already stays, and may end.
        adopted.options := adopted.options || jsonb_build_object('estranged', format('%s is another owner''s', entitle_internal.estranged_tables(adopted)));
    END IF;
    IF keys IS NULL OR cardinality(keys) > many THEN
        PERFORM set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_nestloop', 'off', true); -- until this function ends
    END IF;
    PERFORM entitle_internal.meet_writers(adoption_id, 'write');
    IF adopted.kind = 'memberships' THEN
        -- A brand and a role go together while neither moves to another organization.
        PERFORM entitle_internal.meet_writers(o.id, 'use')
        FROM (VALUES ((adopted.options ->> 'brands')::bigint), ((adopted.options ->> 'roles')::bigint)) AS o (id)
        WHERE o.id IS NOT NULL;
    END IF;
    FOR turn IN 1..2 LOOP
        changed := changed + CASE adopted.kind
            WHEN 'users' THEN entitle_internal.follow_users(adopted, keys)
            WHEN 'customers' THEN entitle_internal.follow_customers(adopted, keys)
            WHEN 'access' THEN entitle_internal.follow_access(adopted, keys)
            ELSE entitle_internal.follow_model(adopted, entitle_internal.adopted_relation(adopted.kind), keys)
        END;
        IF adopted.kind = 'roles' THEN
            changed := changed + entitle_internal.follow_model(adopted, 'role_permission', keys);
        END IF;
        EXIT WHEN adopted.on_conflict <> 'report';
        -- What a row waits for may be written by somebody else right now, who knows nothing of this row: once he is done, it is looked at again.
        PERFORM entitle_internal.meet_writers(w.id, 'wait')
        FROM (SELECT DISTINCT CASE WHEN starts_with(f.waits_for, 'login ') THEN adopted.adoption_id ELSE substring(f.waits_for FROM '^[0-9]{1,18}')::bigint END AS id
              FROM entitle.adoption_finding f
              WHERE f.adoption_id = adopted.adoption_id AND (keys IS NULL OR f.source_key = ANY (keys))
              ORDER BY id) w
        WHERE w.id IS NOT NULL;
        EXIT WHEN NOT FOUND;
    END LOOP;
    -- Rows that this one lets in: they waited for a login that is free now, or for a row with this key. Those of another owner's table
    -- wait until that is brought in step: whoever writes here is not kept from it by what became of that one (S384).
    FOR waiting IN
        SELECT f.adoption_id, array_agg(DISTINCT f.source_key) AS keys
        FROM entitle.adoption_finding f
        JOIN entitle.adoption w ON w.adoption_id = f.adoption_id
        JOIN pg_class s ON s.oid = w.source
        WHERE (s.relowner = (SELECT c.relowner FROM pg_class c WHERE c.oid = adopted.source)
               OR (SELECT o.rolsuper FROM pg_roles o WHERE o.oid = s.relowner))
          AND CASE WHEN adopted.kind = 'users' AND starts_with(f.waits_for, 'login ')
              THEN NOT EXISTS (SELECT
                               FROM entitle.app_user u
                               WHERE u.login = substr(f.waits_for, 7) AND (u.is_active OR u.adoption_id IS DISTINCT FROM f.adoption_id))
              WHEN keys IS NULL
              THEN starts_with(f.waits_for, adopted.adoption_id || ' ')
                   AND f.adoption_id <> adopted.adoption_id
              ELSE f.waits_for = ANY (ARRAY(SELECT adopted.adoption_id || ' ' || k FROM unnest(keys) AS k))
                   AND NOT (f.adoption_id = adopted.adoption_id AND f.source_key = ANY (keys)) END
        GROUP BY f.adoption_id
    LOOP
        changed := changed + entitle_internal.follow_rows(waiting.adoption_id, waiting.keys, true);
    END LOOP;
    RETURN changed;
END
$$;
COMMENT ON FUNCTION entitle_internal.follow_rows(bigint, text[], boolean) IS 'What follow does, once the model''s guards let it pass';
REVOKE ALL ON FUNCTION entitle_internal.follow_rows(bigint, text[], boolean) FROM PUBLIC;
