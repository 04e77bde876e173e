-- Columns that are called otherwise than when a table was declared: which column a declaration means by now.

-- SECURITY DEFINER: as view_relation.
CREATE FUNCTION entitle_internal.told_masks(relation regclass) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT v.told_masks FROM entitle.protection_view v WHERE v.relation = told_masks.relation
    $$;
COMMENT ON FUNCTION entitle_internal.told_masks(regclass) IS 'The masked_columns that protect_table was told';
GRANT EXECUTE ON FUNCTION entitle_internal.told_masks(regclass) TO PUBLIC;

-- Which column bears a declared name by now: the recorded number tells, or in a restored table, which numbers its columns anew,
-- the place in the view. SECURITY DEFINER: as view_relation.
CREATE FUNCTION entitle_internal.traced_columns(relation regclass) RETURNS TABLE (declared_name name, column_name name)
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT r.name, a.attname
    FROM entitle.protection_view v
    CROSS JOIN LATERAL unnest(v.columns, v.numbers) AS r (name, number)
    JOIN pg_attribute a ON a.attrelid = v.relation AND a.attnum = r.number AND NOT a.attisdropped
    WHERE v.relation = traced_columns.relation AND v.table_oid = v.relation
    UNION ALL
    SELECT c.view_column, c.column_name
    FROM entitle.protection_view v
    CROSS JOIN LATERAL entitle_internal.view_columns(v.relation, v.view) c
    WHERE v.relation = traced_columns.relation AND v.table_oid <> v.relation
    $$;
