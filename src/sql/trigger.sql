-- Triggers of others. The TRIGGER privilege, of which a GRANT ALL is enough, makes triggers that see whole rows, masked columns too,
-- and puts others in the place of those by which the extension refuses writes and keeps its log (S177). On protected tables, their
-- filtered views and the model only the owner makes any. An event trigger: it needs no library loaded.

CREATE FUNCTION entitle_internal.refuse_trigger() RETURNS event_trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT c.relname, n.nspname
        FROM pg_event_trigger_ddl_commands() d
        JOIN pg_trigger t ON t.oid = d.objid
        JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE d.classid = 'pg_trigger'::regclass AND NOT t.tgisinternal
          AND NOT pg_has_role(current_user, c.relowner, 'USAGE')
          AND (n.nspname = 'entitle' OR (entitle_internal.declaration(c.oid)).relation IS NOT NULL OR entitle_internal.view_relation(c.oid) IS NOT NULL)
    LOOP
        RAISE EXCEPTION 'permission denied to make a trigger of "%"', made.relname
            USING ERRCODE = '42501', TABLE = made.relname, SCHEMA = made.nspname,
                  HINT = 'The relation is protected: triggers see its rows whole, so its owner makes them.';
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.refuse_trigger() IS 'Event trigger: only owners make triggers of the model, of protected tables and of filtered views';
REVOKE ALL ON FUNCTION entitle_internal.refuse_trigger() FROM PUBLIC;

CREATE EVENT TRIGGER entitle_refuse_trigger ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER')
    EXECUTE FUNCTION entitle_internal.refuse_trigger();
ALTER EVENT TRIGGER entitle_refuse_trigger ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER entitle_refuse_trigger IS 'Only owners make triggers of the model, of protected tables and of filtered views';

-- Parts of protected tables that come later: privileges by default, or ON ALL TABLES, would show all their rows and masked columns,
-- statistics too, to whoever names the part (S202). They are closed at once, as row-level security without a policy is, and open
-- to the rules when the table is protected again. Queries of the table above ask that one's policies alone; what refuses writes row by
-- row, PostgreSQL copies to partitions, and an inheriting table gets it here, as both get what refuses TRUNCATE (S222). Foreign tables have no
-- row-level security at all, so they are refused (S212).

-- SECURITY DEFINER: whoever makes a part may not read the declarations.
CREATE FUNCTION entitle_internal.open_parts(relation regclass) RETURNS SETOF regclass
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    WITH RECURSIVE above (oid) AS (
        SELECT open_parts.relation::oid
        UNION
        SELECT i.inhparent FROM above a JOIN pg_inherits i ON i.inhrelid = a.oid)
    SELECT c.oid::regclass
    FROM above a
    JOIN entitle.protection p ON p.relation = a.oid
    CROSS JOIN LATERAL entitle_internal.protection_family(p.relation) f
    JOIN pg_class c ON c.oid = f AND c.oid <> p.relation
         AND (c.relkind = 'f'
              OR c.relkind IN ('r', 'p')
                 AND (NOT c.relrowsecurity
                      OR NOT EXISTS (SELECT
                                     FROM pg_trigger t
                                     WHERE t.tgrelid = c.oid AND t.tgname = 'entitle_truncate'
                                       AND t.tgfoid = 'entitle_internal.refuse_write()'::regprocedure)))
    -- What was protected, and is not any more, is told by verify_protection.
    WHERE NOT EXISTS (SELECT FROM entitle.protection_member m WHERE m.relation = c.oid AND m.table_name IS NOT NULL)
    $$;
COMMENT ON FUNCTION entitle_internal.open_parts(regclass) IS 'Parts of the protected table that a table is, or is a part of, that were not protected with it and have no row-level security or no triggers';
GRANT EXECUTE ON FUNCTION entitle_internal.open_parts(regclass) TO PUBLIC;

-- SECURITY DEFINER: nobody writes the records directly. It takes a part of the caller's, and reads the rest in the catalogues. Without
-- a name of its table: it is not protected yet.
CREATE FUNCTION entitle_internal.record_part(part regclass) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    WITH RECURSIVE above (oid) AS (
        SELECT o::oid FROM entitle_internal.open_parts(part) o WHERE o = part
        UNION
        SELECT i.inhparent FROM above a JOIN pg_inherits i ON i.inhrelid = a.oid),
    recorded AS (
        INSERT INTO entitle.protection_member (relation, root, rls_was_enabled, rls_was_forced)
        SELECT c.oid, p.relation, c.relrowsecurity, c.relforcerowsecurity
        FROM above a
        JOIN entitle.protection p ON p.relation = a.oid
        JOIN pg_class c ON c.oid = part AND c.relkind <> 'f'
        JOIN pg_roles r ON r.oid = entitle_internal.asking_role()
             AND pg_has_role(coalesce(entitle_internal.definer_in_charge(), r.oid), c.relowner, 'USAGE')
        LIMIT 1
        ON CONFLICT (relation) DO NOTHING
        RETURNING relation)
    DELETE FROM entitle.reported_protection r USING recorded p WHERE r.relation = p.relation -- it is enforced with its whole (S504)
    $$;
