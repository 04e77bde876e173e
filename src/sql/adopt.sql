-- The commands of adoption (R64). As with protect_table, each is a door to its steps, which run with the rights of their caller, the
-- table's owner. What they write into the model they write through SECURITY DEFINER functions, which anybody may call directly: so
-- these look at everything themselves.

CREATE FUNCTION entitle_internal.check_adoptable(source regclass, through regprocedure) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    class pg_class;
BEGIN
    IF source IS NULL THEN
        RAISE EXCEPTION 'no table is given' USING ERRCODE = '22004', HINT = 'Give the name of the table.';
    END IF;
    SELECT * INTO class FROM pg_class c WHERE c.oid = source;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no table with OID %', source::oid
            USING ERRCODE = '42P01', HINT = 'Give the table''s name.';
    END IF;
    IF class.relkind NOT IN ('r', 'p') OR class.relpersistence = 't'
       OR class.relnamespace IN ('pg_catalog'::regnamespace, 'entitle'::regnamespace) THEN
        RAISE EXCEPTION 'relation "%" cannot be adopted', source
            USING ERRCODE = '42809', HINT = 'Only permanent tables outside pg_catalog and entitle can: no views, foreign tables or sequences.';
    END IF;
    IF EXISTS (SELECT
               FROM pg_inherits i
               JOIN pg_class c ON c.oid IN (i.inhrelid, i.inhparent)
               WHERE source IN (i.inhrelid, i.inhparent) AND (i.inhrelid = source OR class.relkind = 'r')) THEN
        RAISE EXCEPTION 'table "%" is a part of another, or has inheriting tables', source
            USING ERRCODE = '42809', HINT = 'Adopt a table as a whole: with its partitions, by the table at the root.';
    END IF;
    -- A crash would empty it past its triggers, and nothing here would end (S387).
    IF EXISTS (SELECT FROM entitle_internal.protection_family(source) f JOIN pg_class c ON c.oid = f WHERE c.relpersistence <> 'p') THEN
        RAISE EXCEPTION 'table "%", or a partition of it, is not logged', source
            USING ERRCODE = '42809', HINT = format('ALTER TABLE %s SET LOGGED.', source);
    END IF;
    IF EXISTS (SELECT FROM entitle_internal.protection_family(source) f JOIN pg_class c ON c.oid = f WHERE c.relkind NOT IN ('r', 'p')) THEN
        RAISE EXCEPTION 'table "%" has a foreign table as partition', source
            USING ERRCODE = '42809', HINT = 'Writes there are not seen here. Detach it first.';
    END IF;
    IF entitle_internal.may_declare(source, through) IS NOT TRUE THEN
        RAISE EXCEPTION 'permission denied to adopt table "%"', source
            USING ERRCODE = '42501', HINT = format('It takes the table''s owner, with EXECUTE on %s.', through::regproc);
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_adoptable(regclass, regprocedure) IS 'Refuses a relation that is not a whole table of the caller''s';
GRANT EXECUTE ON FUNCTION entitle_internal.check_adoptable(regclass, regprocedure) TO PUBLIC;