COMMENT ON FUNCTION entitle_internal.traced_columns(regclass) IS 'The columns of a table with a filtered view by the names they had when that was made';
GRANT EXECUTE ON FUNCTION entitle_internal.traced_columns(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.key_names(declared entitle.protection) RETURNS name[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE -- its plan is kept
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN (
        SELECT coalesce(array_agg(DISTINCT a.attname), '{}')
        FROM pg_constraint k
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
        WHERE k.conrelid = declared.relation AND (k.contype = 'p' OR k.oid IN (SELECT p FROM entitle_internal.parent_keys(declared) p)));
END
$$;
COMMENT ON FUNCTION entitle_internal.key_names(entitle.protection) IS 'The columns of the primary key, and of the key by which a line knows its document';
GRANT EXECUTE ON FUNCTION entitle_internal.key_names(entitle.protection) TO PUBLIC;

-- Masked is what bears a masked name, and what bore one when the view was made: names that were exchanged open neither. A key that
-- merely bears one now shows with its row; a masked column that became a key stays masked, which nothing can carry out (S207). Where
-- nothing tells what became of the columns, those that are new are masked from everyone from whom any was. SECURITY DEFINER: as
-- view_relation.
CREATE FUNCTION entitle_internal.remaining_masks(current entitle.protection) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    WITH told AS (
        SELECT m.key::name AS name, CASE WHEN m.value ~ '^[0-9]{2}$' THEN m.value::integer ELSE 90 END AS level
        FROM jsonb_each_text(current.masked_columns) m
        UNION ALL
        -- A name whose column went away under another one: what bears it next replaces that.
        SELECT m.key::name, m.value::integer
        FROM jsonb_each_text(entitle_internal.told_masks(current.relation)) m
        -- The record of a view outlives masks that were given up.
        WHERE entitle_internal.has_view(current) AND m.value ~ '^[0-9]{2}$'),
    traced AS MATERIALIZED (SELECT t.* FROM entitle_internal.traced_columns(current.relation) t),
    masked (name, level, is_own) AS (
        SELECT t.name, t.level, false FROM told t
        UNION ALL
        SELECT c.column_name, t.level, true FROM told t JOIN traced c ON c.declared_name = t.name
        UNION ALL
        SELECT a.attname, (SELECT max(t.level) FROM told t), false
        FROM pg_attribute a
        JOIN entitle.protection_view v ON v.relation = a.attrelid AND a.attname <> ALL (v.columns)
        WHERE a.attrelid = current.relation AND NOT EXISTS (SELECT FROM traced))
    SELECT coalesce(jsonb_object_agg(s.name, s.level), '{}')
    FROM (SELECT m.name, max(m.level) AS level
          FROM masked m
          JOIN pg_attribute a ON a.attrelid = current.relation AND a.attname = m.name AND a.attnum > 0 AND NOT a.attisdropped
          WHERE m.level IS NOT NULL
            AND m.name NOT IN (coalesce(current.customer_column, ''), coalesce(current.date_column, ''), coalesce(current.brand_column, ''))
            AND (m.is_own OR m.name <> ALL (entitle_internal.key_names(current)))
          GROUP BY m.name) s
    $$;
COMMENT ON FUNCTION entitle_internal.remaining_masks(entitle.protection) IS 'The masks of a table whose columns were renamed, dropped or exchanged';
GRANT EXECUTE ON FUNCTION entitle_internal.remaining_masks(entitle.protection) TO PUBLIC;

-- What the policies of a table look at, in the row test's own order: they follow a renamed column. NULL unless most agree, as
-- those do that were made together.
CREATE FUNCTION entitle_internal.tested_columns(relation regclass) RETURNS name[]
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH test AS (
        SELECT ARRAY(SELECT a.attname
                     FROM regexp_matches(t.test, ':varattno ([0-9]+)', 'g') WITH ORDINALITY AS v (number, position)
                     JOIN pg_attribute a ON a.attrelid = p.polrelid AND a.attnum = v.number[1]::smallint AND NOT a.attisdropped
                     ORDER BY v.position) AS columns
        FROM pg_policy p
        CROSS JOIN LATERAL (VALUES (p.polqual::text), (p.polwithcheck::text)) AS t (test)
        WHERE p.polrelid = relation AND p.polname IN ('entitle_select', 'entitle_insert', 'entitle_update', 'entitle_delete')
          AND t.test IS NOT NULL)
    SELECT t.columns FROM test t GROUP BY t.columns HAVING 2 * count(*) > (SELECT count(*) FROM test)
    $$;
COMMENT ON FUNCTION entitle_internal.tested_columns(regclass) IS 'The columns that a table''s policies look at, as they are called now';
GRANT EXECUTE ON FUNCTION entitle_internal.tested_columns(regclass) TO PUBLIC;

-- A line may name a column that tells its foreign key from others.
CREATE FUNCTION entitle_internal.tested_link(declared entitle.protection) RETURNS name
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT a.attname
    FROM pg_policy p
    JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
         AND d.refclassid = 'pg_class'::regclass AND d.refobjid = p.polrelid
    JOIN pg_attribute a ON a.attrelid = p.polrelid AND a.attnum = d.refobjsubid
    WHERE p.polrelid = declared.relation AND p.polname = 'entitle_select'
      AND 1 = (SELECT count(*)
               FROM pg_constraint c
               WHERE c.contype = 'f' AND c.conrelid = declared.relation AND c.confrelid = declared.parent
                 AND a.attnum = ANY (c.conkey))
    ORDER BY a.attname <> declared.customer_column, a.attnum
    LIMIT 1
    $$;
COMMENT ON FUNCTION entitle_internal.tested_link(entitle.protection) IS 'A column that tells which foreign key a line''s policies follow';
GRANT EXECUTE ON FUNCTION entitle_internal.tested_link(entitle.protection) TO PUBLIC;

-- The foreign key that a line's policies follow, whatever it is called by now.
CREATE FUNCTION entitle_internal.tested_key(declared entitle.protection) RETURNS name
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT min(c.conname::text)::name
    FROM pg_constraint c
    WHERE c.contype = 'f' AND c.conrelid = declared.relation AND c.confrelid = declared.parent
      AND ARRAY(SELECT k FROM unnest(c.conkey) AS k ORDER BY k)
        = ARRAY(SELECT DISTINCT d.refobjsubid::smallint
                FROM pg_policy p
                JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
                     AND d.refclassid = 'pg_class'::regclass AND d.refobjid = p.polrelid AND d.refobjsubid > 0
                WHERE p.polrelid = declared.relation AND p.polname = 'entitle_select'
                ORDER BY 1)
    HAVING count(*) = 1
    $$;
COMMENT ON FUNCTION entitle_internal.tested_key(entitle.protection) IS 'The foreign key that a line''s policies follow; NULL where they do not tell';
GRANT EXECUTE ON FUNCTION entitle_internal.tested_key(entitle.protection) TO PUBLIC;

-- By the policies, which decide; where they do not tell, by the view's record.
CREATE FUNCTION entitle_internal.declared_now(declared entitle.protection) RETURNS entitle.protection
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    -- In the order of the row test's arguments.
    names CONSTANT name[] := array_remove(ARRAY[declared.brand_column, declared.customer_column, declared.date_column], NULL);
    tested name[];
BEGIN
    IF declared.parent_key IS NOT NULL THEN
        declared.parent_key := coalesce(entitle_internal.tested_key(declared), declared.parent_key);
    END IF;
    IF names = '{}' THEN
        RETURN declared;
    END IF;
    tested := CASE WHEN declared.parent IS NULL THEN entitle_internal.tested_columns(declared.relation)
                   ELSE array_remove(ARRAY[entitle_internal.tested_link(declared)], NULL) END;
    IF tested = names THEN
        RETURN declared;
    END IF;
    IF cardinality(tested) IS DISTINCT FROM cardinality(names) THEN
        tested := ARRAY(SELECT coalesce((SELECT t.column_name FROM entitle_internal.traced_columns(declared.relation) t WHERE t.declared_name = n.name
                                         LIMIT 1), n.name)
                        FROM unnest(names) WITH ORDINALITY AS n (name, position)
                        ORDER BY n.position);
    END IF;
    declared.brand_column := tested[array_position(names, declared.brand_column)];
    declared.customer_column := tested[array_position(names, declared.customer_column)];
    declared.date_column := tested[array_position(names, declared.date_column)];
    RETURN declared;
END
$$;
COMMENT ON FUNCTION entitle_internal.declared_now(entitle.protection) IS
    'A declaration with the columns that decide by the names they bear now; those that are gone keep theirs';
GRANT EXECUTE ON FUNCTION entitle_internal.declared_now(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.mended_declaration(current entitle.protection) RETURNS entitle.protection
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    current := entitle_internal.declared_now(current);
    current.masked_columns := entitle_internal.remaining_masks(current);
    RETURN current;
END
$$;
COMMENT ON FUNCTION entitle_internal.mended_declaration(entitle.protection) IS 'A declaration by the names that its table''s columns have now';
GRANT EXECUTE ON FUNCTION entitle_internal.mended_declaration(entitle.protection) TO PUBLIC;

-- As mended_declaration, by the masks that protect_table was told: it finds the columns that are kept masked beside them again.
CREATE FUNCTION entitle_internal.repeated_declaration(current entitle.protection) RETURNS entitle.protection
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    told CONSTANT jsonb := entitle_internal.told_masks(current.relation);
BEGIN
    current := entitle_internal.mended_declaration(current);
    IF NOT EXISTS (SELECT FROM jsonb_object_keys(told) AS k WHERE NOT current.masked_columns ? k) THEN
        current.masked_columns := coalesce(told, current.masked_columns);
    END IF;
    RETURN current;
END
$$;
COMMENT ON FUNCTION entitle_internal.repeated_declaration(entitle.protection) IS 'What protect_table is to be told for the same protection again';
GRANT EXECUTE ON FUNCTION entitle_internal.repeated_declaration(entitle.protection) TO PUBLIC;

-- Who repeats the masks, by whatever names their columns have now, takes nothing back that was told before.
CREATE FUNCTION entitle_internal.repeated_masks(declared entitle.protection, told jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    before CONSTANT entitle.protection := entitle_internal.declaration(declared.relation);
    told_before CONSTANT jsonb := entitle_internal.told_masks(declared.relation);
BEGIN
    IF before.relation = declared.relation AND entitle_internal.has_view(before)
       AND told IN (before.masked_columns, told_before, (entitle_internal.mended_declaration(before)).masked_columns) THEN
        RETURN coalesce(told_before, '{}') || told;
    END IF;
    RETURN told;
END
$$;
COMMENT ON FUNCTION entitle_internal.repeated_masks(entitle.protection, jsonb) IS 'The masks that protect_table was told, with those that it was told before when these mean the same';
GRANT EXECUTE ON FUNCTION entitle_internal.repeated_masks(entitle.protection, jsonb) TO PUBLIC;

-- The same call again means the same columns, whatever they are called by now.
CREATE FUNCTION entitle_internal.kept_declaration(declared entitle.protection) RETURNS entitle.protection
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    before CONSTANT entitle.protection := entitle_internal.declaration(declared.relation);
    now entitle.protection;
    told name;
    meant name;
BEGIN
    -- A stored declaration that makes no sense is replaced by what is told now.
    IF before.relation IS DISTINCT FROM declared.relation OR jsonb_typeof(before.masked_columns) IS DISTINCT FROM 'object' THEN
        RETURN declared;
    END IF;
    now := entitle_internal.mended_declaration(before);
    FOR told, meant IN
        SELECT c.told, c.meant
        FROM (VALUES (declared.customer_column, before.customer_column, now.customer_column),
                     (declared.date_column, before.date_column, now.date_column),
                     (declared.brand_column, before.brand_column, now.brand_column)) AS c (told, before, meant)
        WHERE c.told = c.before AND c.told <> c.meant LOOP
        RAISE EXCEPTION 'column "%" of table "%" is another one than the protection was made with', told, declared.relation
            USING ERRCODE = '55000',
                  HINT = format('That one is called "%s" now: give its name, or call unprotect_table first, in the same transaction.', meant);
    END LOOP;
    IF declared.masked_columns IN (before.masked_columns, entitle_internal.told_masks(declared.relation)) THEN
        declared.masked_columns := now.masked_columns;
    END IF;
    RETURN declared;
END
$$;
COMMENT ON FUNCTION entitle_internal.kept_declaration(entitle.protection) IS
    'What protect_table was told, with the masks of columns whose names were exchanged since it was told the same';
GRANT EXECUTE ON FUNCTION entitle_internal.kept_declaration(entitle.protection) TO PUBLIC;
