-- lint: everything in the database that weakens the protection, with the statement that mends it. One function per kind of
-- place that it looks at; each reads catalogues and the model, and changes nothing.

-- Roles that row-level security does not bind, or that could become one it does not bind.
CREATE FUNCTION entitle_internal.lint_roles() RETURNS SETOF entitle.finding
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT 'warning', r.rolname::text, 'row-level security does not bind the role (BYPASSRLS)', format('ALTER ROLE %I NOBYPASSRLS;', r.rolname)
    FROM pg_roles r WHERE r.rolbypassrls AND NOT r.rolsuper
    UNION ALL
    SELECT 'warning', r.rolname::text, 'the role may grant itself other roles (CREATEROLE)', format('ALTER ROLE %I NOCREATEROLE;', r.rolname)
    FROM pg_roles r WHERE r.rolcreaterole AND NOT r.rolsuper
    UNION ALL
    SELECT 'notice', r.rolname::text, 'the role may read everything by replication', format('ALTER ROLE %I NOREPLICATION;', r.rolname)
    FROM pg_roles r WHERE r.rolreplication AND NOT r.rolsuper
    UNION ALL
    SELECT CASE WHEN g.rolname IN ('pg_read_all_data', 'pg_write_all_data') OR g.rolsuper THEN 'error' ELSE 'warning' END, u.rolname::text,
           CASE WHEN g.oid >= 16384 AND NOT g.rolsuper
               THEN format('is a member of %s, which owns protected tables and can switch protection off', g.rolname)
               ELSE format('is a member of %s, which reaches past protection', g.rolname) END,
           format('REVOKE %I FROM %I;', g.rolname, u.rolname)
    FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
    WHERE NOT u.rolsuper AND u.oid >= 16384
      AND (g.rolsuper
           OR g.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
           OR g.oid IN (SELECT c.relowner FROM pg_class c JOIN entitle.protection_member p ON p.relation = c.oid))
    UNION ALL
    SELECT 'error', u.login, format('is mapped to database role %s, which row-level security does not bind', r.rolname),
           format('UPDATE entitle.app_user SET db_role = NULL WHERE login = %L;', u.login)
    FROM entitle.app_user u JOIN pg_roles r ON r.oid = u.db_role_oid
    WHERE r.rolsuper OR r.rolbypassrls
    UNION ALL
    -- Roles are stored with their name and their OID, which counts.
    SELECT 'notice', u.login,
           format('is mapped to database role %s, which ', u.db_role)
           || coalesce('is called ' || n.rolname || ' now', CASE WHEN r.oid IS NULL THEN 'does not exist' ELSE 'was dropped or made anew since' END || ': the mapping counts for nothing'),
           format('UPDATE entitle.app_user SET db_role = %L WHERE login = %L;', n.rolname, u.login)
    FROM entitle.app_user u LEFT JOIN pg_roles r ON r.rolname = u.db_role LEFT JOIN pg_roles n ON n.oid = u.db_role_oid
    WHERE u.db_role IS NOT NULL AND (r.oid IS NULL OR r.oid IS DISTINCT FROM u.db_role_oid)
    UNION ALL
    SELECT 'notice', 'entitle.sign_in_grant',
           format('lists %s for database role %s, which ', coalesce(g.login, 'everybody'), g.db_role)
           || coalesce('is called ' || n.rolname || ' now', CASE WHEN r.oid IS NULL THEN 'does not exist' ELSE 'was dropped or made anew since' END || ': the entry counts for nothing'),
           coalesce('UPDATE entitle.sign_in_grant SET db_role = ' || quote_literal(n.rolname), 'DELETE FROM entitle.sign_in_grant')
           || CASE WHEN g.login IS NULL THEN format(' WHERE db_role = %L AND login IS NULL;', g.db_role)
                   ELSE format(' WHERE (db_role, login) = (%L, %L);', g.db_role, g.login) END
    FROM entitle.sign_in_grant g LEFT JOIN pg_roles r ON r.rolname = g.db_role LEFT JOIN pg_roles n ON n.oid = g.db_role_oid
    WHERE r.oid IS NULL OR r.oid IS DISTINCT FROM g.db_role_oid
    UNION ALL
    SELECT 'notice', p.relation::text,
           format('role %s, to which unprotect_table would give back %s, ', p.grantee, string_agg(DISTINCT p.privilege, ', ' ORDER BY p.privilege))
           || coalesce('is called ' || r.rolname || ' now, and a dump leaves that out', 'was dropped: nothing will be given back'),
           coalesce('UPDATE entitle.protection_privilege SET grantee = ' || quote_literal(r.rolname), 'DELETE FROM entitle.protection_privilege')
           || format(' WHERE (relation, grantee) = (%L::regclass, %L);', p.relation::text, p.grantee)
    FROM entitle.protection_privilege p JOIN pg_class c ON c.oid = p.relation LEFT JOIN pg_roles r ON r.oid = p.grantee_oid
    WHERE p.grantee <> 'public' AND p.grantee IS DISTINCT FROM r.rolname
    GROUP BY p.relation, p.grantee, r.rolname
    $$;
