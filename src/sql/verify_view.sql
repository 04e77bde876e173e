-- What verify_protection finds out about filtered views, masked columns and parents. PARALLEL UNSAFE: an EXCEPTION clause is a
-- subtransaction, which no parallel plan can have.

CREATE FUNCTION entitle_internal.parent_problem(declared entitle.protection) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM entitle_internal.parent_links(declared, '');
    RETURN NULL;
EXCEPTION
    WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
         OR system_error THEN RAISE; -- tells of the server, not of what is looked at
    WHEN OTHERS THEN
        RETURN SQLERRM;
END
$$;
COMMENT ON FUNCTION entitle_internal.parent_problem(entitle.protection) IS 'Why a line no longer leads to its document; NULL when it does';
REVOKE ALL ON FUNCTION entitle_internal.parent_problem(entitle.protection) FROM PUBLIC;

-- Declarations are written by protect_table, which checks them; a restore or a superuser may bring any. One that makes no sense is
-- told, and is in nobody else's way. What the table itself has or lacks is looked at elsewhere.
CREATE FUNCTION entitle_internal.declaration_problem(declared entitle.protection) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    level text;
BEGIN
    IF jsonb_typeof(declared.masked_columns) IS DISTINCT FROM 'object' THEN
        RETURN 'the declaration makes no sense: masked_columns is no object';
    END IF;
    FOREACH level IN ARRAY
        ARRAY[coalesce(declared.min_level::text, 'null'), declared.external_insert_level::text, declared.external_update_level::text,
              declared.external_delete_level::text]
        || ARRAY(SELECT coalesce(m.value, 'null') FROM jsonb_each_text(declared.masked_columns) m) LOOP
        IF level !~ '^(10|20|30|40|80|90)$' THEN
            RETURN format('the declaration makes no sense: %s is no external level', left(level, 20));
        END IF;
    END LOOP;
    IF declared.customer_column = '' OR declared.date_column = '' OR declared.brand_column = '' OR declared.masked_columns ? '' THEN
        RETURN 'the declaration makes no sense: a column has no name';
    ELSIF declared.parent IS NULL AND declared.parent_key IS NOT NULL THEN
        RETURN 'the declaration makes no sense: a foreign key leads to no parent';
    END IF;
    PERFORM entitle_internal.view_target(declared);
    RETURN NULL;
EXCEPTION
    WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
         OR system_error THEN RAISE; -- tells of the server, not of what is looked at
    WHEN OTHERS THEN
        RETURN 'the declaration makes no sense: ' || SQLERRM;
END
$$;
COMMENT ON FUNCTION entitle_internal.declaration_problem(entitle.protection) IS 'Why a stored declaration is none that protect_table would have written; NULL when it is';
REVOKE ALL ON FUNCTION entitle_internal.declaration_problem(entitle.protection) FROM PUBLIC;

-- The statement that makes a declaration good. A column that decided and is gone comes back empty: without it rows would show to
-- more people than before. Where columns of a line's document changed, it is the document's statement, which renews its lines.
CREATE FUNCTION entitle_internal.view_remedy(declared entitle.protection, current entitle.protection) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    above record;
BEGIN
    FOR above IN
        SELECT entitle_internal.declaration((l.parent).relation) AS parent, l.parent AS current
        FROM entitle_internal.parent_links(current, '') l
        ORDER BY l.depth DESC LOOP
        IF above.parent IS DISTINCT FROM above.current OR EXISTS (SELECT FROM entitle_internal.lost_columns(above.current)) THEN
            RETURN entitle_internal.view_remedy(above.parent, above.current);
        END IF;
    END LOOP;
    current := entitle_internal.repeated_declaration(current);
    IF entitle_internal.masked_names(current) && entitle_internal.key_names(current) THEN
        RETURN entitle_internal.closing_call(current.relation);
    END IF;
    RETURN (SELECT coalesce(string_agg(format('ALTER TABLE %s ADD COLUMN IF NOT EXISTS %I %s; ', current.relation, l.column_name, l.column_type), ''), '')
            FROM entitle_internal.lost_columns(current) l)
           || entitle_internal.protection_call(current);
