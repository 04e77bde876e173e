-- lint, its part on tables: what stands beside the protection of protected tables, and what was forgotten.

CREATE TYPE entitle.finding AS (severity text, object text, finding text, remedy text);
COMMENT ON TYPE entitle.finding IS
    'error: rows or rights are open to whom they are not granted; warning: somebody could open them; notice: worth knowing';

CREATE FUNCTION entitle_internal.policy_text(policy pg_catalog.pg_policy) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', policy.polname, policy.polrelid::regclass,
        CASE WHEN policy.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
        CASE policy.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
        (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE r::regrole::text END, ', ') FROM unnest(policy.polroles) AS r),
        ' USING (' || pg_get_expr(policy.polqual, policy.polrelid) || ')',
        ' WITH CHECK (' || pg_get_expr(policy.polwithcheck, policy.polrelid) || ')')
    $$;
COMMENT ON FUNCTION entitle_internal.policy_text(pg_catalog.pg_policy) IS 'The statement that makes a policy';
REVOKE ALL ON FUNCTION entitle_internal.policy_text(pg_catalog.pg_policy) FROM PUBLIC;

CREATE FUNCTION entitle_internal.grantee_name(grantee oid) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END
    $$;
COMMENT ON FUNCTION entitle_internal.grantee_name(oid) IS 'A role as GRANT and REVOKE name it';
REVOKE ALL ON FUNCTION entitle_internal.grantee_name(oid) FROM PUBLIC;

-- Superusers are bound by nothing and named by nothing here; the roles that PostgreSQL brings are its own.
CREATE FUNCTION entitle_internal.is_ordinary(grantee oid) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT grantee = 0 OR EXISTS (SELECT FROM pg_roles r WHERE r.oid = grantee AND NOT r.rolsuper AND r.oid >= 16384)
    $$;
COMMENT ON FUNCTION entitle_internal.is_ordinary(oid) IS 'Whether a role, or PUBLIC, is one that protection is meant to bind';
REVOKE ALL ON FUNCTION entitle_internal.is_ordinary(oid) FROM PUBLIC;

CREATE FUNCTION entitle_internal.undeclared_tables() RETURNS SETOF regclass
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT DISTINCT p.polrelid::regclass
    FROM pg_policy p
    JOIN pg_class c ON c.oid = p.polrelid AND c.relnamespace <> 'entitle'::regnamespace
    JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass
    JOIN pg_proc f ON f.oid = d.refobjid AND f.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace)
    WHERE p.polname IN ('entitle_select', 'entitle_insert', 'entitle_update', 'entitle_delete')
      AND NOT EXISTS (SELECT FROM entitle.protection_member m WHERE m.relation = p.polrelid)
    $$;
COMMENT ON FUNCTION entitle_internal.undeclared_tables() IS 'Tables with policies of protect_table that no declaration tells of';
REVOKE ALL ON FUNCTION entitle_internal.undeclared_tables() FROM PUBLIC;

CREATE FUNCTION entitle_internal.lint_readers() RETURNS SETOF entitle.finding
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH sound AS MATERIALIZED (
        SELECT entitle_internal.mended_declaration(d.declared) AS declared
        FROM (SELECT p AS declared
              FROM entitle.protection p
              JOIN pg_class c ON c.oid = p.relation
              WHERE entitle_internal.declaration_problem(p) IS NULL
              OFFSET 0) d) -- nonsense is told by verify_protection
    SELECT r.severity, r.reader, r.finding, r.remedy
    FROM sound s
    CROSS JOIN LATERAL entitle_internal.masked_readers((s.declared).relation, entitle_internal.masked_names(s.declared)) r
    UNION ALL
    SELECT 'error', w.object::text, w.finding, w.remedy
    FROM sound s
    CROSS JOIN LATERAL entitle_internal.watching_types((s.declared).relation) w
    $$;
COMMENT ON FUNCTION entitle_internal.lint_readers() IS 'lint: views, functions and types by which others see columns';
REVOKE ALL ON FUNCTION entitle_internal.lint_readers() FROM PUBLIC;

