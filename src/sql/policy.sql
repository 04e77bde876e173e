-- The row tests, and the policies and triggers of a protected table that call them.

-- The row tests. LEAKPROOF: no error or message depends on an argument.
CREATE FUNCTION entitle.row_allowed(permission text, level integer, customer "any") RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE LEAKPROOF COST 2 SUPPORT entitle.row_allowed_support
    AS 'MODULE_PATHNAME', 'entitle_row_allowed';
COMMENT ON FUNCTION entitle.row_allowed(text, integer, "any") IS
    'Row test: the permission in the current brand, or at least the level on the row''s customer; NULL closes that way in';
GRANT EXECUTE ON FUNCTION entitle.row_allowed(text, integer, "any") TO PUBLIC;

CREATE FUNCTION entitle.row_allowed(permission text, level integer, customer "any", on_date "any") RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE LEAKPROOF COST 2 SUPPORT entitle.row_allowed_support
    AS 'MODULE_PATHNAME', 'entitle_row_allowed';
COMMENT ON FUNCTION entitle.row_allowed(text, integer, "any", "any") IS
    'Row test of a dated table: external access also needs the date inside its window (R38, R39)';
GRANT EXECUTE ON FUNCTION entitle.row_allowed(text, integer, "any", "any") TO PUBLIC;

CREATE FUNCTION entitle.brand_row_allowed(permission text, brand "any", level integer, customer "any") RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE LEAKPROOF COST 2 SUPPORT entitle.brand_row_allowed_support
    AS 'MODULE_PATHNAME', 'entitle_brand_row_allowed';
COMMENT ON FUNCTION entitle.brand_row_allowed(text, "any", integer, "any") IS
    'Row test of a table that carries its brand: the permission is judged there (R52)';
GRANT EXECUTE ON FUNCTION entitle.brand_row_allowed(text, "any", integer, "any") TO PUBLIC;

CREATE FUNCTION entitle.brand_row_allowed(permission text, brand "any", level integer, customer "any", on_date "any")
    RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE LEAKPROOF COST 2 SUPPORT entitle.brand_row_allowed_support
    AS 'MODULE_PATHNAME', 'entitle_brand_row_allowed';
COMMENT ON FUNCTION entitle.brand_row_allowed(text, "any", integer, "any", "any") IS
    'Row test of a dated table that carries its brand';
GRANT EXECUTE ON FUNCTION entitle.brand_row_allowed(text, "any", integer, "any", "any") TO PUBLIC;

-- PUBLIC, because a table's owner must be able to put the trigger on; all it does is refuse.
CREATE FUNCTION entitle.refuse_write() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_refuse_write';
COMMENT ON FUNCTION entitle.refuse_write() IS 'Trigger: raises 42501 for a visible row that may not be written (R3)';
GRANT EXECUTE ON FUNCTION entitle.refuse_write() TO PUBLIC;

CREATE FUNCTION entitle.protection_test(declared entitle.protection, permission text, level integer, prefix text)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('entitle.%s(%s)',
        CASE WHEN declared.brand_column IS NULL THEN 'row_allowed' ELSE 'brand_row_allowed' END,
        concat_ws(', ',
            coalesce(quote_literal(permission), 'NULL') || '::text',
            prefix || quote_ident(declared.brand_column),
            coalesce(level::text, 'NULL::integer'),
            coalesce(prefix || quote_ident(declared.customer_column), 'NULL::bigint'),
            prefix || quote_ident(declared.date_column)))
    $$;
COMMENT ON FUNCTION entitle.protection_test(entitle.protection, text, integer, text) IS
    'The row test as policies and triggers write it: literals and the declared columns';
GRANT EXECUTE ON FUNCTION entitle.protection_test(entitle.protection, text, integer, text) TO PUBLIC;

