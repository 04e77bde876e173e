-- Explanations: the checks told step by step, by the evaluator that decides them. The last step repeats the decision. Nobody
-- learns of users or rows they may not know: those give the very steps that users and rows which do not exist give.

CREATE FUNCTION entitle.explain_permission(permission text, login text DEFAULT NULL, brand_id bigint DEFAULT NULL)
    RETURNS TABLE (step integer, gate text, passed boolean, detail text)
    LANGUAGE C STABLE PARALLEL SAFE ROWS 10
    AS 'MODULE_PATHNAME', 'entitle_explain_permission';
COMMENT ON FUNCTION entitle.explain_permission(text, text, bigint) IS
    'has_permission gate by gate (R2); for another user, for those with external_access.manage in the brand and superusers';
GRANT EXECUTE ON FUNCTION entitle.explain_permission(text, text, bigint) TO PUBLIC;

CREATE FUNCTION entitle.explain_capability(capability text, login text DEFAULT NULL, brand_id bigint DEFAULT NULL)
    RETURNS TABLE (step integer, gate text, passed boolean, detail text)
    LANGUAGE C STABLE PARALLEL SAFE ROWS 10
    AS 'MODULE_PATHNAME', 'entitle_explain_capability';
COMMENT ON FUNCTION entitle.explain_capability(text, text, bigint) IS 'has_capability, told as explain_permission tells';
GRANT EXECUTE ON FUNCTION entitle.explain_capability(text, text, bigint) TO PUBLIC;

CREATE FUNCTION entitle.explain_metric(metric text, login text DEFAULT NULL, brand_id bigint DEFAULT NULL)
    RETURNS TABLE (step integer, gate text, passed boolean, detail text)
    LANGUAGE C STABLE PARALLEL SAFE ROWS 10
    AS 'MODULE_PATHNAME', 'entitle_explain_metric';
COMMENT ON FUNCTION entitle.explain_metric(text, text, bigint) IS 'has_metric, told as explain_permission tells';
GRANT EXECUTE ON FUNCTION entitle.explain_metric(text, text, bigint) TO PUBLIC;

-- It is told what is declared, so only explain_action may call it.
CREATE FUNCTION entitle.explain_declared_row(
    relation regclass, indexes regclass[], key text[], customer_column name, date_column name, brand_column name,
    level integer, permission text, login text, heading text, is_write boolean, write_permission text, write_level integer,
    masked text[], masked_levels integer[])
    RETURNS TABLE (step integer, gate text, passed boolean, detail text)
    LANGUAGE C STABLE PARALLEL SAFE ROWS 10
    AS 'MODULE_PATHNAME', 'entitle_explain_declared_row';
COMMENT ON FUNCTION
    entitle.explain_declared_row(regclass, regclass[], text[], name, name, name, integer, text, text, text, boolean, text, integer,
                                 text[], integer[]) IS
    'The steps of explain_row for a table of which this is declared; finds the row by the primary keys'' indexes';
REVOKE ALL ON FUNCTION
    entitle.explain_declared_row(regclass, regclass[], text[], name, name, name, integer, text, text, text, boolean, text, integer,
                                 text[], integer[]) FROM PUBLIC;

-- SECURITY DEFINER: it reads the declarations, which nobody else may. It answers with names from them alone.
CREATE FUNCTION entitle.declared_protection(relation regclass) RETURNS SETOF entitle.protection
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT p.*
    FROM entitle.protection_member m
    JOIN entitle.protection p ON p.relation = m.root
    WHERE m.relation = coalesce(entitle.view_relation(declared_protection.relation), declared_protection.relation)
    UNION ALL
    -- The model's own table and view of customers, as visibility.sql shows them.
    SELECT c.relation, c.customer_column, NULL, 'brand_id', 10, 'customers.view', NULL, NULL, NULL, NULL, NULL, '{}', NULL, NULL
    FROM (VALUES ('entitle.customer'::regclass, NULL::name), ('entitle.customer_profile', 'customer_id'))
        AS c (relation, customer_column)
    WHERE c.relation = declared_protection.relation
    $$;
COMMENT ON FUNCTION entitle.declared_protection(regclass) IS
    'What is declared of a table, or of the table it is a part of; no row when nothing is';
REVOKE ALL ON FUNCTION entitle.declared_protection(regclass) FROM PUBLIC;

CREATE FUNCTION entitle.protection_text(declared entitle.protection) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('table %s is protected: rows show ', declared.relation) || CASE WHEN declared.parent IS NOT NULL
        THEN format('with the row of %s that they refer to', declared.parent)
        ELSE concat_ws(', or ',
        'by permission "' || declared.view_permission || '"'
            || CASE WHEN declared.brand_column IS NULL THEN '' ELSE ' in the brand of the row' END,
        CASE WHEN declared.customer_column IS NOT NULL THEN
            format('from L%s on their customer', declared.min_level)
            || CASE WHEN declared.date_column IS NULL THEN '' ELSE format(' while "%s" is inside the window', declared.date_column) END
        END) END
    $$;
COMMENT ON FUNCTION entitle.protection_text(entitle.protection) IS 'A declaration in words';
REVOKE ALL ON FUNCTION entitle.protection_text(entitle.protection) FROM PUBLIC;

