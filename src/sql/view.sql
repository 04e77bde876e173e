-- Filtered views: every column of a table in its order, masked ones NULL for whom their level is too high in that row, and
-- masked_columns, which tells a masked NULL from a stored one (R36). A view filters by itself, because its owner may be one
-- whom row-level security does not bind.

CREATE TABLE entitle.protection_view (
    relation entitle.relation_name PRIMARY KEY REFERENCES entitle.protection ON DELETE CASCADE,
    view entitle.relation_name NOT NULL UNIQUE,
    is_named boolean NOT NULL,
    columns name[] NOT NULL,
    numbers smallint[] NOT NULL,
    table_oid oid NOT NULL,
    told_masks jsonb NOT NULL CONSTRAINT protection_view_told_masks_check CHECK (jsonb_typeof(told_masks) = 'object')
);
COMMENT ON TABLE entitle.protection_view IS 'The filtered views that protect_table made';
COMMENT ON COLUMN entitle.protection_view.is_named IS 'Whether view_name was given: a view by default keeps its name when its table is renamed';
COMMENT ON COLUMN entitle.protection_view.columns IS 'The columns that the table had then: when the view is gone, they tell those that are new';
COMMENT ON COLUMN entitle.protection_view.numbers IS 'Their numbers, which stay when names are exchanged';
COMMENT ON COLUMN entitle.protection_view.table_oid IS 'The table that numbered them: a restored one numbers anew, and the view tells';
COMMENT ON COLUMN entitle.protection_view.told_masks IS 'The masks that were asked for; columns whose names were exchanged since are masked beside them';

-- PUBLIC, because a view's owner must be able to put the trigger on; it acts for the recorded views alone.
CREATE FUNCTION entitle_internal.write_view() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_write_view';
COMMENT ON FUNCTION entitle_internal.write_view() IS 'Trigger: writes through a filtered view, with the rights of the table''s owner and under the rules (R37)';
GRANT EXECUTE ON FUNCTION entitle_internal.write_view() TO PUBLIC;

-- PUBLIC: a default is evaluated for whoever inserts, with the rights of that one.
CREATE FUNCTION entitle.column_default(relation regclass, place integer, of_type anyelement) RETURNS anyelement
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_column_default';
COMMENT ON FUNCTION entitle.column_default(regclass, integer, anyelement) IS
    'The default of the column at a place of a table, as an INSERT into the table itself would evaluate it'
    '. Raises 55000: the filtered view is not as it was made';
GRANT EXECUTE ON FUNCTION entitle.column_default(regclass, integer, anyelement) TO PUBLIC;

-- SECURITY DEFINER: whoever writes through a view may not read the declarations.
CREATE FUNCTION entitle_internal.view_relation(view regclass) RETURNS regclass
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT v.relation FROM entitle.protection_view v WHERE v.view = view_relation.view
    $$;
COMMENT ON FUNCTION entitle_internal.view_relation(regclass) IS 'The table a filtered view is of; NULL for any other relation';
GRANT EXECUTE ON FUNCTION entitle_internal.view_relation(regclass) TO PUBLIC;

-- SECURITY DEFINER: as view_relation. A view that was dropped is not found.
CREATE FUNCTION entitle_internal.find_view(relation regclass) RETURNS regclass
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT v.view
    FROM entitle.protection_view v
    JOIN pg_trigger t ON t.tgrelid = v.view AND t.tgfoid = 'entitle_internal.write_view()'::regprocedure
    WHERE v.relation = find_view.relation
    $$;
COMMENT ON FUNCTION entitle_internal.find_view(regclass) IS 'The filtered view of a table, if there is one';
GRANT EXECUTE ON FUNCTION entitle_internal.find_view(regclass) TO PUBLIC;