-- What stands beside the policies of protected tables: other policies, privileges that row-level security does not see,
-- copies, and rows on their way out.
CREATE FUNCTION entitle_internal.lint_tables() RETURNS SETOF entitle.finding
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH RECURSIVE member AS MATERIALIZED (
        SELECT c.oid, c.oid::regclass AS relation, c.relowner, c.relacl, c.relnamespace
        FROM entitle.protection_member m JOIN pg_class c ON c.oid = m.relation),
    reader (oid) AS (
        SELECT m.oid FROM member m
        UNION
        SELECT w.ev_class
        FROM reader r
        JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid AND d.classid = 'pg_rewrite'::regclass
        JOIN pg_rewrite w ON w.oid = d.objid),
    shown AS MATERIALIZED (SELECT r.object FROM entitle_internal.lint_readers() r WHERE r.severity = 'error')
    SELECT 'error', m.relation::text, format('policy "%s" lets through what entitle does not', p.polname),
           format('DROP POLICY %I ON %s;', p.polname, m.relation)
    FROM member m JOIN pg_policy p ON p.polrelid = m.oid
    WHERE p.polpermissive AND p.polname NOT IN ('entitle_select', 'entitle_insert', 'entitle_update', 'entitle_delete')
    UNION ALL
    SELECT 'error', u.object::text, u.finding, u.remedy
    FROM entitle.protection_view v, entitle_internal.unheld_policies(v.relation) u
    WHERE v.relation IN (SELECT c.oid FROM pg_class c)
    UNION ALL
    SELECT 'warning', u::text, 'has policies of protect_table, and is not declared: nothing watches over them',
           format('SELECT entitle_internal.remove_protection(%L); -- or protect it again', u::text)
    FROM entitle_internal.undeclared_tables() u
    UNION ALL
    SELECT CASE WHEN o.rolsuper OR o.rolbypassrls THEN 'error' ELSE 'warning' END, c.oid::regclass::text,
           format('the view reads protected tables with the rights of its owner %s', o.rolname),
           format('ALTER VIEW %s SET (security_invoker = true);', c.oid::regclass)
    FROM reader r JOIN pg_class c ON c.oid = r.oid JOIN pg_roles o ON o.oid = c.relowner
    WHERE c.relkind = 'v'
      AND NOT EXISTS (SELECT FROM pg_options_to_table(c.reloptions) t WHERE t.option_name = 'security_invoker' AND t.option_value::boolean)
      AND NOT EXISTS (SELECT FROM entitle.protection_view v WHERE v.view = c.oid)
      AND c.oid::regclass::text NOT IN (SELECT s.object FROM shown s)
    UNION ALL
    SELECT 'warning', c.oid::regclass::text, 'the materialized view holds rows of protected tables, and nothing filters them',
           format('DROP MATERIALIZED VIEW %s;', c.oid::regclass)
    FROM reader r JOIN pg_class c ON c.oid = r.oid
    WHERE c.relkind = 'm' AND c.oid::regclass::text NOT IN (SELECT s.object FROM shown s)
    UNION ALL
    SELECT 'warning', m.relation::text,
           format('%s holds %s, which row-level security does not narrow', entitle_internal.grantee_name(x.grantee), string_agg(DISTINCT x.privilege_type, ', ')),
           format('REVOKE %s ON %s FROM %s;', string_agg(DISTINCT x.privilege_type, ', '), m.relation, entitle_internal.grantee_name(x.grantee))
    FROM member m
    CROSS JOIN LATERAL (
        SELECT * FROM aclexplode(m.relacl)
        UNION ALL
        SELECT e.* FROM pg_attribute a, aclexplode(a.attacl) e WHERE a.attrelid = m.oid) x
    WHERE x.privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN') AND x.grantee <> m.relowner AND entitle_internal.is_ordinary(x.grantee)
    GROUP BY m.relation, x.grantee
    UNION ALL
    SELECT 'warning', p.pubname::text, format('the publication sends all rows of %s', m.relation),
           format('ALTER PUBLICATION %I DROP TABLE %s;', p.pubname, m.relation)
    FROM member m JOIN pg_publication_rel r ON r.prrelid = m.oid JOIN pg_publication p ON p.oid = r.prpubid
    UNION ALL
    SELECT DISTINCT 'warning', p.pubname::text, format('the publication sends all rows of schema %s', n.nspname),
           format('ALTER PUBLICATION %I DROP TABLES IN SCHEMA %I;', p.pubname, n.nspname)
    FROM member m JOIN pg_publication_namespace r ON r.pnnspid = m.relnamespace JOIN pg_publication p ON p.oid = r.pnpubid
    JOIN pg_namespace n ON n.oid = m.relnamespace
    UNION ALL
    SELECT 'warning', p.pubname::text, 'the publication sends all rows of all tables', format('DROP PUBLICATION %I;', p.pubname)
    FROM pg_publication p WHERE p.puballtables AND EXISTS (SELECT FROM member)
    UNION ALL
    SELECT 'warning', o.rolname::text, format('owns protected tables and may log in: an owner can switch protection off'),
           format('ALTER ROLE %I NOLOGIN;', o.rolname)
    FROM pg_roles o WHERE o.rolcanlogin AND NOT o.rolsuper AND o.oid IN (SELECT m.relowner FROM member m)
    UNION ALL
    SELECT DISTINCT 'warning', n.nspname::text, 'PUBLIC may create objects in the schema of protected tables',
           format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC;', n.nspname)
    FROM member m JOIN pg_namespace n ON n.oid = m.relnamespace, aclexplode(n.nspacl) x
    WHERE x.grantee = 0 AND x.privilege_type = 'CREATE'
    $$;
