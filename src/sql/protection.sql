-- The commands: protect_table, unprotect_table and alter_protected. Each is a door to its steps, so that errors come without the
-- lines of PL/pgSQL between the two; who may execute the door may do what it does.

-- PUBLIC: the policies tell everyone the same.
CREATE FUNCTION entitle_internal.protected_numbers() RETURNS oid[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_protected_numbers';
COMMENT ON FUNCTION entitle_internal.protected_numbers() IS 'The tables that are protected, as others have committed it by now, whatever the isolation level';
GRANT EXECUTE ON FUNCTION entitle_internal.protected_numbers() TO PUBLIC;

CREATE FUNCTION entitle_internal.latest_family(relation regclass) RETURNS oid[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_latest_family';
COMMENT ON FUNCTION entitle_internal.latest_family(regclass) IS 'The table with its parts, as others have committed them by now, whatever the isolation level';
GRANT EXECUTE ON FUNCTION entitle_internal.latest_family(regclass) TO PUBLIC;

-- A transaction that sees the state it began with does not see the parts that came since, nor protect them (S389).
CREATE FUNCTION entitle_internal.check_seen_family(relation regclass) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF EXISTS (SELECT unnest(entitle_internal.latest_family(relation)) EXCEPT SELECT f::oid FROM entitle_internal.protection_family(relation) f) THEN
        RAISE EXCEPTION 'could not serialize access: table "%" has got another part', relation
            USING ERRCODE = '40001', HINT = 'Try the transaction again.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_seen_family(regclass) IS 'Refuses a transaction that does not see all parts of a table';
GRANT EXECUTE ON FUNCTION entitle_internal.check_seen_family(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.protect_table_steps(
    relation regclass,
    customer_column name,
    date_column name,
    brand_column name,
    min_level integer,
    view_permission text,
    insert_permission text,
    update_permission text,
    delete_permission text,
    external_insert_level integer,
    external_update_level integer,
    masked_columns jsonb,
    view_name text,
    parent regclass,
    external_delete_level integer,
    shared_rows boolean,
    parent_key name,
    mode text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    declared entitle.protection := ROW(
        relation, customer_column, date_column, brand_column, min_level, view_permission, insert_permission,
        update_permission, delete_permission, external_insert_level, external_update_level,
        coalesce(masked_columns, '{}'), view_name, parent,
        external_delete_level, shared_rows, parent_key);
    member regclass;
    told jsonb := coalesce(masked_columns, '{}');
    others text;
    line entitle.protection;
    sound regclass[] := '{}';
BEGIN
    IF mode = 'report' THEN
        PERFORM entitle_internal.begin_report(declared);
        RETURN;
    ELSIF mode IS DISTINCT FROM 'enforce' THEN
        RAISE EXCEPTION 'there is no such mode: %', coalesce(mode, 'NULL') USING ERRCODE = '22023', HINT = 'It is enforce or report.';
    END IF;
    PERFORM entitle_internal.check_protection(declared);
    -- What was checked must stay so: the lock takes the partitions along, and another protect_table waits.
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', relation);
    PERFORM entitle_internal.check_seen_family(relation), entitle_internal.check_protection(declared), entitle_internal.claim_view(relation);
    PERFORM entitle_internal.remove_report(relation); -- record_protection ends report mode
    told := entitle_internal.repeated_masks(declared, told);
    declared := entitle_internal.kept_declaration(declared);
    FOR line IN SELECT * FROM entitle_internal.lines_of(relation) LOOP
        BEGIN
            PERFORM entitle_internal.check_protection(entitle_internal.repeated_declaration(line));
            sound := sound || line.relation;
        EXCEPTION
            WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
                 OR system_error THEN RAISE; -- tells of the server, not of what is looked at
            WHEN OTHERS THEN
                NULL; -- told below
        END;
    END LOOP;
    PERFORM entitle_internal.put_back_privileges(relation, entitle_internal.find_view(relation));
    PERFORM entitle_internal.record_protection(declared);

    -- All old triggers go before new ones come: a root's are copied to its partitions.
    PERFORM entitle_internal.remove_protection(f) FROM entitle_internal.protection_family(relation) AS f;
    FOR member IN SELECT * FROM entitle_internal.protection_family(relation) LOOP
        PERFORM entitle_internal.install_protection(declared, member);
        SELECT string_agg(quote_ident(p.polname), ', ' ORDER BY p.polname) INTO others
        FROM pg_policy p
        WHERE p.polrelid = member AND p.polpermissive
          AND p.polname NOT IN ('entitle_select', 'entitle_insert', 'entitle_update', 'entitle_delete');
        IF others IS NOT NULL THEN
            RAISE WARNING 'table "%" has other permissive policies: %', member, others
                USING HINT = 'They show and let write whatever they allow, beside what entitle allows. Drop them, or make them restrictive.';
        END IF;
    END LOOP;
    PERFORM entitle_internal.install_masks(declared, told);
    PERFORM entitle_internal.warn_of_oracles(declared), entitle_internal.warn_of_types(relation);

    -- Lines follow what is declared now. One that cannot, because it is another owner's or no longer what it was when it was
    -- protected, stays as it is and does not keep its document from being protected.
    FOR line IN SELECT * FROM entitle_internal.lines_of(relation) LOOP
        BEGIN
            line := entitle_internal.repeated_declaration(line);
            PERFORM entitle.protect_table(
                line.relation, line.customer_column, line.date_column, line.brand_column, 10, NULL,
                line.insert_permission, line.update_permission, line.delete_permission, line.external_insert_level,
                line.external_update_level, line.masked_columns, line.view_name, line.parent, line.external_delete_level, line.shared_rows,
                line.parent_key);
        EXCEPTION
            WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
                 OR system_error THEN RAISE; -- tells of the server, not of what is looked at
            WHEN OTHERS THEN
                IF line.relation = ANY (sound) THEN
                    RAISE;
                END IF;
                -- One whose policies went with the table that it followed is closed to everyone.
                CONTINUE WHEN NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = line.relation AND p.polname = 'entitle_select');
                RAISE WARNING 'table "%" still follows "%" as that was: %', line.relation, relation, SQLERRM
                    USING HINT = 'SELECT * FROM entitle.verify_protection() tells what mends it.';
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.protect_table_steps(regclass, name, name, name, integer, text, text, text, text, integer, integer,
                                                jsonb, text, regclass, integer, boolean, name, text) IS 'What protect_table does';
REVOKE ALL ON FUNCTION entitle_internal.protect_table_steps(regclass, name, name, name, integer, text, text, text, text, integer, integer,
                                                   jsonb, text, regclass, integer, boolean, name, text) FROM PUBLIC;

CREATE FUNCTION entitle.protect_table(
    relation regclass,
    customer_column name DEFAULT NULL,
    date_column name DEFAULT NULL,
    brand_column name DEFAULT NULL,
    min_level integer DEFAULT 10,
    view_permission text DEFAULT NULL,
    insert_permission text DEFAULT NULL,
    update_permission text DEFAULT NULL,
    delete_permission text DEFAULT NULL,
    external_insert_level integer DEFAULT NULL,
    external_update_level integer DEFAULT NULL,
    masked_columns jsonb DEFAULT '{}',
    view_name text DEFAULT NULL,
    parent regclass DEFAULT NULL,
    external_delete_level integer DEFAULT NULL,
    shared_rows boolean DEFAULT false,
    parent_key name DEFAULT NULL,
    mode text DEFAULT 'enforce') RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.protect_table(regclass, name, name, name, integer, text, text, text, text, integer, integer,
                                          jsonb, text, regclass, integer, boolean, name, text) IS
    'Protects a table of the caller''s, with its partitions: rows show by permission or by external access. Called again it replaces what it made'
    '. Raises 42501: the caller does not own the table; 22004, 22023: an argument is missing or wrong; 42703: no such column; 42809: no table that can be; '
    '42830: no foreign key to the parent; 55000: the parent is not protected; 42710, 42P07: a policy or relation of another has the name';
REVOKE ALL ON FUNCTION entitle.protect_table(regclass, name, name, name, integer, text, text, text, text, integer, integer,
                                             jsonb, text, regclass, integer, boolean, name, text) FROM PUBLIC;

CREATE FUNCTION entitle_internal.unprotect_table_steps(relation regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found_once entitle.protection_member;
    is_protected boolean := false;
    view regclass;
BEGIN
    PERFORM entitle_internal.check_unprotectable(relation), entitle_internal.check_followed(relation);
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', relation);
    PERFORM entitle_internal.check_unprotectable(relation), entitle_internal.check_followed(relation), entitle_internal.claim_view(relation);
    IF (entitle_internal.reported_declaration(relation)).relation IS NOT NULL THEN
        PERFORM entitle_internal.check_unreported_lines(relation), entitle_internal.end_report(relation);
        RETURN;
    END IF;
    view := entitle_internal.find_view(relation);
    PERFORM entitle_internal.put_back_privileges(relation, view);
    IF view IS NOT NULL THEN
        PERFORM entitle_internal.warn_of_lost_grants(view, relation);
        PERFORM entitle_internal.drop_view(view);
    END IF;
    FOR found_once IN SELECT * FROM entitle_internal.forget_protection(relation) LOOP
        is_protected := true;
        -- A partition may have been dropped meanwhile.
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = found_once.relation);
        PERFORM entitle_internal.remove_protection(found_once.relation);
        IF NOT found_once.rls_was_forced THEN
            EXECUTE format('ALTER TABLE ONLY %s NO FORCE ROW LEVEL SECURITY', found_once.relation);
        END IF;
        IF NOT found_once.rls_was_enabled THEN
            EXECUTE format('ALTER TABLE ONLY %s DISABLE ROW LEVEL SECURITY', found_once.relation);
        END IF;
        PERFORM entitle_internal.close_table(found_once.relation);
    END LOOP;
    IF NOT is_protected THEN
        view := (entitle_internal.declaration(relation)).relation;
        IF view IS NOT NULL THEN
            RAISE EXCEPTION 'table "%" is a part of "%"', relation, view
                USING ERRCODE = '42809', HINT = 'Name the table at the root; all its partitions and inheriting tables follow it.';
        END IF;
        RAISE EXCEPTION 'table "%" is not protected', relation
            USING ERRCODE = '42704', HINT = 'The view entitle.protected_tables lists the tables that are.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.unprotect_table_steps(regclass) IS 'What unprotect_table does';
REVOKE ALL ON FUNCTION entitle_internal.unprotect_table_steps(regclass) FROM PUBLIC;

CREATE FUNCTION entitle.unprotect_table(relation regclass) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.unprotect_table(regclass) IS
    'Removes exactly what protect_table made, and puts back what it found'
    '. Raises 42501: the caller does not own the table; 22004: no table is given; 42704: the table is not protected; 2BP01: lines or views depend on it';
REVOKE ALL ON FUNCTION entitle.unprotect_table(regclass) FROM PUBLIC;

-- A declaration after its table was altered: by the numbers that its columns had. What bears a masked name is masked, too.
CREATE FUNCTION entitle_internal.altered_declaration(declared entitle.protection, numbers jsonb) RETURNS entitle.protection
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    names CONSTANT jsonb := (SELECT coalesce(jsonb_object_agg(n.key, a.attname), '{}')
                             FROM jsonb_each_text(numbers) n
                             JOIN pg_attribute a ON a.attrelid = declared.relation AND a.attnum = n.value::smallint AND NOT a.attisdropped);
BEGIN
    declared.customer_column := coalesce(names ->> declared.customer_column::text, declared.customer_column);
    declared.date_column := coalesce(names ->> declared.date_column::text, declared.date_column);
    declared.brand_column := coalesce(names ->> declared.brand_column::text, declared.brand_column);
    declared.masked_columns := (
        SELECT coalesce(jsonb_object_agg(m.name, m.level), '{}')
        FROM (SELECT s.name, max(s.level) AS level
              FROM (SELECT m.key, m.value::integer FROM jsonb_each_text(declared.masked_columns) m
                    UNION ALL
                    SELECT names ->> m.key, m.value::integer FROM jsonb_each_text(declared.masked_columns) m) AS s (name, level)
              JOIN pg_attribute a ON a.attrelid = declared.relation AND a.attname = s.name AND NOT a.attisdropped
              GROUP BY s.name) m);
    RETURN declared;
END
$$;
COMMENT ON FUNCTION entitle_internal.altered_declaration(entitle.protection, jsonb) IS 'A declaration by the names that columns have after ALTER TABLE';
GRANT EXECUTE ON FUNCTION entitle_internal.altered_declaration(entitle.protection, jsonb) TO PUBLIC;

-- With the caller's own rights, like all the rest: what the text says, the caller may say to ALTER TABLE. The lock that
-- unprotect_table takes is held until the transaction ends, so nobody meets the table without its protection.
CREATE FUNCTION entitle_internal.alter_protected_steps(relation regclass, alterations text, masked_columns jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    declared entitle.protection;
    member entitle.protection;
    lines entitle.protection[] := '{}';
    level entitle.protection[];
    numbers jsonb;
    told jsonb;
BEGIN
    IF alterations IS NULL THEN
        RAISE EXCEPTION 'no alteration is given' USING ERRCODE = '22004', HINT = 'Give what follows ALTER TABLE and its name, such as ADD COLUMN.';
    END IF;
    PERFORM entitle_internal.check_unprotectable(relation);
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', relation);
    declared := entitle_internal.declaration(relation);
    IF declared.relation IS DISTINCT FROM relation THEN
        RAISE EXCEPTION 'table "%" is not protected', relation
            USING ERRCODE = '42704', HINT = 'The view entitle.protected_tables lists the tables that are.';
    END IF;
    declared := entitle_internal.mended_declaration(declared);
    told := coalesce(entitle_internal.told_masks(relation), '{}') || declared.masked_columns;
    -- Those that follow it, nearest first.
    level := ARRAY[declared];
    LOOP
        level := ARRAY(SELECT entitle_internal.mended_declaration(l) FROM unnest(level) AS p, entitle_internal.lines_of(p.relation) l);
        EXIT WHEN level = '{}';
        lines := lines || level;
    END LOOP;
    FOR member IN SELECT l.* FROM unnest(lines) WITH ORDINALITY AS l ORDER BY l.ordinality DESC LOOP
        PERFORM entitle.unprotect_table(member.relation);
    END LOOP;
    PERFORM entitle.unprotect_table(relation);

    SELECT jsonb_object_agg(a.attname, a.attnum) INTO numbers
    FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped;
    EXECUTE format('ALTER TABLE %s %s', relation, alterations);
    declared.masked_columns := told;
    declared := entitle_internal.altered_declaration(declared, numbers);

    FOR member IN SELECT m.* FROM unnest(declared || lines) WITH ORDINALITY AS m ORDER BY m.ordinality LOOP
        PERFORM entitle.protect_table(
            member.relation, member.customer_column, member.date_column, member.brand_column, member.min_level,
            member.view_permission, member.insert_permission, member.update_permission, member.delete_permission,
            member.external_insert_level, member.external_update_level,
            CASE WHEN member.relation = alter_protected_steps.relation
                 THEN coalesce(alter_protected_steps.masked_columns, member.masked_columns) ELSE member.masked_columns END,
            member.view_name, member.parent, member.external_delete_level, member.shared_rows, member.parent_key);
    END LOOP;
    -- Names that were masked stay so, for what bears them after the next alteration.
    IF masked_columns IS NULL AND entitle_internal.find_view(relation) IS NOT NULL THEN
        PERFORM entitle_internal.record_view(relation, entitle_internal.find_view(relation), told || declared.masked_columns);
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.alter_protected_steps(regclass, text, jsonb) IS 'What alter_protected does';
REVOKE ALL ON FUNCTION entitle_internal.alter_protected_steps(regclass, text, jsonb) FROM PUBLIC;

CREATE FUNCTION entitle.alter_protected(relation regclass, alterations text, masked_columns jsonb DEFAULT NULL) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.alter_protected(regclass, text, jsonb) IS
    'ALTER TABLE of a protected table, with its filtered view and those of its lines out of the way for the moment; masked_columns replaces the masks'
    '. Raises 42501: the caller does not own the table; 22004: an argument is missing; 42704: the table is not protected; and what ALTER TABLE raises';
REVOKE ALL ON FUNCTION entitle.alter_protected(regclass, text, jsonb) FROM PUBLIC;

CREATE FUNCTION entitle_internal.may_protect(relation regclass) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN entitle_internal.may_declare(relation,
        'entitle.protect_table(regclass,name,name,name,integer,text,text,text,text,integer,integer,jsonb,text,regclass,integer,boolean,name,text)') IS TRUE;
END
$$;
COMMENT ON FUNCTION entitle_internal.may_protect(regclass) IS 'Whether the session''s role may protect the table';
REVOKE ALL ON FUNCTION entitle_internal.may_protect(regclass) FROM PUBLIC;

CREATE FUNCTION entitle_internal.may_unprotect(relation regclass) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    -- To protect a table anew takes its protection away first.
    RETURN entitle_internal.may_declare(relation, 'entitle.unprotect_table(regclass)') IS TRUE
           OR entitle_internal.may_protect(relation);
END
$$;
COMMENT ON FUNCTION entitle_internal.may_unprotect(regclass) IS
    'Whether the session''s role may take the table''s protection away, for good or to protect it anew';
REVOKE ALL ON FUNCTION entitle_internal.may_unprotect(regclass) FROM PUBLIC;

CREATE FUNCTION entitle_internal.check_may_protect(relation regclass) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT entitle_internal.may_protect(relation) THEN
        RAISE EXCEPTION 'permission denied to protect table "%"', relation
            USING ERRCODE = '42501', HINT = 'It takes the table''s owner, with EXECUTE on entitle.protect_table.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_may_protect(regclass) IS 'Refuses whoever may not protect the table';
REVOKE ALL ON FUNCTION entitle_internal.check_may_protect(regclass) FROM PUBLIC;
