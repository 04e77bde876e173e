-- Writing through a filtered view: the rules of the table, and no masked column by whom it is masked from (R37). The trigger
-- entitle_internal.write_view calls write_row with the rights of the table's owner, so that nothing of the table runs with more.
--
-- Functions that take rows are polymorphic, because PL/pgSQL plans their expressions once for each type of argument; those of
-- a record variable would be planned once, for the first view that is written.

-- Rows are written by the table's own names of its columns; a declaration keeps those that it was made with, as the view does.
CREATE FUNCTION entitle_internal.renamed_declaration(relation regclass, view regclass) RETURNS entitle.protection
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    declared entitle.protection := entitle_internal.declaration(relation);
    names CONSTANT jsonb := (SELECT jsonb_object_agg(c.view_column, c.column_name) FROM entitle_internal.view_columns(relation, view) c);
    known CONSTANT text[] := array_remove(
        ARRAY(SELECT jsonb_object_keys(declared.masked_columns))
        || ARRAY[declared.customer_column, declared.date_column, declared.brand_column]::text[], NULL);
BEGIN
    IF NOT names ?& known THEN
        RAISE EXCEPTION 'the filtered view "%" is not as it was made', view
            USING ERRCODE = '55000', HINT = 'Call entitle.protect_table again.';
    END IF;
    declared.customer_column := names ->> declared.customer_column::text;
    declared.date_column := names ->> declared.date_column::text;
    declared.brand_column := names ->> declared.brand_column::text;
    declared.masked_columns := (SELECT coalesce(jsonb_object_agg(names ->> m.key, m.value), '{}')
                                FROM jsonb_each(declared.masked_columns) m);
    RETURN declared;
END
$$;
COMMENT ON FUNCTION entitle_internal.renamed_declaration(regclass, regclass) IS 'A declaration by the names that its table''s columns have now';
GRANT EXECUTE ON FUNCTION entitle_internal.renamed_declaration(regclass, regclass) TO PUBLIC;

-- By the operators of the primary key's index: a type's own = need not be in pg_catalog.
CREATE FUNCTION entitle_internal.key_condition(relation regclass, view regclass) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    condition text;
BEGIN
    SELECT string_agg(format('t.%I OPERATOR(%I.%s) ($1).%I', c.column_name, n.nspname, o.oprname, c.view_column), ' AND ')
    INTO condition
    FROM pg_index i
    CROSS JOIN unnest(i.indkey::smallint[], i.indclass::oid[]) AS k (number, class)
    JOIN entitle_internal.view_columns(relation, view) c ON c.number = k.number
    JOIN pg_opclass p ON p.oid = k.class
    JOIN pg_amop m ON m.amopfamily = p.opcfamily AND m.amoplefttype = p.opcintype AND m.amoprighttype = p.opcintype
         AND m.amopstrategy = 3
    JOIN pg_operator o ON o.oid = m.amopopr
    JOIN pg_namespace n ON n.oid = o.oprnamespace
    WHERE i.indrelid = relation AND i.indisprimary;
    IF condition IS NULL THEN
        RAISE EXCEPTION 'table "%" has no primary key', relation
            USING ERRCODE = '55000', HINT = 'Add one: it tells which row of the table a row of the view is.';
    END IF;
    RETURN condition;
END
$$;
COMMENT ON FUNCTION entitle_internal.key_condition(regclass, regclass) IS 'What tells the row of a table that a row of its filtered view is';
GRANT EXECUTE ON FUNCTION entitle_internal.key_condition(regclass, regclass) TO PUBLIC;

-- A stored row as the writer sees it in the view, whether it shows or not.
CREATE FUNCTION entitle_internal.masked_row(declared entitle.protection, view regclass, stored anyelement) RETURNS record
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    shown record;
BEGIN
    EXECUTE entitle_internal.view_query(declared, '(SELECT ($1).*)',
                               (SELECT max(c.number) FROM entitle_internal.view_columns(declared.relation, view) c))
    INTO shown USING stored;
    RETURN shown;
END
$$;
COMMENT ON FUNCTION entitle_internal.masked_row(entitle.protection, regclass, anyelement) IS 'A row of a table as its filtered view shows it to the signed-in user';
GRANT EXECUTE ON FUNCTION entitle_internal.masked_row(entitle.protection, regclass, anyelement) TO PUBLIC;