COMMENT ON FUNCTION entitle_internal.lint_roles() IS 'lint: database roles that protection does not bind, and users mapped to them';
REVOKE ALL ON FUNCTION entitle_internal.lint_roles() FROM PUBLIC;

-- Ways to settings, to the server's files and pages, and to other servers.
CREATE FUNCTION entitle_internal.lint_server() RETURNS SETOF entitle.finding
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT 'error', p.parname, format('%s may set this parameter', entitle_internal.grantee_name(x.grantee)),
           format('REVOKE SET, ALTER SYSTEM ON PARAMETER %s FROM %s;', p.parname, entitle_internal.grantee_name(x.grantee))
    FROM pg_parameter_acl p, aclexplode(p.paracl) x
    WHERE (p.parname LIKE 'entitle.%' AND p.parname <> 'entitle.token'
           OR p.parname IN ('session_replication_role', 'allow_system_table_mods', 'shared_preload_libraries', 'session_preload_libraries',
                            'dynamic_library_path'))
      AND entitle_internal.is_ordinary(x.grantee)
    GROUP BY p.parname, x.grantee
    UNION ALL
    SELECT 'error', split_part(c, '=', 1), format('an identity is set for %s', concat_ws(' in ', coalesce(r.rolname, 'all roles'), d.datname)),
           CASE WHEN s.setrole = 0 AND d.oid IS NOT NULL THEN format('ALTER DATABASE %I RESET %s;', d.datname, split_part(c, '=', 1))
                ELSE format('ALTER ROLE %s%s RESET %s;', coalesce(quote_ident(r.rolname), 'ALL'), ' IN DATABASE ' || quote_ident(d.datname), split_part(c, '=', 1))
           END
    FROM pg_db_role_setting s
    LEFT JOIN pg_roles r ON r.oid = s.setrole
    LEFT JOIN pg_database d ON d.oid = s.setdatabase
    CROSS JOIN LATERAL unnest(s.setconfig) AS c
    WHERE split_part(c, '=', 1) IN ('entitle.identity', 'entitle.choice')
      AND (d.datname IS NULL OR d.datname = current_database())
    UNION ALL
    SELECT 'warning', p.oid::regprocedure::text, format('%s may execute it, and read or write past protection', entitle_internal.grantee_name(x.grantee)),
           format('REVOKE EXECUTE ON FUNCTION %s FROM %s;', p.oid::regprocedure, entitle_internal.grantee_name(x.grantee))
    FROM pg_init_privs i JOIN pg_proc p ON p.oid = i.objoid AND i.classoid = 'pg_proc'::regclass, aclexplode(p.proacl) x
    WHERE p.pronamespace NOT IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND entitle_internal.is_ordinary(x.grantee)
      AND x.grantee NOT IN (SELECT e.grantee FROM aclexplode(i.initprivs) e)
    UNION ALL
    SELECT 'notice', s.srvname::text, format('%s reaches another server through it, where the identity does not follow', coalesce(m.usename, 'PUBLIC')),
           format('DROP USER MAPPING FOR %s SERVER %I;', CASE m.umuser WHEN 0 THEN 'PUBLIC' ELSE quote_ident(m.usename) END, s.srvname)
    FROM pg_user_mappings m JOIN pg_foreign_server s ON s.oid = m.srvid
    UNION ALL
    -- Half a model decides otherwise.
    SELECT 'warning', p.pubname::text, format('publishes a part of the model without %s: a subscriber decides otherwise', string_agg(m.relation::text, ', ' ORDER BY m.relation::text)),
           format('ALTER PUBLICATION %I ADD TABLE %s;', p.pubname, string_agg(m.relation::text, ', ' ORDER BY m.relation::text))
    FROM pg_publication p
    JOIN (SELECT DISTINCT t.tgrelid::regclass FROM pg_trigger t WHERE t.tgname = 'entitle_log_update') m (relation) ON true
    WHERE EXISTS (SELECT FROM pg_publication_tables x WHERE x.pubname = p.pubname AND x.schemaname = 'entitle')
      AND NOT EXISTS (SELECT FROM pg_publication_tables x
                      WHERE x.pubname = p.pubname AND m.relation = format('%I.%I', x.schemaname, x.tablename)::regclass)
    GROUP BY p.pubname
    UNION ALL
    SELECT 'notice', t.evtname::text, 'an event trigger runs its code in everybody''s sessions', format('ALTER EVENT TRIGGER %I DISABLE;', t.evtname)
    FROM pg_event_trigger t
    WHERE t.evtenabled <> 'D'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = t.oid AND d.deptype = 'e')
    $$;
