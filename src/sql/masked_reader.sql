-- What shows masked columns past the filtered view: views and SECURITY DEFINER functions that read the table with the rights of an
-- owner who may read these columns, others' triggers, foreign keys. protect_table warns of them, lint calls them errors.

CREATE FUNCTION entitle_internal.masked_readers(relation regclass, masked name[])
    RETURNS TABLE (severity text, reader text, finding text, remedy text)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH RECURSIVE hidden AS (
        SELECT a.attrelid, a.attnum
        FROM entitle_internal.protection_family(masked_readers.relation) f
        JOIN pg_attribute a ON a.attrelid = f AND a.attname = ANY (masked) AND a.attnum > 0 AND NOT a.attisdropped),
    -- Each rule of a view, the columns it reads, and from where each of its own columns comes, 0 for what is computed. A whole row is
    -- recorded as a use of the relation only; the rule's tree tells it (attribute 0).
    rule AS (
        SELECT c.oid, c.relkind, c.relowner, c.relacl, d.refobjid, d.refobjsubid, w.oid AS rule,
               EXISTS (SELECT FROM pg_options_to_table(c.reloptions) t
                       WHERE t.option_name = 'security_invoker' AND t.option_value::boolean) AS is_invoker
        FROM pg_depend d
        JOIN pg_rewrite w ON w.oid = d.objid
        JOIN pg_class c ON c.oid = w.ev_class AND c.oid <> d.refobjid AND c.relkind IN ('v', 'm')
        WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid >= 16384
          AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgfoid = 'entitle_internal.write_view()'::regprocedure)),
    -- The masked columns, and those of views that show them with the rights of an owner: views are made of views (S178).
    shown (attrelid, attnum) AS (
        SELECT h.attrelid, h.attnum FROM hidden h
        UNION
        SELECT r.oid, o.origin[1]::smallint
        FROM shown s
        JOIN rule r ON r.refobjid = s.attrelid AND r.refobjsubid IN (s.attnum, 0)
        JOIN pg_rewrite w ON w.oid = r.rule AND (r.refobjsubid <> 0 OR w.ev_action::text LIKE '%:varattno 0 %')
        CROSS JOIN regexp_matches(w.ev_action::text,
                                  E':resno ([0-9]+) :resname (?:[^ \\\\]|\\\\.)+ :ressortgroupref [0-9]+ :resorigtbl ([0-9]+) :resorigcol ([0-9]+)',
                                  'g') AS o (origin)
        WHERE (r.relkind = 'm' OR NOT r.is_invoker) AND has_column_privilege(r.relowner, s.attrelid, s.attnum, 'SELECT')
          AND (o.origin[2] = '0' OR o.origin[2]::oid = s.attrelid AND o.origin[3]::integer IN (s.attnum, 0))),
    view AS (
        SELECT DISTINCT r.oid, r.relkind, r.relowner, r.relacl, s.attrelid, s.attnum, r.is_invoker
        FROM shown s
        JOIN rule r ON r.refobjid = s.attrelid AND r.refobjsubid IN (s.attnum, 0)
        JOIN pg_rewrite w ON w.oid = r.rule AND (r.refobjsubid <> 0 OR w.ev_action::text LIKE '%:varattno 0 %')),
    -- Somebody else than the owner reads it.
    read_view AS (
        SELECT v.*, x.grantee
        FROM view v
        JOIN LATERAL (
            SELECT e.grantee FROM aclexplode(v.relacl) e WHERE e.privilege_type = 'SELECT'
            UNION
            SELECT e.grantee FROM pg_attribute a, aclexplode(a.attacl) e WHERE a.attrelid = v.oid AND e.privilege_type = 'SELECT') x
            ON x.grantee <> v.relowner)
    SELECT 'error', v.oid::regclass::text,
           CASE v.relkind WHEN 'm' THEN format('the materialized view keeps masked columns of table %s', masked_readers.relation)
                          ELSE format('the view shows masked columns of table %s with the rights of its owner %s',
                                      masked_readers.relation, v.relowner::regrole) END,
           CASE v.relkind WHEN 'm' THEN format('DROP MATERIALIZED VIEW %s;', v.oid::regclass)
                          ELSE format('ALTER VIEW %s SET (security_invoker = true);', v.oid::regclass) END
    FROM read_view v
    WHERE (v.relkind = 'm' OR NOT v.is_invoker) AND has_column_privilege(v.relowner, v.attrelid, v.attnum, 'SELECT')
    GROUP BY v.oid, v.relkind, v.relowner
    UNION ALL
    SELECT 'notice', v.oid::regclass::text,
           format('the view reads masked columns of table %s, which its readers may not', masked_readers.relation),
           entitle_internal.remark(format('let it read %s instead', entitle_internal.find_view(masked_readers.relation)))
    FROM read_view v
    WHERE v.relkind = 'v' AND v.is_invoker
      AND CASE v.grantee WHEN 0 THEN true ELSE NOT has_column_privilege(v.grantee, v.attrelid, v.attnum, 'SELECT') END
    GROUP BY v.oid
    UNION ALL
    -- What a rule does beside or instead of a write is done with the rights of its table's owner, as a view's reading is.
    SELECT 'error', c.oid::regclass::text,
           format('the rule %I reads masked columns of table %s with the rights of %s', w.rulename, masked_readers.relation, c.relowner::regrole),
           format('DROP RULE %I ON %s;', w.rulename, c.oid::regclass)
    FROM pg_rewrite w
    JOIN pg_class c ON c.oid = w.ev_class AND w.ev_type <> '1'
    WHERE EXISTS (SELECT FROM pg_depend d
                  JOIN shown s ON d.refobjid = s.attrelid AND d.refobjsubid IN (s.attnum, 0)
                  WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
                    AND (d.refobjsubid <> 0 OR w.ev_action::text LIKE '%:varattno 0 %')
                    AND has_column_privilege(c.relowner, s.attrelid, s.attnum, 'SELECT'))
      AND EXISTS (SELECT FROM aclexplode(c.relacl) e
                  WHERE e.grantee <> c.relowner AND e.privilege_type IN ('INSERT', 'UPDATE', 'DELETE')
                  UNION ALL
                  SELECT FROM pg_attribute a, aclexplode(a.attacl) e
                  WHERE a.attrelid = c.oid AND e.grantee <> c.relowner AND e.privilege_type IN ('INSERT', 'UPDATE'))
    UNION ALL
    -- Of a trigger that somebody else made while he had the privilege, only its function tells whose it is (S177).
    SELECT 'error', t.tgrelid::regclass::text,
           format('the trigger %I gives whole rows of table %s to %s, who may not read its masked columns', t.tgname, masked_readers.relation,
                  p.proowner::regrole),
           format('DROP TRIGGER %I ON %s;', t.tgname, t.tgrelid::regclass)
    FROM pg_trigger t
    JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'entitle'::regnamespace, 'entitle_internal'::regnamespace)
      AND EXISTS (SELECT FROM hidden h WHERE h.attrelid = t.tgrelid AND NOT has_column_privilege(p.proowner, h.attrelid, h.attnum, 'SELECT'))
    UNION ALL
    -- One that was there before the masks: what it refuses tells values, and a cascade brings them (S528). A column that is itself
    -- masked as much is written by nobody whom that tells anything.
    SELECT DISTINCT 'error', c.conrelid::regclass::text,
           format('the foreign key %I tells masked columns of table %s to those who write its column and may not read them', c.conname, masked_readers.relation),
           format('ALTER TABLE %s DROP CONSTRAINT %I;', c.conrelid::regclass, c.conname)
    FROM pg_constraint c
    JOIN pg_class r ON r.oid = c.conrelid
    CROSS JOIN generate_subscripts(c.confkey, 1) AS place
    JOIN hidden h ON h.attrelid = c.confrelid AND h.attnum = c.confkey[place]
    JOIN pg_attribute m ON m.attrelid = h.attrelid AND m.attnum = h.attnum
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[place]
    WHERE c.contype = 'f' AND c.conparentid = 0
      AND (SELECT CASE WHEN v.own ~ '^[0-9]{1,9}$' AND v.referred ~ '^[0-9]{1,9}$' THEN v.own::integer >= v.referred::integer END
           FROM (SELECT (entitle_internal.declaration(c.conrelid)).masked_columns ->> a.attname::text,
                        (entitle_internal.declaration(masked_readers.relation)).masked_columns ->> m.attname::text) AS v (own, referred)) IS NOT TRUE
      AND EXISTS (SELECT
                  FROM (SELECT r.relowner
                        UNION ALL
                        SELECT e.grantee
                        FROM pg_class t, aclexplode(t.relacl) e
                        WHERE t.oid IN (r.oid, entitle_internal.find_view(r.oid)) AND e.privilege_type IN ('INSERT', 'UPDATE')
                        UNION ALL
                        SELECT e.grantee
                        FROM pg_attribute t, aclexplode(t.attacl) e
                        WHERE t.attrelid IN (r.oid, entitle_internal.find_view(r.oid)) AND t.attname = a.attname
                          AND e.privilege_type IN ('INSERT', 'UPDATE')) AS w (writer)
                  WHERE CASE w.writer WHEN 0 THEN true ELSE NOT has_column_privilege(w.writer, h.attrelid, h.attnum, 'SELECT') END)
    UNION ALL
    -- PostgreSQL knows what a function reads when its body is SQL and was parsed; else its text must tell.
    SELECT 'error', p.oid::regprocedure::text,
           format('the SECURITY DEFINER function reads table %s with the rights of its owner %s, masked columns too',
                  masked_readers.relation, p.proowner::regrole),
           format('ALTER FUNCTION %s SECURITY INVOKER;', p.oid::regprocedure)
    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
    WHERE p.prosecdef AND l.lanname NOT IN ('c', 'internal') AND p.prokind IN ('f', 'p')
      AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
      AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'entitle'::regnamespace, 'entitle_internal'::regnamespace)
      AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
                  WHERE x.grantee <> p.proowner AND x.privilege_type = 'EXECUTE')
      AND EXISTS (SELECT FROM shown h
                  JOIN pg_class c ON c.oid = h.attrelid
                  WHERE has_column_privilege(p.proowner, h.attrelid, h.attnum, 'SELECT')
                    AND (p.prosrc ~* ('(^|[^[:alnum:]_])' || regexp_replace(c.relname, '([^[:alnum:]_])', E'\\\\\\1', 'g') || '([^[:alnum:]_]|$)')
                         OR EXISTS (SELECT FROM pg_depend d
                                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                                      AND d.refclassid = 'pg_class'::regclass AND d.refobjid = h.attrelid)))
    $$;
