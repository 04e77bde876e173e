-- verify_protection: where what is installed on the protected tables differs from what was declared. The remedies are
-- statements for the table's owner or a superuser; executed, they make the finding go away.

CREATE FUNCTION entitle.protection_call(declared entitle.protection) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('SELECT entitle.protect_table(%s);', concat_ws(', ',
        quote_literal(declared.relation::text),
        'customer_column => ' || quote_literal(declared.customer_column),
        'date_column => ' || quote_literal(declared.date_column),
        'brand_column => ' || quote_literal(declared.brand_column),
        'min_level => ' || nullif(declared.min_level, 10),
        'view_permission => ' || quote_literal(declared.view_permission),
        'insert_permission => ' || quote_literal(declared.insert_permission),
        'update_permission => ' || quote_literal(declared.update_permission),
        'delete_permission => ' || quote_literal(declared.delete_permission),
        'external_insert_level => ' || declared.external_insert_level,
        'external_update_level => ' || declared.external_update_level,
        'masked_columns => ' || quote_literal(nullif(declared.masked_columns, '{}')),
        'view_name => ' || quote_literal(declared.view_name),
        'parent => ' || quote_literal(declared.parent::text)))
    $$;
COMMENT ON FUNCTION entitle.protection_call(entitle.protection) IS 'The statement that makes a declaration, and makes it good again';
REVOKE ALL ON FUNCTION entitle.protection_call(entitle.protection) FROM PUBLIC;

-- Policies follow a renamed column, declarations do not: the row test names the columns in its own order.
CREATE FUNCTION entitle.tested_columns(relation regclass) RETURNS name[]
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT array_agg(a.attname ORDER BY v.position)
    FROM pg_policy p
    CROSS JOIN LATERAL regexp_matches(p.polqual::text, ':varattno (\d+)', 'g') WITH ORDINALITY AS v (number, position)
    JOIN pg_attribute a ON a.attrelid = p.polrelid AND a.attnum = v.number[1]::smallint AND NOT a.attisdropped
    WHERE p.polrelid = relation AND p.polname = 'entitle_select'
    $$;
COMMENT ON FUNCTION entitle.tested_columns(regclass) IS 'The columns that a table''s policy for SELECT looks at, as they are called now';
REVOKE ALL ON FUNCTION entitle.tested_columns(regclass) FROM PUBLIC;

CREATE FUNCTION entitle.declared_now(declared entitle.protection) RETURNS entitle.protection
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    -- In the order of the row test's arguments.
    names CONSTANT name[] := array_remove(ARRAY[declared.brand_column, declared.customer_column, declared.date_column], NULL);
    tested name[];
    known CONSTANT name[] := ARRAY(SELECT a.attname FROM pg_attribute a
                                   WHERE a.attrelid = declared.relation AND a.attnum > 0 AND NOT a.attisdropped);
BEGIN
    IF names <@ known THEN
        RETURN declared;
    END IF;
    IF declared.parent IS NULL THEN
        tested := entitle.tested_columns(declared.relation);
    ELSE
        -- A line names a column that tells its foreign key from others.
        tested := ARRAY(SELECT a.attname
                        FROM pg_policy p
                        JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
                             AND d.refclassid = 'pg_class'::regclass AND d.refobjid = p.polrelid
                        JOIN pg_attribute a ON a.attrelid = p.polrelid AND a.attnum = d.refobjsubid
                        WHERE p.polrelid = declared.relation AND p.polname = 'entitle_select'
                          AND 1 = (SELECT count(*)
                                   FROM pg_constraint c
                                   WHERE c.contype = 'f' AND c.conrelid = declared.relation AND c.confrelid = declared.parent
                                     AND a.attnum = ANY (c.conkey))
                        ORDER BY a.attnum
                        LIMIT 1);
    END IF;
    IF cardinality(tested) IS DISTINCT FROM cardinality(names) THEN
        tested := NULL;
    END IF;
    IF declared.brand_column <> ALL (known) THEN
        declared.brand_column := coalesce(tested[array_position(names, declared.brand_column)], declared.brand_column);
    END IF;
    IF declared.customer_column <> ALL (known) THEN
        declared.customer_column := coalesce(tested[array_position(names, declared.customer_column)], declared.customer_column);
    END IF;
    IF declared.date_column <> ALL (known) THEN
        declared.date_column := coalesce(tested[array_position(names, declared.date_column)], declared.date_column);
    END IF;
    RETURN declared;