COMMENT ON FUNCTION entitle_internal.lint_server() IS 'lint: settings, functions and connections that lead past protection';
REVOKE ALL ON FUNCTION entitle_internal.lint_server() FROM PUBLIC;

-- The extension itself, against what its script made.
CREATE FUNCTION entitle_internal.lint_extension() RETURNS SETOF entitle.finding
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    -- Called by name, because it is made last.
    made jsonb;
    master CONSTANT name := (SELECT r.rolname FROM pg_extension e JOIN pg_roles r ON r.oid = e.extowner WHERE e.extname = 'entitle');
BEGIN
    made := entitle_internal.inventory();
    RETURN QUERY
    SELECT 'error', f.key, 'the function is not what was installed', f.value || ';'
    FROM jsonb_each_text(made -> 'functions') f
    WHERE f.value IS DISTINCT FROM (SELECT pg_get_functiondef(to_regprocedure(f.key)))
    UNION ALL
    SELECT 'error', p.oid::regprocedure::text, 'PUBLIC may execute it, which the extension did not grant',
           format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC;', p.oid::regprocedure)
    FROM pg_proc p
    WHERE p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND NOT made -> 'public' ? p.oid::regprocedure::text
      AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x WHERE x.grantee = 0)
    UNION ALL
    SELECT 'error', p.oid::regprocedure::text, format('belongs to %s, who can change it', p.proowner::regrole),
           format('ALTER FUNCTION %s OWNER TO %I;', p.oid::regprocedure, master)
    FROM pg_proc p WHERE p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND entitle_internal.is_ordinary(p.proowner)
    UNION ALL
    SELECT 'error', c.oid::regclass::text, format('belongs to %s, who can change it', c.relowner::regrole),
           format('ALTER TABLE %s OWNER TO %I;', c.oid::regclass, master)
    FROM pg_class c WHERE c.relnamespace = 'entitle'::regnamespace AND c.relkind IN ('r', 'v') AND entitle_internal.is_ordinary(c.relowner)
    UNION ALL
    SELECT 'error', t.relation, format('trigger "%s" is missing or not what was installed', t.name),
           format('DROP TRIGGER IF EXISTS %I ON %s; %s; %s', t.name, t.relation, t.definition,
                  CASE t.enabled WHEN 'A' THEN format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I;', t.relation, t.name) END)
    FROM jsonb_to_recordset(made -> 'triggers') AS t (relation text, name name, enabled text, definition text)
    WHERE t.definition IS DISTINCT FROM (SELECT pg_get_triggerdef(g.oid) FROM pg_trigger g WHERE g.tgrelid = to_regclass(t.relation) AND g.tgname = t.name)
    UNION ALL
    SELECT 'error', t.relation, format('trigger "%s" does not always fire', t.name),
           format('ALTER TABLE %s ENABLE %s TRIGGER %I;', t.relation, CASE t.enabled WHEN 'A' THEN 'ALWAYS' END, t.name)
    FROM jsonb_to_recordset(made -> 'triggers') AS t (relation text, name name, enabled text, definition text)
    JOIN pg_trigger g ON g.tgrelid = to_regclass(t.relation) AND g.tgname = t.name
    WHERE g.tgenabled <> t.enabled::"char"
    UNION ALL
    SELECT 'warning', g.tgrelid::regclass::text, format('trigger "%s" is not the extension''s', g.tgname),
           format('DROP TRIGGER %I ON %s;', g.tgname, g.tgrelid::regclass)
    FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
    WHERE c.relnamespace = 'entitle'::regnamespace AND NOT g.tgisinternal
      AND NOT EXISTS (SELECT FROM jsonb_to_recordset(made -> 'triggers') AS t (relation text, name name)
                      WHERE to_regclass(t.relation) = g.tgrelid AND t.name = g.tgname)
    UNION ALL
    SELECT 'error', p.relation, format('policy "%s" is missing or not what was installed', p.name),
           format('DROP POLICY IF EXISTS %I ON %s; %s;', p.name, p.relation, p.definition)
    FROM jsonb_to_recordset(made -> 'policies') AS p (relation text, name name, definition text, command "char", "using" text, "check" text)
    WHERE NOT EXISTS (SELECT
                      FROM pg_policy l
                      WHERE l.polrelid = to_regclass(p.relation) AND l.polname = p.name
                        AND (entitle_internal.policy_text(l) = p.definition
                             -- Another major may print it otherwise.
                             OR l.polcmd = p.command AND l.polpermissive AND l.polroles = '{0}'
                                AND entitle_internal.is_condition('using', l.oid, p."using")
                                AND entitle_internal.is_condition('check', l.oid, p."check")))
    UNION ALL
    SELECT 'error', l.polrelid::regclass::text, format('policy "%s" is not the extension''s', l.polname),
           format('DROP POLICY %I ON %s;', l.polname, l.polrelid::regclass)
    FROM pg_policy l JOIN pg_class c ON c.oid = l.polrelid
    WHERE c.relnamespace = 'entitle'::regnamespace AND l.polpermissive
      AND NOT EXISTS (SELECT FROM jsonb_to_recordset(made -> 'policies') AS p (relation text, name name)
                      WHERE to_regclass(p.relation) = l.polrelid AND p.name = l.polname)
    UNION ALL
    SELECT 'error', c.oid::regclass::text, 'row-level security is switched off', format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', c.oid::regclass)
    FROM pg_class c WHERE c.relnamespace = 'entitle'::regnamespace AND c.relkind = 'r' AND NOT c.relrowsecurity
    UNION ALL
    SELECT 'error', c.oid::regclass::text, format('%s holds %s', entitle_internal.grantee_name(x.grantee), string_agg(x.privilege_type, ', ')),
           format('REVOKE %s ON %s FROM %s;', string_agg(x.privilege_type, ', '), c.oid::regclass, entitle_internal.grantee_name(x.grantee))
    FROM pg_class c, aclexplode(c.relacl) x
    WHERE c.relnamespace = 'entitle'::regnamespace AND c.relkind = 'r' AND entitle_internal.is_ordinary(x.grantee) AND x.grantee <> c.relowner
      AND (x.privilege_type IN ('TRUNCATE', 'TRIGGER', 'MAINTAIN') -- the last locks whoever asks out
           OR x.privilege_type IN ('INSERT', 'UPDATE', 'DELETE')
              AND (x.grantee = 0 OR c.relname IN ('change_log', 'protection', 'protection_member', 'shipped_row', 'shipped_removal')))
    GROUP BY c.oid, x.grantee
    UNION ALL
    SELECT 'error', n.nspname::text, format('%s may create objects in the extension''s schema', entitle_internal.grantee_name(x.grantee)),
           format('REVOKE CREATE ON SCHEMA %s FROM %s;', n.nspname, entitle_internal.grantee_name(x.grantee))
    FROM pg_namespace n, aclexplode(n.nspacl) x
    WHERE n.nspname IN ('entitle', 'entitle_internal') AND x.privilege_type = 'CREATE' AND entitle_internal.is_ordinary(x.grantee) AND x.grantee <> n.nspowner
    UNION ALL
    SELECT 'error', n.nspname::text, format('belongs to %s, who can change it', n.nspowner::regrole), format('ALTER SCHEMA %I OWNER TO %I;', n.nspname, master)
    FROM pg_namespace n WHERE n.nspname IN ('entitle', 'entitle_internal') AND entitle_internal.is_ordinary(n.nspowner)
    UNION ALL
    SELECT 'error', o.identity, 'stands in the extension''s schema and is not the extension''s', format('DROP %s %s;', upper(o.type), o.identity)
    FROM (SELECT 'pg_proc'::regclass::oid AS class, p.oid FROM pg_proc p WHERE p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace)
          UNION ALL
          SELECT 'pg_class'::regclass, c.oid
          FROM pg_class c
          WHERE c.relnamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND c.relkind IN ('r', 'v', 'm', 'f')) s
    CROSS JOIN LATERAL pg_identify_object(s.class, s.oid, 0) o
    WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = s.class AND d.objid = s.oid AND d.deptype = 'e');