COMMENT ON FUNCTION entitle_internal.lint_tables() IS 'lint: what weakens the protected tables from beside';
REVOKE ALL ON FUNCTION entitle_internal.lint_tables() FROM PUBLIC;

-- What was forgotten: tables of customers that nobody protected, and indexes that the row tests would use.
CREATE FUNCTION entitle_internal.lint_reported() RETURNS SETOF entitle.finding
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT 'warning', r.relation::text, 'is in report mode: nothing is enforced', entitle_internal.protection_call(ROW(r.*)::entitle.protection)
    FROM entitle.reported_protection r
    JOIN pg_class c ON c.oid = r.relation
    UNION ALL
    -- Nothing of a table in report mode brings the library to a session that only reads.
    SELECT 'warning', current_database(), 'sessions that call no function of entitle are not reported: they do not load its library',
           format('ALTER DATABASE %I SET session_preload_libraries = %s; -- for sessions that begin then', current_database(),
                  concat_ws(', ', nullif(current_setting('session_preload_libraries'), ''), 'entitle'))
    WHERE EXISTS (SELECT FROM entitle.reported_protection)
      AND 'entitle' <> ALL (regexp_split_to_array(concat_ws(',', current_setting('session_preload_libraries'), current_setting('shared_preload_libraries')), '[, "]+'))
    $$;
COMMENT ON FUNCTION entitle_internal.lint_reported() IS 'lint: tables in report mode, which show and take what they would without protection';
REVOKE ALL ON FUNCTION entitle_internal.lint_reported() FROM PUBLIC;