-- SECURITY DEFINER: nobody writes the records directly. Its caller may be another than protect_table: the view must be just what
-- that makes of the declaration.
CREATE FUNCTION entitle_internal.record_view(relation regclass, view regclass, told_masks jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    declared CONSTANT entitle.protection := entitle_internal.declaration(relation);
BEGIN
    PERFORM entitle_internal.check_may_protect(relation), entitle_internal.check_may_protect(view);
    IF declared.relation IS DISTINCT FROM relation OR entitle_internal.has_view(declared) IS NOT TRUE
       OR NOT EXISTS (SELECT
                      FROM pg_class v
                      JOIN pg_class c ON c.oid = relation AND c.relowner = v.relowner
                      WHERE v.oid = view AND v.relkind = 'v' AND v.reloptions = '{security_barrier=true}')
       OR ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = view AND a.attnum > 0 ORDER BY a.attnum) <>
          ARRAY(SELECT a.attname
                FROM pg_attribute a
                WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
                ORDER BY a.attnum) || 'masked_columns'::name
       -- Of each row, instead of each write: ROW, INSERT, DELETE, UPDATE, INSTEAD.
       OR NOT EXISTS (SELECT
                      FROM pg_trigger t
                      WHERE t.tgrelid = view AND t.tgfoid = 'entitle_internal.write_view()'::regprocedure AND t.tgtype = 93)
       OR NOT entitle_internal.is_view(view, entitle_internal.full_view_query(declared)) THEN
        RAISE EXCEPTION 'view "%" is not what protect_table makes for table "%"', view, relation
            USING ERRCODE = '55000', HINT = 'Call entitle.protect_table, which makes and records it.';
    END IF;
    -- What is recorded of a view that was dropped stays: it tells which columns were masked.
    DELETE FROM entitle.protection_view v WHERE v.relation = record_view.relation OR v.view = record_view.view;
    INSERT INTO entitle.protection_view
    SELECT relation, view, declared.view_name IS NOT NULL, array_agg(c.column_name ORDER BY c.number),
           array_agg(c.number ORDER BY c.number), relation, told_masks
    FROM entitle_internal.view_columns(relation, view) c;
END
$$;
COMMENT ON FUNCTION entitle_internal.record_view(regclass, regclass, jsonb) IS 'Writes down which view protect_table made';
GRANT EXECUTE ON FUNCTION entitle_internal.record_view(regclass, regclass, jsonb) TO PUBLIC;

