-- The row tests, and the policies and triggers of a protected table that call them.

-- The row tests. LEAKPROOF: no error or message depends on an argument.
CREATE FUNCTION entitle.row_allowed(permission text, level integer, customer "any") RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE LEAKPROOF COST 4 SUPPORT entitle_internal.row_allowed_support
    AS 'MODULE_PATHNAME', 'entitle_row_allowed';
COMMENT ON FUNCTION entitle.row_allowed(text, integer, "any") IS
    'Row test: the permission in the current brand, or at least the level on the row''s customer; NULL closes that way in';
GRANT EXECUTE ON FUNCTION entitle.row_allowed(text, integer, "any") TO PUBLIC;

CREATE FUNCTION entitle.row_allowed(permission text, level integer, customer "any", on_date "any") RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE LEAKPROOF COST 4 SUPPORT entitle_internal.row_allowed_support
    AS 'MODULE_PATHNAME', 'entitle_row_allowed';
COMMENT ON FUNCTION entitle.row_allowed(text, integer, "any", "any") IS
    'Row test of a dated table: external access also needs the date inside its window (R38, R39)';
GRANT EXECUTE ON FUNCTION entitle.row_allowed(text, integer, "any", "any") TO PUBLIC;

CREATE FUNCTION entitle.brand_row_allowed(permission text, brand "any", level integer, customer "any") RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE LEAKPROOF COST 4 SUPPORT entitle_internal.brand_row_allowed_support
    AS 'MODULE_PATHNAME', 'entitle_brand_row_allowed';
COMMENT ON FUNCTION entitle.brand_row_allowed(text, "any", integer, "any") IS
    'Row test of a table that carries its brand: the permission is judged there (R52)';
GRANT EXECUTE ON FUNCTION entitle.brand_row_allowed(text, "any", integer, "any") TO PUBLIC;

CREATE FUNCTION entitle.brand_row_allowed(permission text, brand "any", level integer, customer "any", on_date "any")
    RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE LEAKPROOF COST 4 SUPPORT entitle_internal.brand_row_allowed_support
    AS 'MODULE_PATHNAME', 'entitle_brand_row_allowed';
COMMENT ON FUNCTION entitle.brand_row_allowed(text, "any", integer, "any", "any") IS
    'Row test of a dated table that carries its brand';
GRANT EXECUTE ON FUNCTION entitle.brand_row_allowed(text, "any", integer, "any", "any") TO PUBLIC;

-- Of a table whose rows without customer are everybody's: where the customer is NULL, and nowhere else, no right is asked.
CREATE FUNCTION entitle.shared_row_allowed(permission text, level integer, customer "any") RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE LEAKPROOF COST 4 SUPPORT entitle_internal.row_allowed_support
    AS 'MODULE_PATHNAME', 'entitle_shared_row_allowed';
COMMENT ON FUNCTION entitle.shared_row_allowed(text, integer, "any") IS
    'As row_allowed; a row without customer shows to every signed-in user';
GRANT EXECUTE ON FUNCTION entitle.shared_row_allowed(text, integer, "any") TO PUBLIC;

CREATE FUNCTION entitle.shared_row_allowed(permission text, level integer, customer "any", on_date "any") RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE LEAKPROOF COST 4 SUPPORT entitle_internal.row_allowed_support
    AS 'MODULE_PATHNAME', 'entitle_shared_row_allowed';
COMMENT ON FUNCTION entitle.shared_row_allowed(text, integer, "any", "any") IS
    'The same of a dated table: a row without customer shows whatever its date';
GRANT EXECUTE ON FUNCTION entitle.shared_row_allowed(text, integer, "any", "any") TO PUBLIC;

CREATE FUNCTION entitle.shared_brand_row_allowed(permission text, brand "any", level integer, customer "any") RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE LEAKPROOF COST 4 SUPPORT entitle_internal.brand_row_allowed_support
    AS 'MODULE_PATHNAME', 'entitle_shared_brand_row_allowed';
COMMENT ON FUNCTION entitle.shared_brand_row_allowed(text, "any", integer, "any") IS
    'As brand_row_allowed; a row without customer shows to every signed-in user, whatever its brand';
GRANT EXECUTE ON FUNCTION entitle.shared_brand_row_allowed(text, "any", integer, "any") TO PUBLIC;

CREATE FUNCTION entitle.shared_brand_row_allowed(permission text, brand "any", level integer, customer "any", on_date "any")
    RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE LEAKPROOF COST 4 SUPPORT entitle_internal.brand_row_allowed_support
    AS 'MODULE_PATHNAME', 'entitle_shared_brand_row_allowed';
COMMENT ON FUNCTION entitle.shared_brand_row_allowed(text, "any", integer, "any", "any") IS
    'The same of a dated table';
