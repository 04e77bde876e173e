-- verify_protection: where what is installed on the protected tables differs from what was declared. The remedies are
-- statements for the table's owner or a superuser; executed, they make the finding go away.

CREATE FUNCTION entitle_internal.protection_call(declared entitle.protection) RETURNS text
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
        'parent => ' || quote_literal(declared.parent::text),
        'external_delete_level => ' || declared.external_delete_level,
        'shared_rows => ' || nullif(declared.shared_rows, false),
        'parent_key => ' || quote_literal(declared.parent_key)))
    $$;
COMMENT ON FUNCTION entitle_internal.protection_call(entitle.protection) IS 'The statement that makes a declaration, and makes it good again';
GRANT EXECUTE ON FUNCTION entitle_internal.protection_call(entitle.protection) TO PUBLIC;

-- What cannot be made good is closed: without its protection a table would show all that its privileges allow. The tables that follow
-- it go first, as unprotect_table wants it.
CREATE FUNCTION entitle_internal.closing_call(relation regclass) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH RECURSIVE follower (relation, depth) AS (
        SELECT closing_call.relation, 0
        UNION ALL
        SELECT l.relation::regclass, f.depth + 1 FROM follower f CROSS JOIN LATERAL entitle_internal.lines_of(f.relation) l WHERE f.depth < 30)
    -- One statement: nobody meets the table in between.
    SELECT format('DO %L; ', 'BEGIN ' || string_agg(format('PERFORM entitle.unprotect_table(%L); %s', c.relation::text,
                             (SELECT string_agg(format('ALTER TABLE ONLY %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;', m), ' ')
                              FROM entitle_internal.protection_family(c.relation) m)), ' ' ORDER BY c.depth DESC, c.relation::text) || ' END')
           || entitle_internal.remark('closed to everyone: protect it again')
    FROM (SELECT f.relation, max(f.depth) AS depth FROM follower f GROUP BY f.relation) c
    $$;
COMMENT ON FUNCTION entitle_internal.closing_call(regclass) IS 'The statement that closes a table whose declaration cannot be carried out, and those that follow it';
REVOKE ALL ON FUNCTION entitle_internal.closing_call(regclass) FROM PUBLIC;

CREATE FUNCTION entitle_internal.lost_columns(current entitle.protection) RETURNS TABLE (column_name name, column_type regtype)
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
COMMENT ON FUNCTION entitle_internal.lost_columns(entitle.protection) IS 'The declared columns that a table does not have, and a type for each';
REVOKE ALL ON FUNCTION entitle_internal.lost_columns(entitle.protection) FROM PUBLIC;

-- The texts that protect_table would run now, as this server reads them, against what is installed.
CREATE FUNCTION entitle_internal.view_shows(view regclass, query text) RETURNS boolean
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_view_shows';
COMMENT ON FUNCTION entitle_internal.view_shows(regclass, text) IS 'Whether a view''s query is this one, however either is written';
REVOKE ALL ON FUNCTION entitle_internal.view_shows(regclass, text) FROM PUBLIC;

CREATE FUNCTION entitle_internal.same_condition(part text, object oid, condition text) RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_same_condition';
COMMENT ON FUNCTION entitle_internal.same_condition(text, oid, text) IS
    'Whether the USING or CHECK of a policy, or the WHEN of a trigger, is this condition, however either is written; NULL is none';
REVOKE ALL ON FUNCTION entitle_internal.same_condition(text, oid, text) FROM PUBLIC;