END
$$;
COMMENT ON FUNCTION entitle.declared_now(entitle.protection) IS 'A declaration with its columns by the names they bear now; those that are gone keep theirs';
REVOKE ALL ON FUNCTION entitle.declared_now(entitle.protection) FROM PUBLIC;

CREATE FUNCTION entitle.lost_columns(current entitle.protection) RETURNS TABLE (column_name name, column_type regtype)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT c.name, c.type::regtype
    FROM (VALUES (current.customer_column, 'bigint'), (current.date_column, 'date'), (current.brand_column, 'bigint')) AS c (name, type)
    WHERE current.parent IS NULL AND c.name IS NOT NULL
      AND NOT EXISTS (SELECT
                      FROM pg_attribute a
                      WHERE a.attrelid = current.relation AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped)
    $$;
COMMENT ON FUNCTION entitle.lost_columns(entitle.protection) IS 'The declared columns that a table does not have, and a type for each';
REVOKE ALL ON FUNCTION entitle.lost_columns(entitle.protection) FROM PUBLIC;

-- Stored expressions show texts without the escapes that quote_literal writes.
CREATE FUNCTION entitle.shown_test(test text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN strpos(test, '\') = 0 THEN test ELSE replace(replace(test, '(E''', '('''), '\\', '\') END
    $$;
COMMENT ON FUNCTION entitle.shown_test(text) IS 'A row test as PostgreSQL shows it in a policy';
REVOKE ALL ON FUNCTION entitle.shown_test(text) FROM PUBLIC;

-- PostgreSQL breaks a line's sub-select into lines, and adds parentheses.
CREATE FUNCTION entitle.bare_test(test text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN strpos(test, 'EXISTS') = 0 THEN test ELSE translate(test, E'() \n', '') END
    $$;
COMMENT ON FUNCTION entitle.bare_test(text) IS 'A test to be compared, however it is laid out';
REVOKE ALL ON FUNCTION entitle.bare_test(text) FROM PUBLIC;

CREATE FUNCTION entitle.expected_policies(declared entitle.protection, member regclass)
    RETURNS TABLE (name name, command "char", seen text, written text)
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT v.name, v.command, entitle.shown_test(v.seen), entitle.shown_test(v.written)
    FROM (SELECT entitle.row_condition(declared, 'SELECT', p.prefix), entitle.row_condition(declared, 'INSERT', p.prefix),
                 entitle.row_condition(declared, 'UPDATE', p.prefix)
          FROM (SELECT CASE WHEN declared.parent IS NULL THEN '' ELSE quote_ident(c.relname) || '.' END AS prefix
                FROM pg_class c WHERE c.oid = member) p
          WHERE entitle.parent_problem(declared) IS NULL
         ) AS t (seen, inserted, updated),
         LATERAL (VALUES ('entitle_select', 'r', t.seen, NULL), ('entitle_insert', 'a', NULL, t.inserted),
                         ('entitle_update', 'w', t.seen, t.updated), ('entitle_delete', 'd', t.seen, NULL)
         ) AS v (name, command, seen, written)
    $$;
COMMENT ON FUNCTION entitle.expected_policies(entitle.protection, regclass) IS 'The policies that install_protection makes of a declaration';
REVOKE ALL ON FUNCTION entitle.expected_policies(entitle.protection, regclass) FROM PUBLIC;

CREATE FUNCTION entitle.expected_move(declared entitle.protection) RETURNS text
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN declared.parent IS NULL THEN 'WHEN (' || m.test || ') EXECUTE FUNCTION entitle.refuse_move()'
           ELSE 'WHEN ((' || m.test || ' AND row_security_active(' END
    FROM (SELECT CASE WHEN entitle.parent_problem(declared) IS NULL THEN entitle.move_test(declared) END) AS m (test)
    $$;
COMMENT ON FUNCTION entitle.expected_move(entitle.protection) IS 'What the triggers that refuse moves hold; NULL when there are none';
REVOKE ALL ON FUNCTION entitle.expected_move(entitle.protection) FROM PUBLIC;

CREATE FUNCTION entitle.expected_triggers(declared entitle.protection) RETURNS TABLE (name name, test text)
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    -- A line's document is looked at by the trigger's function.
    VALUES
        ('entitle_update', CASE WHEN declared.parent IS NULL THEN entitle.shown_test(entitle.joined_test(declared, 'UPDATE', 'old.'))
                           ELSE 'entitle.refuse_line_write()' END),
        ('entitle_delete', CASE WHEN declared.parent IS NULL THEN entitle.shown_test(entitle.joined_test(declared, 'DELETE', 'old.'))
                           ELSE 'entitle.refuse_line_write()' END),
        ('entitle_truncate', 'row_security_active('),
        ('entitle_moved', entitle.expected_move(declared)),
        ('zz_entitle_move', CASE WHEN entitle.parent_problem(declared) IS NULL
                                      AND NOT EXISTS (SELECT FROM entitle.place_columns(declared) p WHERE p.is_generated)
                            THEN entitle.expected_move(declared) END)
    $$;
COMMENT ON FUNCTION entitle.expected_triggers(entitle.protection) IS
    'The triggers that install_protection makes of a declaration, and what their conditions hold; NULL: it makes none';
REVOKE ALL ON FUNCTION entitle.expected_triggers(entitle.protection) FROM PUBLIC;

-- SECURITY DEFINER: it reads the declarations, which nobody else may.
CREATE FUNCTION entitle.verify_protection() RETURNS TABLE (relation regclass, problem text, remedy text)
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET jit = off -- it takes longer to compile than to run
    AS $$
    WITH stored AS MATERIALIZED (
        SELECT p AS declared, entitle.declaration_problem(p) AS problem
        FROM entitle.protection p
        JOIN pg_class c ON c.oid = p.relation),
    declared AS (
        SELECT s.declared, n AS current, entitle.view_remedy(s.declared, n) AS call
        FROM stored s
        CROSS JOIN LATERAL entitle.declared_now(s.declared) n
        WHERE s.problem IS NULL),
    member AS (
        SELECT d.*, c.oid::regclass AS relation, c.relrowsecurity, c.relforcerowsecurity,
               m.relation IS NOT NULL AS is_known
        FROM declared d
        CROSS JOIN LATERAL entitle.protection_family((d.declared).relation) f
        JOIN pg_class c ON c.oid = f
        LEFT JOIN entitle.protection_member m ON m.relation = f AND m.root = (d.declared).relation),
    policy AS (
        SELECT m.relation, m.call, e.name, p.oid IS NULL AS is_missing,
               p.oid IS NOT NULL
               AND (p.polcmd, p.polpermissive, p.polroles, entitle.bare_test(pg_get_expr(p.polqual, p.polrelid)),
                    entitle.bare_test(pg_get_expr(p.polwithcheck, p.polrelid)))
                   IS DISTINCT FROM (e.command, true, '{0}'::oid[], entitle.bare_test(e.seen), entitle.bare_test(e.written))
               AS is_different
        FROM member m
        CROSS JOIN LATERAL entitle.expected_policies(m.current, m.relation) e
        LEFT JOIN pg_policy p ON p.polrelid = m.relation AND p.polname = e.name
        WHERE m.is_known),
    trigger AS (
        SELECT m.relation, m.call, e.name, t.oid IS NULL AS is_missing, t.tgenabled,
               t.tgfoid NOT IN ('entitle.refuse_write()'::regprocedure, 'entitle.refuse_line_write()'::regprocedure,
                                'entitle.refuse_move()'::regprocedure)
               OR strpos(pg_get_triggerdef(t.oid), e.test) = 0 AS is_different
        FROM member m
        CROSS JOIN LATERAL entitle.expected_triggers(m.current) e
        LEFT JOIN pg_trigger t ON t.tgrelid = m.relation AND t.tgname = e.name
        WHERE m.is_known AND e.test IS NOT NULL)
    SELECT (s.declared).relation, s.problem,
           format('SELECT entitle.unprotect_table(%L); -- and protect it again', (s.declared).relation::text)
    FROM stored s WHERE s.problem IS NOT NULL
    UNION ALL
    SELECT m.relation, 'row-level security is switched off', format('ALTER TABLE ONLY %s ENABLE ROW LEVEL SECURITY;', m.relation)
    FROM member m WHERE m.is_known AND NOT m.relrowsecurity
    UNION ALL
    SELECT m.relation, 'row-level security does not bind the table''s owner', format('ALTER TABLE ONLY %s FORCE ROW LEVEL SECURITY;', m.relation)
    FROM member m WHERE m.is_known AND NOT m.relforcerowsecurity
    UNION ALL
    SELECT m.relation, format('a part of protected table %s, and not protected itself', (m.declared).relation), m.call
    FROM member m WHERE NOT m.is_known
    UNION ALL
    -- DETACH PARTITION takes the triggers away that refuse writes, and leaves the policies.
    SELECT c.oid::regclass, format('was a part of protected table %s, and is one of its own now', (d.declared).relation),
           entitle.protection_call(ROW(c.oid, (d.current).customer_column, (d.current).date_column, (d.current).brand_column,
               (d.current).min_level, (d.current).view_permission, (d.current).insert_permission, (d.current).update_permission,
               (d.current).delete_permission, (d.current).external_insert_level, (d.current).external_update_level,
               (d.current).masked_columns, NULL, (d.current).parent)::entitle.protection)
    FROM declared d
    JOIN entitle.protection_member m ON m.root = (d.declared).relation
    JOIN pg_class c ON c.oid = m.relation
    WHERE m.relation NOT IN (SELECT f FROM entitle.protection_family((d.declared).relation) f)
    UNION ALL
    SELECT p.relation, format('policy "%s" is missing', p.name), p.call FROM policy p WHERE p.is_missing
    UNION ALL
    SELECT p.relation, format('policy "%s" is not what was declared', p.name),
           format('DROP POLICY IF EXISTS %I ON %s; %s', p.name, p.relation, p.call)
    FROM policy p WHERE p.is_different
    UNION ALL
    SELECT t.relation, format('trigger "%s" is missing', t.name), t.call FROM trigger t WHERE t.is_missing
    UNION ALL
    SELECT t.relation, format('trigger "%s" is not what was declared', t.name),
           format('DROP TRIGGER IF EXISTS %I ON %s; %s', t.name, t.relation, t.call)
    FROM trigger t WHERE t.is_different
    UNION ALL
    SELECT t.relation, format('trigger "%s" does not always fire', t.name),
           format('ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER %I;', t.relation, t.name)
    FROM trigger t WHERE t.tgenabled <> 'A'
    UNION ALL
    SELECT (d.declared).relation, 'a declared column was renamed or dropped', d.call
    FROM declared d
    WHERE d.declared IS DISTINCT FROM d.current OR EXISTS (SELECT FROM entitle.lost_columns(d.current))
    UNION ALL
    SELECT (d.declared).relation, format('masked column "%s" is neither in the table nor in its filtered view', k),
           format('SELECT entitle.unprotect_table(%L); -- and protect it again', (d.declared).relation::text)
    FROM declared d
    CROSS JOIN LATERAL unnest(entitle.masked_names(d.declared)) AS k
    WHERE EXISTS (SELECT FROM pg_class v WHERE v.oid = entitle.find_view((d.declared).relation))
      AND NOT EXISTS (SELECT
                      FROM pg_attribute a
                      WHERE a.attrelid IN ((d.declared).relation, entitle.find_view((d.declared).relation)) AND a.attname = k
                        AND a.attnum > 0 AND NOT a.attisdropped)
    UNION ALL
    SELECT (d.declared).relation, format('permission "%s" is not known', k),
           format('INSERT INTO entitle.permission (permission_key, is_active) VALUES (%L, false);', k)
    FROM declared d
    CROSS JOIN LATERAL (SELECT DISTINCT unnest(ARRAY[(d.declared).view_permission, (d.declared).insert_permission,
                                                     (d.declared).update_permission, (d.declared).delete_permission])) AS u (k)
    WHERE k IS NOT NULL AND NOT EXISTS (SELECT FROM entitle.permission p WHERE p.permission_key = k)
    UNION ALL
    SELECT (d.declared).relation, v.problem, v.remedy
    FROM declared d
    CROSS JOIN LATERAL entitle.verify_view(d.declared, d.current) v
    $$;
COMMENT ON FUNCTION entitle.verify_protection() IS
    'Where protected tables differ from what was declared, and the statements that mend it; none when all is well';
REVOKE ALL ON FUNCTION entitle.verify_protection() FROM PUBLIC;