CREATE FUNCTION entitle.read_row_key(columns name[], indexes regclass[], key text[]) RETURNS text[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_read_row_key';
COMMENT ON FUNCTION entitle.read_row_key(name[], regclass[], text[]) IS
    'Columns of the row with that key, as texts: the key of the row that it refers to';
REVOKE ALL ON FUNCTION entitle.read_row_key(name[], regclass[], text[]) FROM PUBLIC;

CREATE FUNCTION entitle.row_key(index regclass, key text) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT array_agg(key::jsonb ->> a.attname::text ORDER BY k.position)
    FROM pg_index i
    CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, position)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indexrelid = index AND k.position <= i.indnkeyatts
    $$;
COMMENT ON FUNCTION entitle.row_key(regclass, text) IS
    'A key of several columns, given as a JSON object like change_log.row_key, as one text a column';
REVOKE ALL ON FUNCTION entitle.row_key(regclass, text) FROM PUBLIC;

-- SECURITY DEFINER: it calls explain_declared_row, which nobody else may. What the caller may know is decided there.
CREATE FUNCTION entitle.explain_action(relation regclass, key text, action text, login text DEFAULT NULL)
    RETURNS TABLE (step integer, gate text, passed boolean, detail text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    declared entitle.protection;
    document entitle.protection;
    source regclass;
    indexes regclass[];
    row_key text[];
    has_parts boolean;
    target regclass;
    columns name[];
    masked text[];
    masked_levels integer[];
BEGIN
    IF action IS NULL OR action NOT IN ('select', 'update', 'delete') THEN
        RAISE EXCEPTION 'no action of a row: %', action
            USING ERRCODE = '22023', HINT = 'Actions are select, update and delete.';
    END IF;
    SELECT * INTO declared FROM entitle.declared_protection(relation);
    IF NOT FOUND THEN
        RETURN QUERY VALUES
            (1, 'protection', true, format('%s is not protected: table privileges decide', relation)),
            (2, 'decision', true, 'allowed');
        RETURN;
    END IF;
    source := coalesce(entitle.view_relation(relation),
                       CASE relation WHEN 'entitle.customer_profile'::regclass THEN 'entitle.customer'::regclass ELSE relation END);
    SELECT CASE WHEN c.relkind = 'r' THEN ARRAY[i.indexrelid::regclass] END,
           CASE WHEN i.indnkeyatts = 1 THEN ARRAY[key] ELSE entitle.row_key(i.indexrelid, key) END, c.relhassubclass
    INTO indexes, row_key, has_parts
    FROM pg_class c
    JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    WHERE c.oid = source;
    -- Of a partitioned table the partitions hold the rows.
    IF has_parts THEN
        SELECT array_agg(i.indexrelid::regclass ORDER BY i.indexrelid) INTO indexes
        FROM entitle.protection_family(source) f
        JOIN pg_class c ON c.oid = f AND c.relkind = 'r'
        JOIN pg_index i ON i.indrelid = f AND i.indisprimary;
    END IF;
    IF indexes IS NULL THEN
        RAISE EXCEPTION 'table "%" has no primary key', relation
            USING ERRCODE = '55000', HINT = 'Rows are explained by their primary key; give the table one.';
    END IF;
    -- A line is judged by its document (R51): from here on, the row in question is that one.
    document := declared;
    WHILE document.parent IS NOT NULL LOOP
        SELECT f.conindid, array_agg(a.attname ORDER BY k.position) INTO target, columns
        FROM pg_constraint f
        JOIN pg_index i ON i.indexrelid = f.conindid
        CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, position)
        JOIN LATERAL unnest(f.conkey, f.confkey) AS c (down, up) ON c.up = k.attnum
        JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = c.down
        WHERE f.oid = entitle.find_parent_key(document)
        GROUP BY f.conindid;
        row_key := coalesce(entitle.read_row_key(columns, indexes, row_key), ARRAY[NULL]);
        indexes := coalesce((SELECT array_agg(t.relid) FROM pg_partition_tree(target) t WHERE t.isleaf), ARRAY[target]);
        document := entitle.declaration(document.parent);
    END LOOP;
    SELECT coalesce(array_agg(m.key ORDER BY a.attnum), '{}'), coalesce(array_agg(m.value::integer ORDER BY a.attnum), '{}')
    INTO masked, masked_levels
    FROM jsonb_each_text(declared.masked_columns) m
    JOIN pg_attribute a ON a.attrelid = source AND a.attname = m.key AND a.attnum > 0;
    RETURN QUERY
        SELECT *
        FROM entitle.explain_declared_row(
            relation, indexes, row_key, document.customer_column, document.date_column, document.brand_column,
            CASE WHEN document.customer_column IS NOT NULL THEN document.min_level END, document.view_permission,
            login, entitle.protection_text(declared), action <> 'select',
            CASE action WHEN 'update' THEN declared.update_permission WHEN 'delete' THEN declared.delete_permission END,
            CASE action WHEN 'update' THEN declared.external_update_level END, masked, masked_levels);
END
$$;
COMMENT ON FUNCTION entitle.explain_action(regclass, text, text, text) IS
    'explain_row for an action: select, update or delete; a row is written by those to whom it shows';
GRANT EXECUTE ON FUNCTION entitle.explain_action(regclass, text, text, text) TO PUBLIC;

CREATE FUNCTION entitle.explain_row(relation regclass, key text, login text DEFAULT NULL)
    RETURNS TABLE (step integer, gate text, passed boolean, detail text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT * FROM entitle.explain_action(relation, key, 'select', login)
    $$;
COMMENT ON FUNCTION entitle.explain_row(regclass, text, text) IS
    'Why a row of a protected table, found by its primary key, shows or not; for another user, for those who manage the customer''s access and superusers';
GRANT EXECUTE ON FUNCTION entitle.explain_row(regclass, text, text) TO PUBLIC;
