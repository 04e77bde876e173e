-- The ways out of a guarded schema's keeping: a table is excepted with a reason, or the schema is guarded no more. Either puts back what
-- closing the table found.

-- As the caller, who owns the table. Requires: it is not written down as closed any more.
CREATE FUNCTION entitle_internal.open_table(closed entitle.guarded_table) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    relation CONSTANT regclass := closed.relation;
    held record;
BEGIN
    IF (SELECT c.relkind IN ('r', 'p') FROM pg_class c WHERE c.oid = relation) THEN
        EXECUTE format('DROP TRIGGER IF EXISTS entitle_closed ON %s', relation);
        EXECUTE format('DROP POLICY IF EXISTS entitle_closed ON %s', relation);
        IF NOT closed.rls_was_enabled THEN
            EXECUTE format('ALTER TABLE ONLY %s DISABLE ROW LEVEL SECURITY', relation);
        END IF;
        RETURN;
    END IF;
    FOR held IN
        SELECT p.*, EXISTS (SELECT FROM pg_roles r WHERE (r.oid, r.rolname) = (p.number, p.grantee)) OR p.grantee = 'public' AS is_known
        FROM jsonb_to_recordset(closed.privileges)
             AS p (position integer, column_name name, grantee name, privilege text, is_grantable boolean, number oid) LOOP
        -- Under its old name a renamed role could be another one by now.
        IF held.is_known THEN
            PERFORM entitle_internal.grant_privilege(relation, held.privilege, ARRAY[held.column_name], held.grantee, held.is_grantable)
            WHERE held.column_name IS NOT NULL;
            PERFORM entitle_internal.grant_privilege(relation, held.privilege, NULL, held.grantee, held.is_grantable)
            WHERE held.column_name IS NULL;
        ELSE
            RAISE WARNING 'role "%" is not granted % on "%" again: there is no such role, or it is another one', held.grantee, held.privilege, relation;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.open_table(entitle.guarded_table) IS 'Puts back what closing a table found';
GRANT EXECUTE ON FUNCTION entitle_internal.open_table(entitle.guarded_table) TO PUBLIC;

-- SECURITY DEFINER: nobody writes the records directly. It forgets what is the caller's to open, and gives it back.
CREATE FUNCTION entitle_internal.forget_guard(schema name) RETURNS SETOF entitle.guarded_table
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    schema_number CONSTANT oid := entitle_internal.find_schema(schema, 'entitle.unguard_schema(name)');
    other regclass;
BEGIN
    IF schema_number NOT IN (SELECT g FROM entitle_internal.guarded_schemas() g) THEN
        RAISE EXCEPTION 'schema "%" is not guarded', schema
            USING ERRCODE = '42704', HINT = 'entitle.guarded_schema lists those that are.';
    END IF;
    SELECT c.oid::regclass INTO other
    FROM entitle.guarded_table t
    JOIN pg_class c ON c.oid = t.relation AND c.relnamespace = schema_number
    WHERE t.state = 'closed' AND entitle_internal.owns_table(c.oid) IS NOT TRUE
    ORDER BY c.oid
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'must be owner of table "%"', other
            USING ERRCODE = '42501', HINT = 'It is closed, and opens with its schema: ask its owner or a superuser.';
    END IF;
    DELETE FROM entitle.guarded_schema g WHERE g.name = forget_guard.schema OR g.number = schema_number;
    -- Of tables that are gone; who has one of these locked keeps nobody from making others (S439).
    DELETE FROM entitle.guarded_table t
    WHERE t.ctid IN (SELECT g.ctid FROM entitle.guarded_table g
                     WHERE g.relation NOT IN (SELECT c.oid FROM pg_class c UNION ALL SELECT a.number FROM entitle.absent_relation a)
                     FOR UPDATE SKIP LOCKED);
    RETURN QUERY
        DELETE FROM entitle.guarded_table t
        USING pg_class c
        WHERE c.oid = t.relation AND c.relnamespace = schema_number
        RETURNING t.*;
END
$$;
COMMENT ON FUNCTION entitle_internal.forget_guard(name) IS 'Forgets a guarded schema and gives back what was found on its tables';
GRANT EXECUTE ON FUNCTION entitle_internal.forget_guard(name) TO PUBLIC;

