-- Filtered views: every column of a table in its order, masked ones NULL for whom their level is too high in that row, and
-- masked_columns, which tells a masked NULL from a stored one (R36). A view filters by itself, because its owner may be one
-- whom row-level security does not bind.

CREATE TABLE entitle.protection_view (
    relation regclass PRIMARY KEY REFERENCES entitle.protection ON DELETE CASCADE,
    view regclass NOT NULL UNIQUE,
    is_named boolean NOT NULL,
    definition text NOT NULL,
    columns name[] NOT NULL
);
COMMENT ON TABLE entitle.protection_view IS 'The filtered views that protect_table made';
COMMENT ON COLUMN entitle.protection_view.is_named IS 'Whether view_name was given: a view by default keeps its name when its table is renamed';
COMMENT ON COLUMN entitle.protection_view.definition IS 'The query as PostgreSQL told it then: verify_protection compares';
COMMENT ON COLUMN entitle.protection_view.columns IS 'The columns that the table had then: when the view is gone, they tell those that are new';

-- PUBLIC, because a view's owner must be able to put the trigger on; it acts for the recorded views alone.
CREATE FUNCTION entitle.write_view() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_write_view';
COMMENT ON FUNCTION entitle.write_view() IS 'Trigger: writes through a filtered view, with the rights of the table''s owner and under the rules (R37)';
GRANT EXECUTE ON FUNCTION entitle.write_view() TO PUBLIC;

-- SECURITY DEFINER: whoever writes through a view may not read the declarations.
CREATE FUNCTION entitle.view_relation(view regclass) RETURNS regclass
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT v.relation FROM entitle.protection_view v WHERE v.view = view_relation.view
    $$;
COMMENT ON FUNCTION entitle.view_relation(regclass) IS 'The table a filtered view is of; NULL for any other relation';
GRANT EXECUTE ON FUNCTION entitle.view_relation(regclass) TO PUBLIC;

-- SECURITY DEFINER: as view_relation. A view that was dropped is not found.
CREATE FUNCTION entitle.find_view(relation regclass) RETURNS regclass
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT v.view
    FROM entitle.protection_view v
    JOIN pg_trigger t ON t.tgrelid = v.view AND t.tgfoid = 'entitle.write_view()'::regprocedure
    WHERE v.relation = find_view.relation
    $$;
COMMENT ON FUNCTION entitle.find_view(regclass) IS 'The filtered view of a table, if there is one';
GRANT EXECUTE ON FUNCTION entitle.find_view(regclass) TO PUBLIC;

-- What a view reads may be renamed, without the view becoming another.
CREATE FUNCTION entitle.view_text(relation regclass, view regclass) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    definition text := replace(pg_get_viewdef(view), format('%s t', relation), 't');
    link record;
BEGIN
    FOR link IN SELECT * FROM entitle.parent_links(entitle.declaration(relation), '') l LOOP
        definition := replace(definition, format('%s entitle_parent_%s', (link.parent).relation, link.depth), link.depth::text);
    END LOOP;
    RETURN definition;
END
$$;
COMMENT ON FUNCTION entitle.view_text(regclass, regclass) IS 'A filtered view''s query, but for the names of its tables';
GRANT EXECUTE ON FUNCTION entitle.view_text(regclass, regclass) TO PUBLIC;