COMMENT ON FUNCTION entitle_internal.masked_readers(regclass, name[]) IS
    'Views, SECURITY DEFINER functions, triggers and foreign keys by which others learn masked columns of a table, and views that its masks break';
GRANT EXECUTE ON FUNCTION entitle_internal.masked_readers(regclass, name[]) TO PUBLIC;

CREATE FUNCTION entitle_internal.warn_of_readers(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT r.* FROM entitle_internal.masked_readers(declared.relation, entitle_internal.masked_names(declared)) r ORDER BY r.reader
    LOOP
        RAISE WARNING '%: %', found.reader, found.finding
            USING HINT = CASE WHEN found.severity <> 'error' THEN 'Let it read the filtered view.'
                              WHEN found.remedy ~ '^(DROP (TRIGGER|RULE)|ALTER TABLE) ' THEN found.remedy
                              ELSE found.remedy || ' Or let it read the filtered view.' END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.warn_of_readers(entitle.protection) IS 'Warns of views and functions that show masked columns, and of views that masks break';
GRANT EXECUTE ON FUNCTION entitle_internal.warn_of_readers(entitle.protection) TO PUBLIC;

-- A filtered view reads and writes with the rights of the table's owner: policies beside entitle's bind that one, and not whoever asks.
-- SECURITY DEFINER: as declaration; of a line its documents' policies count as well.
CREATE FUNCTION entitle_internal.unheld_policies(relation regclass) RETURNS TABLE (object regclass, finding text, remedy text)
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    WITH RECURSIVE read (oid) AS (
        SELECT unheld_policies.relation::oid
        UNION
        SELECT d.parent::oid FROM read r JOIN entitle.protection d ON d.relation = r.oid::regclass WHERE d.parent IS NOT NULL)
    SELECT v.view::regclass,
           format('the filtered view passes by policy "%s" of %s, because it reads with the rights of %s', p.polname, r.oid::regclass, o.rolname),
           CASE WHEN o.rolsuper OR o.rolbypassrls
                THEN format('ALTER TABLE %s OWNER TO ...; -- a role that row-level security binds', unheld_policies.relation)
                ELSE format('ALTER POLICY %I ON %s TO PUBLIC;', p.polname, r.oid::regclass) END
    FROM entitle.protection_view v
    JOIN pg_class c ON c.oid = v.view::oid
    JOIN pg_roles o ON o.oid = c.relowner
    CROSS JOIN read r
    JOIN pg_policy p ON p.polrelid = r.oid AND NOT p.polpermissive
    WHERE v.relation = unheld_policies.relation
      AND (o.rolsuper OR o.rolbypassrls
           OR NOT EXISTS (SELECT FROM unnest(p.polroles) AS bound (role)
                          WHERE CASE WHEN bound.role = 0 THEN true ELSE pg_has_role(c.relowner, bound.role, 'USAGE') END))
    $$;
COMMENT ON FUNCTION entitle_internal.unheld_policies(regclass) IS 'Restrictive policies that do not hold through the filtered view of a table';
GRANT EXECUTE ON FUNCTION entitle_internal.unheld_policies(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.warn_of_policies(relation regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT u.* FROM entitle_internal.unheld_policies(relation) u ORDER BY u.finding LOOP
        RAISE WARNING '%: %', found.object, found.finding USING HINT = found.remedy;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.warn_of_policies(regclass) IS 'Warns of restrictive policies that do not hold through the filtered view';
GRANT EXECUTE ON FUNCTION entitle_internal.warn_of_policies(regclass) TO PUBLIC;

-- Whoever owns a domain with a check, or its function, is shown each value that is written into its columns; a range type's function
-- that tells how far two values are apart is shown those that ANALYZE reads (S531).
CREATE FUNCTION entitle_internal.watching_types(relation regclass) RETURNS TABLE (object regclass, finding text, remedy text)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH RECURSIVE used AS (
        SELECT f AS member, a.attname, a.atttypid, a.atttypid AS type
        FROM entitle_internal.protection_family(watching_types.relation) f
        JOIN pg_attribute a ON a.attrelid = f AND a.attnum > 0 AND NOT a.attisdropped
        UNION
        SELECT u.member, u.attname, u.atttypid, t.typbasetype
        FROM used u JOIN pg_type t ON t.oid = u.type AND t.typtype = 'd'),
    watcher AS (
        SELECT u.*, t.typowner AS role, format('checks of domain %s', t.oid::regtype) AS what, 'written into' AS done,
               format_type(entitle_internal.base_type(u.atttypid), -1) AS other_type
        FROM used u
        JOIN pg_type t ON t.oid = u.type AND t.typtype = 'd'
        WHERE EXISTS (SELECT FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')
        UNION ALL
        SELECT u.*, p.proowner, format('function %s of range type %s', p.oid::regproc, u.type::regtype), 'analyzed of', 'text'
        FROM used u
        JOIN pg_range r ON u.type IN (r.rngtypid, r.rngmultitypid)
        JOIN pg_proc p ON p.oid = r.rngsubdiff)
    SELECT w.member::regclass, format('%s, which is %s''s, may see what is %s column %I', w.what, w.role::regrole, w.done, w.attname),
           format('SELECT entitle.alter_protected(%L, %L);', watching_types.relation, format('ALTER COLUMN %I TYPE %s', w.attname, w.other_type))
    FROM watcher w
    JOIN pg_class c ON c.oid = w.member
    WHERE NOT pg_has_role(w.role, c.relowner, 'USAGE')
      -- A part's column goes with the whole table's.
      AND (w.member = watching_types.relation
           OR NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = watching_types.relation AND a.attname = w.attname AND a.atttypid = w.atttypid))
    $$;
COMMENT ON FUNCTION entitle_internal.watching_types(regclass) IS 'Columns of a table whose domains have checks, or whose range types have a function, of another owner who is no superuser';
GRANT EXECUTE ON FUNCTION entitle_internal.watching_types(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.warn_of_types(relation regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT w.* FROM entitle_internal.watching_types(relation) w ORDER BY w.finding LOOP
        RAISE WARNING '%: %', found.object, found.finding USING HINT = found.remedy;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.warn_of_types(regclass) IS 'Warns of domains of others whose checks see what is written';
GRANT EXECUTE ON FUNCTION entitle_internal.warn_of_types(regclass) TO PUBLIC;