CREATE FUNCTION entitle_internal.check_unmasked(view regclass, action text, written name[], masked text[]) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    refused name;
BEGIN
    FOREACH refused IN ARRAY written LOOP
        -- NULL: a new line whose document does not show has no masks to ask.
        IF (refused = ANY (masked)) IS NOT FALSE THEN
            RAISE EXCEPTION 'permission denied to % column "%" of "%"', lower(action), refused, view
                USING ERRCODE = '42501',
                      HINT = 'The column is masked from the signed-in user in this row; leave it out. To see why: SELECT * FROM '
                             || CASE WHEN action = 'INSERT' THEN format('entitle.explain_new_row(%L, row).', view)
                                ELSE format('entitle.explain_row(%L, key).', view) END;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_unmasked(regclass, text, name[], text[]) IS 'Refuses to write a column that is masked from the writer (R37)';
GRANT EXECUTE ON FUNCTION entitle_internal.check_unmasked(regclass, text, name[], text[]) TO PUBLIC;

CREATE FUNCTION entitle_internal.check_action(declared entitle.protection, view regclass, action text, tested anyelement) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT entitle_internal.action_allowed(declared, action, tested) THEN
        RAISE EXCEPTION 'permission denied to % this row of "%"', lower(action), view
            USING ERRCODE = '42501',
                  HINT = 'The signed-in user may not write such a row. To see why: SELECT * FROM '
                         || CASE WHEN action = 'INSERT' THEN format('entitle.explain_new_row(%L, row).', view)
                            ELSE format('entitle.explain_action(%L, key, %L).', view, lower(action)) END;
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_action(entitle.protection, regclass, text, anyelement) IS 'Refuses a write that the rules do not allow (R3)';
GRANT EXECUTE ON FUNCTION entitle_internal.check_action(entitle.protection, regclass, text, anyelement) TO PUBLIC;

-- Runs a statement on the table and returns the row it wrote. A broken constraint is told without the values of the row, of
-- which some may be masked (S53); what the table cannot compute of the row is kept back by the library (S167). Triggers and defaults
-- of the table's find their names in its own schema, and temporary objects of the session last (R56).
CREATE FUNCTION entitle_internal.run_write(relation regclass, statement text, old_row anyelement, new_row anyelement) RETURNS record
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    path text := (SELECT quote_ident(n.nspname) || ', pg_temp'
                  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.oid = relation);
    written record;
    message text;
    detail text;
    of_constraint text;
    of_column text;
    of_table text;
    of_schema text;
BEGIN
    path := set_config('search_path', path, true); -- until this function ends
    EXECUTE statement INTO written USING old_row, new_row;
    RETURN written;
EXCEPTION WHEN integrity_constraint_violation THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, of_constraint = CONSTRAINT_NAME, of_column = COLUMN_NAME,
                            of_table = TABLE_NAME, of_schema = SCHEMA_NAME, detail = PG_EXCEPTION_CONTEXT;
    IF detail ~ E'^[^\n]* RAISE(\n|$)' THEN
        RAISE; -- a trigger's own text
    END IF;
    -- Of a partition, by the names of the table that was written.
    SELECT replace(replace(message, format('"%s"', of_constraint), format('"%s"', coalesce(w.constraint_name, of_constraint))),
                   format('"%s"', of_table), format('"%s"', w.table_name)),
           coalesce(w.constraint_name, of_constraint), w.table_name, w.schema_name
    INTO message, of_constraint, of_table, of_schema
    FROM entitle_internal.written_table(of_schema, of_table, of_constraint) w;
    RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = message, CONSTRAINT = of_constraint, COLUMN = of_column,
                          TABLE = of_table, SCHEMA = of_schema;
WHEN generated_always THEN
    -- PostgreSQL's hint is of no use here: a view passes no OVERRIDING on.
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = message, DETAIL = detail, HINT = 'Leave the column out: the table fills it in.';
END
$$;
COMMENT ON FUNCTION entitle_internal.run_write(regclass, text, anyelement, anyelement) IS 'Runs a statement that writes a row; errors tell no value of it';
GRANT EXECUTE ON FUNCTION entitle_internal.run_write(regclass, text, anyelement, anyelement) TO PUBLIC;

CREATE FUNCTION entitle_internal.refuse_hidden(view regclass) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_refuse_hidden';
COMMENT ON FUNCTION entitle_internal.refuse_hidden(regclass) IS
    'An error when the running INSERT into a filtered view has RETURNING: of a new row that does not show to its writer';