COMMENT ON FUNCTION entitle_internal.record_part(regclass) IS 'Writes down what was found on an open part of a protected table, for unprotect_table';
GRANT EXECUTE ON FUNCTION entitle_internal.record_part(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.close_parts() RETURNS event_trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    part regclass;
    is_foreign boolean;
    root regclass;
    is_restored boolean := false;
BEGIN
    IF entitle.acting_superuser() THEN
        is_restored := entitle_internal.restoring();
    END IF;
    -- A transaction that sees the state it began with leaves no part of what was protected since open (S389).
    IF EXISTS (WITH RECURSIVE above (oid) AS (
                   SELECT d.objid
                   FROM pg_event_trigger_ddl_commands() d
                   WHERE d.classid = 'pg_class'::regclass AND d.object_type IN ('table', 'foreign table')
                     AND EXISTS (SELECT FROM pg_inherits i WHERE d.objid IN (i.inhrelid, i.inhparent))
                   UNION
                   SELECT i.inhparent FROM above a JOIN pg_inherits i ON i.inhrelid = a.oid)
               SELECT FROM above a
               WHERE a.oid = ANY (entitle_internal.protected_numbers()) AND a.oid <> ALL (entitle_internal.declared_tables()::oid[])) THEN
        RAISE EXCEPTION 'could not serialize access: the table has been protected'
            USING ERRCODE = '40001', HINT = 'Try the transaction again.';
    END IF;
    FOR part, is_foreign IN
        SELECT DISTINCT o.part, c.relkind = 'f'
        FROM pg_event_trigger_ddl_commands() d
        CROSS JOIN LATERAL entitle_internal.open_parts(d.objid::regclass) AS o (part)
        JOIN pg_class c ON c.oid = o.part AND pg_has_role(current_user, c.relowner, 'USAGE')
        WHERE d.classid = 'pg_class'::regclass AND d.object_type IN ('table', 'foreign table')
          AND EXISTS (SELECT FROM pg_inherits i WHERE d.objid IN (i.inhrelid, i.inhparent))
          -- A foreign one that was there before, as in a restored database, is in nobody's way.
          AND (c.relkind <> 'f' OR EXISTS (SELECT FROM pg_inherits i
                                           WHERE i.inhrelid = c.oid AND age(i.xmin) <= age(pg_current_xact_id()::xid)))
    LOOP
        IF is_foreign THEN
            RAISE EXCEPTION 'partition "%" is a foreign table, which cannot be protected', part
                USING ERRCODE = '42809', HINT = 'Protect the table it stands for where that is, and query the two by a view over both filtered views.';
        END IF;
        PERFORM entitle_internal.record_part(part);
        IF NOT (SELECT c.relrowsecurity FROM pg_class c WHERE c.oid = part) THEN
            EXECUTE format('ALTER TABLE ONLY %s ENABLE ROW LEVEL SECURITY', part);
        END IF;
        -- Unless that statement, which comes by here by itself, has done it; a dump brings its own.
        root := (entitle_internal.declaration(part)).relation;
        IF root IS NOT NULL AND NOT is_restored AND part IN (SELECT o FROM entitle_internal.open_parts(part) o) THEN
            PERFORM entitle_internal.install_triggers(entitle_internal.declared_now(entitle_internal.declaration(part)), part);
        END IF;
    END LOOP;
    PERFORM entitle_internal.check_one_root(d.objid, r.root)
    FROM pg_event_trigger_ddl_commands() d
    CROSS JOIN LATERAL (SELECT (entitle_internal.declaration(d.objid)).relation::regclass) AS r (root)
    -- One that was protected by itself before is told by verify_protection.
    WHERE d.classid = 'pg_class'::regclass AND d.object_type = 'table' AND r.root <> d.objid
      AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = d.objid);
END
$$;
COMMENT ON FUNCTION entitle_internal.close_parts() IS 'Event trigger: a new part of a protected table shows nothing by itself until it is protected, too';
REVOKE ALL ON FUNCTION entitle_internal.close_parts() FROM PUBLIC;