END
$$;
COMMENT ON FUNCTION entitle_internal.lint_extension() IS 'lint: where the extension''s own objects differ from what its script made';
REVOKE ALL ON FUNCTION entitle_internal.lint_extension() FROM PUBLIC;

-- Keys that nobody knows, and grants that nobody uses.
CREATE FUNCTION entitle_internal.lint_model() RETURNS SETOF entitle.finding
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT DISTINCT 'warning', p.polrelid::regclass::text, format('policy "%s" names permission "%s", which is not known', p.polname, k.key),
           format('INSERT INTO entitle.permission (permission_key, is_active) VALUES (%L, false);', k.key)
    FROM pg_policy p
    CROSS JOIN LATERAL (
        SELECT replace(m[1], '''''', '''') AS key
        FROM regexp_matches(concat(pg_get_expr(p.polqual, p.polrelid), ' ', pg_get_expr(p.polwithcheck, p.polrelid)),
                            'entitle\.(?:has_permission|permitted_brands|customer_allowed|(?:shared_)?(?:brand_)?row_allowed)\((?:\w+, )?''((?:[^'']|'''')*)''', 'g') AS m) k
    WHERE NOT EXISTS (SELECT FROM entitle.permission e WHERE e.permission_key = k.key)
      AND NOT EXISTS (SELECT FROM entitle.protection_member m WHERE m.relation = p.polrelid)
    UNION ALL
    SELECT 'warning', r.name, format('the role names permission "%s", which is not known', g.permission_key),
           format('DELETE FROM entitle.role_permission WHERE (role_id, permission_key) = (%s, %L);', g.role_id, g.permission_key)
    FROM entitle.role_permission g LEFT JOIN entitle.role r USING (role_id)
    WHERE NOT EXISTS (SELECT FROM entitle.permission p WHERE p.permission_key = g.permission_key)
    UNION ALL
    SELECT 'warning', r.name, format('the role names metric "%s", which is not known', g.metric_key),
           format('DELETE FROM entitle.role_metric WHERE (role_id, metric_key) = (%s, %L);', g.role_id, g.metric_key)
    FROM entitle.role_metric g LEFT JOIN entitle.role r USING (role_id)
    WHERE g.metric_key <> '*' AND NOT EXISTS (SELECT FROM entitle.metric m WHERE m.metric_key = g.metric_key)
    UNION ALL
    SELECT 'notice', 'entitle.external_access', format('%s grants ended more than 90 days ago', count(*)),
           'DELETE FROM entitle.external_access WHERE valid_until < current_date - 90 AND role <> ''L90'';'
    FROM entitle.external_access g WHERE g.valid_until < current_date - 90 AND g.role <> 'L90'
    HAVING count(*) > 0
    $$;
