-- Every object of the extension, a line each, with all that can be said of it: what two databases of one version have in common.
-- Columns are told by name, because an upgrade adds them at the end; privileges in an order, because pg_upgrade gives them in one of
-- its own, and those that nobody changed as what they are by default. Constraints that are NOT NULL have names from PostgreSQL 18 on, others
-- in what comes from before.
SET search_path = pg_catalog;
WITH member AS (
    SELECT d.classid, d.objid
    FROM pg_depend d
    JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
    WHERE e.extname = 'entitle'),
relation AS (
    SELECT c.* FROM member m JOIN pg_class c ON c.oid = m.objid WHERE m.classid = 'pg_class'::regclass),
told (line) AS (
    SELECT concat_ws(' | ', i.type, i.identity, obj_description(m.objid, k.relname))
    FROM member m
    JOIN pg_class k ON k.oid = m.classid
    CROSS JOIN LATERAL pg_identify_object(m.classid, m.objid, 0) i
    UNION ALL
    SELECT concat_ws(' | ', 'function', p.oid::regprocedure, CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) END, (SELECT array_agg(a ORDER BY a::text COLLATE "C") FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) a), p.proowner::regrole)
    FROM member m JOIN pg_proc p ON p.oid = m.objid WHERE m.classid = 'pg_proc'::regclass
    UNION ALL
    SELECT concat_ws(' | ', 'relation', c.oid::regclass, c.relkind, c.relowner::regrole, (SELECT array_agg(a ORDER BY a::text COLLATE "C") FROM unnest(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relowner))) a),
                      c.relrowsecurity, c.relforcerowsecurity, c.reloptions, pg_get_viewdef(c.oid))
    FROM relation c
    UNION ALL
    SELECT concat_ws(' | ', 'column', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, a.attcollation::regcollation,
                     (SELECT array_agg(e ORDER BY e::text COLLATE "C") FROM unnest(a.attacl) e), pg_get_expr(f.adbin, f.adrelid), col_description(c.oid, a.attnum))
    FROM relation c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum
    UNION ALL
    SELECT concat_ws(' | ', 'constraint', k.conrelid::regclass, CASE WHEN k.contype <> 'n' THEN k.conname END, pg_get_constraintdef(k.oid), k.convalidated, obj_description(k.oid, 'pg_constraint'))
    FROM relation c JOIN pg_constraint k ON k.conrelid = c.oid
    UNION ALL
    SELECT concat_ws(' | ', 'index', pg_get_indexdef(x.indexrelid), obj_description(x.indexrelid, 'pg_class'))
    FROM relation c JOIN pg_index x ON x.indrelid = c.oid
    UNION ALL
    SELECT concat_ws(' | ', 'trigger', pg_get_triggerdef(t.oid), t.tgenabled, obj_description(t.oid, 'pg_trigger'))
    FROM relation c JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT concat_ws(' | ', 'policy', p.polname, p.polrelid::regclass, p.polcmd, p.polpermissive, p.polroles::regrole[], pg_get_expr(p.polqual, p.polrelid),
                     pg_get_expr(p.polwithcheck, p.polrelid), obj_description(p.oid, 'pg_policy'))
    FROM relation c JOIN pg_policy p ON p.polrelid = c.oid
    UNION ALL
    SELECT concat_ws(' | ', 'rule', c.oid::regclass, pg_get_ruledef(r.oid)) FROM relation c JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename <> '_RETURN'
    UNION ALL
    SELECT concat_ws(' | ', 'event trigger', t.evtname, t.evtevent, t.evtfoid::regproc, t.evtenabled, t.evttags)
    FROM member m JOIN pg_event_trigger t ON t.oid = m.objid WHERE m.classid = 'pg_event_trigger'::regclass
    UNION ALL
    SELECT concat_ws(' | ', 'schema', n.nspname, n.nspowner::regrole, (SELECT array_agg(a ORDER BY a::text COLLATE "C") FROM unnest(coalesce(n.nspacl, acldefault('n', n.nspowner))) a))
    FROM pg_namespace n
    WHERE n.nspname IN ('entitle', 'entitle_internal')
    UNION ALL
    SELECT concat_ws(' | ', 'dumped', t.relation::regclass, t.condition)
    FROM pg_extension e CROSS JOIN unnest(e.extconfig, e.extcondition) t (relation, condition)
    WHERE e.extname = 'entitle')
SELECT replace(line, E'\n', E'\\n') FROM told ORDER BY line COLLATE "C";