CREATE FUNCTION entitle_internal.unguard_schema_steps(schema name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM entitle_internal.open_table(t) FROM entitle_internal.forget_guard(schema) t WHERE t.state = 'closed';
END
$$;
COMMENT ON FUNCTION entitle_internal.unguard_schema_steps(name) IS 'What unguard_schema does';
REVOKE ALL ON FUNCTION entitle_internal.unguard_schema_steps(name) FROM PUBLIC;

CREATE FUNCTION entitle.unguard_schema(schema name) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.unguard_schema(name) IS
    'Ends what guard_schema began, and opens the tables that it closed as they were made; protected ones stay protected'
    '. Raises 42501: the caller does not own the schema, or a closed table in it; 22004: no schema is given; 3F000: there is none of that name; '
    '42809: it is PostgreSQL''s or entitle''s; 42704: it is not guarded';
REVOKE ALL ON FUNCTION entitle.unguard_schema(name) FROM PUBLIC;

-- SECURITY DEFINER: as forget_guard. Returns: what is to be put back; NULL when the table was open.
CREATE FUNCTION entitle_internal.record_exception(relation regclass, reason text) RETURNS entitle.guarded_table
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    before entitle.guarded_table;
    noted_by CONSTANT name := pg_get_userbyid(entitle_internal.asking_role());
BEGIN
    IF relation IS NULL OR reason IS NULL THEN
        RAISE EXCEPTION 'no table or no reason is given' USING ERRCODE = '22004', HINT = 'Give the table''s name, and why everybody may read it.';
    ELSIF btrim(reason, E' \t\n\r') = '' OR octet_length(reason) > 1000 THEN
        RAISE EXCEPTION 'the reason is blank or longer than 1000 bytes' USING ERRCODE = '22023', HINT = 'Say why the table needs no protection.';
    ELSIF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = relation AND c.relkind IN ('r', 'p', 'm', 'f')) THEN
        RAISE EXCEPTION 'relation "%" is no table', relation USING ERRCODE = '42809', HINT = 'Tables, materialized views and foreign tables are closed.';
    ELSIF entitle_internal.owns_table(relation) IS NOT TRUE
          OR NOT has_function_privilege(entitle_internal.asking_role(), 'entitle.except_table(regclass,text)', 'EXECUTE') THEN
        RAISE EXCEPTION 'permission denied to except table "%"', relation
            USING ERRCODE = '42501', HINT = 'It takes the table''s owner, with EXECUTE on entitle.except_table.';
    ELSIF EXISTS (SELECT FROM entitle.protection_member m WHERE m.relation = record_exception.relation) THEN
        RAISE EXCEPTION 'table "%" is protected', relation USING ERRCODE = '55000', HINT = 'It needs no exception; unprotect_table comes first.';
    END IF;
    SELECT * INTO before FROM entitle.guarded_table t WHERE t.relation = record_exception.relation;
    IF before.relation IS NULL AND (SELECT c.relnamespace FROM pg_class c WHERE c.oid = relation) NOT IN (SELECT g FROM entitle_internal.guarded_schemas() g) THEN
        RAISE EXCEPTION 'table "%" is in no guarded schema', relation USING ERRCODE = '55000', HINT = 'Nothing closed it, so it needs no exception.';
    END IF;
    INSERT INTO entitle.guarded_table AS t (relation, state, reason, noted_by)
    VALUES (relation, 'excepted', reason, noted_by)
    ON CONFLICT ON CONSTRAINT guarded_table_pkey DO UPDATE SET
        state = 'excepted', reason = excluded.reason, noted_by = excluded.noted_by, noted_at = excluded.noted_at,
        rls_was_enabled = false, privileges = '[]';
    RETURN CASE WHEN before.state = 'closed' THEN before END;
END
$$;
COMMENT ON FUNCTION entitle_internal.record_exception(regclass, text) IS 'Writes down that a table is excepted, and gives back what was found on it';
GRANT EXECUTE ON FUNCTION entitle_internal.record_exception(regclass, text) TO PUBLIC;

CREATE FUNCTION entitle_internal.except_table_steps(relation regclass, reason text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    closed CONSTANT entitle.guarded_table := entitle_internal.record_exception(relation, reason);
BEGIN
    IF closed.relation IS NOT NULL THEN
        PERFORM entitle_internal.open_table(closed);
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.except_table_steps(regclass, text) IS 'What except_table does';
REVOKE ALL ON FUNCTION entitle_internal.except_table_steps(regclass, text) FROM PUBLIC;

CREATE FUNCTION entitle.except_table(relation regclass, reason text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.except_table(regclass, text) IS
    'Opens a table of a guarded schema without protecting it, as it was made, and keeps the reason; read it in guarded_tables'
    '. Raises 42501: the caller does not own the table; 22004, 22023: an argument is missing, or the reason is blank or too long; '
    '42809: it is no table; 55000: it is protected, or in no guarded schema';
REVOKE ALL ON FUNCTION entitle.except_table(regclass, text) FROM PUBLIC;

-- lint: what the event trigger could not close, because it was switched off or the table is another's.
CREATE FUNCTION entitle_internal.lint_guard() RETURNS SETOF entitle.finding
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT 'error', u.relation::text, 'the table is in a guarded schema, neither protected, closed nor excepted',
           format('SELECT entitle.guard_schema(%L);', (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = u.relation))
    FROM entitle_internal.unnoted_tables() u
    $$;
COMMENT ON FUNCTION entitle_internal.lint_guard() IS 'lint: open tables of guarded schemas';
REVOKE ALL ON FUNCTION entitle_internal.lint_guard() FROM PUBLIC;
