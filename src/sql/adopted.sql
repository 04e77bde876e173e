-- Adopted tables afterwards: what differs from their rows, bringing it back in step, and forgetting them (R64).

-- Whether the session's role may bring an adoption in step, or forget it: a superuser, and the table's owner.
CREATE FUNCTION entitle_internal.may_forget(source regclass) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT entitle.acting_superuser()
           OR coalesce(entitle_internal.may_declare(may_forget.source, 'entitle.forget_adopted(regclass)'), false)
    $$;
COMMENT ON FUNCTION entitle_internal.may_forget(regclass) IS 'Whether the session''s role may forget the adopted table';
REVOKE ALL ON FUNCTION entitle_internal.may_forget(regclass) FROM PUBLIC;

-- SECURITY DEFINER: nobody writes the adoptions directly.
CREATE FUNCTION entitle_internal.end_adoption(source regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    adopted entitle.adoption;
BEGIN
    IF NOT entitle_internal.may_forget(source) THEN
        RAISE EXCEPTION 'permission denied to forget adopted table "%"', source
            USING ERRCODE = '42501', HINT = 'It takes the table''s owner, with EXECUTE on entitle.forget_adopted.';
    END IF;
    FOR adopted IN SELECT * FROM entitle.adoption a WHERE a.source = end_adoption.source AND NOT a.is_forgotten ORDER BY a.adoption_id DESC LOOP
        -- Without an adoption in force no row says anything: what they gave ends.
        UPDATE entitle.adoption a SET is_forgotten = true WHERE a.adoption_id = adopted.adoption_id;
        PERFORM entitle_internal.follow(adopted.adoption_id, NULL);
    END LOOP;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table "%" is not adopted', source
            USING ERRCODE = '42704', HINT = 'The view entitle.adopted_tables lists the tables that are.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.end_adoption(regclass) IS 'Ends what an adopted table gave';
GRANT EXECUTE ON FUNCTION entitle_internal.end_adoption(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.forget_adopted_steps(source regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    member regclass;
    made name;
BEGIN
    IF source IS NULL THEN
        RAISE EXCEPTION 'no table is given' USING ERRCODE = '22004', HINT = 'Give the name of the table.';
    END IF;
    PERFORM entitle_internal.end_adoption(source);
    FOR member, made IN
        SELECT t.tgrelid::regclass, t.tgname
        FROM entitle_internal.protection_family(source) f
        JOIN pg_trigger t ON t.tgrelid = f
        WHERE t.tgparentid = 0 AND t.tgfoid = 'entitle_internal.follow_source()'::regprocedure
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', made, member);
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.forget_adopted_steps(regclass) IS 'What forget_adopted does';
REVOKE ALL ON FUNCTION entitle_internal.forget_adopted_steps(regclass) FROM PUBLIC;

CREATE FUNCTION entitle.forget_adopted(source regclass) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.forget_adopted(regclass) IS
    'Ends what an adopted table gave and takes the triggers off it; adopted again, its rows come back under the same keys (R64)'
    '. Raises 42501: the caller does not own the table; 22004: no table is given; 42704: the table is not adopted';
REVOKE ALL ON FUNCTION entitle.forget_adopted(regclass) FROM PUBLIC;

-- SECURITY DEFINER: it reads the adoptions, and has the model follow.
CREATE FUNCTION entitle.sync_adopted(source regclass DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    adopted entitle.adoption;
    mended bigint := 0;
    found_one boolean := false;
BEGIN
    FOR adopted IN
        SELECT * FROM entitle.adoption a
        WHERE NOT a.is_forgotten AND (sync_adopted.source IS NULL OR a.source = sync_adopted.source)
        ORDER BY a.adoption_id
    LOOP
        CONTINUE WHEN source IS NULL AND NOT entitle_internal.may_forget(adopted.source);
        IF NOT entitle_internal.may_forget(adopted.source) THEN
            RAISE EXCEPTION 'permission denied to follow adopted table "%"', source
                USING ERRCODE = '42501', HINT = 'It takes the table''s owner, with EXECUTE on entitle.forget_adopted.';
        END IF;
        found_one := true;
        mended := mended + entitle_internal.follow(adopted.adoption_id, NULL);
    END LOOP;
    IF source IS NOT NULL AND NOT found_one THEN
        RAISE EXCEPTION 'table "%" is not adopted', source
            USING ERRCODE = '42704', HINT = 'The view entitle.adopted_tables lists the tables that are.';
    END IF;
    RETURN mended;
END
$$;
COMMENT ON FUNCTION entitle.sync_adopted(regclass) IS
    'Writes into the model what the rows of an adopted table, or of all that the caller owns, say now; gives how many rows of the model that changed (R64)'
    '. Raises 42501: the caller does not own the table; 42704: the table is not adopted; 23505: a login or key is taken';
REVOKE ALL ON FUNCTION entitle.sync_adopted(regclass) FROM PUBLIC;

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

CREATE FUNCTION entitle_internal.differing_rows(adopted entitle.adoption) RETURNS TABLE (source_key text, problem text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    CASE adopted.kind
        WHEN 'users' THEN RETURN QUERY SELECT * FROM entitle_internal.differing_users(adopted);
        WHEN 'customers' THEN RETURN QUERY SELECT * FROM entitle_internal.differing_customers(adopted);
        WHEN 'access' THEN RETURN QUERY SELECT * FROM entitle_internal.differing_access(adopted);
    END CASE;
END
$$;
COMMENT ON FUNCTION entitle_internal.differing_rows(entitle.adoption) IS 'Where the model differs from the rows of an adopted table';
REVOKE ALL ON FUNCTION entitle_internal.differing_rows(entitle.adoption) FROM PUBLIC;

-- What is wrong with an adopted table itself; no row when nothing is.
CREATE FUNCTION entitle_internal.adoption_problems(adopted entitle.adoption) RETURNS TABLE (problem text, remedy text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = adopted.source) THEN
        RETURN QUERY VALUES ('the table is gone, and what it gave is still there', 'SELECT entitle.sync_adopted();');
        RETURN;
    END IF;
    RETURN QUERY
        SELECT format('trigger %I of %s is missing, disabled or not ENABLE ALWAYS', e.name, e.member),
               CASE WHEN t.oid IS NULL THEN 'Adopt the table again.'
                    ELSE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I; SELECT entitle.sync_adopted(%L);', e.member, e.name, adopted.source) END
        FROM entitle_internal.adoption_triggers(adopted.source) e
        LEFT JOIN pg_trigger t ON t.tgrelid = e.member AND t.tgname = e.name AND t.tgfoid = 'entitle_internal.follow_source()'::regprocedure
        WHERE t.tgenabled IS DISTINCT FROM 'A';
END
$$;
COMMENT ON FUNCTION entitle_internal.adoption_problems(entitle.adoption) IS 'What is wrong with an adopted table and its triggers';
REVOKE ALL ON FUNCTION entitle_internal.adoption_problems(entitle.adoption) FROM PUBLIC;

-- SECURITY DEFINER: it reads the adoptions and the model. It tells of tables that the caller owns.
CREATE FUNCTION entitle.verify_adoption() RETURNS TABLE (source regclass, key text, problem text, remedy text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    adopted entitle.adoption;
    mends text;
BEGIN
    FOR adopted IN SELECT * FROM entitle.adoption a WHERE NOT a.is_forgotten ORDER BY a.adoption_id LOOP
        CONTINUE WHEN NOT entitle_internal.may_forget(adopted.source);
        RETURN QUERY SELECT adopted.source::regclass, NULL::text, p.problem, p.remedy FROM entitle_internal.adoption_problems(adopted) p;
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = adopted.source);
        mends := format('SELECT entitle.sync_adopted(%L);', adopted.source);
        BEGIN
            RETURN QUERY
                SELECT adopted.source::regclass, f.source_key, f.problem, 'Mend the row at its source.'
                FROM entitle.adoption_finding f
                WHERE f.adoption_id = adopted.adoption_id
                UNION ALL
                SELECT adopted.source::regclass, d.source_key, d.problem, mends
                FROM entitle_internal.differing_rows(adopted) d
                WHERE NOT EXISTS (SELECT FROM entitle.adoption_finding f WHERE f.adoption_id = adopted.adoption_id AND f.source_key = d.source_key);
        EXCEPTION
            WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
                 OR system_error THEN RAISE; -- tells of the server, not of what is looked at
            WHEN OTHERS THEN
                RETURN QUERY VALUES (adopted.source::regclass, NULL::text, format('its rows cannot be read: %s', SQLERRM),
                                     'Adopt the table again, as it is now.');
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle.verify_adoption() IS
    'Where the model differs from the adopted tables that the caller owns, and what is wrong with their triggers; no row when all is well (R64)';
REVOKE ALL ON FUNCTION entitle.verify_adoption() FROM PUBLIC;
