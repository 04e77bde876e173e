-- Oracles: what refuses a write by a masked column and an open one together tells the masked value to whoever may write the open
-- one, by bisection (S168): CHECK constraints, unique and exclusion constraints, foreign keys, policies and partition keys, and what
-- generated columns and expression indexes cannot compute. It takes a writer from whom the column is masked: by external access, or by a permission to
-- write that does not require the one to view. Who views a row by permission sees it whole.

CREATE FUNCTION entitle_internal.columns_of(expression pg_node_tree) RETURNS smallint[]
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    -- 0 stands for the whole row.
    SELECT coalesce(array_agg(v[1]::smallint), '{}') FROM regexp_matches(expression::text, ':varattno ([0-9]+)', 'g') AS v
    $$;
COMMENT ON FUNCTION entitle_internal.columns_of(pg_node_tree) IS 'The numbers of the columns that an expression looks at';
GRANT EXECUTE ON FUNCTION entitle_internal.columns_of(pg_node_tree) TO PUBLIC;

CREATE FUNCTION entitle_internal.oracles(declared entitle.protection)
    RETURNS TABLE (member regclass, kind text, object text, masked text, beside text, level integer, at_insert boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH mask AS (
        SELECT m.key AS name, m.value::integer AS level FROM jsonb_each_text(declared.masked_columns) m WHERE m.value ~ '^[0-9]{1,9}$'),
    family AS (
        SELECT f AS member FROM entitle_internal.protection_family(declared.relation) AS f WHERE EXISTS (SELECT FROM mask)),
    refusing AS (
        SELECT f.member, 'constraint' AS kind, c.conname::text AS object, entitle_internal.columns_of(c.conbin) AS columns, false AS at_insert
        FROM family f JOIN pg_constraint c ON c.conrelid = f.member AND c.contype = 'c' AND c.conislocal
        UNION ALL
        SELECT f.member, 'constraint', c.conname::text, c.conkey, true
        FROM family f JOIN pg_constraint c ON c.conrelid = f.member AND c.contype = 'f' AND c.conparentid = 0
        UNION ALL
        SELECT f.member, 'generated column', a.attname::text, entitle_internal.columns_of(d.adbin), false
        FROM family f
        JOIN pg_attribute a ON a.attrelid = f.member AND a.attgenerated <> '' AND a.attislocal
        JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        UNION ALL
        -- An index that refuses nothing by its keys can fail at its expressions.
        SELECT f.member, 'index', x.relname::text,
               CASE WHEN i.indisunique OR i.indisexclusion THEN i.indkey::smallint[] ELSE '{}' END
               || coalesce(entitle_internal.columns_of(i.indexprs), '{}') || coalesce(entitle_internal.columns_of(i.indpred), '{}'),
               i.indisunique OR i.indisexclusion
        FROM family f JOIN pg_index i ON i.indrelid = f.member JOIN pg_class x ON x.oid = i.indexrelid AND NOT x.relispartition
        UNION ALL
        -- Of the owner's own. What it looks at in other tables is not meant.
        SELECT f.member, 'policy', p.polname::text,
               ARRAY(SELECT d.refobjsubid::smallint
                     FROM pg_depend d
                     WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.deptype = 'n'
                       AND d.refclassid = 'pg_class'::regclass AND d.refobjid = f.member), false
        FROM family f
        JOIN pg_policy p ON p.polrelid = f.member
             AND p.polname NOT IN ('entitle_select', 'entitle_insert', 'entitle_update', 'entitle_delete')
        UNION ALL
        -- A row for which there is no partition.
        SELECT f.member, 'partition key', c.relname::text,
               array_remove(t.partattrs::smallint[], 0::smallint) || coalesce(entitle_internal.columns_of(t.partexprs), '{}'), false
        FROM family f JOIN pg_partitioned_table t ON t.partrelid = f.member JOIN pg_class c ON c.oid = f.member),
    looked_at AS (
        SELECT r.member, r.kind, r.object, r.at_insert, a.attnum, a.attname, coalesce(m.level, 0) AS level,
               max(m.level) OVER (PARTITION BY r.member, r.kind, r.object) AS highest
        FROM refusing r
        JOIN pg_attribute a ON a.attrelid = r.member AND a.attnum > 0 AND NOT a.attisdropped
             -- The key of an index has a 0 for each expression, which stands for itself.
             AND (a.attnum = ANY (r.columns) OR r.kind <> 'index' AND 0 = ANY (r.columns))
        LEFT JOIN mask m ON m.name = a.attname)
    SELECT l.member, l.kind, l.object, string_agg(quote_ident(l.attname), ', ' ORDER BY l.attnum) FILTER (WHERE l.level = l.highest),
           string_agg(quote_ident(l.attname), ', ' ORDER BY l.attnum) FILTER (WHERE l.level < l.highest), l.highest, l.at_insert
    FROM looked_at l
    WHERE least(declared.external_update_level, CASE WHEN l.at_insert THEN declared.external_insert_level END) < l.highest
    GROUP BY l.member, l.kind, l.object, l.highest, l.at_insert
    HAVING bool_or(l.level < l.highest)
    ORDER BY l.member::text, l.kind, l.object
    $$;
COMMENT ON FUNCTION entitle_internal.oracles(entitle.protection) IS
    'What of a table refuses writes of open columns by the value of a masked one, for writers from whom that is masked';
GRANT EXECUTE ON FUNCTION entitle_internal.oracles(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.warn_of_oracles(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT * FROM entitle_internal.oracles(declared) LOOP
        RAISE WARNING '% "%" of table "%" looks at masked % together with %: who writes the one learns the other by what is refused',
                      found.kind, found.object, found.member, found.masked, found.beside
            USING HINT = format('Let external users write from L%s only, mask the other columns at that level, too, or check the columns apart.',
                                found.level);
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.warn_of_oracles(entitle.protection) IS 'Warns of what tells masked values by what it refuses';
GRANT EXECUTE ON FUNCTION entitle_internal.warn_of_oracles(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.lint_oracles() RETURNS SETOF entitle.finding
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT 'warning', o.member::text, format('%s "%s" looks at masked %s together with %s: who writes the one learns the other', o.kind, o.object,
                                             o.masked, o.beside),
           -- All of a table's remedies are the same statement.
           entitle_internal.protection_call(jsonb_populate_record(d.now, jsonb_build_object(
               'external_update_level', CASE WHEN (d.now).external_update_level < o.highest THEN o.highest
                                        ELSE (d.now).external_update_level END,
               'external_insert_level', CASE WHEN o.at_insert AND (d.now).external_insert_level < o.highest THEN o.highest
                                        ELSE (d.now).external_insert_level END)))
    FROM (SELECT p AS declared
          FROM entitle.protection p
          JOIN pg_class c ON c.oid = p.relation
          WHERE entitle_internal.declaration_problem(p) IS NULL
          OFFSET 0) s -- nonsense is told by verify_protection
    CROSS JOIN LATERAL (SELECT entitle_internal.mended_declaration(s.declared) AS now) d
    CROSS JOIN LATERAL (SELECT x.member, x.kind, x.object, x.masked, x.beside, max(x.level) OVER () AS highest, bool_or(x.at_insert) OVER () AS at_insert FROM entitle_internal.oracles(d.now) x) o
    UNION ALL
    SELECT 'warning', (d.now).relation::text,
           format('who holds "%s" without "%s" writes rows by permission that show by external access, and learns masked columns by what is refused',
                  (d.now).update_permission, (d.document).view_permission),
           format('INSERT INTO entitle.permission_prerequisite (permission_key, requires_key) VALUES (%L, %L);',
                  (d.now).update_permission, (d.document).view_permission)
    FROM (SELECT p AS declared
          FROM entitle.protection p
          JOIN pg_class c ON c.oid = p.relation
          WHERE entitle_internal.declaration_problem(p) IS NULL
          OFFSET 0) s
    CROSS JOIN LATERAL (SELECT entitle_internal.mended_declaration(s.declared) AS now OFFSET 0) n
    CROSS JOIN LATERAL (SELECT n.now, CASE WHEN entitle_internal.parent_problem(n.now) IS NULL THEN entitle_internal.find_document(n.now) END AS document) d
    WHERE (d.now).update_permission <> (d.document).view_permission
      AND NOT EXISTS (WITH RECURSIVE required (key) AS (
                          SELECT (d.now).update_permission COLLATE "C"
                          UNION
                          SELECT q.requires_key FROM required r JOIN entitle.permission_prerequisite q ON q.permission_key = r.key)
                      SELECT FROM required r WHERE r.key = (d.document).view_permission)
      -- As if all to whom the rows show wrote them.
      AND EXISTS (SELECT FROM entitle_internal.oracles(jsonb_populate_record(d.now, jsonb_build_object('external_update_level', (d.document).min_level))))
    $$;
COMMENT ON FUNCTION entitle_internal.lint_oracles() IS 'lint: what tells masked values by what it refuses';
REVOKE ALL ON FUNCTION entitle_internal.lint_oracles() FROM PUBLIC;
