-- Lines follow their document (R51): a table declared with a parent shows its rows with the rows they refer to, any number of
-- tables up. The one at the top is the document; its customer, date and brand decide.

-- SECURITY DEFINER: a table's owner needs what is declared of it and of its parents, and may not read the declarations.
CREATE FUNCTION entitle_internal.declaration(relation regclass) RETURNS entitle.protection
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT p
    FROM entitle.protection p
    WHERE p.relation = coalesce((SELECT m.root FROM entitle.protection_member m WHERE m.relation = declaration.relation),
                                pg_partition_root(declaration.relation), declaration.relation)
    $$;
COMMENT ON FUNCTION entitle_internal.declaration(regclass) IS 'What is declared of a table, or of the one it is a part of; the policies tell everyone the same';
GRANT EXECUTE ON FUNCTION entitle_internal.declaration(regclass) TO PUBLIC;

-- SECURITY DEFINER: as declaration.
CREATE FUNCTION entitle_internal.lines_of(relation regclass) RETURNS SETOF entitle.protection
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT p.*
    FROM entitle.protection p
    WHERE p.parent = lines_of.relation AND p.relation IN (SELECT c.oid FROM pg_class c)
    ORDER BY p.relation::text
    $$;
COMMENT ON FUNCTION entitle_internal.lines_of(regclass) IS 'What is declared of the tables that follow this one';
GRANT EXECUTE ON FUNCTION entitle_internal.lines_of(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.check_followed(relation regclass) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    lines text;
BEGIN
    SELECT string_agg(l.relation::text, ', ' ORDER BY l.relation::text) INTO lines FROM entitle_internal.lines_of(relation) l;
    IF lines IS NOT NULL THEN
        RAISE EXCEPTION 'other tables follow "%": %', relation, lines
            USING ERRCODE = '2BP01', HINT = 'Unprotect those first, or protect them without parent.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_followed(regclass) IS 'Refuses a table that others follow';
GRANT EXECUTE ON FUNCTION entitle_internal.check_followed(regclass) TO PUBLIC;

-- Without the key nothing takes the rows of an inheriting table along when their document goes or changes its own, and whoever makes
-- another one under the old key has them (S227).
CREATE FUNCTION entitle_internal.heir_without_key(relation regclass, key_constraint oid) RETURNS regclass
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT min(c.oid)::regclass
    FROM pg_constraint own
    JOIN entitle_internal.protection_family(relation) f ON f <> relation
    JOIN pg_class c ON c.oid = f AND NOT c.relispartition
    WHERE own.oid = key_constraint
      AND NOT EXISTS (SELECT
                      FROM pg_constraint k
                      WHERE k.contype = 'f' AND k.conrelid = c.oid AND k.confrelid = own.confrelid AND k.convalidated
                        AND (k.confupdtype, k.confdeltype, k.condeferrable) = (own.confupdtype, own.confdeltype, own.condeferrable)
                        AND ARRAY(SELECT ROW(a.attname, p.up)::text
                                  FROM unnest(k.conkey, k.confkey) AS p (down, up)
                                  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.down ORDER BY 1)
                          = ARRAY(SELECT ROW(a.attname, p.up)::text
                                  FROM unnest(own.conkey, own.confkey) AS p (down, up)
                                  JOIN pg_attribute a ON a.attrelid = own.conrelid AND a.attnum = p.down ORDER BY 1))
    $$;
COMMENT ON FUNCTION entitle_internal.heir_without_key(regclass, oid) IS 'A table that inherits from a line''s without having its foreign key; NULL when there is none';
GRANT EXECUTE ON FUNCTION entitle_internal.heir_without_key(regclass, oid) TO PUBLIC;

-- PUBLIC, as parent_keys: everybody may read which foreign keys there are.
CREATE FUNCTION entitle_internal.keys_to_parent(relation oid, parent oid, parent_key name, customer_column name) RETURNS oid[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_keys_to_parent';
COMMENT ON FUNCTION entitle_internal.keys_to_parent(oid, oid, name, name) IS 'The foreign keys from one table to another that have that name, and that column';
GRANT EXECUTE ON FUNCTION entitle_internal.keys_to_parent(oid, oid, name, name) TO PUBLIC;

-- Where there are several, parent_key names the right one, or customer_column a column that only that one has.
CREATE FUNCTION entitle_internal.parent_keys(declared entitle.protection) RETURNS SETOF oid
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT unnest(entitle_internal.keys_to_parent(declared.relation, declared.parent, declared.parent_key, declared.customer_column))
    $$;
COMMENT ON FUNCTION entitle_internal.parent_keys(entitle.protection) IS 'The foreign keys that a declaration may mean by its parent';
GRANT EXECUTE ON FUNCTION entitle_internal.parent_keys(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.find_parent_key(declared entitle.protection) RETURNS oid
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    keys oid[];
    is_valid boolean;
    moves_lines boolean;
    is_temporal boolean;
    heir regclass;
BEGIN
    SELECT array_agg(c.oid), bool_and(c.convalidated), bool_or(c.confdeltype = 'd'),
           -- PostgreSQL 18 brought keys that name a version of a row by its time. Before, the detour would cost more than all else here.
           coalesce(bool_or(CASE WHEN current_setting('server_version_num')::integer >= 180000 THEN (to_jsonb(c) ->> 'conperiod')::boolean END), false)
    INTO keys, is_valid, moves_lines, is_temporal
    FROM unnest(entitle_internal.keys_to_parent(declared.relation, declared.parent, declared.parent_key, declared.customer_column)) AS k
    JOIN pg_constraint c ON c.oid = k;
    IF keys IS NULL THEN
        RAISE EXCEPTION 'table "%" has no such foreign key to "%"', declared.relation, declared.parent
            USING ERRCODE = '42830',
                  HINT = 'Add the foreign key that leads from a line to its document; parent_key may name it, or customer_column a column of it.';
    ELSIF cardinality(keys) > 1 THEN
        RAISE EXCEPTION 'table "%" has % foreign keys to "%"', declared.relation, cardinality(keys), declared.parent
            USING ERRCODE = '42830', HINT = 'Give parent_key the name of the right one.';
    ELSIF NOT is_valid THEN
        RAISE EXCEPTION 'the foreign key from "%" to "%" is not validated', declared.relation, declared.parent
            USING ERRCODE = '42830', HINT = 'Run ALTER TABLE ... VALIDATE CONSTRAINT first.';
    ELSIF is_temporal THEN
        -- Each version may be another customer's, and a line can belong to several.
        RAISE EXCEPTION 'the foreign key from "%" to "%" has a PERIOD, which leads to no one document', declared.relation, declared.parent
            USING ERRCODE = '42830', HINT = 'Let lines refer to a key of the document that names one row.';
    ELSIF moves_lines THEN
        -- As the table's owner PostgreSQL would give them another document, whoever deletes their own (R54).
        RAISE EXCEPTION 'the foreign key from "%" to "%" is ON DELETE SET DEFAULT, which moves lines to another document',
            declared.relation, declared.parent
            USING ERRCODE = '42830', HINT = 'Let it be ON DELETE NO ACTION, RESTRICT, CASCADE or SET NULL.';
    END IF;
    -- Few tables have heirs, and whether one ever had any is cheap to ask.
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = declared.relation AND c.relhassubclass) THEN
        heir := entitle_internal.heir_without_key(declared.relation, keys[1]);
    END IF;
    IF heir IS NOT NULL THEN
        RAISE EXCEPTION 'table "%" inherits from "%" without its foreign key to "%"', heir, declared.relation, declared.parent
            USING ERRCODE = '42830', HINT = 'Add the same one, with the same actions: PostgreSQL hands none down.';
    END IF;
    RETURN keys[1];
END
$$;
COMMENT ON FUNCTION entitle_internal.find_parent_key(entitle.protection) IS 'The foreign key by which a line knows its document';
GRANT EXECUTE ON FUNCTION entitle_internal.find_parent_key(entitle.protection) TO PUBLIC;

-- The tables above a line, nearest first, and how each joins the one before; the line itself goes by the given prefix. A foreign key
-- refers to the rows of its own table: an inheriting one may have others under the same key (S220).
CREATE FUNCTION entitle_internal.parent_links(declared entitle.protection, prefix text)
    RETURNS TABLE (depth integer, parent entitle.protection, source text, condition text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 2
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    child entitle.protection := declared;
    key_number oid;
    key_constraint pg_constraint;
BEGIN
    depth := 0;
    WHILE child.parent IS NOT NULL LOOP
        -- As its policies have it: names may have been exchanged.
        parent := entitle_internal.declared_now(entitle_internal.declaration(child.parent));
        IF (parent).relation IS DISTINCT FROM child.parent THEN
            RAISE EXCEPTION 'parent "%" of table "%" is not protected', child.parent, child.relation
                USING ERRCODE = '55000', HINT = 'Protect the parent first, by its own name.';
        END IF;
        IF (parent).relation = declared.relation OR depth = 30 THEN
            RAISE EXCEPTION 'table "%" is its own parent', declared.relation
                USING ERRCODE = '22023', HINT = 'Parents lead to a table that names a customer of its own.';
        END IF;
        -- By itself: within the query the planner would call it once more.
        key_number := entitle_internal.find_parent_key(child);
        SELECT c.* INTO key_constraint FROM pg_constraint c WHERE c.oid = key_number;
        depth := depth + 1;
        source := (SELECT CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || c.oid::regclass FROM pg_class c WHERE c.oid = child.parent);
        SELECT string_agg(
                   format('entitle_parent_%s.%I %s %s%I', depth, up.attname,
                          CASE o.oprnamespace WHEN 'pg_catalog'::regnamespace THEN o.oprname::text
                          ELSE format('OPERATOR(%I.%s)', n.nspname, o.oprname) END,
                          CASE depth WHEN 1 THEN prefix ELSE format('entitle_parent_%s.', depth - 1) END, down.attname),
                   ' AND ' ORDER BY k.position)
        INTO condition
        FROM unnest(key_constraint.conkey, key_constraint.confkey, key_constraint.conpfeqop)
             WITH ORDINALITY AS k (down, up, operator, position)
        JOIN pg_attribute down ON down.attrelid = key_constraint.conrelid AND down.attnum = k.down
        JOIN pg_attribute up ON up.attrelid = key_constraint.confrelid AND up.attnum = k.up
        JOIN pg_operator o ON o.oid = k.operator
        JOIN pg_namespace n ON n.oid = o.oprnamespace;
        RETURN NEXT;
        child := parent;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.parent_links(entitle.protection, text) IS 'How a line joins its document, table by table';
GRANT EXECUTE ON FUNCTION entitle_internal.parent_links(entitle.protection, text) TO PUBLIC;

CREATE FUNCTION entitle_internal.parent_join(declared entitle.protection, prefix text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(string_agg(format(' JOIN %s entitle_parent_%s ON %s', l.source, l.depth, l.condition), ''
                               ORDER BY l.depth), '')
    FROM entitle_internal.parent_links(declared, prefix) l
    $$;
COMMENT ON FUNCTION entitle_internal.parent_join(entitle.protection, text) IS 'The joins that lead from a line to its document; empty for a table without parent';
GRANT EXECUTE ON FUNCTION entitle_internal.parent_join(entitle.protection, text) TO PUBLIC;

-- What decides about a row: the declaration itself, or its document's.
CREATE FUNCTION entitle_internal.find_document(declared entitle.protection) RETURNS entitle.protection
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    document entitle.protection := declared;
    link record;
BEGIN
    IF declared.parent IS NULL THEN
        RETURN declared;
    END IF;
    FOR link IN SELECT * FROM entitle_internal.parent_links(declared, '') l ORDER BY l.depth LOOP
        document := link.parent;
    END LOOP;
    RETURN document;
END
$$;
COMMENT ON FUNCTION entitle_internal.find_document(entitle.protection) IS 'Whose customer, date and brand decide about a row';
GRANT EXECUTE ON FUNCTION entitle_internal.find_document(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.document_prefix(declared entitle.protection, prefix text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN declared.parent IS NULL THEN prefix
           ELSE (SELECT coalesce('entitle_parent_' || max(l.depth) || '.', prefix) FROM entitle_internal.parent_links(declared, prefix) l) END
    $$;
COMMENT ON FUNCTION entitle_internal.document_prefix(entitle.protection, text) IS 'What the columns of the document go by in parent_join';
GRANT EXECUTE ON FUNCTION entitle_internal.document_prefix(entitle.protection, text) TO PUBLIC;

-- The test of a row at hand, whose document is joined as parent_join joins it.
CREATE FUNCTION entitle_internal.joined_test(declared entitle.protection, action text, prefix text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    document entitle.protection := declared;
    document_prefix text := prefix;
    link record;
BEGIN
    -- As find_document and document_prefix, which would each go all the way.
    FOR link IN
        SELECT l.parent, l.depth FROM entitle_internal.parent_links(declared, prefix) l WHERE declared.parent IS NOT NULL ORDER BY l.depth LOOP
        document := link.parent;
        document_prefix := format('entitle_parent_%s.', link.depth);
    END LOOP;
    RETURN CASE action
        WHEN 'SELECT' THEN entitle_internal.protection_test(document, document.view_permission,
                               CASE WHEN document.customer_column IS NOT NULL THEN document.min_level END, document_prefix,
                               is_shared => document.shared_rows)
        WHEN 'INSERT' THEN entitle_internal.protection_test(document, declared.insert_permission, declared.external_insert_level,
                                                   document_prefix, declared.parent IS NULL)
        WHEN 'UPDATE' THEN entitle_internal.protection_test(document, declared.update_permission, declared.external_update_level,
                                                   document_prefix)
        WHEN 'DELETE' THEN entitle_internal.protection_test(document, declared.delete_permission, declared.external_delete_level,
                                                   document_prefix)
    END;
END
$$;
COMMENT ON FUNCTION entitle_internal.joined_test(entitle.protection, text, text) IS 'The row test of an action, on the columns of the row or of its document';
GRANT EXECUTE ON FUNCTION entitle_internal.joined_test(entitle.protection, text, text) TO PUBLIC;

-- The same as an expression over the row alone, for policies.
CREATE FUNCTION entitle_internal.row_condition(declared entitle.protection, action text, prefix text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    tables text;
    conditions text;
BEGIN
    IF declared.parent IS NULL THEN
        RETURN entitle_internal.joined_test(declared, action, prefix);
    END IF;
    SELECT string_agg(format('%s entitle_parent_%s', l.source, l.depth), ', ' ORDER BY l.depth),
           string_agg(l.condition, ' AND ' ORDER BY l.depth)
    INTO tables, conditions
    FROM entitle_internal.parent_links(declared, prefix) l;
    RETURN format('EXISTS (SELECT FROM %s WHERE %s AND %s)', tables, conditions, entitle_internal.joined_test(declared, action, prefix));
END
$$;
COMMENT ON FUNCTION entitle_internal.row_condition(entitle.protection, text, text) IS 'The row test of an action as policies write it';
GRANT EXECUTE ON FUNCTION entitle_internal.row_condition(entitle.protection, text, text) TO PUBLIC;

CREATE FUNCTION entitle_internal.check_line(declared entitle.protection, document entitle.protection) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    -- 10 is what min_level is when it is left out.
    IF declared.date_column IS NOT NULL OR declared.brand_column IS NOT NULL
       OR declared.min_level NOT IN (10, document.min_level) OR declared.shared_rows
       OR declared.view_permission IS NOT NULL
          AND declared.view_permission IS DISTINCT FROM document.view_permission THEN
        RAISE EXCEPTION 'table "%" follows its parent "%"', declared.relation, declared.parent
            USING ERRCODE = '22023',
                  HINT = 'Leave out date_column, brand_column, min_level, shared_rows and view_permission: a line shows when its document shows.';
    END IF;
    IF document.customer_column IS NULL
       AND (declared.external_insert_level IS NOT NULL OR declared.external_update_level IS NOT NULL
            OR declared.external_delete_level IS NOT NULL) THEN
        RAISE EXCEPTION 'external access is declared, but table "%" has no customer column', document.relation
            USING ERRCODE = '22023', HINT = 'Leave out external_insert_level, external_update_level and external_delete_level, or protect the parent with its customer.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_line(entitle.protection, entitle.protection) IS
    'Refuses for a line what its document decides; the second declaration is the document''s';
GRANT EXECUTE ON FUNCTION entitle_internal.check_line(entitle.protection, entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.check_parent(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    owner CONSTANT name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = declared.relation);
    blocked regclass;
BEGIN
    -- The triggers that refuse moves look at the primary key, and at what was referred to when they were made.
    IF EXISTS (SELECT
               FROM pg_constraint k
               CROSS JOIN unnest(k.confkey) AS n (number)
               WHERE k.oid = entitle_internal.find_parent_key(declared)
                 AND NOT EXISTS (SELECT FROM pg_index i
                                 WHERE i.indrelid = declared.parent AND i.indisprimary AND n.number = ANY (i.indkey::smallint[]))
                 AND NOT EXISTS (SELECT
                                 FROM pg_trigger t
                                 JOIN pg_depend d ON d.classid = 'pg_trigger'::regclass AND d.objid = t.oid
                                      AND d.refclassid = 'pg_class'::regclass AND d.refobjid = declared.parent AND d.refobjsubid = n.number
                                 WHERE t.tgrelid = declared.parent AND t.tgname = 'entitle_moved')) THEN
        RAISE EXCEPTION 'lines would follow "%" by a key that is not watched', declared.parent
            USING ERRCODE = '55000', HINT = 'Protect the parent again first, as it is: SELECT * FROM entitle.verify_protection() gives the call.';
    END IF;
    SELECT (l.parent).relation INTO blocked
    FROM entitle_internal.parent_links(declared, '') l
    WHERE NOT has_any_column_privilege(owner, (l.parent).relation, 'SELECT')
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the owner of table "%" may not read its parent "%"', declared.relation, blocked
            USING ERRCODE = '42501', HINT = format('GRANT SELECT ON %s TO %I.', blocked, owner);
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_parent(entitle.protection) IS 'Refuses a declaration whose parent cannot be followed';
GRANT EXECUTE ON FUNCTION entitle_internal.check_parent(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.action_allowed(declared entitle.protection, action text, tested anyelement) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    is_allowed boolean := false;
BEGIN
    -- A part of a table that was attached since is not declared.
    IF declared.relation IS NOT NULL THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM (SELECT ($1).*) t%s WHERE %s)',
                       entitle_internal.parent_join(declared, 't.'), entitle_internal.joined_test(declared, action, 't.'))
        INTO is_allowed USING tested;
    END IF;
    RETURN is_allowed;
END
$$;
COMMENT ON FUNCTION entitle_internal.action_allowed(entitle.protection, text, anyelement) IS 'The row test of an action on one row at hand';
GRANT EXECUTE ON FUNCTION entitle_internal.action_allowed(entitle.protection, text, anyelement) TO PUBLIC;

-- A trigger's condition cannot look at another table, so lines have a trigger that looks. PUBLIC, as refuse_write.
CREATE FUNCTION entitle_internal.refuse_line_write() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_refuse_line_write';
COMMENT ON FUNCTION entitle_internal.refuse_line_write() IS 'Trigger: raises 42501 for a visible line that may not be written (R3, R51)';
GRANT EXECUTE ON FUNCTION entitle_internal.refuse_line_write() TO PUBLIC;
