-- The inventory: what this script made, as lint() compares it later. Last of all topics, so that nothing is left out. It lives
-- in a function's body: made anew wherever the extension is created, it is neither dumped nor restored.
DO $$
DECLARE
    inventory jsonb;
    definer regprocedure;
BEGIN
    -- Whoever calls one of these is known only if the library is loaded before it runs. Where it was not, the library knows the
    -- function by how its path is written, and refuses (S208). Triggers come after a query was planned, or restore a dump. And
    -- what policies call is asked while they are planned, so that ON CONFLICT ... WHERE is evaluated after them (S196).
    FOR definer IN
        SELECT p.oid
        FROM pg_catalog.pg_proc p
        WHERE p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace)
          AND (p.prosecdef
               OR p.prosupport = 0
                  AND EXISTS (SELECT
                              FROM pg_catalog.pg_depend d
                              WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
                                AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid = p.oid)) LOOP
        EXECUTE format('ALTER FUNCTION %s SUPPORT entitle_internal.load_support', definer);
        IF (SELECT p.prosecdef AND p.prorettype <> 'trigger'::regtype FROM pg_catalog.pg_proc p WHERE p.oid = definer) THEN
            EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp, pg_temp', definer);
        END IF;
    END LOOP;
    -- The texts name whatever is not in the path with its schema; lint() sets the same path.
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
            pg_catalog.set_config('quote_all_identifiers', 'off', true),
            pg_catalog.set_config('standard_conforming_strings', 'on', true),
            pg_catalog.set_config('extra_float_digits', '1', true);
    SELECT jsonb_build_object(
        'functions', (SELECT jsonb_object_agg(p.oid::regprocedure::text, pg_get_functiondef(p.oid))
                      FROM pg_proc p WHERE p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND p.prokind <> 'a'),
        'public', (SELECT jsonb_agg(p.oid::regprocedure::text ORDER BY p.oid::regprocedure::text COLLATE "C")
                   FROM pg_proc p, aclexplode(p.proacl) x
                   WHERE p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND x.grantee = 0),
        'triggers', (SELECT jsonb_agg(jsonb_build_object(
                                'relation', t.tgrelid::regclass::text, 'name', t.tgname, 'enabled', t.tgenabled,
                                'definition', pg_get_triggerdef(t.oid)) ORDER BY t.tgrelid::regclass::text COLLATE "C", t.tgname)
                     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                     WHERE c.relnamespace = 'entitle'::regnamespace AND NOT t.tgisinternal),
        'policies', (SELECT jsonb_agg(jsonb_build_object(
                                'relation', p.polrelid::regclass::text, 'name', p.polname, 'definition', entitle_internal.policy_text(p), 'command', p.polcmd,
                                'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid))
                                ORDER BY p.polrelid::regclass::text COLLATE "C", p.polname)
                     FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
                     WHERE c.relnamespace = 'entitle'::regnamespace))
    INTO inventory;
    EXECUTE format(
        'CREATE FUNCTION entitle_internal.inventory() RETURNS jsonb'
        ' LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS %L',
        format('SELECT %L::jsonb', inventory));
END
$$;
COMMENT ON FUNCTION entitle_internal.inventory() IS 'The functions, triggers and policies of the extension as it was created';
REVOKE ALL ON FUNCTION entitle_internal.inventory() FROM PUBLIC;

DO $$
DECLARE
    command text;
BEGIN
    -- What default privileges of whoever installs the extension gave away, or was granted on its schema before (S213).
    FOR command IN
        SELECT format('REVOKE ALL ON %s %s FROM %I CASCADE', o.kind, o.name, r.rolname)
        FROM (SELECT 'SCHEMA' AS kind, quote_ident(n.nspname) AS name, n.nspowner AS owner, n.nspacl AS acl
              FROM pg_namespace n WHERE n.nspname IN ('entitle', 'entitle_internal')
              UNION ALL
              SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text, c.relowner, c.relacl
              FROM pg_class c WHERE c.relnamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND c.relkind IN ('r', 'v', 'S')
              UNION ALL
              SELECT 'FUNCTION', p.oid::regprocedure::text, p.proowner, p.proacl
              FROM pg_proc p WHERE p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace)) o
        CROSS JOIN LATERAL (SELECT DISTINCT x.grantee FROM aclexplode(o.acl) x) x
        JOIN pg_roles r ON r.oid = x.grantee AND r.oid <> o.owner LOOP
        EXECUTE command;
    END LOOP;
END
$$;