COMMENT ON FUNCTION entitle_internal.lint_model() IS 'lint: unknown keys and unused grants in the model';
REVOKE ALL ON FUNCTION entitle_internal.lint_model() FROM PUBLIC;

-- Logins match byte for byte; people do not read them so. The one that was there first keeps its name. PostgreSQL normalizes
-- Unicode in databases of that encoding only.
CREATE FUNCTION entitle_internal.lint_logins() RETURNS SETOF entitle.finding
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT 'warning', u.login, format('differs from login %L only by case or by the form of its characters', u.first_login),
           format('UPDATE entitle.app_user SET is_active = false WHERE login = %L; -- or rename it', u.login)
    FROM (SELECT l.login, l.user_id, first_value(l.login) OVER same AS first_login, first_value(l.user_id) OVER same AS first_user
          FROM (SELECT a.*, lower((CASE WHEN getdatabaseencoding() = 'UTF8' THEN normalize(a.login, NFKC) ELSE a.login END) COLLATE "default") AS folded
                FROM entitle.app_user a WHERE a.is_active) l
          WINDOW same AS (PARTITION BY l.folded ORDER BY l.user_id)) u
    WHERE u.user_id <> u.first_user
    $$;
COMMENT ON FUNCTION entitle_internal.lint_logins() IS 'lint: users who cannot be told apart by their logins';
REVOKE ALL ON FUNCTION entitle_internal.lint_logins() FROM PUBLIC;

