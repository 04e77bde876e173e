-- Report mode (R66), what is done: protect_table(..., mode => 'report') writes the declaration down and makes a trigger that counts writes.
-- It makes no policy and no view and takes no privilege, so the table shows and takes what it would without protection.

-- PUBLIC, because a table's owner must be able to put the trigger on; all it does is count, of tables in report mode.
CREATE FUNCTION entitle_internal.report_write() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_report_write';
COMMENT ON FUNCTION entitle_internal.report_write() IS 'Trigger: counts the writes of a table in report mode that enforcement would refuse';
GRANT EXECUTE ON FUNCTION entitle_internal.report_write() TO PUBLIC;

-- PUBLIC: triggers ask it of whoever writes.
CREATE FUNCTION entitle_internal.report_active(relation oid) RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_report_active';
COMMENT ON FUNCTION entitle_internal.report_active(oid) IS 'Whether a table is in report mode, and enforcement would bind the current user: no superuser, no cascade of a foreign key';
GRANT EXECUTE ON FUNCTION entitle_internal.report_active(oid) TO PUBLIC;

CREATE FUNCTION entitle_internal.report_condition(relation regclass) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('entitle_internal.report_active(%L::pg_catalog.regclass::oid)', relation)
    $$;
COMMENT ON FUNCTION entitle_internal.report_condition(regclass) IS 'Whose writes the trigger of a table in report mode counts';
GRANT EXECUTE ON FUNCTION entitle_internal.report_condition(regclass) TO PUBLIC;

-- What decides about a row of a table in report mode: one at the top may be enforced already.
CREATE FUNCTION entitle_internal.reported_document(declared entitle.protection) RETURNS entitle.protection
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    owner CONSTANT name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = declared.relation);
    document entitle.protection := declared;
    above entitle.protection;
    depth integer := 0;
BEGIN
    WHILE document.parent IS NOT NULL LOOP
        above := entitle_internal.reported_declaration(document.parent);
        IF above.relation IS NULL THEN
            above := entitle_internal.declaration(document.parent);
        END IF;
        IF above.relation IS DISTINCT FROM document.parent THEN
            RAISE EXCEPTION 'parent "%" of table "%" is neither protected nor in report mode', document.parent, document.relation
                USING ERRCODE = '55000', HINT = 'Protect the parent first, by its own name, in either mode.';
        END IF;
        depth := depth + 1;
        IF above.relation = declared.relation OR depth > 30 THEN
            RAISE EXCEPTION 'table "%" is its own parent', declared.relation
                USING ERRCODE = '22023', HINT = 'Parents lead to a table that names a customer of its own.';
        ELSIF NOT has_any_column_privilege(owner, above.relation, 'SELECT') THEN
            RAISE EXCEPTION 'the owner of table "%" may not read its parent "%"', declared.relation, document.parent
                USING ERRCODE = '42501', HINT = format('GRANT SELECT ON %s TO %I.', document.parent::regclass, owner);
        END IF;
        document := above;
    END LOOP;
    RETURN document;
END
$$;
COMMENT ON FUNCTION entitle_internal.reported_document(entitle.protection) IS 'Whose customer, date and brand decide about a row, in whatever mode the tables above are';
GRANT EXECUTE ON FUNCTION entitle_internal.reported_document(entitle.protection) TO PUBLIC;

