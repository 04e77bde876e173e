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
        -- One that is gone gives nothing any more.
        UPDATE entitle.adoption a SET is_forgotten = true WHERE a.adoption_id = adopted.adoption_id AND a.source NOT IN (SELECT c.oid FROM pg_class c);
        BEGIN
            mended := mended + entitle_internal.follow(adopted.adoption_id, NULL);
        EXCEPTION
            WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
                 OR system_error THEN RAISE; -- tells of the server, not of what is looked at
            WHEN OTHERS THEN
                -- Among all, one stands in no other's way (S383).
                IF source IS NOT NULL THEN
                    RAISE;
                END IF;
                RAISE WARNING 'adopted table "%" is not followed: %', adopted.source, SQLERRM
                    USING HINT = format('SELECT entitle.sync_adopted(%L); tells more.', adopted.source);
        END;
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

CREATE FUNCTION entitle_internal.differing_rows(adopted entitle.adoption) RETURNS TABLE (source_key text, problem text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    CASE adopted.kind
        WHEN 'users' THEN RETURN QUERY SELECT * FROM entitle_internal.differing_users(adopted);
        WHEN 'customers' THEN RETURN QUERY SELECT * FROM entitle_internal.differing_customers(adopted);
        WHEN 'access' THEN RETURN QUERY SELECT * FROM entitle_internal.differing_access(adopted);
        ELSE RETURN QUERY SELECT * FROM entitle_internal.differing_model(adopted, entitle_internal.adopted_relation(adopted.kind));
    END CASE;
    IF adopted.kind = 'roles' THEN
        RETURN QUERY SELECT * FROM entitle_internal.differing_model(adopted, 'role_permission');
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.differing_rows(entitle.adoption) IS 'Where the model differs from the rows of an adopted table';
REVOKE ALL ON FUNCTION entitle_internal.differing_rows(entitle.adoption) FROM PUBLIC;

-- After ALTER TABLE: the declaration reads as the table does now, so that a dump brings names that the restored table has. What cannot be
-- read any more stays as it is, for verify_adoption to tell.
CREATE FUNCTION entitle_internal.current_expression(relation regclass, expression text, names text[], numbers smallint[]) RETURNS text
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_current_expression';
COMMENT ON FUNCTION entitle_internal.current_expression(regclass, text, text[], smallint[]) IS
    'An expression over the rows of a table as it reads after columns were renamed, which it knows by these names and numbers';
REVOKE ALL ON FUNCTION entitle_internal.current_expression(regclass, text, text[], smallint[]) FROM PUBLIC;

-- SECURITY DEFINER: nobody writes the adoptions directly. It takes a table of the caller's, whom nobody else has wait for a row that
-- he keeps locked (S437), and reads the rest in the catalogues.
CREATE FUNCTION entitle_internal.renew_adoptions(relation regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    adopted entitle.adoption;
    renewed entitle.adoption;
BEGIN
    FOR adopted IN
        SELECT * FROM entitle.adoption a WHERE a.source = relation AND a.source_number = relation AND entitle_internal.owns_table(relation)
    LOOP
        BEGIN
            renewed := adopted;
            renewed.source_name := relation::text;
            renewed.key_columns := ARRAY(SELECT c.attname::text
                                         FROM unnest(adopted.key_columns) WITH ORDINALITY AS k (name, place)
                                         JOIN unnest(adopted.column_names, adopted.column_numbers) AS n (name, number) ON n.name = k.name
                                         JOIN pg_attribute c ON c.attrelid = relation AND c.attnum = n.number AND NOT c.attisdropped
                                         ORDER BY k.place);
            renewed.facts := ARRAY(SELECT entitle_internal.current_expression(relation, f.fact, adopted.column_names, adopted.column_numbers)
                                   FROM unnest(adopted.facts) WITH ORDINALITY AS f (fact, place) ORDER BY f.place);
            SELECT array_agg(c.attname::text ORDER BY c.attnum), array_agg(c.attnum ORDER BY c.attnum) INTO renewed.column_names, renewed.column_numbers
            FROM pg_attribute c WHERE c.attrelid = relation AND c.attnum > 0 AND NOT c.attisdropped;
            UPDATE entitle.adoption a
            SET (source_name, key_columns, facts, column_names, column_numbers) =
                (renewed.source_name, renewed.key_columns, renewed.facts, renewed.column_names, renewed.column_numbers)
            WHERE a.adoption_id = adopted.adoption_id AND renewed IS DISTINCT FROM adopted
              AND cardinality(renewed.key_columns) = cardinality(adopted.key_columns);
        EXCEPTION
            WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
                 OR system_error THEN RAISE; -- tells of the server, not of what is looked at
            WHEN OTHERS THEN
                CONTINUE;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.renew_adoptions(regclass) IS 'Writes down how the declarations of an adopted table read after ALTER TABLE';
GRANT EXECUTE ON FUNCTION entitle_internal.renew_adoptions(regclass) TO PUBLIC;

-- PUBLIC: an event trigger calls it, as whoever alters the table; nobody else has such a value.
CREATE FUNCTION entitle_internal.alters_rows(command pg_ddl_command) RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_alters_rows';
COMMENT ON FUNCTION entitle_internal.alters_rows(pg_ddl_command) IS 'Whether ALTER TABLE wrote rows anew, or brought or took a partition with some';
GRANT EXECUTE ON FUNCTION entitle_internal.alters_rows(pg_ddl_command) TO PUBLIC;

-- SECURITY DEFINER: whoever alters the table may not write the model. It takes a table of the caller's, and believes its rows.
CREATE FUNCTION entitle_internal.follow_altered(relation regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF entitle_internal.owns_table(relation) IS NOT TRUE THEN
        RAISE EXCEPTION 'must be owner of table "%"', relation
            USING ERRCODE = '42501', HINT = 'Ask its owner or a superuser.';
    END IF;
    BEGIN
        PERFORM entitle_internal.follow(a.adoption_id, NULL)
        FROM (SELECT * FROM entitle.adoption a
              WHERE a.source = coalesce(pg_partition_root(relation), relation) AND NOT a.is_forgotten
              ORDER BY a.adoption_id) a;
    EXCEPTION
        -- It may take several commands until the table has all columns again; until then its writes are errors.
        WHEN syntax_error_or_access_rule_violation OR invalid_parameter_value THEN
            RAISE WARNING 'adopted table "%" is not followed: %', relation, SQLERRM
                USING HINT = 'Adopt it again, as it is now.';
    END;
END
$$;
COMMENT ON FUNCTION entitle_internal.follow_altered(regclass) IS 'Has the model follow an adopted table whose rows were changed by a command that fires no triggers';
GRANT EXECUTE ON FUNCTION entitle_internal.follow_altered(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.follow_alteration() RETURNS event_trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    altered record;
BEGIN
    FOR altered IN
        SELECT d.objid, bool_or(entitle_internal.alters_rows(d.command)) AS has_other_rows
        FROM pg_event_trigger_ddl_commands() d
        WHERE d.classid = 'pg_class'::regclass AND d.object_type IN ('table', 'table column')
          AND EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = d.objid AND starts_with(g.tgname, 'entitle_adopted'))
        GROUP BY d.objid LOOP
        PERFORM entitle_internal.renew_adoptions(altered.objid);
        -- A new partition has the triggers of its root's rows alone (S390).
        IF tg_tag <> 'ALTER TABLE' OR altered.has_other_rows THEN
            PERFORM entitle_internal.install_adoption_triggers(r.root)
            FROM (SELECT coalesce(pg_partition_root(altered.objid), altered.objid) AS root) r
            WHERE EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = r.root AND entitle_internal.is_adoption_trigger(t, 32::smallint));
            PERFORM entitle_internal.follow_altered(altered.objid) WHERE altered.has_other_rows;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.follow_alteration() IS 'Event trigger: an adopted table''s declaration follows the names of its columns, and the model rows that ALTER TABLE changes';
REVOKE ALL ON FUNCTION entitle_internal.follow_alteration() FROM PUBLIC;

CREATE EVENT TRIGGER entitle_follow_alteration ON ddl_command_end WHEN TAG IN ('ALTER TABLE', 'CREATE TABLE', 'CREATE SCHEMA')
    EXECUTE FUNCTION entitle_internal.follow_alteration();
ALTER EVENT TRIGGER entitle_follow_alteration ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER entitle_follow_alteration IS 'The declaration of an adopted table follows the names of its columns';

-- SECURITY DEFINER: nobody writes the adoptions directly. It takes no argument, and ends what tables and
-- partitions gave that are not there.
CREATE FUNCTION entitle_internal.end_dropped_adoptions() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    adopted entitle.adoption;
BEGIN
    FOR adopted IN
        SELECT * FROM entitle.adoption a
        WHERE NOT a.is_forgotten AND a.source NOT IN (SELECT c.oid FROM pg_class c UNION ALL SELECT b.number FROM entitle.absent_relation b)
        ORDER BY a.adoption_id DESC
    LOOP
        UPDATE entitle.adoption a SET is_forgotten = true WHERE a.adoption_id = adopted.adoption_id;
        PERFORM entitle_internal.follow(adopted.adoption_id, NULL);
    END LOOP;
    -- A partition may be what was dropped. Whoever calls this by name has nobody's table locked that is in step; one that only
    -- seemed to differ, as it was being written, is let go (S430).
    FOR adopted IN
        SELECT a.* FROM entitle.adoption a JOIN pg_class c ON c.oid = a.source AND c.relkind = 'p'
        WHERE NOT a.is_forgotten
        ORDER BY a.adoption_id
    LOOP
        BEGIN
            IF EXISTS (SELECT
                       FROM entitle_internal.differing_rows(adopted) d
                       WHERE NOT EXISTS (SELECT FROM entitle.adoption_finding f WHERE f.adoption_id = adopted.adoption_id AND f.source_key = d.source_key)) THEN
                IF entitle_internal.follow(adopted.adoption_id, NULL) = 0 THEN
                    RAISE EXCEPTION 'nothing differs' USING ERRCODE = 'no_data_found', HINT = 'Nothing is to be done.';
                END IF;
            END IF;
        EXCEPTION
            WHEN no_data_found THEN NULL;
            WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
                 OR system_error THEN RAISE; -- tells of the server, not of what is looked at
            WHEN OTHERS THEN
                -- Another's table that cannot be read is in nobody's way; verify_adoption tells of it.
                IF entitle_internal.owns_table(adopted.source) THEN
                    RAISE;
                END IF;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.end_dropped_adoptions() IS 'Ends what adopted tables, and partitions of theirs, gave that were dropped';
GRANT EXECUTE ON FUNCTION entitle_internal.end_dropped_adoptions() TO PUBLIC;

CREATE FUNCTION entitle_internal.follow_drop() RETURNS event_trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    -- Not when the extension itself is dropped.
    IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() d WHERE d.object_type = 'trigger' AND d.address_names[3] = 'entitle_adopted')
       AND NOT EXISTS (SELECT FROM pg_event_trigger_dropped_objects() d WHERE d.object_type = 'extension') THEN
        PERFORM entitle_internal.end_dropped_adoptions();
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.follow_drop() IS 'Event trigger: what an adopted table gave ends when the table is dropped';
REVOKE ALL ON FUNCTION entitle_internal.follow_drop() FROM PUBLIC;

CREATE EVENT TRIGGER entitle_follow_drop ON sql_drop
    EXECUTE FUNCTION entitle_internal.follow_drop();
ALTER EVENT TRIGGER entitle_follow_drop ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER entitle_follow_drop IS 'What an adopted table gave ends when the table is dropped';

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
        SELECT format('%s is not logged: a crash empties it, and nothing that it gave ends', f), format('ALTER TABLE %s SET LOGGED;', f)
        FROM entitle_internal.protection_family(adopted.source) f
        JOIN pg_class c ON c.oid = f AND c.relpersistence <> 'p';
    RETURN QUERY
        SELECT format('its rows give to what is another owner''s: %s', t), 'SELECT entitle.forget_adopted(' || quote_literal(adopted.source::text) || ');'
        FROM entitle_internal.estranged_tables(adopted) AS t
        WHERE t IS NOT NULL;
    RETURN QUERY
        SELECT format('trigger %I of %s is missing, disabled or not ENABLE ALWAYS', e.name, e.member),
               CASE WHEN t.oid IS NULL THEN 'Adopt the table again.'
                    ELSE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I; SELECT entitle.sync_adopted(%L);', e.member, e.name, adopted.source) END
        FROM entitle_internal.adoption_triggers(adopted.source) e
        LEFT JOIN pg_trigger t ON t.tgrelid = e.member AND t.tgname = e.name AND entitle_internal.is_adoption_trigger(t, e.type)
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
                SELECT DISTINCT adopted.source::regclass, f.source_key, f.problem, 'Mend the row at its source.'
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