-- SECURITY DEFINER: it reads the declarations and the model, so that whoever the DBA lets run it finds what there is.
CREATE FUNCTION entitle.lint() RETURNS TABLE (severity text, object text, finding text, remedy text)
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET jit = off -- it takes longer to compile than to run
    SET quote_all_identifiers = off SET standard_conforming_strings = on SET lc_messages = 'C' -- the same texts for every session
    SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET extra_float_digits = 1 SET TimeZone = 'UTC'
    AS $$
    SELECT f.*
    FROM (SELECT 'error' AS severity, v.relation::text AS object, v.problem AS finding, v.remedy FROM entitle.verify_protection() v
          UNION ALL SELECT * FROM entitle_internal.lint_tables()
          UNION ALL SELECT * FROM entitle_internal.lint_coverage()
          UNION ALL SELECT * FROM entitle_internal.lint_reported()
          UNION ALL SELECT * FROM entitle_internal.lint_functions()
          UNION ALL SELECT * FROM entitle_internal.lint_oracles()
          UNION ALL SELECT * FROM entitle_internal.lint_guard()
          UNION ALL SELECT * FROM entitle_internal.lint_roles()
          UNION ALL SELECT * FROM entitle_internal.lint_logins()
          UNION ALL SELECT * FROM entitle_internal.lint_server()
          UNION ALL SELECT * FROM entitle_internal.lint_release(current_setting('server_version_num')::integer, current_date)
          UNION ALL SELECT * FROM entitle_internal.lint_readers()
          UNION ALL SELECT * FROM entitle_internal.lint_adoptions()
          UNION ALL SELECT * FROM entitle_internal.lint_extension()
          UNION ALL SELECT * FROM entitle_internal.lint_tenants()
          UNION ALL SELECT * FROM entitle_internal.lint_model()) f
    ORDER BY array_position(ARRAY['error', 'warning', 'notice'], f.severity), f.object, f.finding
    $$;
COMMENT ON FUNCTION entitle.lint() IS
    'Everything in the database that weakens the protection, and the statement that mends each; no row when all is well';
REVOKE ALL ON FUNCTION entitle.lint() FROM PUBLIC;