-- A line whose parent is in report mode, too, cannot be checked as one whose parent has policies. All the rest is asked when it is enforced.
CREATE FUNCTION entitle_internal.check_reported(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF declared.relation IS NULL OR declared.parent IS NULL OR (entitle_internal.reported_declaration(declared.parent)).relation IS NULL THEN
        PERFORM entitle_internal.check_protection(declared);
        RETURN;
    END IF;
    PERFORM entitle_internal.check_protectable(declared.relation);
    PERFORM entitle_internal.check_declared(declared, entitle_internal.reported_document(declared)),
            entitle_internal.find_parent_key(declared);
END
$$;
COMMENT ON FUNCTION entitle_internal.check_reported(entitle.protection) IS 'Refuses a declaration that report mode could not judge rows by';
GRANT EXECUTE ON FUNCTION entitle_internal.check_reported(entitle.protection) TO PUBLIC;

-- A part follows its whole, and what is enforced is in no report mode (S504).
CREATE FUNCTION entitle_internal.forget_reported(relation regclass) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    DELETE FROM entitle.reported_protection r
    WHERE r.relation IN (SELECT f FROM entitle_internal.protection_family(forget_reported.relation) f)
    $$;
COMMENT ON FUNCTION entitle_internal.forget_reported(regclass) IS 'Forgets the declarations in report mode of a table and its parts, for one that takes their place';
REVOKE ALL ON FUNCTION entitle_internal.forget_reported(regclass) FROM PUBLIC;

-- SECURITY DEFINER: nobody writes the declarations directly. Its caller may be another than protect_table, so it checks all itself.
CREATE FUNCTION entitle_internal.record_report(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM entitle_internal.check_may_protect(declared.relation);
    PERFORM entitle_internal.check_reported(declared), entitle_internal.check_known_permissions(declared);
    -- The view is made when the declaration is enforced, which may be by a superuser (S500).
    PERFORM entitle_internal.check_view_schema(declared) WHERE entitle_internal.has_view(declared);
    -- Two declarations of one table would be two truths.
    IF (entitle_internal.declaration(declared.relation)).relation IS NOT NULL THEN
        RAISE EXCEPTION 'table "%" is protected', declared.relation
            USING ERRCODE = '55000', HINT = 'Call entitle.protect_table with mode => ''report'': it takes the protection away first.';
    END IF;
    -- A guarded schema's table is closed until somebody has said why it may be open (S490).
    IF EXISTS (SELECT
               FROM entitle_internal.protection_family(declared.relation) f
               JOIN pg_class c ON c.oid = f AND c.relnamespace IN (SELECT g FROM entitle_internal.guarded_schemas() g)
               WHERE NOT EXISTS (SELECT FROM entitle.guarded_table t WHERE t.relation = c.oid AND t.state IN ('before', 'excepted'))) THEN
        RAISE EXCEPTION 'table "%" is in a guarded schema, and report mode would leave it open', declared.relation
            USING ERRCODE = '55000', HINT = 'Enforce its protection, or call entitle.except_table with a reason first.';
    END IF;
    -- Of tables that are gone; who has one of these locked is in nobody's way (S505).
    DELETE FROM entitle.reported_protection r
    WHERE r.ctid IN (SELECT g.ctid FROM entitle.reported_protection g
                     WHERE g.relation NOT IN (SELECT c.oid FROM pg_class c UNION ALL SELECT a.number FROM entitle.absent_relation a)
                     FOR UPDATE SKIP LOCKED);
    PERFORM entitle_internal.forget_reported(declared.relation);
    INSERT INTO entitle.reported_protection SELECT (declared).*;
END
$$;
COMMENT ON FUNCTION entitle_internal.record_report(entitle.protection) IS 'Writes down what protect_table was told of a table in report mode';
GRANT EXECUTE ON FUNCTION entitle_internal.record_report(entitle.protection) TO PUBLIC;

-- SECURITY DEFINER: as record_report. What was counted stays, for comparison.
CREATE FUNCTION entitle_internal.forget_report(relation regclass) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT entitle_internal.may_unprotect(relation) THEN
        RAISE EXCEPTION 'permission denied to unprotect table "%"', relation
            USING ERRCODE = '42501', HINT = 'It takes the table''s owner, with EXECUTE on entitle.unprotect_table.';
    END IF;
    DELETE FROM entitle.reported_protection r WHERE r.relation = forget_report.relation;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION entitle_internal.forget_report(regclass) IS 'Forgets that a table is in report mode; false when it is not';
GRANT EXECUTE ON FUNCTION entitle_internal.forget_report(regclass) TO PUBLIC;

-- PostgreSQL copies a partitioned table's row triggers to its partitions, later ones too.
CREATE FUNCTION entitle_internal.remove_report(relation regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    member regclass;
BEGIN
    FOR member IN
        SELECT f
        FROM entitle_internal.protection_family(relation) f
        JOIN pg_trigger t ON t.tgrelid = f AND t.tgname = 'entitle_report' AND t.tgparentid = 0
             AND t.tgfoid = 'entitle_internal.report_write()'::regprocedure LOOP
        EXECUTE format('DROP TRIGGER entitle_report ON %s', member);
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.remove_report(regclass) IS 'Drops the triggers that report mode made of a table';
GRANT EXECUTE ON FUNCTION entitle_internal.remove_report(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.end_report(relation regclass) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF (entitle_internal.reported_declaration(relation)).relation IS NULL THEN
        RETURN false;
    END IF;
    PERFORM entitle_internal.remove_report(relation);
    RETURN entitle_internal.forget_report(relation);
END
$$;
COMMENT ON FUNCTION entitle_internal.end_report(regclass) IS 'Takes a table out of report mode; false when it was not';
GRANT EXECUTE ON FUNCTION entitle_internal.end_report(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.begin_report(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    member regclass;
    is_enforced CONSTANT boolean := (entitle_internal.declaration(declared.relation)).relation IS NOT DISTINCT FROM declared.relation;
BEGIN
    PERFORM entitle_internal.check_reported(declared);
    EXECUTE format('LOCK TABLE %s IN %s MODE', declared.relation::regclass,
                   CASE WHEN is_enforced THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END);
    PERFORM entitle_internal.check_seen_family(declared.relation), entitle_internal.check_reported(declared);
    IF is_enforced THEN
        PERFORM entitle.unprotect_table(declared.relation); -- by the door: it takes the right to unprotect
    END IF;
    PERFORM entitle_internal.record_report(declared), entitle_internal.remove_report(declared.relation);
    FOR member IN
        SELECT f FROM entitle_internal.protection_family(declared.relation) f JOIN pg_class c ON c.oid = f AND NOT c.relispartition LOOP
        EXECUTE format('CREATE TRIGGER entitle_report AFTER INSERT OR UPDATE OR DELETE ON %s'
                       ' FOR EACH ROW WHEN (%s) EXECUTE FUNCTION entitle_internal.report_write()', member, entitle_internal.report_condition(member));
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER entitle_report', member);
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.begin_report(entitle.protection) IS 'What protect_table does with mode => ''report''';
GRANT EXECUTE ON FUNCTION entitle_internal.begin_report(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.check_unreported_lines(relation regclass) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    lines CONSTANT text := (SELECT string_agg(l::text, ', ' ORDER BY l::text) FROM entitle_internal.reported_lines(relation) l);
BEGIN
    IF lines IS NOT NULL THEN
        RAISE EXCEPTION 'other tables follow "%": %', relation, lines
            USING ERRCODE = '2BP01', HINT = 'Unprotect those first, or protect them without parent.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_unreported_lines(regclass) IS 'Refuses a table that others in report mode follow';
GRANT EXECUTE ON FUNCTION entitle_internal.check_unreported_lines(regclass) TO PUBLIC;

-- At commit it is done by itself.
CREATE FUNCTION entitle_internal.keep_report() RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_keep_report';
COMMENT ON FUNCTION entitle_internal.keep_report() IS 'Writes down what the running transaction has counted in report mode until now';
REVOKE ALL ON FUNCTION entitle_internal.keep_report() FROM PUBLIC;

-- SECURITY DEFINER: it reads what was counted, of the tables of whoever asks. A superuser's are all. Who owns lines of another's
-- documents learns nothing of those (S503).
CREATE FUNCTION entitle.protection_report(since timestamptz DEFAULT NULL)
    RETURNS TABLE (relation regclass, login text, action text, gate text, rows bigint, sample_keys text[],
                   first_seen timestamptz, last_seen timestamptz)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    is_superuser CONSTANT boolean := entitle.acting_superuser();
BEGIN
    PERFORM entitle_internal.keep_report();
    RETURN QUERY
        SELECT c.oid::regclass, s.login, s.action, s.gate, sum(s.rows)::bigint,
               ARRAY(SELECT DISTINCT k.key
                     FROM entitle.reported_rows o CROSS JOIN unnest(o.sample_keys) AS k (key)
                     WHERE o.relation = c.oid AND o.login IS NOT DISTINCT FROM s.login AND o.action = s.action AND o.gate = s.gate
                       AND (since IS NULL OR o.last_seen >= since) AND (o.owner_told OR is_superuser)
                     ORDER BY k.key LIMIT 5),
               min(s.first_seen), max(s.last_seen)
        FROM entitle.reported_rows s
        JOIN pg_class c ON c.oid = s.relation
        WHERE (since IS NULL OR s.last_seen >= since) AND entitle_internal.owns_table(c.oid) AND (s.owner_told OR is_superuser)
        GROUP BY c.oid, s.login, s.action, s.gate
        ORDER BY c.oid::regclass::text, s.login, s.action, s.gate;
END
$$;
COMMENT ON FUNCTION entitle.protection_report(timestamptz) IS
    'What enforcement would have hidden, masked or refused of the caller''s tables in report mode, by user, action and gate, with a few keys; of a superuser all tables';
REVOKE ALL ON FUNCTION entitle.protection_report(timestamptz) FROM PUBLIC;

CREATE FUNCTION entitle.prune_report(before timestamptz) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    pruned bigint;
BEGIN
    IF NOT entitle.acting_superuser() THEN
        RAISE EXCEPTION 'permission denied to prune the report' USING ERRCODE = '42501', HINT = 'Only a superuser may.';
    ELSIF before IS NULL THEN
        RAISE EXCEPTION 'before when is not said' USING ERRCODE = '22004', HINT = 'Give the time before which counts go.';
    END IF;
    DELETE FROM entitle.reported_rows r WHERE r.last_seen < before;
    GET DIAGNOSTICS pruned = ROW_COUNT;
    RETURN pruned;
END
$$;
COMMENT ON FUNCTION entitle.prune_report(timestamptz) IS
    'Deletes what report mode counted before that time, and gives how many records. Raises 42501: no superuser; 22004: no time';
REVOKE ALL ON FUNCTION entitle.prune_report(timestamptz) FROM PUBLIC;

CREATE FUNCTION entitle_internal.reported_problem(declared entitle.protection) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    document entitle.protection;
BEGIN
    document := entitle_internal.reported_document(declared);
    IF jsonb_typeof(declared.masked_columns) <> 'object' THEN
        RETURN 'masked_columns is no object: ' || left(declared.masked_columns::text, 100);
    END IF;
    PERFORM entitle_internal.check_mask_level(m.key, m.value) FROM jsonb_each_text(declared.masked_columns) m;
    PERFORM entitle_internal.find_parent_key(declared) WHERE declared.parent IS NOT NULL;
    RETURN (SELECT 'no column ' || string_agg(concat_ws(' of ', quote_ident(w.name), nullif(w.relation, declared.relation)::regclass), ', ')
            FROM (SELECT declared.relation, m AS name FROM jsonb_object_keys(declared.masked_columns) m
                  UNION ALL
                  -- What an enforced document's columns are called by now its policies tell.
                  SELECT document.relation, unnest(ARRAY[document.customer_column, document.date_column, document.brand_column])
                  WHERE (entitle_internal.reported_declaration(document.relation)).relation IS NOT NULL) AS w
            WHERE w.name IS NOT NULL
              AND NOT EXISTS (SELECT
                              FROM pg_attribute a
                              WHERE a.attrelid = w.relation AND a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped));
EXCEPTION
    WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
         OR system_error THEN RAISE; -- tells of the server, not of what is looked at
    WHEN OTHERS THEN
        RETURN SQLERRM;
END
$$;
COMMENT ON FUNCTION entitle_internal.reported_problem(entitle.protection) IS 'Why a declaration in report mode reports nothing; NULL when it does';
GRANT EXECUTE ON FUNCTION entitle_internal.reported_problem(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.verify_reported() RETURNS TABLE (relation regclass, problem text, remedy text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN QUERY
        WITH declared AS MATERIALIZED (
            SELECT d.declared, entitle_internal.reported_problem(d.declared) AS problem
            FROM (SELECT ROW(r.*)::entitle.protection AS declared
                  FROM entitle.reported_protection r
                  JOIN pg_class c ON c.oid = r.relation
                  OFFSET 0) d)
        SELECT (d.declared).relation::regclass, 'is in report mode, and reports nothing: ' || d.problem,
               format('SELECT entitle.unprotect_table(%L);', (d.declared).relation::text)
        FROM declared d
        WHERE d.problem IS NOT NULL
        UNION ALL
        SELECT f, format('trigger "entitle_report" %s', CASE WHEN t.oid IS NULL THEN 'is missing' WHEN t.tgenabled <> 'A' THEN 'does not always fire' ELSE 'is not what was declared' END),
               left(entitle_internal.protection_call(d.declared), -2) || ', mode => ''report'');'
        FROM declared d
        CROSS JOIN LATERAL entitle_internal.protection_family((d.declared).relation) f
        LEFT JOIN pg_trigger t ON t.tgrelid = f AND t.tgname = 'entitle_report' AND t.tgfoid = 'entitle_internal.report_write()'::regprocedure
        WHERE d.problem IS NULL
          AND (t.oid IS NULL OR t.tgenabled <> 'A' OR t.tgtype <> 29 -- AFTER INSERT, UPDATE and DELETE, FOR EACH ROW
               -- A partition's is a copy of its table's.
               OR t.tgparentid = 0 AND NOT entitle_internal.is_condition('when', t.oid, entitle_internal.report_condition(f)));
END
$$;
COMMENT ON FUNCTION entitle_internal.verify_reported() IS 'verify_protection: tables in report mode that report nothing, or not all';
REVOKE ALL ON FUNCTION entitle_internal.verify_reported() FROM PUBLIC;
