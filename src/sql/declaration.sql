-- What is declared of a user's table: where it is kept, and what is refused.

-- A dump may leave out a table that is declared (pg_dump -T, -N): the name of such a one is kept when the rest is restored.
CREATE TABLE entitle.absent_relation (
    number oid PRIMARY KEY,
    name text NOT NULL UNIQUE CONSTRAINT absent_relation_name_check CHECK (octet_length(name) <= 1000)
);
COMMENT ON TABLE entitle.absent_relation IS 'Tables that are declared and did not come when a dump was restored; a number of ours stands for each';

CREATE TYPE entitle.relation_name;
CREATE FUNCTION entitle_internal.relation_name_in(cstring) RETURNS entitle.relation_name
    LANGUAGE C STABLE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_relation_name_in';
COMMENT ON FUNCTION entitle_internal.relation_name_in(cstring) IS 'As regclass; while a dump is restored, a relation that is not there is kept by its name';
REVOKE ALL ON FUNCTION entitle_internal.relation_name_in(cstring) FROM PUBLIC;
CREATE FUNCTION entitle_internal.relation_name_out(entitle.relation_name) RETURNS cstring
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_relation_name_out';
COMMENT ON FUNCTION entitle_internal.relation_name_out(entitle.relation_name) IS 'As regclass, and the names that were kept';
REVOKE ALL ON FUNCTION entitle_internal.relation_name_out(entitle.relation_name) FROM PUBLIC;
CREATE TYPE entitle.relation_name (
    INPUT = entitle_internal.relation_name_in, OUTPUT = entitle_internal.relation_name_out, LIKE = pg_catalog.oid, CATEGORY = 'N');
COMMENT ON TYPE entitle.relation_name IS 'A relation as regclass has it, which a restore need not find';
CREATE CAST (entitle.relation_name AS oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (entitle.relation_name AS regclass) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (oid AS entitle.relation_name) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (regclass AS entitle.relation_name) WITHOUT FUNCTION AS ASSIGNMENT;

CREATE TABLE entitle.protection (
    relation entitle.relation_name PRIMARY KEY,
    customer_column name,
    date_column name,
    brand_column name,
    min_level integer NOT NULL,
    view_permission text,
    insert_permission text,
    update_permission text,
    delete_permission text,
    external_insert_level integer,
    external_update_level integer,
    masked_columns jsonb NOT NULL DEFAULT '{}',
    view_name text,
    parent entitle.relation_name,
    external_delete_level integer,
    shared_rows boolean NOT NULL DEFAULT false,
    parent_key name
);
COMMENT ON TABLE entitle.protection IS 'What protect_table was told, one row a table; read it through protected_tables';

-- Partitions and inheriting tables can be queried directly, so each has the policies too (S44).
CREATE TABLE entitle.protection_member (
    relation entitle.relation_name PRIMARY KEY,
    root entitle.relation_name NOT NULL REFERENCES entitle.protection ON DELETE CASCADE,
    rls_was_enabled boolean NOT NULL,
    rls_was_forced boolean NOT NULL,
    table_name text
);
COMMENT ON TABLE entitle.protection_member IS 'Every table that protect_table put its policies on, and what it found there';
COMMENT ON COLUMN entitle.protection_member.root IS 'The protected table: the same one, or the one this is a partition or child of';
COMMENT ON COLUMN entitle.protection_member.rls_was_enabled IS 'Put back by unprotect_table';
COMMENT ON COLUMN entitle.protection_member.rls_was_forced IS 'Put back by unprotect_table';
COMMENT ON COLUMN entitle.protection_member.table_name IS 'What the table was called then: another one may bear the name when it is gone';

-- The functions here and of policy.sql run with the caller's own rights and give nothing that ALTER TABLE would not, so PUBLIC
-- may execute them; those that change what is declared ask for EXECUTE on protect_table or unprotect_table.

CREATE FUNCTION entitle_internal.protection_family(root regclass) RETURNS SETOF regclass
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 4
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH RECURSIVE family (relation) AS (
        SELECT root::oid
        UNION
        SELECT i.inhrelid FROM family f JOIN pg_inherits i ON i.inhparent = f.relation)
    SELECT f.relation::regclass FROM family f
    $$;
COMMENT ON FUNCTION entitle_internal.protection_family(regclass) IS 'The table with all its partitions and inheriting tables';
GRANT EXECUTE ON FUNCTION entitle_internal.protection_family(regclass) TO PUBLIC;

-- A table has one set of policies and triggers, which cannot be those of two (S222).
CREATE FUNCTION entitle_internal.check_one_root(member regclass, root regclass) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    others CONSTANT text := (
        SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhparent::regclass::text)
        FROM pg_inherits i
        WHERE i.inhrelid = member AND (entitle_internal.declaration(i.inhparent)).relation <> root
          AND i.inhparent NOT IN (SELECT f FROM entitle_internal.protection_family(root) f));