CREATE EVENT TRIGGER entitle_close_parts ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE SCHEMA', 'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE')
    EXECUTE FUNCTION entitle_internal.close_parts();
ALTER EVENT TRIGGER entitle_close_parts ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER entitle_close_parts IS 'A new part of a protected table shows nothing by itself until it is protected, too';

-- And then they are protected, too (R67), with the rights of their owner. Where that cannot be done, such as where columns are masked and the
-- owner may not call protect_table, they stay closed, and verify_protection tells.

-- SECURITY DEFINER: as open_parts.
CREATE FUNCTION entitle_internal.closed_parts(relation regclass) RETURNS SETOF regclass
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT m.relation::regclass
    FROM entitle_internal.protection_family(closed_parts.relation) f
    JOIN entitle.protection_member m ON m.relation = f AND m.table_name IS NULL
    JOIN entitle.protection p ON p.relation = m.root
    -- Commands that close a part come by here, too, before it is closed.
    WHERE NOT EXISTS (SELECT
                      FROM entitle_internal.expected_triggers(entitle_internal.declared_now(p)) e
                      WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = f AND t.tgname = e.name AND t.tgenabled = 'A'))
    $$;
COMMENT ON FUNCTION entitle_internal.closed_parts(regclass) IS 'The table and its parts, those of them that were closed as parts of a protected table and are not protected yet';
GRANT EXECUTE ON FUNCTION entitle_internal.closed_parts(regclass) TO PUBLIC;