-- SECURITY DEFINER: a table's new owner need not be a member of the role that made the view. A view reads with the rights of its
-- owner, so it goes with the table.
CREATE FUNCTION entitle_internal.claim_view(relation regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    view CONSTANT regclass := (SELECT v.view FROM entitle.protection_view v WHERE v.relation = claim_view.relation);
    owner oid;
    made record;
BEGIN
    IF NOT entitle_internal.may_unprotect(relation) THEN
        RAISE EXCEPTION 'permission denied to protect table "%"', relation
            USING ERRCODE = '42501', HINT = 'It takes the table''s owner, with EXECUTE on entitle.protect_table.';
    END IF;
    SELECT c.relowner INTO owner
    FROM pg_class c
    JOIN pg_class v ON v.oid = view AND v.relkind = 'v' AND v.relowner <> c.relowner
    -- A record may be wrong; a view that does not read the table is none of its.
    WHERE c.oid = relation
      AND EXISTS (SELECT
                  FROM pg_rewrite r
                  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                       AND d.refclassid = 'pg_class'::regclass AND d.refobjid = relation
                  WHERE r.ev_class = view);
    IF FOUND THEN
        -- What the owner before made of it would act with the rights of the new one (S209).
        FOR made IN
            SELECT 'rule' AS kind, r.rulename AS name FROM pg_rewrite r WHERE r.ev_class = view AND r.rulename <> '_RETURN'
            UNION ALL
            SELECT 'trigger', t.tgname
            FROM pg_trigger t
            WHERE t.tgrelid = view AND t.tgfoid <> 'entitle_internal.write_view()'::regprocedure AND t.tgtype & 64 <> 0 LOOP -- INSTEAD OF
            EXECUTE format('DROP %s %I ON %s', made.kind, made.name, view);
            RAISE WARNING '% "%" of the filtered view "%" is dropped: it came from the owner before', made.kind, made.name, view;
        END LOOP;
        EXECUTE format('ALTER VIEW %s OWNER TO %I', view, pg_get_userbyid(owner));
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.claim_view(regclass) IS 'Gives the filtered view to the owner of its table';
GRANT EXECUTE ON FUNCTION entitle_internal.claim_view(regclass) TO PUBLIC;

-- A view's columns keep the order of the table's, whatever these are called by now and wherever later ones were added.
CREATE FUNCTION entitle_internal.view_columns(relation regclass, view regclass)
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
COMMENT ON FUNCTION entitle_internal.view_columns(regclass, regclass) IS 'Which column of a filtered view shows which column of its table';
GRANT EXECUTE ON FUNCTION entitle_internal.view_columns(regclass, regclass) TO PUBLIC;

-- SECURITY DEFINER: as view_relation.
CREATE FUNCTION entitle_internal.has_default_name(view regclass) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT EXISTS (SELECT FROM entitle.protection_view v WHERE v.view = has_default_name.view AND NOT v.is_named)
    $$;
COMMENT ON FUNCTION entitle_internal.has_default_name(regclass) IS 'Whether a filtered view was made without view_name';
GRANT EXECUTE ON FUNCTION entitle_internal.has_default_name(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.has_view(declared entitle.protection) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    -- Lines always have one: it joins their document, which PostgreSQL plans better than a policy's sub-select.
    SELECT declared.masked_columns <> '{}' OR declared.view_name IS NOT NULL OR declared.parent IS NOT NULL
    $$;
COMMENT ON FUNCTION entitle_internal.has_view(entitle.protection) IS 'Whether a declaration asks for a filtered view';
GRANT EXECUTE ON FUNCTION entitle_internal.has_view(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.view_target(declared entitle.protection) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    longest CONSTANT integer := 63 - octet_length('_view');
    parts text[];
    title text;
BEGIN
    IF declared.view_name <> '' THEN
        parts := parse_ident(declared.view_name);
    END IF;
    IF declared.view_name = '' OR cardinality(parts) > 2 THEN
        RAISE EXCEPTION 'view_name is no name of a view: %', declared.view_name
            USING ERRCODE = '42602', HINT = 'Give a name, or a schema and a name.';
    END IF;
    SELECT c.relname INTO title FROM pg_class c WHERE c.oid = declared.relation;
    IF octet_length(title) > longest THEN
        -- The type name cuts by bytes, between characters; what is cut off stays in the digest, so that no two tables meet.
        title := substr((repeat('-', 63 - longest + 9) || title)::name::text, 63 - longest + 10) || '_' || left(md5(title), 8);
    END IF;
    RETURN (SELECT format('%I.%I', CASE cardinality(parts) WHEN 2 THEN parts[1] ELSE n.nspname END,
                          coalesce(parts[cardinality(parts)], title || '_view'))
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = declared.relation);
END
$$;
COMMENT ON FUNCTION entitle_internal.view_target(entitle.protection) IS 'Where the filtered view is to be';
GRANT EXECUTE ON FUNCTION entitle_internal.view_target(entitle.protection) TO PUBLIC;

-- A superuser who runs a remedy makes the view in the owner's name: it is declared by those alone who may make it themselves (S234).
CREATE FUNCTION entitle_internal.check_view_schema(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    schema CONSTANT name := (parse_ident(entitle_internal.view_target(declared)))[1];
BEGIN
    IF to_regnamespace(quote_ident(schema)) IS NULL THEN
        RAISE EXCEPTION 'schema "%" does not exist', schema USING ERRCODE = '3F000', HINT = 'Give view_name a schema that is there.';
    ELSIF starts_with(schema, 'pg_') THEN
        RAISE EXCEPTION 'schema "%" is no place for a filtered view', schema
            USING ERRCODE = '42809', HINT = 'Give view_name a schema of the application''s: temporary ones end with their session.';
    END IF;
    IF NOT (SELECT has_schema_privilege(r.oid, schema, 'CREATE')
                   AND has_schema_privilege(coalesce(entitle_internal.definer_in_charge(), r.oid), schema, 'CREATE')
            FROM pg_roles r
            WHERE r.oid = entitle_internal.asking_role()) THEN
        RAISE EXCEPTION 'permission denied for schema %', schema
            USING ERRCODE = '42501', HINT = 'The filtered view is made there: it takes CREATE on the schema.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_view_schema(entitle.protection) IS
    'Refuses a declaration whose filtered view the session''s role may not make where it is to be';
REVOKE ALL ON FUNCTION entitle_internal.check_view_schema(entitle.protection) FROM PUBLIC;

-- Descriptions, as the table has them, and its defaults, whatever they are when a row comes. A sequence is left to the table, whose owner need not share it.
CREATE FUNCTION entitle_internal.describe_view(relation regclass, view regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    masked CONSTANT name[] := entitle_internal.masked_names(entitle_internal.declaration(relation));
    shown record;
BEGIN
    EXECUTE format('COMMENT ON VIEW %s IS %L', view, obj_description(relation, 'pg_class'));
    EXECUTE format('COMMENT ON COLUMN %s.masked_columns IS %L', view,
                   'The columns whose NULL in this row is a mask: the reader''s level is too low');
    EXECUTE format('ALTER VIEW %s ALTER COLUMN masked_columns DROP DEFAULT', view); -- nobody writes it
    FOR shown IN
        SELECT c.*,
               CASE WHEN a.attgenerated = '' AND a.attidentity = '' AND c.column_name <> ALL (masked)
                         AND NOT EXISTS (SELECT
                                         FROM pg_attrdef d
                                         JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
                                              AND p.refclassid = 'pg_class'::regclass
                                         JOIN pg_class s ON s.oid = p.refobjid AND s.relkind = 'S'
                                         WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum)
                    -- By what a domain is over: the domain may refuse the NULL.
                    THEN format('entitle.column_default(%L::regclass, %s, NULL::%s)', relation, row_number() OVER (ORDER BY c.number),
                                CASE WHEN entitle_internal.base_type(a.atttypid) <> a.atttypid THEN entitle_internal.base_type(a.atttypid)::text
                                     ELSE format_type(a.atttypid, a.atttypmod) END)
               END AS default_value
        FROM entitle_internal.view_columns(relation, view) c
        JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = c.number LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', view, shown.view_column, col_description(relation, shown.number));
        EXECUTE format('ALTER VIEW %s ALTER COLUMN %I %s', view, shown.view_column,
                       coalesce('SET DEFAULT ' || shown.default_value, 'DROP DEFAULT'));
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.describe_view(regclass, regclass) IS 'Gives a filtered view the comments and defaults of its table';
GRANT EXECUTE ON FUNCTION entitle_internal.describe_view(regclass, regclass) TO PUBLIC;

-- The table at the root of a partition, and what it calls the constraint; the table itself when it is none.
CREATE FUNCTION entitle_internal.written_table(of_schema name, of_table name, of_constraint name)
    RETURNS TABLE (schema_name name, table_name name, constraint_name name)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH RECURSIVE own AS (
        SELECT c.oid, coalesce(pg_partition_root(c.oid), c.oid) AS root
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = of_schema AND c.relname = of_table),
    broken (oid, parent, name, relation) AS (
        SELECT k.oid, k.conparentid, k.conname, k.conrelid FROM own o JOIN pg_constraint k ON k.conrelid = o.oid AND k.conname = of_constraint
        UNION ALL
        SELECT k.oid, k.conparentid, k.conname, k.conrelid FROM broken b JOIN pg_constraint k ON k.oid = b.parent)
    SELECT n.nspname, c.relname, (SELECT b.name FROM broken b WHERE b.relation = o.root LIMIT 1)
    FROM own o JOIN pg_class c ON c.oid = o.root JOIN pg_namespace n ON n.oid = c.relnamespace
    UNION ALL
    SELECT of_schema, of_table, of_constraint WHERE NOT EXISTS (SELECT FROM own)
    $$;
COMMENT ON FUNCTION entitle_internal.written_table(name, name, name) IS 'What was written, when a partition refused a row';
GRANT EXECUTE ON FUNCTION entitle_internal.written_table(name, name, name) TO PUBLIC;

CREATE FUNCTION entitle_internal.drop_view(view regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    objects text;
BEGIN
    EXECUTE format('DROP VIEW %s', view);
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS objects = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION 'other objects depend on the filtered view "%"', view
        USING ERRCODE = '2BP01', DETAIL = objects, HINT = 'Drop them first; make them again when the view is there again.';
END
$$;
COMMENT ON FUNCTION entitle_internal.drop_view(regclass) IS 'Drops a filtered view, unless something was built on it';
GRANT EXECUTE ON FUNCTION entitle_internal.drop_view(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.install_view(declared entitle.protection, told_masks jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    query CONSTANT text := entitle_internal.full_view_query(declared);
    owner CONSTANT name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = declared.relation);
    view regclass := entitle_internal.find_view(declared.relation);
    full_name CONSTANT text := CASE
        WHEN declared.view_name IS NULL AND entitle_internal.has_default_name(view) THEN view::text
        ELSE entitle_internal.view_target(declared)
    END;
    present CONSTANT regclass := to_regclass(full_name);
    shared entitle.protection_privilege[];
    share entitle.protection_privilege;
    made name;
BEGIN
    IF view IS NULL AND entitle_internal.view_relation(present) = declared.relation THEN
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
        -- By the names that the columns have in the new view, which are the table's.
        SELECT array_agg(ROW(view, p.position, coalesce(c.column_name, p.column_name), p.grantor, p.grantee, p.privilege,
                             p.is_grantable, NULL, NULL)::entitle.protection_privilege)
        INTO shared
        FROM entitle_internal.table_privileges(view) p
        LEFT JOIN entitle_internal.view_columns(declared.relation, view) c ON c.view_column = p.column_name;
        PERFORM entitle_internal.drop_view(view);
        view := NULL;
    END IF;
    -- In two words: nothing but the view that is ours is ever replaced.
    EXECUTE format('CREATE %s VIEW %s WITH (security_barrier) AS %s',
                   CASE WHEN view IS NOT NULL THEN 'OR' || ' REPLACE' ELSE '' END, full_name, query);
    IF view IS NULL THEN
        view := full_name::regclass;
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', view);
        PERFORM entitle_internal.revoke_privilege(view, 'ALL', d.grantee)
        FROM (SELECT DISTINCT p.grantee FROM entitle_internal.table_privileges(view) p) d;
        EXECUTE format('ALTER VIEW %s OWNER TO %I', view, owner);
        FOREACH share IN ARRAY coalesce(shared, '{}') LOOP
            share.relation := view;
            PERFORM entitle_internal.put_back_privilege(share);
        END LOOP;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = view AND t.tgfoid = 'entitle_internal.write_view()'::regprocedure) THEN
        EXECUTE format('CREATE TRIGGER entitle_write INSTEAD OF INSERT OR UPDATE OR DELETE ON %s'
                       ' FOR EACH ROW EXECUTE FUNCTION entitle_internal.write_view()', view);
    END IF;
    PERFORM entitle_internal.record_view(declared.relation, view, told_masks),
            entitle_internal.describe_view(declared.relation, view),
            entitle_internal.grant_view(view, declared.relation);
    -- Whoever owned the view before may have made it, and REASSIGN OWNED takes it along.
    FOR made IN SELECT r.rulename FROM pg_rewrite r WHERE r.ev_class = view AND r.rulename <> '_RETURN' LOOP
        RAISE WARNING 'rule "%" of the filtered view "%" acts with the rights of its owner, past its trigger', made, view
            USING HINT = format('DROP RULE %I ON %s;', made, view);
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.install_view(entitle.protection, jsonb) IS 'Makes the filtered view of a declaration, or exchanges it';
GRANT EXECUTE ON FUNCTION entitle_internal.install_view(entitle.protection, jsonb) TO PUBLIC;