EXCEPTION
    WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
         OR system_error THEN RAISE; -- tells of the server, not of what is looked at
    WHEN OTHERS THEN
        RETURN entitle_internal.protection_call(current);
END
$$;
COMMENT ON FUNCTION entitle_internal.view_remedy(entitle.protection, entitle.protection) IS 'The call of protect_table that makes a declaration good again';
REVOKE ALL ON FUNCTION entitle_internal.view_remedy(entitle.protection, entitle.protection) FROM PUBLIC;

-- The statement for a line whose way to its document is broken somewhere above: the same for all on that way. A document that was made
-- anew is protected, and its lines follow it then.
CREATE FUNCTION entitle_internal.orphan_remedy(declared entitle.protection) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    broken entitle.protection := declared;
    above entitle.protection;
BEGIN
    FOR i IN 1..30 LOOP -- parents may lead in a circle
        above := entitle_internal.declaration(broken.parent);
        EXIT WHEN above.relation IS DISTINCT FROM broken.parent OR entitle_internal.parent_problem(above) IS NULL;
        broken := above;
    END LOOP;
    RETURN coalesce((SELECT entitle_internal.protection_call(entitle_internal.declared_for(p, n.named))
                     FROM entitle_internal.gone_tables() g
                     JOIN entitle.protection p ON p.relation = g.relation
                     CROSS JOIN LATERAL (SELECT entitle_internal.relation_called(g.name)) AS n (named)
                     WHERE g.relation = broken.parent AND n.named IS NOT NULL),
                    entitle_internal.closing_call(broken.relation));
EXCEPTION
    WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
         OR system_error THEN RAISE; -- tells of the server, not of what is looked at
    WHEN OTHERS THEN
        RETURN entitle_internal.closing_call(declared.relation);
END
$$;
COMMENT ON FUNCTION entitle_internal.orphan_remedy(entitle.protection) IS 'The statement for a line that no longer leads to its document';
REVOKE ALL ON FUNCTION entitle_internal.orphan_remedy(entitle.protection) FROM PUBLIC;