-- The columns that a row is known by: those given, or the primary key's. Their texts must not depend on settings.
CREATE FUNCTION entitle_internal.adopted_key(source regclass, key_column name) RETURNS text[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    key text[];
    key_part text;
BEGIN
    IF key_column IS NULL THEN
        key := ARRAY(SELECT a.attname::text
                     FROM pg_index i
                     CROSS JOIN unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
                     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                     WHERE i.indrelid = source AND i.indisprimary AND k.place <= i.indnkeyatts
                     ORDER BY k.place);
        IF key = '{}' THEN
            RAISE EXCEPTION 'table "%" has no primary key', source
                USING ERRCODE = '22023', HINT = 'Add one, or name a column that is unique and not NULL.';
        END IF;
    ELSE
        key := ARRAY[key_column::text];
    END IF;
    FOREACH key_part IN ARRAY key LOOP
        PERFORM entitle_internal.check_protection_column(source, 'key_column', key_part::name,
            CASE WHEN cardinality(key) = 1 THEN '{smallint,integer,bigint,uuid,text,varchar,char,anyenum}'::regtype[]
                 ELSE '{smallint,integer,bigint,numeric,uuid,text,varchar,char,date,timestamp,timestamptz,boolean,anyenum}'::regtype[] END);
    END LOOP;
    IF cardinality(key) = 1
       AND NOT EXISTS (SELECT
                       FROM pg_index i
                       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                       JOIN pg_class c ON c.oid = i.indrelid
                       WHERE i.indrelid = source AND a.attname = key[1] AND a.attnotnull AND i.indisunique AND i.indisvalid
                         AND i.indpred IS NULL AND (i.indnkeyatts = 1 OR c.relkind = 'p')) THEN
        RAISE EXCEPTION 'column "%" of table "%" is no key', key[1], source
            USING ERRCODE = '22023', HINT = 'A key is NOT NULL and has a unique index of its own.';
    END IF;
    RETURN key;
END
$$;
COMMENT ON FUNCTION entitle_internal.adopted_key(regclass, name) IS 'The columns by which rows of an adopted table are known';
GRANT EXECUTE ON FUNCTION entitle_internal.adopted_key(regclass, name) TO PUBLIC;

-- A column as a fact, of one of these types; none is NULL.
CREATE FUNCTION entitle_internal.column_fact(source regclass, argument text, column_name name, types regtype[]) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF column_name IS NULL THEN
        RETURN 'NULL::text';
    END IF;
    PERFORM entitle_internal.check_protection_column(source, argument, column_name, types);
    RETURN quote_ident(column_name);
END
$$;
COMMENT ON FUNCTION entitle_internal.column_fact(regclass, text, name, regtype[]) IS 'A column of an adopted table as one of its facts';
GRANT EXECUTE ON FUNCTION entitle_internal.column_fact(regclass, text, name, regtype[]) TO PUBLIC;

-- SECURITY DEFINER: nobody writes the adoptions directly. Its caller may be another than an adopt function, so it checks all itself;
-- whatever the facts are, they are worked out for rows of the caller's table, from them alone.
CREATE FUNCTION entitle_internal.record_adoption(declared entitle.adoption) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    fact text;
    place integer := 0;
    before entitle.adoption;
BEGIN
    PERFORM entitle_internal.check_adoptable(declared.source, p.oid::regprocedure)
    FROM pg_proc p
    WHERE p.pronamespace = 'entitle'::regnamespace AND p.proname = 'adopt_' || declared.kind;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no kind of adoption "%"', declared.kind USING ERRCODE = '22023', HINT = 'Call one of the adopt functions.';
    END IF;
    IF declared.on_conflict IS NULL OR declared.on_conflict NOT IN ('refuse', 'report') THEN
        RAISE EXCEPTION 'on_conflict is neither ''refuse'' nor ''report'''
            USING ERRCODE = '22023', HINT = 'refuse: the write at the source is an error. report: the row gives nothing, and verify_adoption() tells why.';
    END IF;
    -- Arrays that begin elsewhere than at 1 say one thing to whoever reads their places and another in order (S376).
    IF array_ndims(declared.facts) IS DISTINCT FROM 1 OR array_lower(declared.facts, 1) <> 1
       OR declared.key_columns IS DISTINCT FROM entitle_internal.adopted_key(declared.source, CASE WHEN cardinality(declared.key_columns) = 1
                                                                              THEN declared.key_columns[1]::name END) THEN
        RAISE EXCEPTION 'key or facts of table "%" are not as the adopt functions give them', declared.source
            USING ERRCODE = '22023', HINT = 'Call one of the adopt functions.';
    END IF;
    FOREACH fact IN ARRAY declared.facts LOOP
        place := place + 1;
        PERFORM entitle_internal.check_expression(declared.source, fact, place = 1 OR declared.kind = 'memberships' AND place = 6);
    END LOOP;
    declared.options := entitle_internal.resolved_options(declared);
    SELECT array_agg(a.attname::text ORDER BY a.attnum), array_agg(a.attnum ORDER BY a.attnum)
    INTO declared.column_names, declared.column_numbers
    FROM pg_attribute a
    WHERE a.attrelid = declared.source AND a.attnum > 0 AND NOT a.attisdropped;

    -- A table that bore this one's name and is gone: its rows' users and customers are this one's, if a superuser says so.
    UPDATE entitle.adoption a SET source = declared.source
    WHERE a.kind = declared.kind AND a.source_name = declared.source::text AND a.source NOT IN (SELECT c.oid FROM pg_class c)
      AND entitle.acting_superuser()
      AND NOT EXISTS (SELECT FROM entitle.adoption o WHERE o.source = declared.source AND o.kind = declared.kind);
    SELECT * INTO before FROM entitle.adoption a WHERE a.source = declared.source AND a.kind = declared.kind;
    IF before.adoption_id IS NOT NULL AND NOT before.is_forgotten AND before.key_columns <> declared.key_columns THEN
        RAISE EXCEPTION 'table "%" is adopted by another key', declared.source
            USING ERRCODE = '55000', HINT = format('Forget it first: SELECT entitle.forget_adopted(%L);', declared.source);
    END IF;
    INSERT INTO entitle.adoption AS a (source, kind, key_columns, facts, options, on_conflict, column_names, column_numbers, source_number, source_name)
    VALUES (declared.source, declared.kind, declared.key_columns, declared.facts, coalesce(declared.options, '{}'), declared.on_conflict,
            declared.column_names, declared.column_numbers, declared.source, declared.source::text)
    ON CONFLICT ON CONSTRAINT adoption_source_kind_key DO UPDATE SET (
        key_columns, facts, options, on_conflict, column_names, column_numbers, source_number, source_name, is_forgotten) = (
        excluded.key_columns, excluded.facts, excluded.options, excluded.on_conflict, excluded.column_names, excluded.column_numbers,
        excluded.source_number, excluded.source_name, false)
    RETURNING a.adoption_id INTO declared.adoption_id;
    RETURN entitle_internal.follow(declared.adoption_id, NULL);
END
$$;
COMMENT ON FUNCTION entitle_internal.record_adoption(entitle.adoption) IS
    'Writes down what an adopt function was told, and what the rows of the table say; gives how many rows of the model changed';
GRANT EXECUTE ON FUNCTION entitle_internal.record_adoption(entitle.adoption) TO PUBLIC;

-- The triggers of an adopted table and its partitions. In this order: no row is written between a statement's two.
CREATE FUNCTION entitle_internal.adoption_triggers(source regclass) RETURNS TABLE (member regclass, name name, fires text, type smallint)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT f, t.name, t.fires, t.type::smallint
    FROM entitle_internal.protection_family(source) f,
         -- The type in pg_trigger: ROW 1, BEFORE 2, INSERT 4, DELETE 8, UPDATE 16, TRUNCATE 32.
         (VALUES ('entitle_adopted_end'::name, 'AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH STATEMENT', 28),
                 ('entitle_adopted_begin', 'BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH STATEMENT', 30),
                 ('entitle_adopted_truncate', 'AFTER TRUNCATE ON %s FOR EACH STATEMENT', 32),
                 ('entitle_adopted', 'AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW', 29)) AS t (name, fires, type)
    $$;
COMMENT ON FUNCTION entitle_internal.adoption_triggers(regclass) IS 'The triggers by which the model follows an adopted table';
GRANT EXECUTE ON FUNCTION entitle_internal.adoption_triggers(regclass) TO PUBLIC;

-- Whoever has the TRIGGER privilege may have made one of that name before, that fires for less (S385).
CREATE FUNCTION entitle_internal.is_adoption_trigger(made pg_trigger, type smallint) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT made.tgfoid = 'entitle_internal.follow_source()'::regprocedure AND made.tgtype = type AND made.tgqual IS NULL
           AND made.tgattr = ''::int2vector AND NOT made.tgdeferrable
    $$;
COMMENT ON FUNCTION entitle_internal.is_adoption_trigger(pg_trigger, smallint) IS 'Whether a trigger of an adopted table is as the adopt functions make it';
GRANT EXECUTE ON FUNCTION entitle_internal.is_adoption_trigger(pg_trigger, smallint) TO PUBLIC;

-- A root's triggers of rows are copied to its partitions, those of statements are not.
CREATE FUNCTION entitle_internal.install_adoption_triggers(source regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    member regclass;
    made name;
    fires text;
    trigger_type smallint;
    found_trigger pg_trigger;
BEGIN
    -- A part of another's is told by verify_adoption.
    FOR member, made, fires, trigger_type IN
        SELECT e.* FROM entitle_internal.adoption_triggers(source) e JOIN pg_class c ON c.oid = e.member AND pg_has_role(current_user, c.relowner, 'USAGE') LOOP
        SELECT * INTO found_trigger FROM pg_trigger t WHERE t.tgrelid = member AND t.tgname = made;
        IF found_trigger.oid IS NOT NULL AND NOT entitle_internal.is_adoption_trigger(found_trigger, trigger_type) THEN
            EXECUTE format('DROP TRIGGER %I ON %s', made, member);
        END IF;
        IF found_trigger.oid IS NULL OR NOT entitle_internal.is_adoption_trigger(found_trigger, trigger_type) THEN
            EXECUTE format('CREATE TRIGGER %I %s EXECUTE FUNCTION entitle_internal.follow_source()', made, format(fires, member));
        END IF;
        IF NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = member AND t.tgname = made AND t.tgenabled = 'A') THEN
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', member, made);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.install_adoption_triggers(regclass) IS 'Makes the triggers of an adopted table and its partitions';
GRANT EXECUTE ON FUNCTION entitle_internal.install_adoption_triggers(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.install_adoption(declared entitle.adoption) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM entitle_internal.check_adoptable(declared.source, p.oid::regprocedure)
    FROM pg_proc p
    WHERE p.pronamespace = 'entitle'::regnamespace AND p.proname = 'adopt_' || declared.kind;
    -- Nobody writes the table until its rows are followed.
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', declared.source);
    PERFORM entitle_internal.record_adoption(declared);
    PERFORM entitle_internal.install_adoption_triggers(declared.source);
END
$$;
COMMENT ON FUNCTION entitle_internal.install_adoption(entitle.adoption) IS 'Records an adoption and makes its triggers';
GRANT EXECUTE ON FUNCTION entitle_internal.install_adoption(entitle.adoption) TO PUBLIC;

CREATE FUNCTION entitle_internal.adopt_users_steps(
    source regclass, login_column name, key_column name, name_column name, active_when text, fold_case boolean, on_conflict text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    declared entitle.adoption;
BEGIN
    PERFORM entitle_internal.check_adoptable(source, 'entitle.adopt_users'::regproc::regprocedure);
    IF login_column IS NULL THEN
        RAISE EXCEPTION 'no login column is given' USING ERRCODE = '22004', HINT = 'Give the column by which users sign in, such as their e-mail.';
    END IF;
    declared.source := source;
    declared.kind := 'users';
    declared.key_columns := entitle_internal.adopted_key(source, key_column);
    declared.facts := ARRAY[coalesce(active_when, 'true'),
                            entitle_internal.column_fact(source, 'login_column', login_column, '{text,varchar,char}'),
                            entitle_internal.column_fact(source, 'name_column', name_column, '{text,varchar,char}')];
    declared.options := jsonb_build_object('fold_case', coalesce(fold_case, true));
    declared.on_conflict := on_conflict;
    PERFORM entitle_internal.install_adoption(declared);
END
$$;
COMMENT ON FUNCTION entitle_internal.adopt_users_steps(regclass, name, name, name, text, boolean, text) IS 'What adopt_users does';
REVOKE ALL ON FUNCTION entitle_internal.adopt_users_steps(regclass, name, name, name, text, boolean, text) FROM PUBLIC;

CREATE FUNCTION entitle.adopt_users(
    source regclass,
    login_column name,
    key_column name DEFAULT NULL,
    name_column name DEFAULT NULL,
    active_when text DEFAULT NULL,
    fold_case boolean DEFAULT true,
    on_conflict text DEFAULT 'refuse') RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.adopt_users(regclass, name, name, name, text, boolean, text) IS
    'Has the rows of an application''s table stand for users: active while active_when holds, signed in by the login column, in lower case with fold_case (R64)'
    '. Raises 42501: the caller does not own the table; 22004, 22023: an argument is missing or wrong; 42703: no such column; 42804: a column has an unfit type; '
    '42809: no table that can be; 23505: a login is taken';
REVOKE ALL ON FUNCTION entitle.adopt_users(regclass, name, name, name, text, boolean, text) FROM PUBLIC;