GRANT EXECUTE ON FUNCTION entitle.shared_brand_row_allowed(text, "any", integer, "any", "any") TO PUBLIC;

CREATE FUNCTION entitle.new_row_allowed(permission text, brand "any", level integer, customer "any") RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE LEAKPROOF COST 2
    AS 'MODULE_PATHNAME', 'entitle_new_row_allowed';
COMMENT ON FUNCTION entitle.new_row_allowed(text, "any", integer, "any") IS
    'As brand_row_allowed, of a row that gets its brand now: by external access that of its customer (R55)';
GRANT EXECUTE ON FUNCTION entitle.new_row_allowed(text, "any", integer, "any") TO PUBLIC;

CREATE FUNCTION entitle.new_row_allowed(permission text, brand "any", level integer, customer "any", on_date "any")
    RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE LEAKPROOF COST 2
    AS 'MODULE_PATHNAME', 'entitle_new_row_allowed';
COMMENT ON FUNCTION entitle.new_row_allowed(text, "any", integer, "any", "any") IS
    'The same of a dated table';
GRANT EXECUTE ON FUNCTION entitle.new_row_allowed(text, "any", integer, "any", "any") TO PUBLIC;

-- PUBLIC, because a table's owner must be able to put the trigger on; all it does is refuse.
CREATE FUNCTION entitle_internal.refuse_move() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_refuse_move';
COMMENT ON FUNCTION entitle_internal.refuse_move() IS
    'Trigger: raises 42501 for a row that its writer moves to where there are more rights on it (R54, R55)';
GRANT EXECUTE ON FUNCTION entitle_internal.refuse_move() TO PUBLIC;

CREATE FUNCTION entitle_internal.refuse_write() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_refuse_write';
COMMENT ON FUNCTION entitle_internal.refuse_write() IS 'Trigger: raises 42501 for a visible row that may not be written (R3)';
GRANT EXECUTE ON FUNCTION entitle_internal.refuse_write() TO PUBLIC;

CREATE FUNCTION entitle_internal.protection_test(declared entitle.protection, permission text, level integer, prefix text,
                                        is_new boolean DEFAULT false, is_shared boolean DEFAULT false)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('entitle.%s%s(%s)',
        CASE WHEN is_shared THEN 'shared_' ELSE '' END,
        CASE WHEN declared.brand_column IS NULL THEN 'row_allowed'
             WHEN is_new AND level IS NOT NULL THEN 'new_row_allowed'
             ELSE 'brand_row_allowed' END,
        concat_ws(', ',
            coalesce(quote_literal(permission), 'NULL') || '::text',
            prefix || quote_ident(declared.brand_column),
            coalesce(level::text, 'NULL::integer'),
            coalesce(prefix || quote_ident(declared.customer_column), 'NULL::bigint'),
            prefix || quote_ident(declared.date_column)))
    $$;
COMMENT ON FUNCTION entitle_internal.protection_test(entitle.protection, text, integer, text, boolean, boolean) IS
    'The row test as policies and triggers write it: literals and the declared columns';
GRANT EXECUTE ON FUNCTION entitle_internal.protection_test(entitle.protection, text, integer, text, boolean, boolean) TO PUBLIC;

