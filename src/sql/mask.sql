-- Masked columns: what a declaration says of them, and how a filtered view shows them.

-- Whoever runs the remedies of verify_protection and lint runs no more than these: a name may hold a line's end.
CREATE FUNCTION entitle_internal.remark(said text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT '-- ' || regexp_replace(said, E'[\n\r]+', ' ', 'g')
    $$;
COMMENT ON FUNCTION entitle_internal.remark(text) IS 'A comment on one line, whatever names it holds';
GRANT EXECUTE ON FUNCTION entitle_internal.remark(text) TO PUBLIC;

CREATE FUNCTION entitle_internal.masked_names(declared entitle.protection) RETURNS name[]
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(array_agg(k::name), '{}') FROM jsonb_object_keys(declared.masked_columns) AS k
    $$;
COMMENT ON FUNCTION entitle_internal.masked_names(entitle.protection) IS 'The names of the masked columns';
GRANT EXECUTE ON FUNCTION entitle_internal.masked_names(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.check_mask_level(column_name text, level text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF level IS NULL OR level !~ '^[0-9]{1,9}$' THEN
        RAISE EXCEPTION 'the level of masked column "%" is no external level: %', column_name, coalesce(level, 'null')
            USING ERRCODE = '22023', HINT = 'Levels are 10, 20, 30, 40, 80 and 90.';
    END IF;
    PERFORM entitle_internal.check_protection_level(format('the level of masked column "%s"', column_name), level::integer);
END
$$;
COMMENT ON FUNCTION entitle_internal.check_mask_level(text, text) IS 'Refuses what is no level of a masked column';
GRANT EXECUTE ON FUNCTION entitle_internal.check_mask_level(text, text) TO PUBLIC;

CREATE FUNCTION entitle_internal.check_masks(declared entitle.protection, document entitle.protection) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF jsonb_typeof(declared.masked_columns) <> 'object' THEN
        RAISE EXCEPTION 'masked_columns is no object: %', left(declared.masked_columns::text, 100)
            USING ERRCODE = '22023', HINT = 'Give columns with their levels, such as {"price": 30}.';
    END IF;
    IF declared.masked_columns <> '{}' AND document.customer_column IS NULL THEN
        RAISE EXCEPTION 'columns are masked without a customer column'
            USING ERRCODE = '22023', HINT = 'Give customer_column, too: masks follow the level on the row''s customer.';
    END IF;
    PERFORM entitle_internal.check_mask_level(m.key, m.value), entitle_internal.check_masked_column(declared, m.key)
    FROM jsonb_each_text(declared.masked_columns) m;
    IF entitle_internal.has_view(declared)
       AND EXISTS (SELECT
                   FROM pg_attribute a
                   WHERE a.attrelid = declared.relation AND a.attname = 'masked_columns' AND NOT a.attisdropped) THEN
        RAISE EXCEPTION 'table "%" has a column masked_columns of its own', declared.relation
            USING ERRCODE = '42701', HINT = 'Rename it: the filtered view names the masked columns of a row there.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_masks(entitle.protection, entitle.protection) IS
    'Refuses masks that cannot be carried out, where the second declaration is the document''s';
GRANT EXECUTE ON FUNCTION entitle_internal.check_masks(entitle.protection, entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.check_masked_column(declared entitle.protection, masked text) RETURNS void
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
                      WHERE c.oid = entitle_internal.find_parent_key(declared) AND attribute.attnum = ANY (c.conkey)) THEN
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
COMMENT ON FUNCTION entitle_internal.check_masked_column(entitle.protection, text) IS 'Refuses a column that cannot be masked';
GRANT EXECUTE ON FUNCTION entitle_internal.check_masked_column(entitle.protection, text) TO PUBLIC;

CREATE FUNCTION entitle_internal.mask_test(declared entitle.protection, level integer, prefix text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    document entitle.protection := declared;
    document_prefix text := prefix;
    link record;
BEGIN
    -- As in joined_test.
    FOR link IN
        SELECT l.parent, l.depth FROM entitle_internal.parent_links(declared, prefix) l WHERE declared.parent IS NOT NULL ORDER BY l.depth LOOP
        document := link.parent;
        document_prefix := format('entitle_parent_%s.', link.depth);
    END LOOP;
    -- The date decides whether the row shows; how much of it shows is the level's alone.
    document.date_column := NULL;
    RETURN entitle_internal.protection_test(document, document.view_permission, level, document_prefix);
END
$$;
COMMENT ON FUNCTION entitle_internal.mask_test(entitle.protection, integer, text) IS 'Whether columns masked below a level show in a row';
GRANT EXECUTE ON FUNCTION entitle_internal.mask_test(entitle.protection, integer, text) TO PUBLIC;

-- The columns that do not show, level by level: whoever sees the higher sees the lower.
CREATE FUNCTION entitle_internal.mask_list(declared entitle.protection, prefix text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    list text;
BEGIN
    SELECT string_agg(format(' WHEN %s THEN %L::text[]', entitle_internal.mask_test(declared, s.level, prefix), coalesce(s.hidden, '{}')),
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
COMMENT ON FUNCTION entitle_internal.mask_list(entitle.protection, text) IS 'The expression for masked_columns';
GRANT EXECUTE ON FUNCTION entitle_internal.mask_list(entitle.protection, text) TO PUBLIC;

-- Over the table, for the view; over one row of it, for what a writer may see of that.
CREATE FUNCTION entitle_internal.view_query(declared entitle.protection, source text, last_column smallint) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('SELECT %s, %s AS masked_columns FROM %s t%s',
                  (SELECT string_agg(
                              CASE
                                  WHEN declared.masked_columns ? a.attname THEN
                                      format('CASE WHEN %s THEN t.%I ELSE NULL::%s END AS %2$I',
                                             entitle_internal.mask_test(declared, (declared.masked_columns ->> a.attname)::integer, 't.'),
                                             a.attname, format_type(a.atttypid, a.atttypmod))
                                  ELSE format('t.%I', a.attname)
                              END, ', ' ORDER BY a.attnum)
                   FROM pg_attribute a
                   WHERE a.attrelid = declared.relation AND a.attnum BETWEEN 1 AND last_column AND NOT a.attisdropped),
                  entitle_internal.mask_list(declared, 't.'), source, entitle_internal.parent_join(declared, 't.'))
    $$;
COMMENT ON FUNCTION entitle_internal.view_query(entitle.protection, text, smallint) IS 'The filtered view''s query up to a column, but for its WHERE';
GRANT EXECUTE ON FUNCTION entitle_internal.view_query(entitle.protection, text, smallint) TO PUBLIC;

CREATE FUNCTION entitle_internal.full_view_query(declared entitle.protection) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('%s WHERE %s', entitle_internal.view_query(declared, declared.relation::text, 32767::smallint),
                  entitle_internal.joined_test(declared, 'SELECT', 't.'))
    $$;
COMMENT ON FUNCTION entitle_internal.full_view_query(entitle.protection) IS 'The filtered view''s query';
GRANT EXECUTE ON FUNCTION entitle_internal.full_view_query(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.warn_of_generated(declared entitle.protection) RETURNS void
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
        JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
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
COMMENT ON FUNCTION entitle_internal.warn_of_generated(entitle.protection) IS 'Warns of generated columns that tell what a mask hides';
GRANT EXECUTE ON FUNCTION entitle_internal.warn_of_generated(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.install_masks(declared entitle.protection, told_masks jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    view CONSTANT regclass := entitle_internal.find_view(declared.relation);
BEGIN
    IF entitle_internal.has_view(declared) THEN
        PERFORM entitle_internal.install_view(declared, told_masks);
    ELSIF view IS NOT NULL THEN
        PERFORM entitle_internal.warn_of_lost_grants(view, declared.relation), entitle_internal.drop_view(view);
    END IF;
    IF entitle_internal.has_view(declared) THEN
        PERFORM entitle_internal.narrow_privileges(f, entitle_internal.masked_names(declared))
        FROM entitle_internal.protection_family(declared.relation) AS f;
        -- Who may read what is known from here on.
        PERFORM entitle_internal.warn_of_generated(declared), entitle_internal.warn_of_readers(declared),
                entitle_internal.warn_of_policies(declared.relation);
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.install_masks(entitle.protection, jsonb) IS 'Makes the filtered view, and closes the masked columns of the table itself';
GRANT EXECUTE ON FUNCTION entitle_internal.install_masks(entitle.protection, jsonb) TO PUBLIC;
