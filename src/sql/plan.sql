-- Whole schemas: which call protects each table, found by foreign keys that lead to customers; the calls run; everything taken back; and
-- what verify_protection finds, mended.

-- Where the tables' foreign keys end: the columns that name a customer, of entitle and of adopted tables, and what a column that says
-- the same is called where there is no foreign key. `id` alone says nothing of whose it is. SECURITY DEFINER: nobody reads the
-- adoptions directly; a foreign key or trigger tells everyone the same.
CREATE FUNCTION entitle_internal.customer_keys() RETURNS TABLE (relation regclass, column_name name, column_type regtype, called name)
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT a.attrelid::regclass, a.attname, a.atttypid::regtype, a.attname
    FROM pg_attribute a
    WHERE a.attrelid = 'entitle.customer'::regclass AND a.attname IN ('customer_id', 'customer_uuid', 'customer_code')
    UNION ALL
    SELECT c.oid::regclass, a.attname, entitle_internal.base_type(a.atttypid)::regtype,
           CASE WHEN a.attname IN ('id', 'uuid', 'key', 'code') THEN c.relname || '_' || a.attname ELSE a.attname END::name
    FROM entitle.adoption d
    JOIN pg_class c ON c.oid = d.source
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = d.key_columns[1]
    WHERE d.kind = 'customers' AND NOT d.is_forgotten
    $$;
COMMENT ON FUNCTION entitle_internal.customer_keys() IS 'The columns by which customers are known, and what columns that name one are called';
GRANT EXECUTE ON FUNCTION entitle_internal.customer_keys() TO PUBLIC;

-- The same of brands; what columns are called says it for adopted ones alone, because goods have brands, too. SECURITY DEFINER: as
-- customer_keys.
CREATE FUNCTION entitle_internal.brand_keys() RETURNS TABLE (relation regclass, column_name name, column_type regtype, called name)
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT a.attrelid::regclass, a.attname, a.atttypid::regtype, NULL::name
    FROM pg_attribute a
    WHERE a.attrelid = 'entitle.brand'::regclass AND a.attname IN ('brand_id', 'brand_uuid', 'brand_code')
    UNION ALL
    SELECT c.oid::regclass, a.attname, entitle_internal.base_type(a.atttypid)::regtype,
           CASE WHEN a.attname IN ('id', 'uuid', 'key', 'code') THEN c.relname || '_' || a.attname ELSE a.attname END::name
    FROM entitle.adoption d
    JOIN pg_class c ON c.oid = d.source
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = d.key_columns[1]
    WHERE d.kind = 'brands' AND NOT d.is_forgotten
    $$;
COMMENT ON FUNCTION entitle_internal.brand_keys() IS 'The columns by which brands are known, and what columns that name one of adopted ones are called';
GRANT EXECUTE ON FUNCTION entitle_internal.brand_keys() TO PUBLIC;