CREATE FUNCTION entitle_internal.is_view(view regclass, query text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN entitle_internal.view_shows(view, query);
EXCEPTION
    WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
         OR system_error THEN RAISE; -- tells of the server, not of what is looked at
    WHEN OTHERS THEN
        RETURN false;
END
$$;
COMMENT ON FUNCTION entitle_internal.is_view(regclass, text) IS 'view_shows; false where the query cannot be read';
REVOKE ALL ON FUNCTION entitle_internal.is_view(regclass, text) FROM PUBLIC;

CREATE FUNCTION entitle_internal.verify_view(declared entitle.protection, current entitle.protection)
    RETURNS TABLE (problem text, remedy text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    view CONSTANT regclass := entitle_internal.find_view(declared.relation);
    masked CONSTANT name[] := entitle_internal.masked_names(declared);
    class pg_class;
BEGIN
    problem := entitle_internal.parent_problem(current);
    IF problem IS NOT NULL THEN
        remedy := entitle_internal.orphan_remedy(declared);
        RETURN NEXT;
        RETURN;
    END IF;
    IF NOT entitle_internal.has_view(declared) THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT format('masked column "%s" is a part of a key, which shows with its row', k), entitle_internal.closing_call(declared.relation)
        FROM unnest(entitle_internal.masked_names(entitle_internal.mended_declaration(current))) AS k
        WHERE k = ANY (entitle_internal.key_names(current));
    IF view IS NULL THEN
        problem := 'the filtered view, or the trigger that writes through it, is missing';
        remedy := entitle_internal.view_remedy(declared, current);
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT * INTO class FROM pg_class c WHERE c.oid = view;

    RETURN QUERY
        SELECT format('column "%s" is not in the filtered view "%s"', a.attname, view),
               -- The view has a column of that name.
               CASE WHEN a.attname = 'masked_columns' THEN format('ALTER TABLE %s RENAME COLUMN masked_columns TO own_masked_columns; ', a.attrelid::regclass)
               ELSE '' END || entitle_internal.view_remedy(declared, current)
        FROM pg_attribute a
        WHERE a.attrelid = declared.relation AND a.attnum > 0 AND NOT a.attisdropped
          AND NOT EXISTS (SELECT FROM entitle_internal.view_columns(declared.relation, view) c WHERE c.number = a.attnum)
        UNION ALL
        SELECT format('column "%s" is "%s" in the filtered view "%s"', c.column_name, c.view_column, view),
               entitle_internal.view_remedy(declared, current)
        FROM entitle_internal.view_columns(declared.relation, view) c
        WHERE c.column_name <> c.view_column;
    IF NOT FOUND AND NOT entitle_internal.is_view(view, entitle_internal.full_view_query(current)) THEN
        problem := format('the filtered view "%s" is not as it was made', view);
        remedy := entitle_internal.view_remedy(declared, current);
        RETURN NEXT;
    END IF;
    IF class.reloptions IS DISTINCT FROM '{security_barrier=true}' THEN
        problem := format('the filtered view "%s" is no plain security barrier', view);
        remedy := format('ALTER VIEW %s RESET (security_invoker, check_option); ALTER VIEW %1$s SET (security_barrier = true);', view);
        RETURN NEXT;
    END IF;
    IF class.relowner IS DISTINCT FROM (SELECT c.relowner FROM pg_class c WHERE c.oid = declared.relation) THEN
        problem := format('the filtered view "%s" does not belong to the table''s owner', view);
        -- Not ALTER VIEW: what the owner before made of it would go along (S209).
        remedy := CASE
            WHEN entitle_internal.is_view(view, entitle_internal.full_view_query(current)) THEN
                format('SELECT entitle_internal.claim_view(%1$L), entitle_internal.describe_view(%1$L, %2$L);', declared.relation, view)
            ELSE entitle_internal.view_remedy(declared, current)
        END;
        RETURN NEXT;
    END IF;
    RETURN QUERY
        SELECT format('trigger "%s" of the filtered view "%s" does not fire', t.tgname, view),
               entitle_internal.view_remedy(declared, current)
        FROM pg_trigger t
        WHERE t.tgrelid = view AND t.tgfoid = 'entitle_internal.write_view()'::regprocedure AND t.tgenabled NOT IN ('O', 'A')
        UNION ALL
        SELECT format('trigger "%s" of the filtered view "%s" writes in the place of ours', t.tgname, view),
               format('DROP TRIGGER %I ON %s;', t.tgname, view)
        FROM pg_trigger t
        WHERE t.tgrelid = view AND t.tgfoid <> 'entitle_internal.write_view()'::regprocedure AND t.tgtype & 64 <> 0 -- INSTEAD OF
        UNION ALL
        SELECT format('rule "%s" of the filtered view "%s" goes past its trigger', r.rulename, view),
               format('DROP RULE %I ON %s;', r.rulename, view)
        FROM pg_rewrite r
        WHERE r.ev_class = view AND r.rulename <> '_RETURN'
        UNION ALL
        SELECT format('%s may %s%s of %s', p.grantee, CASE p.privilege WHEN 'REFERENCES' THEN 'reference' ELSE lower(p.privilege) END,
                      coalesce(' masked column ' || p.column_name, ' masked columns'), f),
               entitle_internal.view_remedy(declared, current)
        FROM entitle_internal.protection_family(declared.relation) f, entitle_internal.table_privileges(f) p
        WHERE p.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
          AND masked <> '{}' AND (p.column_name IS NULL OR p.column_name = ANY (masked))
        UNION ALL
        SELECT format('%s may create triggers on %s, which fire with its owner''s rights', p.grantee, f),
               entitle_internal.view_remedy(declared, current)
        FROM entitle_internal.protection_family(declared.relation) f, entitle_internal.table_privileges(f) p
        WHERE p.privilege = 'TRIGGER';
END
$$;
COMMENT ON FUNCTION entitle_internal.verify_view(entitle.protection, entitle.protection) IS
    'Where a filtered view, masked columns or a parent are not as declared, and the statements that mend it';
REVOKE ALL ON FUNCTION entitle_internal.verify_view(entitle.protection, entitle.protection) FROM PUBLIC;