-- Somebody else's object may have a condition that PostgreSQL does not even read as ours. PARALLEL UNSAFE: a subtransaction.
CREATE FUNCTION entitle_internal.is_condition(part text, object oid, condition text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN entitle_internal.same_condition(part, object, condition);
EXCEPTION
    WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
         OR system_error THEN RAISE; -- tells of the server, not of what is looked at
    WHEN OTHERS THEN
        RETURN false;
END
$$;
COMMENT ON FUNCTION entitle_internal.is_condition(text, oid, text) IS 'same_condition; false where the condition cannot be read';
REVOKE ALL ON FUNCTION entitle_internal.is_condition(text, oid, text) FROM PUBLIC;

CREATE FUNCTION entitle_internal.expected_policies(declared entitle.protection, member regclass)
    RETURNS TABLE (name name, command "char", seen text, written text)
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT v.name, v.command, v.seen, v.written
    FROM (SELECT entitle_internal.row_condition(declared, 'SELECT', p.prefix), entitle_internal.row_condition(declared, 'INSERT', p.prefix),
                 entitle_internal.row_condition(declared, 'UPDATE', p.prefix)
          FROM (SELECT CASE WHEN declared.parent IS NULL THEN '' ELSE member || '.' END AS prefix
                FROM pg_class c WHERE c.oid = member) p
          WHERE entitle_internal.parent_problem(declared) IS NULL
         ) AS t (seen, inserted, updated),
         LATERAL (VALUES ('entitle_select', 'r', t.seen, NULL), ('entitle_insert', 'a', NULL, t.inserted),
                         ('entitle_update', 'w', t.seen, t.updated), ('entitle_delete', 'd', t.seen, NULL)
         ) AS v (name, command, seen, written)
    $$;
COMMENT ON FUNCTION entitle_internal.expected_policies(entitle.protection, regclass) IS 'The policies that install_protection makes of a declaration';
REVOKE ALL ON FUNCTION entitle_internal.expected_policies(entitle.protection, regclass) FROM PUBLIC;

CREATE FUNCTION entitle_internal.expected_triggers(declared entitle.protection)
    RETURNS TABLE (name name, kind smallint, function regprocedure, condition text)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH move AS MATERIALIZED (
        SELECT entitle_internal.move_condition(declared) AS condition WHERE entitle_internal.parent_problem(declared) IS NULL)
    SELECT v.name, v.kind,
           CASE WHEN declared.parent IS NULL OR v.action IS NULL THEN 'entitle_internal.refuse_write()' ELSE 'entitle_internal.refuse_line_write()' END::regprocedure,
           -- A line's document is looked at by the trigger's function.
           entitle_internal.trigger_bound(declared)
           || CASE WHEN declared.parent IS NULL THEN coalesce(' AND NOT ' || entitle_internal.joined_test(declared, v.action, 'OLD.'), '') ELSE '' END
    -- BEFORE, each with its event, those of rows FOR EACH ROW.
    FROM (VALUES ('entitle_update', 19::smallint, 'UPDATE'), ('entitle_delete', 11::smallint, 'DELETE'),
                 ('entitle_truncate', 34::smallint, NULL)) AS v (name, kind, action)
    UNION ALL
    -- BEFORE and AFTER UPDATE.
    SELECT v.name, v.kind, 'entitle_internal.refuse_move()'::regprocedure,
           CASE v.name WHEN 'entitle_moved' THEN m.condition ELSE entitle_internal.early_move_test(declared) END
    FROM (VALUES ('zz_entitle_move', 19::smallint), ('entitle_moved', 17::smallint)) AS v (name, kind), move m
    WHERE m.condition IS NOT NULL
    UNION ALL
    -- AFTER DELETE and INSERT.
    SELECT v.name, v.kind, 'entitle_internal.refuse_move()'::regprocedure, entitle_internal.trigger_bound(declared)
    FROM (VALUES ('entitle_left', 9::smallint), ('entitle_arrived', 5::smallint)) AS v (name, kind), move m
    WHERE m.condition IS NOT NULL
      AND (v.name = 'entitle_left' OR EXISTS (SELECT FROM pg_class c WHERE c.oid = declared.relation AND c.relkind = 'p'))
    $$;
COMMENT ON FUNCTION entitle_internal.expected_triggers(entitle.protection) IS 'The triggers that install_protection makes of a declaration';
REVOKE ALL ON FUNCTION entitle_internal.expected_triggers(entitle.protection) FROM PUBLIC;

-- The name of a filtered view may be taken by that of the table whose place this one took.
CREATE FUNCTION entitle_internal.declared_for(declared entitle.protection, relation regclass) RETURNS entitle.protection
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    target text;
BEGIN
    declared.relation := relation;
    IF entitle_internal.has_view(declared) THEN
        target := entitle_internal.view_target(declared);
        IF to_regclass(target) IS NOT NULL THEN
            declared.view_name := (SELECT format('%I.%I', n.nspname, left(c.relname, 54) || '_new_view')
                                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation);
        END IF;
    END IF;
    RETURN declared;
END
$$;
COMMENT ON FUNCTION entitle_internal.declared_for(entitle.protection, regclass) IS 'A declaration, for a table that took the place of the declared one';
REVOKE ALL ON FUNCTION entitle_internal.declared_for(entitle.protection, regclass) FROM PUBLIC;

CREATE FUNCTION entitle_internal.relation_called(name text) RETURNS regclass
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN to_regclass(name);
EXCEPTION WHEN invalid_name OR syntax_error OR feature_not_supported THEN
    RETURN NULL; -- no name at all
END
$$;
COMMENT ON FUNCTION entitle_internal.relation_called(text) IS 'The relation of that name; NULL when there is none, or the text is no name';
REVOKE ALL ON FUNCTION entitle_internal.relation_called(text) FROM PUBLIC;

-- SECURITY DEFINER: it reads the declarations, which nobody else may.
CREATE FUNCTION entitle.verify_protection() RETURNS TABLE (relation regclass, problem text, remedy text)
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET jit = off -- it takes longer to compile than to run
    SET quote_all_identifiers = off SET standard_conforming_strings = on SET lc_messages = 'C' -- the same texts for every session
    SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET extra_float_digits = 1 SET TimeZone = 'UTC'
    AS $$
    WITH stored AS MATERIALIZED (
        SELECT p AS declared, entitle_internal.declaration_problem(p) AS problem
        FROM entitle.protection p
        JOIN pg_class c ON c.oid = p.relation),
    declared AS (
        SELECT s.declared, n AS current
        FROM stored s
        CROSS JOIN LATERAL entitle_internal.declared_now(s.declared) n
        WHERE s.problem IS NULL),
    member AS (
        SELECT d.*, c.oid::regclass AS relation, c.relrowsecurity, c.relforcerowsecurity,
               m.table_name IS NOT NULL AS is_known -- one that was merely closed has no name
        FROM declared d
        CROSS JOIN LATERAL entitle_internal.protection_family((d.declared).relation) f
        JOIN pg_class c ON c.oid = f
        LEFT JOIN entitle.protection_member m ON m.relation = f AND m.root = (d.declared).relation),
    policy AS (
        SELECT m.relation, m.declared, e.name, p.oid IS NULL AS is_missing,
               p.oid IS NOT NULL
               AND ((p.polcmd, p.polpermissive, p.polroles) IS DISTINCT FROM (e.command, true, '{0}'::oid[])
                    OR NOT entitle_internal.is_condition('using', p.oid, e.seen)
                    OR NOT entitle_internal.is_condition('check', p.oid, e.written)) AS is_different
        FROM member m
        CROSS JOIN LATERAL entitle_internal.expected_policies(m.current, m.relation) e
        LEFT JOIN pg_policy p ON p.polrelid = m.relation AND p.polname = e.name
        WHERE m.is_known),
    trigger AS (
        SELECT m.relation, m.declared, e.name, t.oid IS NULL AS is_missing, t.tgenabled,
               t.oid IS NOT NULL
               AND ((t.tgtype, t.tgfoid) IS DISTINCT FROM (e.kind, e.function::oid)
                    OR NOT entitle_internal.is_condition('when', t.oid, e.condition)) AS is_different
        FROM member m
        CROSS JOIN LATERAL entitle_internal.expected_triggers(m.current) e
        LEFT JOIN pg_trigger t ON t.tgrelid = m.relation AND t.tgname = e.name
        WHERE m.is_known),
    -- renewed: the table whose declaration is to be made good, where that is what the remedy ends with.
    finding (relation, problem, remedy, renewed) AS MATERIALIZED (
        SELECT (s.declared).relation, s.problem, entitle_internal.closing_call((s.declared).relation), NULL::regclass
        FROM stored s WHERE s.problem IS NOT NULL
        UNION ALL
        SELECT m.relation, 'row-level security is switched off', format('ALTER TABLE ONLY %s ENABLE ROW LEVEL SECURITY;', m.relation), NULL
        FROM member m WHERE m.is_known AND NOT m.relrowsecurity
        UNION ALL
        SELECT m.relation, 'row-level security does not bind the table''s owner', format('ALTER TABLE ONLY %s FORCE ROW LEVEL SECURITY;', m.relation), NULL
        FROM member m WHERE m.is_known AND NOT m.relforcerowsecurity
        UNION ALL
        SELECT m.relation, format('a part of protected table %s, and not protected itself', (m.declared).relation), '', (m.declared).relation
        FROM member m WHERE NOT m.is_known
        UNION ALL
        -- A query of the table above asks that one's policies alone.
        SELECT (d.declared).relation, format('is a part of %s, which shows its rows past its protection', i.inhparent::regclass),
               format(CASE WHEN c.relispartition THEN 'ALTER TABLE %s DETACH PARTITION %s;' ELSE 'ALTER TABLE %2$s NO INHERIT %1$s;' END,
                      i.inhparent::regclass, c.oid::regclass), NULL
        FROM declared d
        JOIN pg_inherits i ON i.inhrelid = (d.declared).relation
        JOIN pg_class c ON c.oid = i.inhrelid
        UNION ALL
        -- DETACH PARTITION takes the triggers away that refuse writes, and leaves the policies.
        SELECT c.oid::regclass, format('was a part of protected table %s, and is one of its own now', (d.declared).relation),
               entitle_internal.protection_call(ROW(c.oid, (d.current).customer_column, (d.current).date_column, (d.current).brand_column,
                   (d.current).min_level, (d.current).view_permission, (d.current).insert_permission, (d.current).update_permission,
                   (d.current).delete_permission, (d.current).external_insert_level, (d.current).external_update_level,
                   (d.current).masked_columns, NULL, (d.current).parent, (d.current).external_delete_level, (d.current).shared_rows,
                   (d.current).parent_key)::entitle.protection), NULL
        FROM declared d
        JOIN entitle.protection_member m ON m.root = (d.declared).relation
        JOIN pg_class c ON c.oid = m.relation
        WHERE m.relation NOT IN (SELECT f FROM entitle_internal.protection_family((d.declared).relation) f)
        UNION ALL
        SELECT p.relation, format('policy "%s" is missing', p.name), '', (p.declared).relation FROM policy p WHERE p.is_missing
        UNION ALL
        SELECT p.relation, format('policy "%s" is not what was declared', p.name),
               format('DROP POLICY IF EXISTS %I ON %s; ', p.name, p.relation), (p.declared).relation
        FROM policy p WHERE p.is_different
        UNION ALL
        SELECT t.relation, format('trigger "%s" is missing', t.name), '', (t.declared).relation FROM trigger t WHERE t.is_missing
        UNION ALL
        SELECT t.relation, format('trigger "%s" is not what was declared', t.name),
               format('DROP TRIGGER IF EXISTS %I ON %s; ', t.name, t.relation), (t.declared).relation
        FROM trigger t WHERE t.is_different
        UNION ALL
        SELECT t.relation, format('trigger "%s" does not always fire', t.name),
               format('ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER %I;', t.relation, t.name), NULL
        FROM trigger t WHERE t.tgenabled <> 'A'
        UNION ALL
        SELECT coalesce(n.named, g.relation),
               CASE WHEN n.named IS NOT NULL THEN format('protected table %s is gone, and another one bears its name, unprotected', g.name)
                    ELSE format('protected table %s did not come when a dump was restored', g.name) END,
               CASE WHEN n.named IS NOT NULL THEN entitle_internal.protection_call(entitle_internal.declared_for(p, n.named))
                    ELSE format('DELETE FROM entitle.protection WHERE relation = %s; %s', g.relation::oid,
                                entitle_internal.remark('or restore the table, and ' || entitle_internal.protection_call(p))) END, NULL
        FROM entitle_internal.gone_tables() g
        JOIN entitle.protection p ON p.relation = g.relation
        CROSS JOIN LATERAL (SELECT entitle_internal.relation_called(g.name)) AS n (named)
        WHERE g.is_absent OR n.named IS NOT NULL
        UNION ALL
        SELECT n.named, format('bears the name that protected table %s had, and is not protected', m.relation),
               entitle_internal.protection_call(entitle_internal.declared_for(p, n.named)), NULL
        FROM entitle.protection p
        JOIN entitle.protection_member m ON m.relation = p.relation
        JOIN pg_class c ON c.oid = p.relation
        CROSS JOIN LATERAL (SELECT entitle_internal.relation_called(m.table_name)) AS n (named)
        WHERE n.named <> p.relation AND n.named NOT IN (SELECT o.relation FROM entitle.protection_member o)
          AND EXISTS (SELECT FROM pg_class o WHERE o.oid = n.named AND o.relkind IN ('r', 'p'))
        UNION ALL
        SELECT (d.declared).relation, 'a declared column was renamed or dropped', '', (d.declared).relation
        FROM declared d
        WHERE d.declared IS DISTINCT FROM d.current OR EXISTS (SELECT FROM entitle_internal.lost_columns(d.current))
        UNION ALL
        SELECT (d.declared).relation, format('masked column "%s" is neither in the table nor in its filtered view', k),
               entitle_internal.closing_call((d.declared).relation), NULL
        FROM declared d
        CROSS JOIN LATERAL unnest(entitle_internal.masked_names(d.declared)) AS k
        WHERE EXISTS (SELECT FROM pg_class v WHERE v.oid = entitle_internal.find_view((d.declared).relation))
          AND NOT EXISTS (SELECT
                          FROM pg_attribute a
                          WHERE a.attrelid IN ((d.declared).relation, entitle_internal.find_view((d.declared).relation)) AND a.attname = k
                            AND a.attnum > 0 AND NOT a.attisdropped)
        UNION ALL
        SELECT (d.declared).relation, format('permission "%s" is not known', k),
               format('INSERT INTO entitle.permission (permission_key, is_active) VALUES (%L, false);', k), NULL
        FROM declared d
        CROSS JOIN LATERAL (SELECT DISTINCT unnest(ARRAY[(d.declared).view_permission, (d.declared).insert_permission,
                                                         (d.declared).update_permission, (d.declared).delete_permission])) AS u (k)
        WHERE k IS NOT NULL AND NOT EXISTS (SELECT FROM entitle.permission p WHERE p.permission_key = k)
        UNION ALL
        SELECT (d.declared).relation, v.problem, v.remedy, NULL
        FROM declared d
        CROSS JOIN LATERAL entitle_internal.verify_view(d.declared, d.current) v
        UNION ALL
        SELECT v.*, NULL FROM entitle_internal.verify_reported() v
    ),
    -- Of tables with such a finding alone, and once each: it takes longer than to look.
    call AS MATERIALIZED (
        SELECT (d.declared).relation, entitle_internal.view_remedy(d.declared, d.current) AS text
        FROM declared d
        WHERE (d.declared).relation IN (SELECT f.renewed FROM finding f))
    SELECT f.relation, f.problem, CASE WHEN f.renewed IS NULL THEN f.remedy ELSE f.remedy || c.text END
    FROM finding f
    LEFT JOIN call c ON c.relation = f.renewed
    ORDER BY f.relation::text, f.problem, 3
    $$;
COMMENT ON FUNCTION entitle.verify_protection() IS
    'Where protected tables differ from what was declared, and the statements that mend it; none when all is well';
REVOKE ALL ON FUNCTION entitle.verify_protection() FROM PUBLIC;
