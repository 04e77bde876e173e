-- lint, its part on functions that run with lent rights: the table owner's where a filtered view is written, a superuser's
-- where a function of the extension writes the model (R56).

-- What is C, part of another extension, or parsed when it is made (BEGIN ATOMIC) looks up no name while it runs.
CREATE FUNCTION entitle_internal.lint_functions() RETURNS SETOF entitle.finding
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH written AS (
        SELECT m.relation::oid AS relation, c.relnamespace AS schema
        FROM entitle.protection_view v
        JOIN entitle.protection_member m ON m.root = v.relation
        JOIN pg_class c ON c.oid = m.relation
        UNION
        SELECT c.oid, NULL FROM pg_class c WHERE c.relnamespace = 'entitle'::regnamespace AND c.relkind = 'r'),
    used AS (
        SELECT w.relation, w.schema, t.tgfoid AS function
        FROM written w JOIN pg_trigger t ON t.tgrelid = w.relation AND NOT t.tgisinternal
        UNION
        SELECT w.relation, w.schema, f.refobjid
        FROM written w
        JOIN pg_depend o ON o.refclassid = 'pg_class'::regclass AND o.refobjid = w.relation
             AND o.classid IN ('pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_trigger'::regclass,
                               'pg_class'::regclass)
        JOIN pg_depend f ON f.classid = o.classid AND f.objid = o.objid AND f.refclassid = 'pg_proc'::regclass
        UNION
        SELECT w.relation, w.schema, f.refobjid
        FROM written w
        JOIN pg_attribute a ON a.attrelid = w.relation AND NOT a.attisdropped
        JOIN pg_constraint k ON k.contypid = a.atttypid
        JOIN pg_depend f ON f.classid = 'pg_constraint'::regclass AND f.objid = k.oid
             AND f.refclassid = 'pg_proc'::regclass)
    SELECT 'notice', u.function::regprocedure::text,
           format('%s, and runs with other rights than the writer''s for %s',
                  CASE WHEN p.path IS NULL THEN 'has no search_path of its own'
                  ELSE 'looks among temporary objects first' END, p.tables),
           format('ALTER FUNCTION %s SET search_path = %s, pg_temp; -- and the schemas whose names it uses',
                  u.function::regprocedure,
                  -- A path that SET ... FROM CURRENT took over stands there as it was typed.
                  CASE WHEN p.path ~ '^\s*("([^"]|"")+"|[a-z_][a-z0-9_$]*)(\s*,\s*("([^"]|"")+"|[a-z_][a-z0-9_$]*))*\s*$' THEN p.path
                  ELSE quote_ident(n.nspname) END)
    FROM (SELECT DISTINCT function FROM used) u
    JOIN pg_proc f ON f.oid = u.function AND f.prosqlbody IS NULL
         AND f.pronamespace NOT IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace, 'pg_catalog'::regnamespace)
    JOIN pg_language l ON l.oid = f.prolang AND l.lanname NOT IN ('c', 'internal')
    CROSS JOIN LATERAL (
        SELECT (SELECT substr(s, 13) FROM unnest(f.proconfig) AS s WHERE s LIKE 'search\_path=%') AS path,
               string_agg(DISTINCT t.relation::regclass::text, ', ') AS tables,
               coalesce(min(t.schema), f.pronamespace) AS schema
        FROM used t WHERE t.function = u.function) p
    JOIN pg_namespace n ON n.oid = p.schema
    WHERE (p.path IS NULL OR p.path !~ '(^|,)\s*"?pg_temp"?\s*(,|$)')
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_proc'::regclass AND d.objid = u.function AND d.deptype = 'e')
    UNION ALL
    -- Whoever writes is lent the rights, and the function is not the writer's: but it is somebody's who has them not.
    SELECT 'warning', f.oid::regprocedure::text,
           format('belongs to %s, who can change it, and runs with the rights of %s for %s', f.proowner::regrole, c.relowner::regrole,
                  string_agg(DISTINCT c.oid::regclass::text, ', ')),
           format('ALTER FUNCTION %s OWNER TO %I;', f.oid::regprocedure, pg_get_userbyid(c.relowner))
    FROM used u
    JOIN pg_proc f ON f.oid = u.function AND NOT f.prosecdef
    JOIN pg_class c ON c.oid = u.relation AND NOT pg_has_role(f.proowner, c.relowner, 'USAGE')
    GROUP BY f.oid, f.proowner, c.relowner
    UNION ALL
    -- What such a function calls by a bare name may be anybody's who makes it there (S235). PUBLIC is told by lint_tables.
    SELECT 'warning', n.nspname::text,
           format('%s may create objects in it, which functions of %s find and run with the rights of %s', x.grantee::regrole,
                  string_agg(DISTINCT c.oid::regclass::text, ', '), c.relowner::regrole),
           format('REVOKE CREATE ON SCHEMA %I FROM %I;', n.nspname, pg_get_userbyid(x.grantee))
    FROM used u
    JOIN pg_proc f ON f.oid = u.function AND f.prosqlbody IS NULL
         AND f.pronamespace NOT IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace, 'pg_catalog'::regnamespace)
    JOIN pg_language l ON l.oid = f.prolang AND l.lanname NOT IN ('c', 'internal')
    JOIN pg_class c ON c.oid = u.relation AND c.relnamespace = u.schema
    JOIN pg_namespace n ON n.oid = u.schema, aclexplode(n.nspacl) x
    WHERE x.privilege_type = 'CREATE' AND x.grantee NOT IN (0, n.nspowner) AND NOT pg_has_role(x.grantee, c.relowner, 'USAGE')
    GROUP BY n.nspname, x.grantee, c.relowner
    UNION ALL
    -- New ones are refused (S525). What was there before, or whose type or table changed its owner, is told.
    SELECT DISTINCT 'error', k.conrelid::regclass::text,
           format('its foreign key %I to %s compares columns of types %s and %s: functions of %s run with the rights of %s', k.conname,
                  k.confrelid::regclass, f.line, f.document, t.typowner::regrole, x.relowner::regrole),
           format('ALTER TABLE %s DROP CONSTRAINT %I;', k.conrelid::regclass, k.conname)
    FROM pg_constraint k
    CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS n (line, document)
    JOIN pg_attribute l ON l.attrelid = k.conrelid AND l.attnum = n.line
    JOIN pg_attribute d ON d.attrelid = k.confrelid AND d.attnum = n.document
    CROSS JOIN LATERAL (SELECT entitle_internal.base_type(l.atttypid) AS line, entitle_internal.base_type(d.atttypid) AS document) f
    JOIN pg_class x ON x.oid = k.confrelid
    JOIN pg_type t ON t.oid = f.line AND t.typowner <> x.relowner
    JOIN pg_roles o ON o.oid = t.typowner AND NOT o.rolsuper
    WHERE k.contype = 'f' AND f.line <> f.document
    $$;
COMMENT ON FUNCTION entitle_internal.lint_functions() IS
    'lint: functions that a write with lent rights reaches, and whose names may lead to temporary objects';
REVOKE ALL ON FUNCTION entitle_internal.lint_functions() FROM PUBLIC;
