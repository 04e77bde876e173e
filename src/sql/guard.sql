-- Guarded schemas (R67): a table that comes there is closed to everybody but its owner until it is protected, or excepted with a
-- reason. An event trigger closes it in the transaction that brings it, so nobody meets it open; it needs no library loaded and no
-- superuser. Whatever is in a guarded schema and not written down is closed, however it came.

CREATE TABLE entitle.guarded_schema (
    name name PRIMARY KEY,
    number oid
);
COMMENT ON TABLE entitle.guarded_schema IS 'The schemas in which new tables are born closed';
COMMENT ON COLUMN entitle.guarded_schema.number IS 'The schema that bore the name when the row was written, never believed from input: a renamed one stays guarded';

CREATE TABLE entitle.guarded_table (
    relation entitle.relation_name PRIMARY KEY,
    state text NOT NULL CONSTRAINT guarded_table_state_check CHECK (state IN ('before', 'closing', 'closed', 'excepted')),
    reason text CONSTRAINT guarded_table_reason_check CHECK (octet_length(reason) BETWEEN 1 AND 1000),
    rls_was_enabled boolean NOT NULL DEFAULT false,
    privileges jsonb NOT NULL DEFAULT '[]',
    noted_by name NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT statement_timestamp()
);
COMMENT ON TABLE entitle.guarded_table IS 'Tables of guarded schemas that are not protected: there before, closed, or excepted';
COMMENT ON COLUMN entitle.guarded_table.rls_was_enabled IS 'Put back when the table is opened';
COMMENT ON COLUMN entitle.guarded_table.privileges IS 'What was taken from others on a relation that has no row-level security; put back when it is opened';

ALTER TABLE entitle.guarded_schema ENABLE ROW LEVEL SECURITY;
ALTER TABLE entitle.guarded_table ENABLE ROW LEVEL SECURITY;

CREATE VIEW entitle.guarded_tables AS
    SELECT t.relation::pg_catalog.regclass AS relation, n.nspname AS schema, t.state, t.reason, t.noted_by, t.noted_at
    FROM entitle.guarded_table t
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.relation
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace;
COMMENT ON VIEW entitle.guarded_tables IS 'The tables of guarded schemas that are not protected, and why each is as it is';

CREATE FUNCTION entitle_internal.number_schema() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    NEW.number := (SELECT n.oid FROM pg_namespace n WHERE n.nspname = NEW.name);
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION entitle_internal.number_schema() IS 'Trigger: sets the OID of a schema from its name; NULL when there is none';
REVOKE ALL ON FUNCTION entitle_internal.number_schema() FROM PUBLIC;

CREATE TRIGGER entitle_number_schema BEFORE INSERT ON entitle.guarded_schema
    FOR EACH ROW EXECUTE FUNCTION entitle_internal.number_schema();
ALTER TABLE entitle.guarded_schema ENABLE ALWAYS TRIGGER entitle_number_schema;
COMMENT ON TRIGGER entitle_number_schema ON entitle.guarded_schema IS 'Binds the row to the schema that exists now';