-- SECURITY DEFINER: nobody writes the records directly.
CREATE FUNCTION entitle.record_view(relation regclass, view regclass, is_named boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF entitle.may_declare(relation,
            'entitle.protect_table(regclass,name,name,name,integer,text,text,text,text,integer,integer,jsonb,text,regclass)')
       IS NOT TRUE
       OR entitle.may_declare(view,
            'entitle.protect_table(regclass,name,name,name,integer,text,text,text,text,integer,integer,jsonb,text,regclass)')
       IS NOT TRUE THEN
        RAISE EXCEPTION 'permission denied to protect table "%"', relation
            USING ERRCODE = '42501', HINT = 'It takes the table''s owner, with EXECUTE on entitle.protect_table.';
    END IF;
    DELETE FROM entitle.protection_view v
    WHERE v.relation = record_view.relation OR v.view = record_view.view OR v.view NOT IN (SELECT c.oid FROM pg_class c);
    INSERT INTO entitle.protection_view
    SELECT relation, view, is_named, entitle.view_text(relation, view), array_agg(c.column_name ORDER BY c.number)
    FROM entitle.view_columns(relation, view) c;
END
$$;
COMMENT ON FUNCTION entitle.record_view(regclass, regclass, boolean) IS 'Writes down which view protect_table made';
GRANT EXECUTE ON FUNCTION entitle.record_view(regclass, regclass, boolean) TO PUBLIC;

-- A view's columns keep the order of the table's, whatever these are called by now and wherever later ones were added.
CREATE FUNCTION entitle.view_columns(relation regclass, view regclass)
    RETURNS TABLE (number smallint, column_name name, view_column name)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT b.attnum, b.attname, v.attname
    FROM (SELECT a.attnum, a.attname, row_number() OVER (ORDER BY a.attnum) AS position
          FROM pg_attribute a
          WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped) b
    JOIN pg_attribute v ON v.attrelid = view AND v.attnum = b.position
    WHERE v.attnum < (SELECT c.relnatts FROM pg_class c WHERE c.oid = view)
    $$;
COMMENT ON FUNCTION entitle.view_columns(regclass, regclass) IS 'Which column of a filtered view shows which column of its table';
GRANT EXECUTE ON FUNCTION entitle.view_columns(regclass, regclass) TO PUBLIC;

-- SECURITY DEFINER: as view_relation.
CREATE FUNCTION entitle.has_default_name(view regclass) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT EXISTS (SELECT FROM entitle.protection_view v WHERE v.view = has_default_name.view AND NOT v.is_named)
    $$;
COMMENT ON FUNCTION entitle.has_default_name(regclass) IS 'Whether a filtered view was made without view_name';
GRANT EXECUTE ON FUNCTION entitle.has_default_name(regclass) TO PUBLIC;

CREATE FUNCTION entitle.has_view(declared entitle.protection) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    -- Lines always have one: it joins their document, which PostgreSQL plans better than a policy's sub-select.
    SELECT declared.masked_columns <> '{}' OR declared.view_name IS NOT NULL OR declared.parent IS NOT NULL
    $$;
COMMENT ON FUNCTION entitle.has_view(entitle.protection) IS 'Whether a declaration asks for a filtered view';
GRANT EXECUTE ON FUNCTION entitle.has_view(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle.masked_names(declared entitle.protection) RETURNS name[]
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(array_agg(k::name), '{}') FROM jsonb_object_keys(declared.masked_columns) AS k
    $$;
COMMENT ON FUNCTION entitle.masked_names(entitle.protection) IS 'The names of the masked columns';
GRANT EXECUTE ON FUNCTION entitle.masked_names(entitle.protection) TO PUBLIC;

-- Masks of columns that are gone are gone, too. A column that has come since may be one of them under another name, which only the
-- view could tell: so it is masked from everyone they were. SECURITY DEFINER: as view_relation.
CREATE FUNCTION entitle.remaining_masks(current entitle.protection) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    WITH present AS (
        SELECT a.attname::text AS name, a.attnum
        FROM pg_attribute a
        WHERE a.attrelid = current.relation AND a.attnum > 0 AND NOT a.attisdropped),
    gone AS (
        SELECT max(m.value::integer) AS level
        FROM jsonb_each_text(current.masked_columns) m
        WHERE m.key NOT IN (SELECT p.name FROM present p))
    SELECT coalesce((SELECT jsonb_object_agg(m.key, m.value)
                     FROM jsonb_each(current.masked_columns) m
                     WHERE m.key IN (SELECT p.name FROM present p)), '{}')
           || coalesce((SELECT jsonb_object_agg(p.name, g.level)
                        FROM gone g, present p
                        JOIN entitle.protection_view v ON v.relation = current.relation AND p.name <> ALL (v.columns)
                        WHERE g.level IS NOT NULL
                          AND p.name NOT IN (coalesce(current.customer_column, ''), coalesce(current.date_column, ''),
                                             coalesce(current.brand_column, ''))
                          AND NOT EXISTS (SELECT
                                          FROM pg_constraint k
                                          WHERE k.conrelid = current.relation AND p.attnum = ANY (k.conkey)
                                            AND (k.contype = 'p' OR k.confrelid = current.parent))), '{}')
    $$;
COMMENT ON FUNCTION entitle.remaining_masks(entitle.protection) IS 'The masks of a table whose filtered view is gone, and maybe columns with it';
GRANT EXECUTE ON FUNCTION entitle.remaining_masks(entitle.protection) TO PUBLIC;

-- A subtransaction, so PARALLEL UNSAFE.
CREATE FUNCTION entitle.mended_declaration(current entitle.protection) RETURNS entitle.protection
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    view CONSTANT regclass := entitle.find_view(current.relation);
BEGIN
    IF view IS NOT NULL THEN
        RETURN entitle.renamed_declaration(current.relation, view);
    END IF;
    current.masked_columns := entitle.remaining_masks(current);
    RETURN current;
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    RETURN current; -- columns of the view were renamed, so it tells nothing
END
$$;
COMMENT ON FUNCTION entitle.mended_declaration(entitle.protection) IS 'A declaration by the names that its table''s columns have now, as far as the view tells';
GRANT EXECUTE ON FUNCTION entitle.mended_declaration(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle.check_masks(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    masked text;
    level text;
    document CONSTANT entitle.protection := entitle.find_document(declared);
BEGIN
    IF jsonb_typeof(declared.masked_columns) <> 'object' THEN
        RAISE EXCEPTION 'masked_columns is no object: %', left(declared.masked_columns::text, 100)
            USING ERRCODE = '22023', HINT = 'Give columns with their levels, such as {"price": 30}.';
    END IF;
    IF declared.masked_columns <> '{}' AND document.customer_column IS NULL THEN
        RAISE EXCEPTION 'columns are masked without a customer column'
            USING ERRCODE = '22023', HINT = 'Give customer_column, too: masks follow the level on the row''s customer.';
    END IF;
    FOR masked, level IN SELECT * FROM jsonb_each_text(declared.masked_columns) LOOP
        IF level IS NULL OR level !~ '^[0-9]{1,9}$' THEN
            RAISE EXCEPTION 'the level of masked column "%" is no external level: %', masked, coalesce(level, 'null')
                USING ERRCODE = '22023', HINT = 'Levels are 10, 20, 30, 40, 80 and 90.';
        END IF;
        PERFORM entitle.check_protection_level(format('the level of masked column "%s"', masked), level::integer),
                entitle.check_masked_column(declared, masked);
    END LOOP;
    IF entitle.has_view(declared)
       AND EXISTS (SELECT
                   FROM pg_attribute a
                   WHERE a.attrelid = declared.relation AND a.attname = 'masked_columns' AND NOT a.attisdropped) THEN
        RAISE EXCEPTION 'table "%" has a column masked_columns of its own', declared.relation
            USING ERRCODE = '42701', HINT = 'Rename it: the filtered view names the masked columns of a row there.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle.check_masks(entitle.protection) IS 'Refuses masks that cannot be carried out';
GRANT EXECUTE ON FUNCTION entitle.check_masks(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle.check_masked_column(declared entitle.protection, masked text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    attribute pg_attribute;
BEGIN
    SELECT * INTO attribute
    FROM pg_attribute a
    WHERE a.attrelid = declared.relation AND a.attname::text = masked AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of table "%" does not exist', masked, declared.relation
            USING ERRCODE = '42703', HINT = 'Give masked_columns the names of columns of the table.';
    END IF;
    -- Which row it is, and whose, is what all else is decided by.
    IF masked IN (declared.customer_column, declared.date_column, declared.brand_column)
       OR EXISTS (SELECT
                  FROM pg_index i
                  WHERE i.indrelid = declared.relation AND i.indisprimary AND attribute.attnum = ANY (i.indkey::smallint[]))
       OR declared.parent IS NOT NULL
          AND EXISTS (SELECT
                      FROM pg_constraint c
                      WHERE c.oid = entitle.find_parent_key(declared) AND attribute.attnum = ANY (c.conkey)) THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be masked', masked, declared.relation
            USING ERRCODE = '22023',
                  HINT = 'The primary key, and the columns that tell the customer, date, brand or parent, show with their row.';
    END IF;
    IF EXISTS (WITH RECURSIVE domain (oid) AS (
                   SELECT attribute.atttypid
                   UNION
                   SELECT t.typbasetype FROM domain d JOIN pg_type t ON t.oid = d.oid WHERE t.typtype = 'd')
               SELECT FROM domain d JOIN pg_type t ON t.oid = d.oid
               WHERE t.typtype = 'd' AND (t.typnotnull OR EXISTS (SELECT FROM pg_constraint c WHERE c.contypid = t.oid))) THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be NULL in a view', masked, declared.relation
            USING ERRCODE = '42804', HINT = 'Its domain may refuse NULL: put the constraint on the column instead.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle.check_masked_column(entitle.protection, text) IS 'Refuses a column that cannot be masked';
GRANT EXECUTE ON FUNCTION entitle.check_masked_column(entitle.protection, text) TO PUBLIC;

CREATE FUNCTION entitle.view_target(declared entitle.protection) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    parts text[] := CASE WHEN declared.view_name IS NOT NULL THEN parse_ident(declared.view_name) END;
BEGIN
    IF cardinality(parts) > 2 THEN
        RAISE EXCEPTION 'view_name is no name of a view: %', declared.view_name
            USING ERRCODE = '42602', HINT = 'Give a name, or a schema and a name.';
    END IF;
    RETURN (SELECT format('%I.%I', CASE cardinality(parts) WHEN 2 THEN parts[1] ELSE n.nspname END,
                          coalesce(parts[cardinality(parts)], left(c.relname, 58) || '_view'))
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = declared.relation);
END
$$;
COMMENT ON FUNCTION entitle.view_target(entitle.protection) IS 'Where the filtered view is to be';
GRANT EXECUTE ON FUNCTION entitle.view_target(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle.mask_test(declared entitle.protection, level integer, prefix text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    document entitle.protection := entitle.find_document(declared);
BEGIN
    -- The date decides whether the row shows; how much of it shows is the level's alone.
    document.date_column := NULL;
    RETURN entitle.protection_test(document, document.view_permission, level, entitle.document_prefix(declared, prefix));
END
$$;
COMMENT ON FUNCTION entitle.mask_test(entitle.protection, integer, text) IS 'Whether columns masked below a level show in a row';
GRANT EXECUTE ON FUNCTION entitle.mask_test(entitle.protection, integer, text) TO PUBLIC;

-- The columns that do not show, level by level: whoever sees the higher sees the lower.
CREATE FUNCTION entitle.mask_list(declared entitle.protection, prefix text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    list text;
BEGIN
    SELECT string_agg(format(' WHEN %s THEN %L::text[]', entitle.mask_test(declared, s.level, prefix), coalesce(s.hidden, '{}')),
                      '' ORDER BY s.level DESC)
           || format(' ELSE %L::text[] END', (SELECT array_agg(a.attname ORDER BY a.attnum)
                                              FROM pg_attribute a
                                              WHERE a.attrelid = declared.relation
                                                AND declared.masked_columns ? a.attname))
    INTO list
    FROM (SELECT l.level, array_agg(a.attname ORDER BY a.attnum)
                              FILTER (WHERE (declared.masked_columns ->> a.attname)::integer > l.level) AS hidden
          FROM (SELECT DISTINCT value::integer AS level FROM jsonb_each_text(declared.masked_columns)) l
          LEFT JOIN pg_attribute a ON a.attrelid = declared.relation AND declared.masked_columns ? a.attname
          GROUP BY l.level) s;
    RETURN coalesce('CASE' || list, '''{}''::text[]');
END
$$;
COMMENT ON FUNCTION entitle.mask_list(entitle.protection, text) IS 'The expression for masked_columns';
GRANT EXECUTE ON FUNCTION entitle.mask_list(entitle.protection, text) TO PUBLIC;

-- Over the table, for the view; over one row of it, for what a writer may see of that.
CREATE FUNCTION entitle.view_query(declared entitle.protection, source text, last_column smallint) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('SELECT %s, %s AS masked_columns FROM %s t%s',
                  (SELECT string_agg(
                              CASE
                                  WHEN declared.masked_columns ? a.attname THEN
                                      format('CASE WHEN %s THEN t.%I ELSE NULL::%s END AS %2$I',
                                             entitle.mask_test(declared, (declared.masked_columns ->> a.attname)::integer, 't.'),
                                             a.attname, format_type(a.atttypid, a.atttypmod))
                                  ELSE format('t.%I', a.attname)
                              END, ', ' ORDER BY a.attnum)
                   FROM pg_attribute a
                   WHERE a.attrelid = declared.relation AND a.attnum BETWEEN 1 AND last_column AND NOT a.attisdropped),
                  entitle.mask_list(declared, 't.'), source, entitle.parent_join(declared, 't.'))
    $$;
COMMENT ON FUNCTION entitle.view_query(entitle.protection, text, smallint) IS 'The filtered view''s query up to a column, but for its WHERE';
GRANT EXECUTE ON FUNCTION entitle.view_query(entitle.protection, text, smallint) TO PUBLIC;

-- Descriptions and defaults, as the table has them. A sequence is left to the table, whose owner need not share it.
CREATE FUNCTION entitle.describe_view(relation regclass, view regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    masked CONSTANT name[] := entitle.masked_names(entitle.declaration(relation));
    shown record;
BEGIN
    EXECUTE format('COMMENT ON VIEW %s IS %L', view, obj_description(relation, 'pg_class'));
    EXECUTE format('COMMENT ON COLUMN %s.masked_columns IS %L', view,
                   'The columns whose NULL in this row is a mask: the reader''s level is too low');
    FOR shown IN
        SELECT c.*, pg_get_expr(d.adbin, d.adrelid) AS default_value
        FROM entitle.view_columns(relation, view) c
        JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = c.number
        LEFT JOIN pg_attrdef d ON d.adrelid = relation AND d.adnum = c.number
             AND a.attgenerated = '' AND c.column_name <> ALL (masked)
             AND NOT EXISTS (SELECT
                             FROM pg_depend p
                             JOIN pg_class s ON s.oid = p.refobjid AND s.relkind = 'S'
                             WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
                               AND p.refclassid = 'pg_class'::regclass) LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', view, shown.view_column, col_description(relation, shown.number));
        EXECUTE format('ALTER VIEW %s ALTER COLUMN %I %s', view, shown.view_column,
                       coalesce('SET DEFAULT ' || shown.default_value, 'DROP DEFAULT'));
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle.describe_view(regclass, regclass) IS 'Gives a filtered view the comments and defaults of its table';
GRANT EXECUTE ON FUNCTION entitle.describe_view(regclass, regclass) TO PUBLIC;

CREATE FUNCTION entitle.drop_view(view regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    EXECUTE format('DROP VIEW %s', view);
EXCEPTION WHEN dependent_objects_still_exist THEN
    RAISE EXCEPTION 'other objects depend on the filtered view "%"', view
        USING ERRCODE = '2BP01', HINT = 'Drop them first; make them again when the view is there again.';
END
$$;
COMMENT ON FUNCTION entitle.drop_view(regclass) IS 'Drops a filtered view, unless something was built on it';
GRANT EXECUTE ON FUNCTION entitle.drop_view(regclass) TO PUBLIC;

CREATE FUNCTION entitle.install_view(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    query CONSTANT text := format('%s WHERE %s', entitle.view_query(declared, declared.relation::text, 32767::smallint),
                                  entitle.joined_test(declared, 'SELECT', 't.'));
    owner CONSTANT name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = declared.relation);
    view regclass := entitle.find_view(declared.relation);
    full_name CONSTANT text := CASE
        WHEN declared.view_name IS NULL AND entitle.has_default_name(view) THEN view::text
        ELSE entitle.view_target(declared)
    END;
    present CONSTANT regclass := to_regclass(full_name);
    shared entitle.protection_privilege[];
BEGIN
    IF view IS NULL AND entitle.view_relation(present) = declared.relation THEN
        view := present; -- all it lacks is its trigger
    END IF;
    IF present IS NOT NULL AND present IS DISTINCT FROM view THEN
        RAISE EXCEPTION 'relation "%" already exists', present
            USING ERRCODE = '42P07', HINT = 'Give the filtered view another name with view_name.';
    END IF;
    -- A view is exchanged in place where that can be done, so that what was built on it stays.
    IF view IS NOT NULL
       AND (view IS DISTINCT FROM present
            OR ARRAY(SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
                     FROM pg_attribute a
                     WHERE a.attrelid = view AND a.attnum > 0
                     ORDER BY a.attnum) <>
               ARRAY(SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
                     FROM pg_attribute a
                     WHERE a.attrelid = declared.relation AND a.attnum > 0 AND NOT a.attisdropped
                     ORDER BY a.attnum) || 'masked_columns text[]'::text) THEN
        SELECT array_agg(ROW(view, p.position, p.column_name, p.grantor, p.grantee, p.privilege,
                             p.is_grantable)::entitle.protection_privilege)
        INTO shared
        FROM entitle.table_privileges(view) p;
        PERFORM entitle.drop_view(view);
        view := NULL;
    END IF;
    -- In two words: nothing but the view that is ours is ever replaced.
    EXECUTE format('CREATE %s VIEW %s WITH (security_barrier) AS %s',
                   CASE WHEN view IS NOT NULL THEN 'OR' || ' REPLACE' ELSE '' END, full_name, query);
    IF view IS NULL THEN
        view := full_name::regclass;
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', view);
        PERFORM entitle.revoke_privilege(view, 'ALL', d.grantee)
        FROM (SELECT DISTINCT p.grantee FROM entitle.table_privileges(view) p) d;
        EXECUTE format('ALTER VIEW %s OWNER TO %I', view, owner);
        PERFORM entitle.grant_privilege(view, s.privilege, CASE WHEN s.column_name IS NOT NULL THEN ARRAY[s.column_name] END,
                                        s.grantee, s.is_grantable)
        FROM unnest(shared) AS s
        WHERE s.column_name IS NULL
           OR s.column_name IN (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = view);
    END IF;
    IF NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = view AND t.tgfoid = 'entitle.write_view()'::regprocedure) THEN
        EXECUTE format('CREATE TRIGGER entitle_write INSTEAD OF INSERT OR UPDATE OR DELETE ON %s'
                       ' FOR EACH ROW EXECUTE FUNCTION entitle.write_view()', view);
    END IF;
    PERFORM entitle.record_view(declared.relation, view, declared.view_name IS NOT NULL),
            entitle.describe_view(declared.relation, view),
            entitle.grant_view(view, declared.relation);
END
$$;
COMMENT ON FUNCTION entitle.install_view(entitle.protection) IS 'Makes the filtered view of a declaration, or exchanges it';
GRANT EXECUTE ON FUNCTION entitle.install_view(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle.warn_of_generated(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    generated name;
    masked name;
BEGIN
    FOR generated, masked IN
        SELECT DISTINCT g.attname, m.attname
        FROM pg_attribute g
        JOIN pg_attrdef d ON d.adrelid = g.attrelid AND d.adnum = g.attnum
        -- PostgreSQL 14 and earlier have it that the column depends, later ones that its expression does.
        JOIN pg_depend p ON (p.classid = 'pg_class'::regclass AND p.objid = g.attrelid AND p.objsubid = g.attnum
                             OR p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid)
             AND p.refclassid = 'pg_class'::regclass AND p.refobjid = g.attrelid
        JOIN pg_attribute m ON m.attrelid = g.attrelid AND m.attnum = p.refobjsubid
        WHERE g.attrelid = declared.relation AND g.attgenerated <> ''
          AND coalesce((declared.masked_columns ->> g.attname)::integer, 0) < (declared.masked_columns ->> m.attname)::integer LOOP
        RAISE WARNING 'column "%" of table "%" is generated from "%" and shows where that is masked',
                      generated, declared.relation, masked
            USING HINT = 'Mask it, too, at the same level.';
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle.warn_of_generated(entitle.protection) IS 'Warns of generated columns that tell what a mask hides';
GRANT EXECUTE ON FUNCTION entitle.warn_of_generated(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle.install_masks(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    view CONSTANT regclass := entitle.find_view(declared.relation);
BEGIN
    IF entitle.has_view(declared) THEN
        PERFORM entitle.install_view(declared);
    ELSIF view IS NOT NULL THEN
        PERFORM entitle.drop_view(view);
    END IF;
    IF entitle.has_view(declared) THEN
        PERFORM entitle.warn_of_generated(declared);
        PERFORM entitle.narrow_privileges(f, entitle.masked_names(declared))
        FROM entitle.protection_family(declared.relation) AS f;
    END IF;
END
$$;
COMMENT ON FUNCTION entitle.install_masks(entitle.protection) IS 'Makes the filtered view, and closes the masked columns of the table itself';
GRANT EXECUTE ON FUNCTION entitle.install_masks(entitle.protection) TO PUBLIC;