-- SECURITY DEFINER: as record_part. Returns: whether it was closed until now.
CREATE FUNCTION entitle_internal.note_part(part regclass) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    UPDATE entitle.protection_member m SET table_name = part::text
    WHERE m.relation = part AND m.table_name IS NULL AND entitle_internal.owns_table(part);
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION entitle_internal.note_part(regclass) IS 'Writes down that a closed part of the caller''s is protected now; verify_protection tells what it lacks';
GRANT EXECUTE ON FUNCTION entitle_internal.note_part(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.protect_part(part regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    declared entitle.protection := entitle_internal.declaration(part);
BEGIN
    IF jsonb_typeof(declared.masked_columns) IS DISTINCT FROM 'object' OR NOT entitle_internal.note_part(part) THEN
        RETURN;
    END IF;
    declared := entitle_internal.declared_now(declared);
    PERFORM entitle_internal.remove_protection(part), entitle_internal.install_protection(declared, part);
    IF entitle_internal.has_view(declared) THEN
        PERFORM entitle_internal.narrow_privileges(part, entitle_internal.masked_names(declared));
    END IF;
EXCEPTION
    WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
         OR system_error THEN RAISE; -- tells of the server, not of what is looked at
    WHEN OTHERS THEN
        RAISE NOTICE 'table "%" is closed: %', part, SQLERRM
            USING HINT = 'SELECT * FROM entitle.verify_protection() tells what protects it.';
END
$$;
COMMENT ON FUNCTION entitle_internal.protect_part(regclass) IS 'Protects a new part of a protected table as the whole is; where that fails it stays closed';
GRANT EXECUTE ON FUNCTION entitle_internal.protect_part(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.protect_parts() RETURNS event_trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    -- A dump brings policies and triggers of its own.
    IF entitle.acting_superuser() THEN
        IF entitle_internal.restoring() THEN
            RETURN;
        END IF;
    END IF;
    PERFORM entitle_internal.protect_part(c.part)
    FROM (SELECT DISTINCT p.part
          FROM pg_event_trigger_ddl_commands() d
          CROSS JOIN LATERAL entitle_internal.closed_parts(d.objid::regclass) AS p (part)
          JOIN pg_class c ON c.oid = p.part AND pg_has_role(current_user, c.relowner, 'USAGE')
          WHERE d.classid = 'pg_class'::regclass AND d.object_type = 'table') c;
END
$$;
COMMENT ON FUNCTION entitle_internal.protect_parts() IS 'Event trigger: a new part of a protected table is protected as the whole is';
REVOKE ALL ON FUNCTION entitle_internal.protect_parts() FROM PUBLIC;

-- By its name after entitle_close_parts. ALTER EVENT TRIGGER ... DISABLE leaves new parts closed.
CREATE EVENT TRIGGER entitle_protect_parts ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE SCHEMA')
    EXECUTE FUNCTION entitle_internal.protect_parts();
ALTER EVENT TRIGGER entitle_protect_parts ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER entitle_protect_parts IS 'A new part of a protected table is protected as the whole is';

-- Foreign keys of others: REFERENCES is part of a GRANT ALL, and a key of one's own that refers to a masked column asks for its
-- values, in all rows, with the rights of the table's owner (S201).
CREATE FUNCTION entitle_internal.refers_to_masked(key_constraint oid) RETURNS name
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    referring CONSTANT pg_constraint := (SELECT c FROM pg_constraint c WHERE c.oid = key_constraint);
    declared CONSTANT entitle.protection := entitle_internal.declaration(referring.confrelid);
    masked name[];
BEGIN
    IF declared.relation IS NULL THEN
        RETURN NULL;
    END IF;
    -- A declaration that makes no sense masks everything.
    IF jsonb_typeof(declared.masked_columns) = 'object' THEN
        masked := entitle_internal.masked_names(entitle_internal.mended_declaration(declared));
    END IF;
    RETURN (SELECT min(a.attname)
            FROM pg_attribute a
            WHERE a.attrelid = referring.confrelid AND a.attnum = ANY (referring.confkey) AND (a.attname = ANY (masked)) IS NOT FALSE);
END
$$;
COMMENT ON FUNCTION entitle_internal.refers_to_masked(oid) IS 'A masked column that a foreign key refers to; NULL when there is none';
GRANT EXECUTE ON FUNCTION entitle_internal.refers_to_masked(oid) TO PUBLIC;

CREATE FUNCTION entitle_internal.refuse_reference() RETURNS event_trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT c.relname, n.nspname, entitle_internal.refers_to_masked(k.oid) AS masked
        FROM pg_event_trigger_ddl_commands() d
        -- Those that were there before stay. Numbers of subtransactions come after that of their transaction.
        JOIN pg_constraint k ON k.conrelid = d.objid AND k.contype = 'f' AND age(k.xmin) <= age(pg_current_xact_id()::xid)
        JOIN pg_class c ON c.oid = k.confrelid AND NOT pg_has_role(current_user, c.relowner, 'USAGE')
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE d.classid = 'pg_class'::regclass
          AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = current_user AND r.rolbypassrls)
    LOOP
        CONTINUE WHEN made.masked IS NULL;
        RAISE EXCEPTION 'permission denied to refer to column "%" of "%"', made.masked, made.relname
            USING ERRCODE = '42501', TABLE = made.relname, SCHEMA = made.nspname, COLUMN = made.masked,
                  HINT = 'The column is masked: a foreign key would tell its values, so the table''s owner makes it.';
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.refuse_reference() IS 'Event trigger: nobody but the owner makes a foreign key that refers to a masked column';
REVOKE ALL ON FUNCTION entitle_internal.refuse_reference() FROM PUBLIC;

CREATE EVENT TRIGGER entitle_refuse_reference ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE SCHEMA')
    EXECUTE FUNCTION entitle_internal.refuse_reference();
ALTER EVENT TRIGGER entitle_refuse_reference ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER entitle_refuse_reference IS 'Nobody but the owner makes a foreign key that refers to a masked column';

-- PostgreSQL checks a foreign key with the rights of the owner of the table that it refers to, by the functions that convert its columns:
-- those of whoever owns the column's type (S525). Looked at when the key is recorded, before any row is checked, which would tell a masked
-- value, too (S527); for that the library must be loaded.
CREATE FUNCTION entitle_internal.watch_foreign_keys() RETURNS event_trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_watch_foreign_keys';
COMMENT ON FUNCTION entitle_internal.watch_foreign_keys() IS 'Event trigger: the library is loaded before a foreign key is made, and looks at it';
REVOKE ALL ON FUNCTION entitle_internal.watch_foreign_keys() FROM PUBLIC;

CREATE EVENT TRIGGER entitle_watch_foreign_keys ON ddl_command_start WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE SCHEMA')
    EXECUTE FUNCTION entitle_internal.watch_foreign_keys();
ALTER EVENT TRIGGER entitle_watch_foreign_keys ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER entitle_watch_foreign_keys IS 'The library is loaded before a foreign key is made, and looks at it';

CREATE FUNCTION entitle_internal.refuse_domain_check() RETURNS event_trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_refuse_domain_check';
COMMENT ON FUNCTION entitle_internal.refuse_domain_check() IS 'Event trigger: a domain''s owner has no rows of others'' protected tables checked';
REVOKE ALL ON FUNCTION entitle_internal.refuse_domain_check() FROM PUBLIC;

CREATE EVENT TRIGGER entitle_refuse_domain_check ON ddl_command_start WHEN TAG IN ('ALTER DOMAIN')
    EXECUTE FUNCTION entitle_internal.refuse_domain_check();
ALTER EVENT TRIGGER entitle_refuse_domain_check ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER entitle_refuse_domain_check IS 'A domain''s owner has no rows of others'' protected tables checked';