-- The columns of a table that tell its customer, or its brand: an adopted table's own key, else a foreign key, else such a key's name and
-- type. Domains count as what they are over.
CREATE FUNCTION entitle_internal.naming_columns(relation regclass, kind text) RETURNS TABLE (column_name name, is_key boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH key AS (
        SELECT * FROM entitle_internal.customer_keys() WHERE kind = 'customers'
        UNION ALL
        SELECT * FROM entitle_internal.brand_keys() WHERE kind = 'brands'),
    found AS (
        SELECT a.attname, a.attnum, true AS is_key
        FROM pg_constraint c
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND ARRAY[a.attnum] = c.conkey
        JOIN pg_attribute k ON k.attrelid = c.confrelid AND ARRAY[k.attnum] = c.confkey
        JOIN key s ON s.relation = c.confrelid AND s.column_name = k.attname
        WHERE c.contype = 'f' AND c.conrelid = naming_columns.relation AND naming_columns.relation NOT IN (SELECT o.relation FROM key o)
        UNION
        SELECT a.attname, a.attnum, s.relation = a.attrelid
        FROM pg_attribute a
        JOIN key s ON CASE s.relation WHEN a.attrelid THEN s.column_name ELSE s.called END = a.attname
        -- What somebody else adopted, and calls as he likes, says nothing of this table (S381).
        JOIN pg_class k ON k.oid = s.relation
        JOIN pg_class c ON c.oid = a.attrelid AND (k.relowner = c.relowner OR (SELECT o.rolsuper FROM pg_roles o WHERE o.oid = k.relowner))
        WHERE a.attrelid = naming_columns.relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'
          AND entitle_internal.base_type(a.atttypid) = ANY (CASE WHEN s.column_type IN ('smallint', 'integer', 'bigint') THEN '{smallint,integer,bigint}'::regtype[]
                                                            WHEN s.column_type IN ('text', 'varchar') THEN '{text,varchar}'::regtype[] ELSE ARRAY[s.column_type] END))
    SELECT f.attname, f.is_key
    FROM found f
    WHERE f.is_key OR NOT EXISTS (SELECT FROM found k WHERE k.is_key)
    ORDER BY f.attnum
    $$;
COMMENT ON FUNCTION entitle_internal.naming_columns(regclass, text) IS 'The columns of a table that may tell its customer or brand, and whether a key says so';
GRANT EXECUTE ON FUNCTION entitle_internal.naming_columns(regclass, text) TO PUBLIC;

-- SECURITY DEFINER: a table's owner may not read what is written down; of the owner's own tables it is told by unprotect_table, too.
CREATE FUNCTION entitle_internal.declared_tables() RETURNS regclass[]
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(array_agg(p.relation::regclass ORDER BY p.relation::oid), '{}') FROM entitle.protection p JOIN pg_class c ON c.oid = p.relation
    $$;
COMMENT ON FUNCTION entitle_internal.declared_tables() IS 'The tables that are protected; the policies tell everyone the same';
GRANT EXECUTE ON FUNCTION entitle_internal.declared_tables() TO PUBLIC;

-- SECURITY DEFINER: as declared_tables.
CREATE FUNCTION entitle_internal.exception_of(relation regclass) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT g.reason FROM entitle.guarded_table g WHERE g.relation = exception_of.relation AND g.state = 'excepted'
    $$;
COMMENT ON FUNCTION entitle_internal.exception_of(regclass) IS 'Why a table is excepted in its guarded schema; NULL when it is not';
GRANT EXECUTE ON FUNCTION entitle_internal.exception_of(regclass) TO PUBLIC;

-- What is in the way of protecting a table, whatever it refers to; NULL when nothing is.
CREATE FUNCTION entitle_internal.planning_obstacle(relation regclass) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    excepted CONSTANT text := entitle_internal.exception_of(relation);
BEGIN
    IF excepted IS NOT NULL THEN
        RETURN 'excepted: ' || excepted;
    END IF;
    PERFORM entitle_internal.check_protectable(relation);
    RETURN NULL;
EXCEPTION
    WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
         OR system_error THEN RAISE; -- tells of the server, not of what is looked at
    WHEN OTHERS THEN
        RETURN SQLERRM;
END
$$;
COMMENT ON FUNCTION entitle_internal.planning_obstacle(regclass) IS 'Why a table cannot be protected; NULL when it can';
GRANT EXECUTE ON FUNCTION entitle_internal.planning_obstacle(regclass) TO PUBLIC;

-- One table, of which those that are protected, or planned before it, are known.
CREATE FUNCTION entitle_internal.planned_table(relation regclass, known regclass[], INOUT declared entitle.protection, OUT reason text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    columns CONSTANT name[] := ARRAY(SELECT c.column_name FROM entitle_internal.naming_columns(relation, 'customers') c);
    link record;
    links integer;
    parents integer;
    is_open boolean;
    is_told boolean;
BEGIN
    -- What is in report mode is enforced as it was declared.
    declared := entitle_internal.reported_declaration(relation);
    IF declared.relation IS NOT NULL THEN
        -- One that was altered since keeps nobody from protecting the others (S514).
        reason := entitle_internal.reported_problem(declared);
        IF reason IS NOT NULL OR declared.parent IS NOT NULL AND declared.parent::regclass <> ALL (known) THEN
            declared := NULL;
        END IF;
        reason := concat_ws(', and reports nothing: ', 'in report mode', reason);
        RETURN;
    END IF;
    declared.relation := relation;
    declared.min_level := 10;
    declared.masked_columns := '{}';
    declared.shared_rows := false;
    declared.insert_permission := 'customers.edit';
    declared.update_permission := 'customers.edit';
    declared.delete_permission := 'customers.edit';
    IF cardinality(columns) = 1 THEN
        declared.customer_column := columns[1];
        declared.view_permission := 'customers.view';
        SELECT CASE count(*) WHEN 1 THEN min(b.column_name::text) END, count(*) > 1, bool_or(b.is_key) INTO declared.brand_column, is_open, is_told
        FROM entitle_internal.naming_columns(relation, 'brands') b;
        reason := format('"%s" %s', columns[1], CASE WHEN (SELECT c.is_key FROM entitle_internal.naming_columns(relation, 'customers') c)
                                                THEN 'refers to a customer' ELSE 'has the name and type of a customer''s key; no foreign key says so' END)
                  || CASE WHEN is_open THEN '; several columns may tell the brand: call protect_table with the right one'
                          WHEN NOT is_told THEN format('; "%s" has those of a brand''s key', declared.brand_column) ELSE '' END;
        RETURN;
    ELSIF cardinality(columns) > 1 THEN
        declared := NULL;
        reason := format('several columns lead to a customer: %s. Call protect_table with the right one', array_to_string(columns, ', '));
        RETURN;
    END IF;
    -- A key that every row has leads to the row's document; one that may be missing is a mention.
    SELECT count(*), count(DISTINCT k.confrelid) INTO links, parents
    FROM entitle_internal.lines_keys(relation, known) k
    WHERE k.is_whole;
    SELECT k.* INTO link FROM entitle_internal.lines_keys(relation, known) k ORDER BY k.is_whole DESC, k.conname LIMIT 1;
    IF NOT FOUND THEN
        declared := NULL;
        reason := 'no foreign key leads to a customer, or to a table that is protected';
    ELSIF links > 1 OR links = 0 AND (SELECT count(*) FROM entitle_internal.lines_keys(relation, known)) > 1 THEN
        declared := NULL;
        reason := format('several foreign keys lead to protected tables: %s. Call protect_table with parent and parent_key',
                         (SELECT string_agg(format('%s to %s', quote_ident(k.conname), k.confrelid::regclass), ', ' ORDER BY k.conname)
                          FROM entitle_internal.lines_keys(relation, known) k WHERE k.is_whole OR links = 0));
    ELSE
        declared.parent := link.confrelid;
        declared.parent_key := CASE WHEN (SELECT count(*) FROM pg_constraint c WHERE c.contype = 'f' AND c.conrelid = planned_table.relation
                                          AND c.confrelid = link.confrelid) > 1 THEN link.conname END;
        reason := format('"%s" leads to %s', link.conname, link.confrelid::regclass);
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.planned_table(regclass, regclass[], entitle.protection) IS 'How a table would be protected, and why; no declaration when nothing tells';
GRANT EXECUTE ON FUNCTION entitle_internal.planned_table(regclass, regclass[], entitle.protection) TO PUBLIC;

CREATE FUNCTION entitle_internal.lines_keys(relation regclass, known regclass[]) RETURNS TABLE (conname name, confrelid oid, is_whole boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT c.conname, c.confrelid,
           NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) AND NOT a.attnotnull)
    FROM pg_constraint c
    WHERE c.contype = 'f' AND c.conrelid = lines_keys.relation AND c.confrelid <> c.conrelid AND c.confrelid = ANY (known)
      AND c.convalidated AND c.confdeltype <> 'd'
    $$;
COMMENT ON FUNCTION entitle_internal.lines_keys(regclass, regclass[]) IS 'The foreign keys by which a table may follow one that is known, and whether every row has it';
GRANT EXECUTE ON FUNCTION entitle_internal.lines_keys(regclass, regclass[]) TO PUBLIC;

-- Documents come before their lines, round by round.
CREATE FUNCTION entitle_internal.planned_tables(schemas text[]) RETURNS TABLE (relation regclass, declared entitle.protection, reason text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    known regclass[] := entitle_internal.declared_tables();
    pending regclass[];
    left_over regclass[];
    planned record;
    missing CONSTANT text := (SELECT min(s) FROM unnest(schemas) AS s WHERE NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = s));
BEGIN
    IF schemas IS NULL OR array_position(schemas, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'no schema is given' USING ERRCODE = '22004', HINT = 'Give the names of the schemas.';
    ELSIF missing IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" does not exist', missing USING ERRCODE = '3F000', HINT = 'Give the names of schemas as they are, without quotes.';
    END IF;
    pending := ARRAY(SELECT c.oid::regclass
                     FROM pg_class c
                     JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname = ANY (schemas) AND n.nspname NOT IN ('entitle', 'entitle_internal') AND c.relkind IN ('r', 'p', 'f')
                       AND c.relpersistence <> 't' AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
                     ORDER BY c.oid::regclass::text);
    LOOP
        left_over := '{}';
        FOREACH relation IN ARRAY pending LOOP
            declared := NULL;
            IF relation <> ALL (known) AND entitle_internal.planning_obstacle(relation) IS NULL THEN
                SELECT p.* INTO planned FROM entitle_internal.planned_table(relation, known, NULL) p;
                declared := planned.declared;
                reason := planned.reason;
            END IF;
            IF (declared).relation IS NULL THEN
                left_over := left_over || relation;
            ELSE
                known := known || relation;
                RETURN NEXT;
            END IF;
        END LOOP;
        EXIT WHEN left_over = pending;
        pending := left_over;
    END LOOP;
    FOREACH relation IN ARRAY pending LOOP
        declared := NULL;
        reason := CASE WHEN relation = ANY (entitle_internal.declared_tables()) THEN 'protected already'
                  ELSE coalesce(entitle_internal.planning_obstacle(relation),
                                (SELECT p.reason FROM entitle_internal.planned_table(relation, known, NULL) p)) END;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.planned_tables(text[]) IS 'How the tables of schemas would be protected, documents first, and why the others would not';
GRANT EXECUTE ON FUNCTION entitle_internal.planned_tables(text[]) TO PUBLIC;

CREATE FUNCTION entitle.plan_protection(schemas text[]) RETURNS TABLE (relation regclass, call text, reason text)
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT p.relation, CASE WHEN (p.declared).relation IS NOT NULL THEN entitle_internal.protection_call(p.declared) END, p.reason
    FROM entitle_internal.planned_tables(schemas) p
    $$;
COMMENT ON FUNCTION entitle.plan_protection(text[]) IS
    'For each table of the schemas the call that protects it, found by foreign keys that lead to customers, or why there is none; in the order in which they can be run'
    '. Raises 22004: no schema is given; 3F000: there is none of that name';
REVOKE ALL ON FUNCTION entitle.plan_protection(text[]) FROM PUBLIC;

CREATE FUNCTION entitle_internal.protect_schema_steps(schemas text[], mode text, view_schema name) RETURNS integer
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    planned record;
    d entitle.protection;
    grantee name;
    count integer := 0;
BEGIN
    IF mode IN ('enforce', 'report') IS NOT TRUE THEN
        RAISE EXCEPTION 'there is no such mode: %', coalesce(mode, 'NULL') USING ERRCODE = '22023', HINT = 'It is enforce or report.';
    END IF;
    IF view_schema IS NOT NULL AND NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = view_schema) THEN
        EXECUTE format('CREATE SCHEMA %I', view_schema);
    END IF;
    FOR planned IN SELECT * FROM entitle_internal.planned_tables(schemas) p WHERE (p.declared).relation IS NOT NULL LOOP
        d := planned.declared;
        IF view_schema IS NOT NULL THEN
            d.view_name := (SELECT format('%I.%I', view_schema, c.relname) FROM pg_class c WHERE c.oid = planned.relation);
            -- Who may read the table reads the view in its place.
            FOR grantee IN SELECT DISTINCT p.grantee FROM entitle_internal.table_privileges(planned.relation) p LOOP
                EXECUTE format('GRANT USAGE ON SCHEMA %I TO %s', view_schema, CASE grantee WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(grantee) END);
            END LOOP;
        END IF;
        PERFORM entitle.protect_table(
            d.relation, d.customer_column, d.date_column, d.brand_column, d.min_level, d.view_permission, d.insert_permission,
            d.update_permission, d.delete_permission, d.external_insert_level, d.external_update_level, d.masked_columns, d.view_name,
            d.parent, d.external_delete_level, d.shared_rows, d.parent_key, mode);
        count := count + 1;
    END LOOP;
    RETURN count;
END
$$;
COMMENT ON FUNCTION entitle_internal.protect_schema_steps(text[], text, name) IS 'What protect_schema does';
REVOKE ALL ON FUNCTION entitle_internal.protect_schema_steps(text[], text, name) FROM PUBLIC;

CREATE FUNCTION entitle.protect_schema(schemas text[], mode text DEFAULT 'enforce', view_schema name DEFAULT NULL) RETURNS integer
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.protect_schema(text[], text, name) IS
    'Runs the calls of plan_protection and gives how many; with view_schema the filtered views bear the tables'' names in that schema, for the application''s search_path'
    '. Raises 22004: no schema is given; 3F000: there is none of that name; 22023: no such mode; and what protect_table raises';
REVOKE ALL ON FUNCTION entitle.protect_schema(text[], text, name) FROM PUBLIC;

CREATE FUNCTION entitle_internal.unprotect_all_steps() RETURNS integer
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    own regclass[];
    last regclass[];
    count integer := 0;
BEGIN
    -- Lines before what they follow.
    LOOP
        own := ARRAY(SELECT t FROM unnest(entitle_internal.declared_tables() || entitle_internal.reported_tables()) AS t JOIN pg_class c ON c.oid = t AND pg_has_role(current_user, c.relowner, 'USAGE'));
        EXIT WHEN own = '{}';
        last := ARRAY(SELECT o FROM unnest(own) AS o WHERE NOT EXISTS (SELECT FROM entitle_internal.lines_of(o) l WHERE l.relation <> o)
                                                     AND NOT EXISTS (SELECT FROM entitle_internal.reported_lines(o)));
        IF last = '{}' THEN
            PERFORM entitle_internal.check_followed(own[1]), entitle_internal.check_unreported_lines(own[1]);
        END IF;
        PERFORM entitle.unprotect_table(l) FROM unnest(last) AS l;
        count := count + cardinality(last);
    END LOOP;
    RETURN count;
END
$$;
COMMENT ON FUNCTION entitle_internal.unprotect_all_steps() IS 'What unprotect_all does';
REVOKE ALL ON FUNCTION entitle_internal.unprotect_all_steps() FROM PUBLIC;

CREATE FUNCTION entitle.unprotect_all() RETURNS integer
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.unprotect_all() IS
    'Unprotects all tables of the caller''s, lines first, and gives how many; what unprotect_table raises ends it';
REVOKE ALL ON FUNCTION entitle.unprotect_all() FROM PUBLIC;

-- With the caller's own rights, as whoever runs the remedies by hand. A remedy may bring up what only now can be told.
CREATE FUNCTION entitle.repair() RETURNS TABLE (relation regclass, done text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    finding record;
    ran text[] := '{}';
    is_adopting CONSTANT boolean := to_regprocedure('entitle.verify_adoption()') IS NOT NULL;
BEGIN
    LOOP
        SELECT v.relation, v.remedy INTO finding FROM entitle.verify_protection() v WHERE v.remedy <> ALL (ran) LIMIT 1;
        IF NOT FOUND AND is_adopting THEN
            -- Some of its remedies are words.
            EXECUTE 'SELECT v.source AS relation, v.remedy FROM entitle.verify_adoption() v WHERE v.remedy <> ALL ($1) AND right(v.remedy, 1) = '';'' LIMIT 1'
            INTO finding USING ran;
        END IF;
        EXIT WHEN finding.remedy IS NULL OR cardinality(ran) = 10000;
        ran := ran || finding.remedy;
        -- What has become of one table stands in no other's way (S383).
        BEGIN
            EXECUTE finding.remedy;
        EXCEPTION
            WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
                 OR system_error THEN RAISE; -- tells of the server, not of what is looked at
            WHEN OTHERS THEN
                RAISE WARNING 'table "%" is not mended: %', finding.relation, SQLERRM
                    USING HINT = finding.remedy;
                CONTINUE;
        END;
        relation := finding.relation;
        done := finding.remedy;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle.repair() IS
    'Runs the remedies of verify_protection, and of verify_adoption where there is one, with the caller''s own rights; gives what it ran, and warns of what failed. For a migration tool''s last step';
REVOKE ALL ON FUNCTION entitle.repair() FROM PUBLIC;