CREATE FUNCTION entitle_internal.lint_coverage() RETURNS SETOF entitle.finding
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH customer_name AS (
        SELECT n.name, n.type
        FROM (VALUES ('customer_id', 'int2'), ('customer_id', 'int4'), ('customer_id', 'int8'), ('customer_uuid', 'uuid'),
                     ('customer_code', 'text'), ('customer_code', 'varchar')) AS n (name, type)
        UNION
        -- What other tables call their customers counts only where it says so by itself.
        SELECT a.attname, t.typname
        FROM entitle.protection p
        JOIN pg_attribute a ON a.attrelid = p.relation AND a.attname = p.customer_column AND NOT a.attisdropped
        JOIN pg_type t ON t.oid = a.atttypid
        WHERE p.parent IS NULL AND lower(a.attname) !~ '^(id|key|code|uuid|guid|name|number|no|nr|ref|reference|type|kind|status|value|owner)$'),
    candidate AS MATERIALIZED (
        SELECT c.oid
        FROM pg_class c
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
          AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'entitle'::regnamespace)
          AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
          AND NOT EXISTS (SELECT FROM entitle.protection_member m WHERE m.relation = c.oid)
          AND NOT EXISTS (SELECT FROM entitle.reported_protection r WHERE r.relation = c.oid)
          AND c.oid NOT IN (SELECT u FROM entitle_internal.undeclared_tables() u)),
    unprotected AS (
        SELECT DISTINCT ON (c.oid) c.oid::regclass AS relation, a.attname
        FROM candidate c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type t ON t.oid = a.atttypid
        WHERE t.typname IN ('int2', 'int4', 'int8', 'uuid', 'text', 'varchar')
          AND ((a.attname, t.typname) IN (SELECT n.name, n.type FROM customer_name n)
               OR EXISTS (SELECT FROM pg_constraint k
                          WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid = 'entitle.customer'::regclass
                            AND k.conkey = ARRAY[a.attnum]))
        ORDER BY c.oid, a.attnum),
    -- Tables that refer to protected ones are their lines, as a rule.
    line AS (
        SELECT DISTINCT ON (c.oid) c.oid::regclass AS relation, k.confrelid::regclass AS parent
        FROM candidate c
        JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f'
        JOIN entitle.protection p ON p.relation = k.confrelid
        WHERE c.oid NOT IN (SELECT u.relation FROM unprotected u)
        ORDER BY c.oid, k.confrelid),
    wanted AS (
        SELECT n.relation, n.customer_column AS first, n.date_column AS second
        FROM entitle.protection p JOIN pg_class c ON c.oid = p.relation CROSS JOIN LATERAL entitle_internal.declared_now(p) n
        WHERE n.customer_column IS NOT NULL),
    prefix AS (
        SELECT i.indrelid, array_agg(a.attname ORDER BY k.position) AS columns
        FROM pg_index i
        CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, position)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indisvalid AND i.indpred IS NULL AND k.position <= least(2, i.indnkeyatts)
        GROUP BY i.indexrelid, i.indrelid)
    SELECT 'warning', u.relation::text, format('column "%s" holds customers, and the table is not protected', u.attname),
           format('SELECT entitle.protect_table(%L, customer_column => %L);', u.relation::text, u.attname)
           || CASE WHEN EXISTS (SELECT FROM prefix l WHERE l.indrelid = u.relation AND l.columns[1] = u.attname) THEN ''
                   ELSE format(' CREATE INDEX ON %s (%I);', u.relation, u.attname) END
    FROM unprotected u
    UNION ALL
    SELECT 'warning', l.relation::text, format('the table refers to protected table %s, and is not protected', l.parent),
           format('SELECT entitle.protect_table(%L, parent => %L);', l.relation::text, l.parent::text)
    FROM line l
    UNION ALL
    SELECT 'notice', w.relation::text,
           format('no index begins with column "%s"%s', w.first, CASE WHEN w.second IS NULL THEN '' ELSE format(' and finds by "%s"', w.second) END),
           format('CREATE INDEX ON %s (%s);', w.relation, concat_ws(', ', quote_ident(w.first), quote_ident(w.second)))
    FROM wanted w
    WHERE NOT EXISTS (SELECT FROM prefix l WHERE l.indrelid = w.relation AND l.columns[1] = w.first)
       OR w.second IS NOT NULL
          AND NOT EXISTS (SELECT FROM prefix l
                          WHERE l.indrelid = w.relation AND (l.columns[1] = w.second OR l.columns[1:2] = ARRAY[w.first, w.second]))
    $$;
COMMENT ON FUNCTION entitle_internal.lint_coverage() IS 'lint: tables of customers without protection, and protected tables without the indexes it uses';
REVOKE ALL ON FUNCTION entitle_internal.lint_coverage() FROM PUBLIC;