BEGIN
    IF others IS NOT NULL THEN
        RAISE EXCEPTION 'table "%" cannot be a part of two protected tables', member
            USING ERRCODE = '42809', HINT = format('It would be one of %s, too: ALTER TABLE ... NO INHERIT.', others);
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_one_root(regclass, regclass) IS 'Refuses a part of a protected table that is one of another, too';
GRANT EXECUTE ON FUNCTION entitle_internal.check_one_root(regclass, regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.check_protectable(relation regclass) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    class pg_class;
    member regclass;
BEGIN
    SELECT * INTO class FROM pg_class c WHERE c.oid = relation;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no table with OID %', relation::oid
            USING ERRCODE = '42P01', HINT = 'Give the table''s name.';
    END IF;
    IF class.relkind NOT IN ('r', 'p') OR class.relpersistence = 't'
       OR class.relnamespace IN ('pg_catalog'::regnamespace, 'entitle'::regnamespace) THEN
        RAISE EXCEPTION 'relation "%" cannot be protected', relation
            USING ERRCODE = '42809',
                  HINT = 'Only permanent tables outside pg_catalog and entitle can: no views, foreign tables or sequences.';
    END IF;
    SELECT i.inhparent::regclass INTO member FROM pg_inherits i WHERE i.inhrelid = relation LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table "%" is a part of "%"', relation, member
            USING ERRCODE = '42809',
                  HINT = 'Name the table at the root; all its partitions and inheriting tables follow it.';
    END IF;
    FOR member IN SELECT * FROM entitle_internal.protection_family(relation) LOOP
        SELECT * INTO class FROM pg_class c WHERE c.oid = member;
        IF NOT pg_has_role(current_user, class.relowner, 'USAGE') THEN
            RAISE EXCEPTION 'must be owner of table "%"', member
                USING ERRCODE = '42501', HINT = 'Ask its owner or a superuser.';
        END IF;
        IF class.relkind NOT IN ('r', 'p') THEN
            RAISE EXCEPTION 'partition "%" is a foreign table, which cannot be protected', member
                USING ERRCODE = '42809', HINT = 'Detach it, and protect the table it stands for where that is.';
        END IF;
        PERFORM entitle_internal.check_one_root(member, relation);
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_protectable(regclass) IS 'Refuses a relation that is not a whole table of the caller''s';
GRANT EXECUTE ON FUNCTION entitle_internal.check_protectable(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.base_type(type oid) RETURNS regtype
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH RECURSIVE base (oid, over) AS (
        SELECT t.oid, t.typbasetype FROM pg_type t WHERE t.oid = base_type.type
        UNION ALL
        SELECT t.oid, t.typbasetype FROM base b JOIN pg_type t ON t.oid = b.over)
    SELECT b.oid::regtype FROM base b WHERE b.over = 0
    $$;
COMMENT ON FUNCTION entitle_internal.base_type(oid) IS 'What a domain is over; any other type itself';
GRANT EXECUTE ON FUNCTION entitle_internal.base_type(oid) TO PUBLIC;

CREATE FUNCTION entitle_internal.check_protection_column(relation regclass, argument text, column_name name, types regtype[])
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found_type regtype;
    base_type regtype;
    generated "char";
BEGIN
    IF column_name IS NULL THEN
        RETURN;
    END IF;
    SELECT a.atttypid, entitle_internal.base_type(a.atttypid), a.attgenerated INTO found_type, base_type, generated
    FROM pg_attribute a
    WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of table "%" does not exist', column_name, relation
            USING ERRCODE = '42703', HINT = format('Give %s the name of a column of the table.', argument);
    ELSIF generated = 'v' THEN
        -- Triggers and explanations judge rows as they are stored, where it is nothing (PostgreSQL 18).
        RAISE EXCEPTION 'column "%" of table "%" is a virtual generated column, which no row has', column_name, relation
            USING ERRCODE = '22023', HINT = format('Let %s be a column that is stored: GENERATED ALWAYS AS (...) STORED.', argument);
    END IF;
    -- anyenum stands for every enum, text for every type that is stored as text is (citext).
    IF base_type <> ALL (types)
       AND NOT ('anyenum'::regtype = ANY (types) AND EXISTS (SELECT FROM pg_type t WHERE t.oid = base_type AND t.typtype = 'e'))
       AND NOT ('text'::regtype = ANY (types)
                AND EXISTS (SELECT
                            FROM pg_cast c
                            WHERE c.castsource = base_type AND c.casttarget = 'text'::regtype AND c.castmethod = 'b'
                              AND c.castcontext = 'i')) THEN
        RAISE EXCEPTION 'column "%" of table "%" has type %', column_name, relation, found_type
            USING ERRCODE = '42804', HINT = format('%s takes a column of type %s.', argument, array_to_string(array_replace(types, 'anyenum'::regtype, NULL), ', ')
                            || CASE WHEN 'anyenum'::regtype = ANY (types) THEN ', citext, an enum' ELSE '' END || ', or a domain over one');
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_protection_column(regclass, text, name, regtype[]) IS
    'Refuses a column that does not exist or has no type the row tests know';
GRANT EXECUTE ON FUNCTION entitle_internal.check_protection_column(regclass, text, name, regtype[]) TO PUBLIC;

CREATE FUNCTION entitle_internal.check_protection_level(argument text, level integer) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF level NOT IN (10, 20, 30, 40, 80, 90) THEN
        RAISE EXCEPTION '% is no external level: %', argument, level
            USING ERRCODE = '22023', HINT = 'Levels are 10, 20, 30, 40, 80 and 90.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_protection_level(text, integer) IS 'Refuses a level that is none of R33; NULL passes';
GRANT EXECUTE ON FUNCTION entitle_internal.check_protection_level(text, integer) TO PUBLIC;

-- What both modes ask, enforced or not. How the document was found is the mode's: its policies tell it, or its declaration.
CREATE FUNCTION entitle_internal.check_declared(declared entitle.protection, document entitle.protection) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF declared.parent IS NOT NULL THEN
        PERFORM entitle_internal.check_line(declared, document);
    END IF;
    PERFORM entitle_internal.check_protection_column(declared.relation, 'customer_column', declared.customer_column,
                CASE WHEN declared.parent IS NULL THEN '{smallint,integer,bigint,numeric,uuid,text,varchar,char,anyenum}'::regtype[] END),
            entitle_internal.check_protection_column(declared.relation, 'date_column', declared.date_column,
                '{date,timestamp,timestamptz}'),
            entitle_internal.check_protection_column(declared.relation, 'brand_column', declared.brand_column,
                '{smallint,integer,bigint,numeric,uuid,text,varchar,char,anyenum}'),
            entitle_internal.check_protection_level('min_level', declared.min_level),
            entitle_internal.check_protection_level('external_insert_level', declared.external_insert_level),
            entitle_internal.check_protection_level('external_update_level', declared.external_update_level),
            entitle_internal.check_protection_level('external_delete_level', declared.external_delete_level);
    IF declared.min_level IS NULL THEN
        RAISE EXCEPTION 'min_level is NULL' USING ERRCODE = '22023', HINT = 'Levels are 10, 20, 30, 40, 80 and 90.';
    END IF;
    IF declared.shared_rows IS NULL THEN
        RAISE EXCEPTION 'shared_rows is NULL' USING ERRCODE = '22023', HINT = 'It is true or false.';
    END IF;
    IF declared.parent IS NULL AND declared.parent_key IS NOT NULL THEN
        RAISE EXCEPTION 'parent_key is given without parent' USING ERRCODE = '22023', HINT = 'It names the foreign key to the parent: give both.';
    END IF;
    IF declared.parent IS NULL AND declared.customer_column IS NULL THEN
        IF declared.date_column IS NOT NULL
           OR declared.external_insert_level IS NOT NULL OR declared.external_update_level IS NOT NULL
           OR declared.external_delete_level IS NOT NULL OR declared.shared_rows THEN
            RAISE EXCEPTION 'external access is declared without a customer column'
                USING ERRCODE = '22023',
                      HINT = 'date_column, external_insert_level, external_update_level, external_delete_level and shared_rows'
                             ' need customer_column.';
        END IF;
        -- A table closed to everyone is more likely a forgotten argument than a wish.
        IF declared.view_permission IS NULL THEN
            RAISE EXCEPTION 'nobody could see a row of table "%"', declared.relation
                USING ERRCODE = '22023', HINT = 'Give view_permission, customer_column or both.';
        END IF;
    END IF;
    PERFORM entitle_internal.check_masks(declared, document), entitle_internal.view_target(declared);
END
$$;
COMMENT ON FUNCTION entitle_internal.check_declared(entitle.protection, entitle.protection) IS 'Refuses a declaration that makes no sense, by its document''s';
GRANT EXECUTE ON FUNCTION entitle_internal.check_declared(entitle.protection, entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.check_protection(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF declared.relation IS NULL THEN
        RAISE EXCEPTION 'no table is given' USING ERRCODE = '22004', HINT = 'Give the name of the table.';
    END IF;
    PERFORM entitle_internal.check_protectable(declared.relation);
    PERFORM entitle_internal.check_declared(declared, entitle_internal.find_document(declared));
    IF declared.parent IS NOT NULL THEN
        PERFORM entitle_internal.check_parent(declared);
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_protection(entitle.protection) IS 'Refuses a declaration that cannot be carried out';
GRANT EXECUTE ON FUNCTION entitle_internal.check_protection(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.may_declare(relation regclass, through regprocedure) RETURNS boolean
    LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED -- its plan is kept: whatever takes a table asks it
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    -- The session's role as SET ROLE left it: inside a SECURITY DEFINER function current_user is the definer. Whoever calls
    -- another role's function trusts it with no table of their own.
    RETURN (SELECT has_function_privilege(r.oid, through, 'EXECUTE') AND bool_and(pg_has_role(r.oid, c.relowner, 'USAGE'))
                   AND bool_and(pg_has_role(coalesce(entitle_internal.definer_in_charge(), r.oid), c.relowner, 'USAGE'))
            FROM pg_roles r, entitle_internal.protection_family(relation) f JOIN pg_class c ON c.oid = f
            WHERE r.oid = entitle_internal.asking_role() GROUP BY r.oid);
END
$$;
COMMENT ON FUNCTION entitle_internal.may_declare(regclass, regprocedure) IS
    'Whether the session''s role owns the table with all its parts and may execute the function';
GRANT EXECUTE ON FUNCTION entitle_internal.may_declare(regclass, regprocedure) TO PUBLIC;

CREATE FUNCTION entitle_internal.gone_tables() RETURNS TABLE (relation entitle.relation_name, name text, is_absent boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT p.relation, coalesce(a.name, m.table_name), a.name IS NOT NULL
    FROM entitle.protection p
    LEFT JOIN entitle.absent_relation a ON a.number = p.relation
    LEFT JOIN entitle.protection_member m ON m.relation = p.relation
    WHERE p.relation NOT IN (SELECT c.oid FROM pg_class c)
    $$;
COMMENT ON FUNCTION entitle_internal.gone_tables() IS 'Declared tables that were dropped, or did not come when a dump was restored';
REVOKE ALL ON FUNCTION entitle_internal.gone_tables() FROM PUBLIC;

-- SECURITY DEFINER: nobody writes the declarations directly. Its caller may be another than protect_table, so it checks all itself.
CREATE FUNCTION entitle_internal.record_protection(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM entitle_internal.check_may_protect(declared.relation);
    PERFORM entitle_internal.check_protection(declared);
    PERFORM entitle_internal.check_known_permissions(declared);
    PERFORM entitle_internal.check_view_schema(declared) WHERE entitle_internal.has_view(declared);

    -- A table that bore this one's name and is gone is forgotten, as are parts that are: who has one of these locked is in nobody's
    -- way (S505). Its lines follow this one.
    DELETE FROM entitle.protection_member m
    WHERE m.ctid IN (SELECT g.ctid FROM entitle.protection_member g
                     WHERE g.relation NOT IN (SELECT c.oid FROM pg_class c) AND g.root IN (SELECT c.oid FROM pg_class c)
                     FOR UPDATE SKIP LOCKED);
    UPDATE entitle.protection p SET parent = declared.relation
    WHERE p.parent IN (SELECT g.relation FROM entitle_internal.gone_tables() g WHERE g.name = declared.relation::text);
    DELETE FROM entitle.protection p
    WHERE p.relation IN (SELECT g.relation FROM entitle_internal.gone_tables() g WHERE g.name = declared.relation::text);

    INSERT INTO entitle.protection SELECT (declared).*
    ON CONFLICT (relation) DO UPDATE SET (
        customer_column, date_column, brand_column, min_level, view_permission, insert_permission, update_permission,
        delete_permission, external_insert_level, external_update_level, masked_columns, view_name, parent,
        external_delete_level, shared_rows, parent_key) = (
        excluded.customer_column, excluded.date_column, excluded.brand_column, excluded.min_level,
        excluded.view_permission, excluded.insert_permission, excluded.update_permission, excluded.delete_permission,
        excluded.external_insert_level, excluded.external_update_level, excluded.masked_columns, excluded.view_name,
        excluded.parent, excluded.external_delete_level, excluded.shared_rows, excluded.parent_key);

    -- What was found the first time is what unprotect_table puts back.
    INSERT INTO entitle.protection_member (relation, root, rls_was_enabled, rls_was_forced)
    SELECT c.oid, declared.relation, coalesce(g.rls_was_enabled, c.relrowsecurity), c.relforcerowsecurity
    FROM entitle_internal.protection_family(declared.relation) f
    JOIN pg_class c ON c.oid = f
    LEFT JOIN entitle.guarded_table g ON g.relation = c.oid AND g.state = 'closed'
    ON CONFLICT (relation) DO UPDATE SET root = excluded.root;

    DELETE FROM entitle.guarded_table g
    WHERE g.state = 'closed' AND g.relation IN (SELECT m.relation FROM entitle.protection_member m WHERE m.root = declared.relation);
    UPDATE entitle.protection_member m SET table_name = m.relation::text WHERE m.root = declared.relation;

    -- A table that was protected by itself and has since become a part of this one follows it from now on.
    DELETE FROM entitle.protection p
    USING entitle.protection_member m
    WHERE m.relation = p.relation AND m.root = declared.relation AND p.relation <> declared.relation;
    PERFORM entitle_internal.forget_reported(declared.relation);
    PERFORM entitle_internal.warn_of_tenants(declared);
END
$$;
COMMENT ON FUNCTION entitle_internal.record_protection(entitle.protection) IS 'Writes down what protect_table was told and what it found';
GRANT EXECUTE ON FUNCTION entitle_internal.record_protection(entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.check_unprotectable(relation regclass) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF relation IS NULL THEN
        RAISE EXCEPTION 'no table is given' USING ERRCODE = '22004', HINT = 'Give the name of the table.';
    END IF;
    IF entitle_internal.may_declare(relation, 'entitle.unprotect_table(regclass)') IS NOT TRUE THEN
        RAISE EXCEPTION 'permission denied to unprotect table "%"', relation
            USING ERRCODE = '42501', HINT = 'It takes the table''s owner, with EXECUTE on entitle.unprotect_table.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_unprotectable(regclass) IS 'Refuses a table that is not the caller''s';
GRANT EXECUTE ON FUNCTION entitle_internal.check_unprotectable(regclass) TO PUBLIC;

-- SECURITY DEFINER: nobody writes the declarations directly.
CREATE FUNCTION entitle_internal.forget_protection(relation regclass) RETURNS SETOF entitle.protection_member
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM entitle_internal.check_unprotectable(relation), entitle_internal.check_followed(relation);
    -- In a guarded schema it is closed again, unless it was open before.
    INSERT INTO entitle.guarded_table (relation, state, rls_was_enabled, noted_by)
    SELECT m.relation, 'closing', m.rls_was_enabled, pg_get_userbyid(entitle_internal.asking_role())
    FROM entitle.protection_member m
    JOIN pg_class c ON c.oid = m.relation AND c.relnamespace IN (SELECT g FROM entitle_internal.guarded_schemas() g)
    WHERE m.root = forget_protection.relation
    ON CONFLICT ON CONSTRAINT guarded_table_pkey DO NOTHING;
    RETURN QUERY DELETE FROM entitle.protection_member m WHERE m.root = forget_protection.relation RETURNING m.*;
    DELETE FROM entitle.protection p WHERE p.relation = forget_protection.relation;
END
$$;
COMMENT ON FUNCTION entitle_internal.forget_protection(regclass) IS 'Forgets a declaration and gives back what was found when it was made';
GRANT EXECUTE ON FUNCTION entitle_internal.forget_protection(regclass) TO PUBLIC;