CREATE FUNCTION entitle_internal.place_columns(declared entitle.protection)
    RETURNS TABLE (number smallint, column_name name, column_type oid, is_generated boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT a.attnum, a.attname, a.atttypid, a.attgenerated <> ''
    FROM pg_attribute a
    WHERE a.attrelid = declared.relation AND NOT a.attisdropped
      AND (a.attnum = ANY ((SELECT i.indkey FROM pg_index i
                            WHERE i.indrelid = declared.relation AND i.indisprimary)::smallint[])
           -- By what depends on the table, which has an index: all keys of a large database would be looked at for each table.
           OR a.attnum IN (SELECT unnest(k.confkey)
                           FROM pg_depend d
                           JOIN pg_constraint k ON k.oid = d.objid
                           WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = declared.relation
                             AND d.classid = 'pg_constraint'::regclass
                             AND k.contype = 'f' AND k.confrelid = declared.relation AND k.conparentid = 0)
           OR CASE WHEN declared.parent IS NULL
                   THEN a.attname IN (declared.customer_column, declared.date_column, declared.brand_column)
                   ELSE a.attnum = ANY ((SELECT c.conkey FROM pg_constraint c
                                         WHERE c.oid = entitle_internal.find_parent_key(declared))::smallint[]) END)
    $$;
COMMENT ON FUNCTION entitle_internal.place_columns(entitle.protection) IS
    'The columns that tell what a row belongs to, and the keys by which lines know it';
GRANT EXECUTE ON FUNCTION entitle_internal.place_columns(entitle.protection) TO PUBLIC;

-- They are compared as they are stored, because keys match byte for byte (R4), whatever a type's own = says; plain types have
-- an = that says the same.
CREATE FUNCTION entitle_internal.move_test(declared entitle.protection) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE count(*) WHEN 1 THEN min(c.test) ELSE '(' || string_agg(c.test, ' OR ' ORDER BY c.number) || ')' END
    FROM (SELECT p.number,
                 format(CASE WHEN p.column_type = ANY ('{int2,int4,int8,uuid,date,timestamp,timestamptz}'::regtype[]::oid[]) THEN
                                 '(old.%1$I IS DISTINCT FROM new.%1$I)'
                             ELSE 'record_image_ne(ROW(old.%1$I), ROW(new.%1$I))' END, p.column_name) AS test
          FROM entitle_internal.place_columns(declared) p) c
    $$;
COMMENT ON FUNCTION entitle_internal.move_test(entitle.protection) IS
    'Whether an UPDATE may be a move, as the triggers'' conditions show it; NULL when none can';
GRANT EXECUTE ON FUNCTION entitle_internal.move_test(entitle.protection) TO PUBLIC;

-- What bears our names and calls our functions is ours.
CREATE FUNCTION entitle_internal.remove_protection(member regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    made name;
BEGIN
    FOR made IN
        SELECT p.polname
        FROM pg_policy p
        WHERE p.polrelid = member
          AND (p.polname = 'entitle_closed' AND NOT p.polpermissive AND pg_get_expr(p.polqual, p.polrelid) = 'false'
               OR p.polname IN ('entitle_select', 'entitle_insert', 'entitle_update', 'entitle_delete')
                  AND EXISTS (SELECT
                              FROM pg_depend d
                              JOIN pg_proc f ON f.oid = d.refobjid
                              WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid
                                AND d.refclassid = 'pg_proc'::regclass
                                AND f.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace))) LOOP
        EXECUTE format('DROP POLICY %I ON %s', made, member);
    END LOOP;
    -- A partition's copies go with the trigger they were copied from.
    FOR made IN
        SELECT t.tgname
        FROM pg_trigger t
        WHERE t.tgrelid = member AND t.tgparentid = 0
          AND t.tgname IN ('entitle_update', 'entitle_delete', 'entitle_truncate', 'zz_entitle_move', 'entitle_moved', 'entitle_left', 'entitle_arrived', 'entitle_closed')
          AND t.tgfoid IN ('entitle_internal.refuse_write()'::regprocedure, 'entitle_internal.refuse_line_write()'::regprocedure,
                           'entitle_internal.refuse_move()'::regprocedure) LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', made, member);
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.remove_protection(regclass) IS 'Drops the policies and triggers that protect_table or guard_schema made on one table';
GRANT EXECUTE ON FUNCTION entitle_internal.remove_protection(regclass) TO PUBLIC;

-- Row-level security knows whom it does not bind: superusers, BYPASSRLS, the cascades of foreign keys. The root is asked, because
-- a partition that was attached later may not have it switched on itself.
CREATE FUNCTION entitle_internal.trigger_bound(declared entitle.protection) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('pg_catalog.row_security_active(%L::pg_catalog.regclass::oid)', declared.relation)
    $$;
COMMENT ON FUNCTION entitle_internal.trigger_bound(entitle.protection) IS 'Whom the triggers of a protected table bind';
GRANT EXECUTE ON FUNCTION entitle_internal.trigger_bound(entitle.protection) TO PUBLIC;

-- Whom it binds, the function knows, cascades of foreign keys included. Of lines it looks at those before the row is written, by
-- early_move_test: afterwards, outside of the cascade, one that stays with a document whose key changes looks like a move.
CREATE FUNCTION entitle_internal.move_condition(declared entitle.protection) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT entitle_internal.move_test(declared) || CASE WHEN declared.parent IS NULL THEN '' ELSE ' AND ' || entitle_internal.trigger_bound(declared) END
    $$;
COMMENT ON FUNCTION entitle_internal.move_condition(entitle.protection) IS
    'When the trigger fires that refuses moves after the row is written; NULL when there is none';
GRANT EXECUTE ON FUNCTION entitle_internal.move_condition(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.early_move_test(declared entitle.protection) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    -- A condition sees no generated column before the row is written; the function computes it.
    SELECT CASE WHEN EXISTS (SELECT FROM entitle_internal.place_columns(declared) p WHERE p.is_generated) THEN 'true'
           ELSE entitle_internal.move_test(declared) END
    $$;
COMMENT ON FUNCTION entitle_internal.early_move_test(entitle.protection) IS
    'When the trigger fires that refuses moves before the row is written; NULL when there is none';
GRANT EXECUTE ON FUNCTION entitle_internal.early_move_test(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.install_triggers(declared entitle.protection, member regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    bound CONSTANT text := entitle_internal.trigger_bound(declared);
    move CONSTANT text := entitle_internal.move_condition(declared);
    is_partitioned CONSTANT boolean := (SELECT c.relkind = 'p' FROM pg_class c WHERE c.oid = member);
    made record;
BEGIN
    FOR made IN
        SELECT v.*
        FROM (VALUES
            -- The first: by it close_parts knows a part that has its triggers.
            ('entitle_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'refuse_write', bound),
            -- A condition cannot look at a line's document: there the function does.
            ('entitle_update', 'BEFORE UPDATE', 'ROW', CASE WHEN declared.parent IS NULL THEN 'refuse_write' ELSE 'refuse_line_write' END,
             bound || CASE WHEN declared.parent IS NULL THEN ' AND NOT ' || entitle_internal.joined_test(declared, 'UPDATE', 'OLD.') ELSE '' END),
            ('entitle_delete', 'BEFORE DELETE', 'ROW', CASE WHEN declared.parent IS NULL THEN 'refuse_write' ELSE 'refuse_line_write' END,
             bound || CASE WHEN declared.parent IS NULL THEN ' AND NOT ' || entitle_internal.joined_test(declared, 'DELETE', 'OLD.') ELSE '' END),
            -- Before, so that nothing sees the row where it must not be; by its name after the table's other triggers, as
            -- these may change the row. And afterwards, when all is said.
            ('zz_entitle_move', 'BEFORE UPDATE', 'ROW', 'refuse_move',
             entitle_internal.early_move_test(declared)),
            ('entitle_moved', 'AFTER UPDATE', 'ROW', 'refuse_move', move),
            -- A deleted row leaves no lines to another. And to another partition an UPDATE is a DELETE and an INSERT, and
            -- afterwards neither is an UPDATE.
            ('entitle_left', 'AFTER DELETE', 'ROW', 'refuse_move', CASE WHEN move IS NOT NULL THEN bound END),
            ('entitle_arrived', 'AFTER INSERT', 'ROW', 'refuse_move', CASE WHEN move IS NOT NULL AND is_partitioned THEN bound END)
        ) AS v (name, event, reach, function, test)
        -- PostgreSQL copies a partitioned table's row triggers to its partitions, later ones too.
        WHERE v.test IS NOT NULL
          AND (v.reach = 'STATEMENT' OR NOT (SELECT c.relispartition FROM pg_class c WHERE c.oid = member)) LOOP
        EXECUTE format('CREATE TRIGGER %I %s ON %s FOR EACH %s WHEN (%s) EXECUTE FUNCTION entitle_internal.%I()',
                       made.name, made.event, member, made.reach, made.test, made.function);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', member, made.name);
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.install_triggers(entitle.protection, regclass) IS 'Makes the triggers of a declaration on one table';
GRANT EXECUTE ON FUNCTION entitle_internal.install_triggers(entitle.protection, regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.install_protection(declared entitle.protection, member regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    -- A sub-select on the parents would take a bare name for theirs, and a table's without schema for an alias of theirs (S386).
    prefix CONSTANT text := CASE WHEN declared.parent IS NULL THEN '' ELSE member || '.' END;
    seen CONSTANT text := entitle_internal.row_condition(declared, 'SELECT', prefix);
    inserted CONSTANT text := entitle_internal.row_condition(declared, 'INSERT', prefix);
    updated CONSTANT text := entitle_internal.row_condition(declared, 'UPDATE', prefix);
BEGIN
    -- Inside of a migration its commit forces it.
    EXECUTE format('ALTER TABLE ONLY %s ENABLE ROW LEVEL SECURITY', member)
            || CASE WHEN entitle_internal.is_migrating(member) THEN '' ELSE ', FORCE ROW LEVEL SECURITY' END;
    EXECUTE format('CREATE POLICY entitle_select ON %s FOR SELECT USING (%s)', member, seen);
    EXECUTE format('CREATE POLICY entitle_insert ON %s FOR INSERT WITH CHECK (%s)', member, inserted);
    EXECUTE format('CREATE POLICY entitle_update ON %s FOR UPDATE USING (%s) WITH CHECK (%s)', member, seen, updated);
    EXECUTE format('CREATE POLICY entitle_delete ON %s FOR DELETE USING (%s)', member, seen);

    PERFORM entitle_internal.install_triggers(declared, member);
END
$$;
COMMENT ON FUNCTION entitle_internal.install_protection(entitle.protection, regclass) IS 'Makes the policies and triggers of a declaration on one table';
GRANT EXECUTE ON FUNCTION entitle_internal.install_protection(entitle.protection, regclass) TO PUBLIC;