-- What bears our names and calls our functions is ours.
CREATE FUNCTION entitle.remove_protection(member regclass) RETURNS void
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
          AND p.polname IN ('entitle_select', 'entitle_insert', 'entitle_update', 'entitle_delete')
          AND EXISTS (SELECT
                      FROM pg_depend d
                      JOIN pg_proc f ON f.oid = d.refobjid
                      WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid
                        AND d.refclassid = 'pg_proc'::regclass
                        AND f.pronamespace = 'entitle'::regnamespace) LOOP
        EXECUTE format('DROP POLICY %I ON %s', made, member);
    END LOOP;
    -- A partition's copies go with the trigger they were copied from.
    FOR made IN
        SELECT t.tgname
        FROM pg_trigger t
        WHERE t.tgrelid = member AND t.tgparentid = 0
          AND t.tgname IN ('entitle_update', 'entitle_delete', 'entitle_truncate')
          AND t.tgfoid IN ('entitle.refuse_write()'::regprocedure, 'entitle.refuse_line_write()'::regprocedure) LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', made, member);
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle.remove_protection(regclass) IS 'Drops the policies and triggers that protect_table made on one table';
GRANT EXECUTE ON FUNCTION entitle.remove_protection(regclass) TO PUBLIC;

CREATE FUNCTION entitle.install_protection(declared entitle.protection, member regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    -- A sub-select on the parents would take a bare name for theirs.
    prefix CONSTANT text := CASE
        WHEN declared.parent IS NULL THEN ''
        ELSE (SELECT quote_ident(c.relname) || '.' FROM pg_class c WHERE c.oid = member)
    END;
    seen CONSTANT text := entitle.row_condition(declared, 'SELECT', prefix);
    inserted CONSTANT text := entitle.row_condition(declared, 'INSERT', prefix);
    updated CONSTANT text := entitle.row_condition(declared, 'UPDATE', prefix);
    -- Row-level security knows whom it does not bind: superusers, BYPASSRLS, the cascades of foreign keys. The root is
    -- asked, because a partition that was attached later may not have it switched on itself.
    bound CONSTANT text := format('pg_catalog.row_security_active(%L::pg_catalog.regclass::oid)', declared.relation);
    made record;
BEGIN
    EXECUTE format('ALTER TABLE ONLY %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', member);
    EXECUTE format('CREATE POLICY entitle_select ON %s FOR SELECT USING (%s)', member, seen);
    EXECUTE format('CREATE POLICY entitle_insert ON %s FOR INSERT WITH CHECK (%s)', member, inserted);
    EXECUTE format('CREATE POLICY entitle_update ON %s FOR UPDATE USING (%s) WITH CHECK (%s)', member, seen, updated);
    EXECUTE format('CREATE POLICY entitle_delete ON %s FOR DELETE USING (%s)', member, seen);

    FOR made IN
        SELECT v.*
        FROM (VALUES
            ('entitle_update', 'UPDATE', 'ROW', entitle.joined_test(declared, 'UPDATE', 'OLD.')),
            ('entitle_delete', 'DELETE', 'ROW', entitle.joined_test(declared, 'DELETE', 'OLD.')),
            ('entitle_truncate', 'TRUNCATE', 'STATEMENT', NULL)
        ) AS v (name, event, reach, test)
        -- PostgreSQL copies a partitioned table's row triggers to its partitions, later ones too. An UPDATE that moves a row to
        -- another partition fires the one for DELETE as well, so it needs that permission, too.
        WHERE v.reach = 'STATEMENT'
           OR NOT (SELECT c.relispartition FROM pg_class c WHERE c.oid = member) LOOP
        -- A condition cannot look at a line's document: there the function does.
        EXECUTE format('CREATE TRIGGER %I BEFORE %s ON %s FOR EACH %s WHEN (%s) EXECUTE FUNCTION entitle.%I()',
                       made.name, made.event, member, made.reach,
                       bound || CASE WHEN declared.parent IS NULL THEN coalesce(' AND NOT ' || made.test, '') ELSE '' END,
                       CASE WHEN declared.parent IS NULL OR made.test IS NULL THEN 'refuse_write' ELSE 'refuse_line_write' END);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', member, made.name);
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle.install_protection(entitle.protection, regclass) IS 'Makes the policies and triggers of a declaration on one table';
GRANT EXECUTE ON FUNCTION entitle.install_protection(entitle.protection, regclass) TO PUBLIC;