GRANT EXECUTE ON FUNCTION entitle_internal.refuse_hidden(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.insert_row(declared entitle.protection, view regclass, new_row anyelement) RETURNS record
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    is_free CONSTANT boolean := entitle.acting_superuser();
    is_bound CONSTANT boolean := row_security_active(declared.relation::oid);
    masked CONSTANT name[] := entitle_internal.masked_names(declared);
    given name[];
    given_masked name[];
    columns text;
    fields text;
    is_seen boolean;
    drafted record;
    written record;
    shown record;
BEGIN
    -- A masked, identity, generated or sequence column that is NULL was not given: the table fills it in.
    EXECUTE (
        SELECT format('SELECT array_remove(ARRAY[%s]::name[], NULL), ROW(%s)::%s AS stored',
                      string_agg(
                          CASE
                              WHEN c.column_name IS NULL THEN NULL
                              WHEN c.column_name = ANY (masked) OR a.attidentity <> '' OR a.attgenerated <> ''
                                   OR EXISTS (SELECT
                                              FROM pg_attrdef d
                                              JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
                                              JOIN pg_class s ON s.oid = p.refobjid AND s.relkind = 'S'
                                                   AND p.refclassid = 'pg_class'::regclass
                                              WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) THEN
                                  format('CASE WHEN ($1).%I IS DISTINCT FROM NULL THEN %L END', c.view_column, c.column_name)
                              ELSE quote_literal(c.column_name)
                          END, ', ' ORDER BY a.attnum),
                      string_agg(coalesce('($1).' || quote_ident(c.view_column), 'NULL'), ', ' ORDER BY a.attnum),
                      declared.relation)
        FROM pg_attribute a
        LEFT JOIN entitle_internal.view_columns(declared.relation, view) c ON c.number = a.attnum
        WHERE a.attrelid = declared.relation AND a.attnum > 0 AND NOT a.attisdropped)
    INTO drafted USING new_row;
    given := drafted.array_remove;
    given_masked := ARRAY(SELECT g FROM unnest(given) AS g WHERE g = ANY (masked));
    -- Asked before the table is touched, whose unique keys would tell of hidden rows (S42). A key that is still missing, a
    -- trigger of the table's may fill in.
    IF NOT is_free THEN
        shown := entitle_internal.masked_row(declared, view, drafted.stored);
        PERFORM entitle_internal.check_action(declared, view, 'INSERT', drafted.stored),
                entitle_internal.check_unmasked(view, 'INSERT', given_masked, shown.masked_columns);
    END IF;
    is_seen := entitle_internal.action_allowed(declared, 'SELECT', drafted.stored);
    SELECT string_agg(quote_ident(c.column_name), ', ' ORDER BY c.number),
           string_agg('($2).' || quote_ident(c.view_column), ', ' ORDER BY c.number)
    INTO columns, fields
    FROM entitle_internal.view_columns(declared.relation, view) c
    WHERE c.column_name = ANY (given);
    -- RETURNING reads, so it is for those who may; whom row-level security does not bind may, and no policy looks at the row (S223).
    written := entitle_internal.run_write(
        declared.relation,
        format(CASE WHEN is_seen OR NOT is_bound THEN 'INSERT INTO %1$s AS t (%2$s) SELECT %3$s RETURNING (t.*)::%1$s AS t'
                    ELSE 'WITH hidden AS (INSERT INTO %1$s (%2$s) SELECT %3$s) SELECT NULL AS t' END,
               declared.relation, columns, fields), NULL, new_row);
    IF (is_seen OR NOT is_bound) AND written.t IS NULL THEN
        RETURN NULL; -- a trigger of the table's said no
    ELSIF (is_seen OR NOT is_bound) AND NOT is_free THEN
        -- As a trigger of the table's may have made it.
        shown := entitle_internal.masked_row(declared, view, written.t);
        PERFORM entitle_internal.check_action(declared, view, 'INSERT', written.t),
                entitle_internal.check_unmasked(view, 'INSERT', given_masked, shown.masked_columns);
    END IF;
    IF NOT is_seen THEN
        PERFORM entitle_internal.refuse_hidden(view);
        RETURN new_row;
    END IF;
    RETURN entitle_internal.masked_row(declared, view, written.t);
END
$$;
COMMENT ON FUNCTION entitle_internal.insert_row(entitle.protection, regclass, anyelement) IS 'INSERT through a filtered view';
GRANT EXECUTE ON FUNCTION entitle_internal.insert_row(entitle.protection, regclass, anyelement) TO PUBLIC;

-- PUBLIC, as the table's owner calls it who writes through a view: it tells the signed-in user what an UPDATE of the table would.
CREATE FUNCTION entitle_internal.check_move(relation regclass, before anyelement, after anyelement) RETURNS void
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_check_move';
COMMENT ON FUNCTION entitle_internal.check_move(regclass, anyelement, anyelement) IS
    'An error when the signed-in user may not make the one row of the table of the other, or delete it: then that is NULL (R54, R55)';
GRANT EXECUTE ON FUNCTION entitle_internal.check_move(regclass, anyelement, anyelement) TO PUBLIC;

-- Asked before the table is touched, whose keys would tell of hidden documents (S147).
CREATE FUNCTION entitle_internal.check_moved_row(declared entitle.protection, view regclass, stored anycompatible, new_row anyelement,
                                        changed name[])
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    drafted record;
BEGIN
    EXECUTE (
        SELECT format('SELECT ROW(%s)::%s AS stored',
                      string_agg(CASE WHEN c.column_name = ANY (changed) THEN format('($2).%I', c.view_column)
                                 ELSE format('($1).%I', a.attname) END, ', ' ORDER BY a.attnum),
                      declared.relation)
        FROM pg_attribute a
        LEFT JOIN entitle_internal.view_columns(declared.relation, view) c ON c.number = a.attnum
        WHERE a.attrelid = declared.relation AND a.attnum > 0 AND NOT a.attisdropped)
    INTO drafted USING stored, new_row;
    PERFORM entitle_internal.check_action(declared, view, 'SELECT', drafted.stored),
            entitle_internal.check_action(declared, view, 'UPDATE', drafted.stored),
            entitle_internal.check_move(declared.relation, stored, drafted.stored);
END
$$;
COMMENT ON FUNCTION entitle_internal.check_moved_row(entitle.protection, regclass, anycompatible, anyelement, name[]) IS
    'Refuses an UPDATE through a filtered view that moves a row to where the writer may not';
GRANT EXECUTE ON FUNCTION entitle_internal.check_moved_row(entitle.protection, regclass, anycompatible, anyelement, name[]) TO PUBLIC;

CREATE FUNCTION entitle_internal.update_row(declared entitle.protection, view regclass, place text, stored anycompatible,
                                   old_row anyelement, new_row anyelement)
    RETURNS record
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    is_free CONSTANT boolean := entitle.acting_superuser();
    masked CONSTANT name[] := entitle_internal.masked_names(declared);
    changed name[];
    changed_masked name[];
    changes text;
    written record;
    shown record;
BEGIN
    -- Compared as stored: not every type has an =.
    EXECUTE (
        SELECT format('SELECT array_remove(ARRAY[%s]::name[], NULL)',
                      string_agg(format('CASE WHEN record_image_ne(ROW(($1).%1$I), ROW(($2).%1$I)) THEN %2$L END',
                                        c.view_column, c.column_name), ', '))
        FROM entitle_internal.view_columns(declared.relation, view) c)
    INTO changed USING old_row, new_row;
    changed_masked := ARRAY(SELECT c FROM unnest(changed) AS c WHERE c = ANY (masked));
    IF NOT is_free THEN
        PERFORM entitle_internal.check_action(declared, view, 'UPDATE', stored);
        shown := entitle_internal.masked_row(declared, view, stored);
        PERFORM entitle_internal.check_unmasked(view, 'UPDATE', changed_masked, shown.masked_columns);
        IF changed && ARRAY(SELECT p.column_name FROM entitle_internal.place_columns(declared) p) THEN
            PERFORM entitle_internal.check_moved_row(declared, view, stored, new_row, changed);
        END IF;
    END IF;

    -- Nothing changed: the table's own triggers are to fire all the same.
    SELECT coalesce(string_agg(format('%I = ($2).%I', c.column_name, c.view_column), ', ') FILTER (WHERE c.column_name = ANY (changed)),
                    min(format('%I = t.%1$I', c.column_name)) FILTER (WHERE a.attgenerated = '' AND a.attidentity <> 'a'))
    INTO changes
    FROM entitle_internal.view_columns(declared.relation, view) c
    JOIN pg_attribute a ON a.attrelid = declared.relation AND a.attnum = c.number;
    written := entitle_internal.run_write(declared.relation,
                                 format('UPDATE %1$s AS t SET %2$s WHERE %3$s RETURNING (t.*)::%1$s AS t', declared.relation, changes, place),
                                 old_row, new_row);
    IF written.t IS NULL THEN
        RETURN NULL; -- a trigger of the table's said no
    END IF;
    shown := entitle_internal.masked_row(declared, view, written.t);
    IF NOT is_free THEN
        PERFORM entitle_internal.check_action(declared, view, 'SELECT', written.t),
                entitle_internal.check_action(declared, view, 'UPDATE', written.t),
                entitle_internal.check_move(declared.relation, stored, written.t),
                entitle_internal.check_unmasked(view, 'UPDATE', changed_masked, shown.masked_columns);
    END IF;
    RETURN shown;
END
$$;
COMMENT ON FUNCTION entitle_internal.update_row(entitle.protection, regclass, text, anycompatible, anyelement, anyelement) IS 'UPDATE through a filtered view';
GRANT EXECUTE ON FUNCTION entitle_internal.update_row(entitle.protection, regclass, text, anycompatible, anyelement, anyelement) TO PUBLIC;

CREATE FUNCTION entitle_internal.write_row(view regclass, action text, old_row anyelement, new_row anyelement) RETURNS record
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    relation CONSTANT regclass := entitle_internal.view_relation(view);
    declared CONSTANT entitle.protection := entitle_internal.renamed_declaration(relation, view);
    is_set boolean := false;
    place text;
    borne bigint;
    located record;
    removed record;
BEGIN
    IF action = 'INSERT' THEN
        EXECUTE 'SELECT ($1).masked_columns IS NOT NULL' INTO is_set USING new_row;
    ELSIF action = 'UPDATE' THEN
        EXECUTE 'SELECT ($2).masked_columns IS DISTINCT FROM ($1).masked_columns' INTO is_set USING old_row, new_row;
    END IF;
    IF is_set THEN
        RAISE EXCEPTION 'column "masked_columns" of "%" cannot be written', view
            USING ERRCODE = '428C9', HINT = 'It tells which columns of the row are masked; leave it out.';
    END IF;
    IF action = 'INSERT' THEN
        RETURN entitle_internal.insert_row(declared, view, new_row);
    END IF;
    -- The row as it is now: another transaction may have changed it since the view was read.
    place := entitle_internal.key_condition(relation, view);
    EXECUTE format('SELECT (t.*)::%1$s AS t, t.tableoid, t.ctid FROM %1$s t WHERE %2$s FOR UPDATE', relation, place) INTO located USING old_row;
    GET DIAGNOSTICS borne = ROW_COUNT;
    -- Inheriting tables, and a key that is checked at the end, have several: the one that shows is meant (S221).
    IF borne > 1 AND NOT entitle.acting_superuser() THEN
        EXECUTE format('SELECT (t.*)::%1$s AS t, t.tableoid, t.ctid FROM %1$s t%2$s WHERE %3$s AND %4$s', relation,
                       entitle_internal.parent_join(declared, 't.'), place, entitle_internal.joined_test(declared, 'SELECT', 't.'))
        INTO located USING old_row;
        GET DIAGNOSTICS borne = ROW_COUNT;
    END IF;
    IF borne > 1 THEN
        RAISE EXCEPTION 'the key of this row of "%" is that of another one, too', view
            USING ERRCODE = '55000', HINT = 'Nothing tells them apart: give one of them another key, in the table itself.';
    END IF;
    IF located.t IS NULL OR NOT entitle.acting_superuser() AND NOT entitle_internal.action_allowed(declared, 'SELECT', located.t) THEN
        RETURN NULL;
    END IF;
    place := format('%s AND t.tableoid OPERATOR(pg_catalog.=) %L::pg_catalog.oid AND t.ctid OPERATOR(pg_catalog.=) %L::pg_catalog.tid',
                    place, located.tableoid, located.ctid);
    IF action = 'UPDATE' THEN
        RETURN entitle_internal.update_row(declared, view, place, located.t, old_row, new_row);
    END IF;
    PERFORM entitle_internal.check_action(declared, view, 'DELETE', located.t) WHERE NOT entitle.acting_superuser();
    removed := entitle_internal.run_write(relation, format('DELETE FROM %1$s AS t WHERE %2$s RETURNING (t.*)::%1$s AS t', relation, place),
                                 old_row, NULL);
    PERFORM entitle_internal.check_move(relation, removed.t, NULL) WHERE NOT (removed.t IS NULL OR entitle.acting_superuser());
    RETURN CASE WHEN removed.t IS NULL THEN NULL ELSE old_row END;
END
$$;
COMMENT ON FUNCTION entitle_internal.write_row(regclass, text, anyelement, anyelement) IS 'Writes one row of a filtered view to its table; NULL when there is no such row for the writer';
GRANT EXECUTE ON FUNCTION entitle_internal.write_row(regclass, text, anyelement, anyelement) TO PUBLIC;