CREATE FUNCTION entitle_internal.guarded_numbers() RETURNS oid[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_guarded_numbers';
COMMENT ON FUNCTION entitle_internal.guarded_numbers() IS 'The schemas that are guarded, as others have committed it by now, whatever the isolation level';
REVOKE ALL ON FUNCTION entitle_internal.guarded_numbers() FROM PUBLIC;

-- The functions from here on that PUBLIC may execute run with the caller's own rights, or take nothing that the caller may not say to
-- ALTER TABLE. SECURITY DEFINER: whoever makes a table may not read what is written down.
CREATE FUNCTION entitle_internal.guarded_schemas() RETURNS SETOF oid
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 2
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT unnest(entitle_internal.guarded_numbers())
    $$;
COMMENT ON FUNCTION entitle_internal.guarded_schemas() IS 'The schemas that are guarded';
GRANT EXECUTE ON FUNCTION entitle_internal.guarded_schemas() TO PUBLIC;

-- SECURITY DEFINER: as guarded_schemas.
CREATE FUNCTION entitle_internal.unnoted_tables() RETURNS TABLE (relation regclass, kind "char", owner oid)
    LANGUAGE plpgsql STABLE PARALLEL SAFE -- its plan is kept: it is asked after every command
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    guarded CONSTANT oid[] := entitle_internal.guarded_numbers();
BEGIN
    IF coalesce(cardinality(guarded), 0) > 0 THEN
        RETURN QUERY
            SELECT c.oid::regclass, c.relkind, c.relowner
            FROM pg_class c
            WHERE c.relnamespace = ANY (guarded) AND c.relkind IN ('r', 'p', 'm', 'f')
              AND NOT EXISTS (SELECT FROM entitle.guarded_table t WHERE t.relation = c.oid)
              AND NOT EXISTS (SELECT FROM entitle.protection_member m WHERE m.relation = c.oid)
            ORDER BY c.oid;
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.unnoted_tables() IS 'Tables of guarded schemas that are neither protected nor written down: new ones';
GRANT EXECUTE ON FUNCTION entitle_internal.unnoted_tables() TO PUBLIC;

CREATE FUNCTION entitle_internal.is_closed(relation regclass) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN c.relkind IN ('r', 'p')
                THEN c.relrowsecurity
                     -- Restrictive: no policy that is added beside it opens the table.
                     AND EXISTS (SELECT
                                 FROM pg_policy p
                                 WHERE p.polrelid = c.oid AND p.polname = 'entitle_closed' AND NOT p.polpermissive AND p.polcmd = '*'
                                   AND p.polroles = '{0}' AND pg_get_expr(p.polqual, p.polrelid) = 'false' AND p.polwithcheck IS NULL)
                     AND EXISTS (SELECT
                                 FROM pg_trigger t
                                 WHERE t.tgrelid = c.oid AND t.tgname = 'entitle_closed' AND t.tgenabled = 'A'
                                   AND t.tgfoid = 'entitle_internal.refuse_write()'::regprocedure)
                ELSE NOT EXISTS (SELECT FROM entitle_internal.table_privileges(c.oid)) END
    FROM pg_class c
    WHERE c.oid = is_closed.relation
    $$;
COMMENT ON FUNCTION entitle_internal.is_closed(regclass) IS 'Whether a table is closed to everybody but its owner as guard_schema closes it';
GRANT EXECUTE ON FUNCTION entitle_internal.is_closed(regclass) TO PUBLIC;

-- SECURITY DEFINER: as guarded_schemas.
CREATE FUNCTION entitle_internal.reopened_tables() RETURNS TABLE (relation regclass, kind "char", owner oid)
    LANGUAGE plpgsql STABLE PARALLEL SAFE -- as unnoted_tables
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN QUERY
        SELECT c.oid::regclass, c.relkind, c.relowner
        FROM entitle.guarded_table t
        JOIN pg_class c ON c.oid = t.relation
        WHERE t.state = 'closed' AND NOT entitle_internal.is_closed(c.oid)
        ORDER BY c.oid;
END
$$;
COMMENT ON FUNCTION entitle_internal.reopened_tables() IS 'Tables that were closed and that somebody opened by hand';
GRANT EXECUTE ON FUNCTION entitle_internal.reopened_tables() TO PUBLIC;

CREATE FUNCTION entitle_internal.owns_table(relation regclass) RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
    -- As may_declare asks.
    SELECT pg_has_role(coalesce(entitle_internal.definer_in_charge(), entitle_internal.asking_role()), c.relowner, 'USAGE')
    FROM pg_class c
    WHERE c.oid = owns_table.relation
    $$;
COMMENT ON FUNCTION entitle_internal.owns_table(regclass) IS 'Whether whoever is in charge owns the table';
GRANT EXECUTE ON FUNCTION entitle_internal.owns_table(regclass) TO PUBLIC;

-- SECURITY DEFINER: nobody writes the records directly. It takes a new table of the caller's, and reads the rest in the catalogues.
CREATE FUNCTION entitle_internal.note_closing(relation regclass) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF entitle_internal.owns_table(relation) IS NOT TRUE THEN
        RAISE EXCEPTION 'must be owner of table "%"', relation
            USING ERRCODE = '42501', HINT = 'Ask its owner or a superuser.';
    END IF;
    -- Of tables that are gone; who has one of these locked keeps nobody from making others (S439).
    DELETE FROM entitle.guarded_table t
    WHERE t.ctid IN (SELECT g.ctid FROM entitle.guarded_table g
                     WHERE g.relation NOT IN (SELECT c.oid FROM pg_class c UNION ALL SELECT a.number FROM entitle.absent_relation a)
                     FOR UPDATE SKIP LOCKED);
    INSERT INTO entitle.guarded_table (relation, state, rls_was_enabled, noted_by)
    SELECT c.oid, 'closing', c.relrowsecurity, pg_get_userbyid(entitle_internal.asking_role())
    FROM entitle_internal.unnoted_tables() u
    JOIN pg_class c ON c.oid = u.relation
    WHERE u.relation = note_closing.relation;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION entitle_internal.note_closing(regclass) IS 'Writes down a new table of a guarded schema before it is closed; false when it is known';
GRANT EXECUTE ON FUNCTION entitle_internal.note_closing(regclass) TO PUBLIC;

-- SECURITY DEFINER: as note_closing.
CREATE FUNCTION entitle_internal.note_privileges(relation regclass) RETURNS SETOF name
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF entitle_internal.owns_table(relation) IS NOT TRUE THEN
        RAISE EXCEPTION 'must be owner of table "%"', relation
            USING ERRCODE = '42501', HINT = 'Ask its owner or a superuser.';
    END IF;
    UPDATE entitle.guarded_table t
    SET privileges = t.privileges
        || (SELECT coalesce(jsonb_agg(to_jsonb(p) || jsonb_build_object('number', (SELECT r.oid FROM pg_roles r WHERE r.rolname = p.grantee))
                                      ORDER BY p.position), '[]')
            FROM entitle_internal.table_privileges(note_privileges.relation) p)
    WHERE t.relation = note_privileges.relation AND t.state IN ('closing', 'closed');
    IF FOUND THEN
        RETURN QUERY SELECT DISTINCT p.grantee FROM entitle_internal.table_privileges(note_privileges.relation) p;
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.note_privileges(regclass) IS 'Writes down the privileges that are about to be taken, and gives the roles that hold them';
GRANT EXECUTE ON FUNCTION entitle_internal.note_privileges(regclass) TO PUBLIC;

-- SECURITY DEFINER: as note_closing. It believes what it sees.
CREATE FUNCTION entitle_internal.note_closed(relation regclass) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    UPDATE entitle.guarded_table t SET state = 'closed'
    WHERE t.relation = note_closed.relation AND t.state = 'closing' AND entitle_internal.is_closed(note_closed.relation)
    $$;
COMMENT ON FUNCTION entitle_internal.note_closed(regclass) IS 'Writes down that a table is closed now';
GRANT EXECUTE ON FUNCTION entitle_internal.note_closed(regclass) TO PUBLIC;

-- SECURITY DEFINER: as guarded_schemas.
CREATE FUNCTION entitle_internal.is_closing(relation regclass) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT EXISTS (SELECT FROM entitle.guarded_table t WHERE t.relation = is_closing.relation AND t.state = 'closing')
    $$;
COMMENT ON FUNCTION entitle_internal.is_closing(regclass) IS 'Whether a table is written down to be closed and is not yet';
GRANT EXECUTE ON FUNCTION entitle_internal.is_closing(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.take_privileges(relation regclass) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT entitle_internal.revoke_privilege(relation, 'ALL', g) FROM entitle_internal.note_privileges(relation) AS g
    $$;
COMMENT ON FUNCTION entitle_internal.take_privileges(regclass) IS 'Takes all privileges from others on a relation that has no row-level security';
GRANT EXECUTE ON FUNCTION entitle_internal.take_privileges(regclass) TO PUBLIC;

-- Its owner fills it and goes on with the migration: row-level security is not forced. Of a table that is written down to be closed.
CREATE FUNCTION entitle_internal.close_table(relation regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT entitle_internal.is_closing(relation) THEN
        RETURN;
    ELSIF (SELECT c.relkind IN ('r', 'p') FROM pg_class c WHERE c.oid = relation) THEN
        EXECUTE format('CREATE POLICY entitle_closed ON %s AS RESTRICTIVE USING (false)', relation);
        EXECUTE format('CREATE TRIGGER entitle_closed BEFORE TRUNCATE ON %s FOR EACH STATEMENT'
                       ' WHEN (pg_catalog.row_security_active(%L::pg_catalog.regclass::oid)) EXECUTE FUNCTION entitle_internal.refuse_write()',
                       relation, relation);
        EXECUTE format('ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER entitle_closed', relation);
        EXECUTE format('ALTER TABLE ONLY %s ENABLE ROW LEVEL SECURITY', relation);
    ELSE
        PERFORM entitle_internal.take_privileges(relation);
    END IF;
    PERFORM entitle_internal.note_closed(relation);
END
$$;
COMMENT ON FUNCTION entitle_internal.close_table(regclass) IS 'Closes a table that is written down to be closed';
GRANT EXECUTE ON FUNCTION entitle_internal.close_table(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.close_new_tables() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    made record;
BEGIN
    FOR made IN SELECT u.* FROM entitle_internal.unnoted_tables() u LOOP
        -- One of another's is told by lint. Commands of close_table come by here by themselves.
        IF pg_has_role(current_user, made.owner, 'USAGE') AND entitle_internal.note_closing(made.relation) THEN
            PERFORM entitle_internal.close_table(made.relation);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.close_new_tables() IS 'Closes the new tables of guarded schemas that are the caller''s';
GRANT EXECUTE ON FUNCTION entitle_internal.close_new_tables() TO PUBLIC;

-- SECURITY DEFINER: as note_closing.
CREATE FUNCTION entitle_internal.rename_guards() RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    UPDATE entitle.guarded_schema g SET name = n.nspname FROM pg_namespace n WHERE n.oid = g.number AND n.nspname <> g.name
    $$;
COMMENT ON FUNCTION entitle_internal.rename_guards() IS 'Has renamed schemas be guarded under their new names';
GRANT EXECUTE ON FUNCTION entitle_internal.rename_guards() TO PUBLIC;

CREATE FUNCTION entitle_internal.guard_command() RETURNS event_trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    made record;
    is_restored boolean := false;
BEGIN
    IF entitle.acting_superuser() THEN
        is_restored := entitle_internal.restoring();
    END IF;
    IF tg_tag = 'ALTER SCHEMA' THEN
        PERFORM entitle_internal.rename_guards();
    END IF;
    PERFORM entitle_internal.close_new_tables();
    -- A dump closes by its last commands what it brings written down as closed.
    FOR made IN SELECT r.* FROM entitle_internal.reopened_tables() r WHERE NOT is_restored LOOP
        -- GRANT ... ON ALL TABLES is no wish to open what has no row-level security.
        IF made.kind IN ('m', 'f') AND pg_has_role(current_user, made.owner, 'USAGE') THEN
            PERFORM entitle_internal.take_privileges(made.relation);
        ELSE
            RAISE EXCEPTION 'table "%" is closed until it is protected or excepted', made.relation
                USING ERRCODE = '42501', HINT = 'Its schema is guarded: call entitle.protect_table, or entitle.except_table with a reason.';
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.guard_command() IS 'Event trigger: new tables of guarded schemas are closed, and stay so';
REVOKE ALL ON FUNCTION entitle_internal.guard_command() FROM PUBLIC;

-- By its name after entitle_close_parts: what that writes down needs no closing.
CREATE EVENT TRIGGER entitle_guard_command ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE', 'CREATE SCHEMA', 'ALTER SCHEMA', 'CREATE FOREIGN TABLE',
                 'ALTER FOREIGN TABLE', 'IMPORT FOREIGN SCHEMA', 'CREATE MATERIALIZED VIEW', 'ALTER MATERIALIZED VIEW', 'CREATE EXTENSION',
                 'ALTER EXTENSION', 'GRANT', 'ALTER POLICY', 'DROP POLICY', 'ALTER TRIGGER', 'DROP TRIGGER')
    EXECUTE FUNCTION entitle_internal.guard_command();
ALTER EVENT TRIGGER entitle_guard_command ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER entitle_guard_command IS 'New tables of guarded schemas are closed, and stay so';

CREATE FUNCTION entitle_internal.may_guard(schema oid, through regprocedure) RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT has_function_privilege(r.oid, through, 'EXECUTE') AND pg_has_role(r.oid, n.nspowner, 'USAGE')
           AND pg_has_role(coalesce(entitle_internal.definer_in_charge(), r.oid), n.nspowner, 'USAGE')
    FROM pg_roles r, pg_namespace n
    WHERE r.oid = entitle_internal.asking_role() AND n.oid = schema
    $$;
COMMENT ON FUNCTION entitle_internal.may_guard(oid, regprocedure) IS 'Whether the session''s role owns the schema and may execute the function';
GRANT EXECUTE ON FUNCTION entitle_internal.may_guard(oid, regprocedure) TO PUBLIC;

CREATE FUNCTION entitle_internal.find_schema(schema name, through regprocedure) RETURNS oid
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    number CONSTANT oid := (SELECT n.oid FROM pg_namespace n WHERE n.nspname = schema);
BEGIN
    IF schema IS NULL THEN
        RAISE EXCEPTION 'no schema is given' USING ERRCODE = '22004', HINT = 'Give the name of the schema.';
    ELSIF number IS NULL THEN
        RAISE EXCEPTION 'schema "%" does not exist', schema USING ERRCODE = '3F000', HINT = 'Give the name of a schema as it is, without quotes.';
    ELSIF schema ~ '^pg_' OR schema IN ('information_schema', 'entitle', 'entitle_internal') THEN
        RAISE EXCEPTION 'schema "%" cannot be guarded', schema
            USING ERRCODE = '42809', HINT = 'Those of PostgreSQL and of entitle are none of an application''s.';
    ELSIF entitle_internal.may_guard(number, through) IS NOT TRUE THEN
        RAISE EXCEPTION 'permission denied to guard schema "%"', schema
            USING ERRCODE = '42501', HINT = format('It takes the schema''s owner, with EXECUTE on %s.', through);
    END IF;
    RETURN number;
END
$$;
COMMENT ON FUNCTION entitle_internal.find_schema(name, regprocedure) IS 'The schema of that name, which the session''s role may guard';
GRANT EXECUTE ON FUNCTION entitle_internal.find_schema(name, regprocedure) TO PUBLIC;

CREATE FUNCTION entitle_internal.await_makers(schema oid) RETURNS void
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_await_makers';
COMMENT ON FUNCTION entitle_internal.await_makers(oid) IS
    'Waits until every other transaction that made something in a schema has ended, and keeps others from making anything until this one has';
REVOKE ALL ON FUNCTION entitle_internal.await_makers(oid) FROM PUBLIC;

-- SECURITY DEFINER: nobody writes the records directly. What is there already stays as it is.
CREATE FUNCTION entitle_internal.record_guard(schema name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    number CONSTANT oid := entitle_internal.find_schema(schema, 'entitle.guard_schema(name)');
BEGIN
    IF number IN (SELECT g FROM entitle_internal.guarded_schemas() g) THEN
        RETURN;
    END IF;
    -- A table that is being made would be neither there before nor new (S382).
    PERFORM entitle_internal.await_makers(number);
    -- A schema that bore the name before, and bears another one now, is named again first.
    PERFORM entitle_internal.rename_guards();
    INSERT INTO entitle.guarded_schema (name) VALUES (schema);
    INSERT INTO entitle.guarded_table (relation, state, noted_by)
    SELECT u.relation, 'before', pg_get_userbyid(entitle_internal.asking_role()) FROM entitle_internal.unnoted_tables() u
    WHERE number = (SELECT c.relnamespace FROM pg_class c WHERE c.oid = u.relation);
END
$$;
COMMENT ON FUNCTION entitle_internal.record_guard(name) IS 'Writes down that a schema is guarded, and what was there before';
GRANT EXECUTE ON FUNCTION entitle_internal.record_guard(name) TO PUBLIC;

CREATE FUNCTION entitle_internal.guard_schema_steps(schema name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM entitle_internal.record_guard(schema);
    PERFORM entitle_internal.close_new_tables();
END
$$;
COMMENT ON FUNCTION entitle_internal.guard_schema_steps(name) IS 'What guard_schema does';
REVOKE ALL ON FUNCTION entitle_internal.guard_schema_steps(name) FROM PUBLIC;

CREATE FUNCTION entitle.guard_schema(schema name) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.guard_schema(name) IS
    'From now on new tables of the schema are closed to everybody but their owners until they are protected or excepted; those that are there stay as they are'
    '. Raises 42501: the caller does not own the schema; 22004: no schema is given; 3F000: there is none of that name; 42809: it is PostgreSQL''s or entitle''s';
REVOKE ALL ON FUNCTION entitle.guard_schema(name) FROM PUBLIC;
