-- The two commands: protect_table and unprotect_table.

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
    parent regclass DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    declared CONSTANT entitle.protection := ROW(
        relation, customer_column, date_column, brand_column, min_level, view_permission, insert_permission,
        update_permission, delete_permission, external_insert_level, external_update_level,
        coalesce(masked_columns, '{}'), view_name, parent);
    member regclass;
    others text;
    line entitle.protection;
    sound regclass[] := '{}';
BEGIN
    PERFORM entitle.check_protection(declared);
    -- What was checked must stay so: the lock takes the partitions along, and another protect_table waits.
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', relation);
    PERFORM entitle.check_protection(declared), entitle.claim_view(relation);
    FOR line IN SELECT * FROM entitle.lines_of(relation) LOOP
        BEGIN
            PERFORM entitle.check_protection(entitle.mended_declaration(line));
            sound := sound || line.relation;
        EXCEPTION WHEN OTHERS THEN
            NULL; -- told below
        END;
    END LOOP;
    PERFORM entitle.put_back_privileges(relation, entitle.find_view(relation));
    PERFORM entitle.record_protection(declared);

    -- All old triggers go before new ones come: a root's are copied to its partitions.
    PERFORM entitle.remove_protection(f) FROM entitle.protection_family(relation) AS f;
    FOR member IN SELECT * FROM entitle.protection_family(relation) LOOP
        PERFORM entitle.install_protection(declared, member);
        SELECT string_agg(quote_ident(p.polname), ', ' ORDER BY p.polname) INTO others
        FROM pg_policy p
        WHERE p.polrelid = member AND p.polpermissive
          AND p.polname NOT IN ('entitle_select', 'entitle_insert', 'entitle_update', 'entitle_delete');
        IF others IS NOT NULL THEN
            RAISE WARNING 'table "%" has other permissive policies: %', member, others
                USING HINT = 'They show and let write whatever they allow, beside what entitle allows. Drop them, or make them restrictive.';
        END IF;
    END LOOP;
    PERFORM entitle.install_masks(declared);
    PERFORM entitle.warn_of_oracles(declared);

    -- Lines follow what is declared now. One that cannot, because it is another owner's or no longer what it was when it was
    -- protected, stays as it is and does not keep its document from being protected.
    FOR line IN SELECT * FROM entitle.lines_of(relation) LOOP
        BEGIN
            line := entitle.mended_declaration(line);
            PERFORM entitle.protect_table(
                line.relation, line.customer_column, line.date_column, line.brand_column, 10, NULL,
                line.insert_permission, line.update_permission, line.delete_permission, line.external_insert_level,
                line.external_update_level, line.masked_columns, line.view_name, line.parent);
        EXCEPTION WHEN OTHERS THEN
            IF line.relation = ANY (sound) THEN
                RAISE;
            END IF;
            RAISE WARNING 'table "%" still follows "%" as that was: %', line.relation, relation, SQLERRM
                USING HINT = 'SELECT * FROM entitle.verify_protection() tells what mends it.';
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle.protect_table(regclass, name, name, name, integer, text, text, text, text, integer, integer,
                                          jsonb, text, regclass) IS
    'Protects a table of the caller''s, with its partitions: rows show by permission or by external access. Called again it replaces what it made';
REVOKE ALL ON FUNCTION entitle.protect_table(regclass, name, name, name, integer, text, text, text, text, integer, integer,
                                             jsonb, text, regclass) FROM PUBLIC;

CREATE FUNCTION entitle.unprotect_table(relation regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found_once entitle.protection_member;
    is_protected boolean := false;
    view regclass;
BEGIN
    PERFORM entitle.check_unprotectable(relation);
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', relation);
    PERFORM entitle.check_unprotectable(relation), entitle.claim_view(relation);
    view := entitle.find_view(relation);
    PERFORM entitle.put_back_privileges(relation, view);
    IF view IS NOT NULL THEN
        PERFORM entitle.warn_of_lost_grants(view, relation);
        PERFORM entitle.drop_view(view);
    END IF;
    FOR found_once IN SELECT * FROM entitle.forget_protection(relation) LOOP
        is_protected := true;
        -- A partition may have been dropped meanwhile.
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = found_once.relation);
        PERFORM entitle.remove_protection(found_once.relation);
        IF NOT found_once.rls_was_forced THEN
            EXECUTE format('ALTER TABLE ONLY %s NO FORCE ROW LEVEL SECURITY', found_once.relation);
        END IF;
        IF NOT found_once.rls_was_enabled THEN
            EXECUTE format('ALTER TABLE ONLY %s DISABLE ROW LEVEL SECURITY', found_once.relation);
        END IF;
    END LOOP;
    IF NOT is_protected THEN
        view := (entitle.declaration(relation)).relation;
        IF view IS NOT NULL THEN
            RAISE EXCEPTION 'table "%" is a part of "%"', relation, view
                USING ERRCODE = '42809', HINT = 'Name the table at the root; all its partitions and inheriting tables follow it.';
        END IF;
        RAISE EXCEPTION 'table "%" is not protected', relation
            USING ERRCODE = '42704', HINT = 'The view entitle.protected_tables lists the tables that are.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle.unprotect_table(regclass) IS 'Removes exactly what protect_table made, and puts back what it found';
REVOKE ALL ON FUNCTION entitle.unprotect_table(regclass) FROM PUBLIC;
