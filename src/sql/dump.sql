-- Dump and restore. CREATE EXTENSION brings the shipped rows, so a dump holds only what differs from them: changed rows
-- (as_shipped is false) and the keys of removed ones. A restore lays both over the shipped rows, in any order of tables.
--
-- Restores with triggers switched off (pg_restore --disable-triggers) are not supported: nothing would lay them over, and
-- PostgreSQL does not switch ENABLE ALWAYS back on.

CREATE TABLE entitle.shipped_row (
    relation text COLLATE "C",
    row_key jsonb,
    PRIMARY KEY (relation, row_key)
);
COMMENT ON TABLE entitle.shipped_row IS 'Keys of the rows that CREATE EXTENSION installs';

CREATE TABLE entitle.shipped_removal (
    relation text COLLATE "C",
    row_key jsonb,
    PRIMARY KEY (relation, row_key)
);
COMMENT ON TABLE entitle.shipped_removal IS 'Keys of shipped rows that were removed here, so that a restore does not bring them back';

CREATE FUNCTION entitle_internal.shipped_key(row_image jsonb, key_columns text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT jsonb_object_agg(k, row_image -> k) FROM unnest(key_columns) AS k
    $$;
COMMENT ON FUNCTION entitle_internal.shipped_key(jsonb, text[]) IS 'The key of a row, as shipped_row holds it';
REVOKE ALL ON FUNCTION entitle_internal.shipped_key(jsonb, text[]) FROM PUBLIC;

-- SECURITY DEFINER: whoever may write the table need not see what is shipped.
CREATE FUNCTION entitle_internal.mark_change() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    new_key CONSTANT jsonb := entitle_internal.shipped_key(to_jsonb(NEW), TG_ARGV);
    laid_over bigint;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        -- NULL is how a restore asks to move a shipped row aside and keep it one.
        NEW.as_shipped := NEW.as_shipped IS NULL AND OLD.as_shipped AND entitle_internal.restoring();
        IF new_key = entitle_internal.shipped_key(to_jsonb(OLD), TG_ARGV) THEN
            RETURN NEW;
        END IF;
    ELSE
        NEW.as_shipped := false;
    END IF;
    DELETE FROM entitle.shipped_removal r WHERE r.relation = TG_TABLE_NAME AND r.row_key = new_key;

    IF TG_OP = 'INSERT' AND entitle_internal.restoring() THEN
        -- Names are unique as well: a shipped row that bears the restored row's name was removed or renamed in the dumped
        -- database, which another part of the dump will tell.
        IF TG_TABLE_NAME = 'organization' THEN
            UPDATE entitle.organization o
            SET name = format('%s (shipped %s)', o.name, o.organization_id), as_shipped = NULL
            WHERE o.as_shipped AND o.name = NEW.name AND o.organization_id <> NEW.organization_id;
        ELSIF TG_TABLE_NAME = 'role' THEN
            UPDATE entitle.role o
            SET name = format('%s (shipped %s)', o.name, o.role_id), as_shipped = NULL
            WHERE o.as_shipped AND o.organization_id = NEW.organization_id AND o.name = NEW.name
              AND o.role_id <> NEW.role_id;
        END IF;
        EXECUTE (
            SELECT format('UPDATE entitle.%I AS t SET (%s) = ROW(%s) WHERE t.as_shipped AND %s',
                          TG_TABLE_NAME,
                          string_agg(quote_ident(a.attname), ', '),
                          string_agg('($1).' || quote_ident(a.attname), ', '),
                          string_agg(format('t.%1$I = ($1).%1$I', a.attname), ' AND ')
                              FILTER (WHERE a.attname = ANY (TG_ARGV)))
            FROM pg_attribute a
            WHERE a.attrelid = TG_RELID AND a.attnum > 0 AND NOT a.attisdropped)
        USING NEW;
        GET DIAGNOSTICS laid_over = ROW_COUNT;
        IF laid_over > 0 THEN
            RETURN NULL;
        END IF;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION entitle_internal.mark_change() IS 'Trigger: a written row is no longer as shipped; a restored row is laid over the shipped one';
REVOKE ALL ON FUNCTION entitle_internal.mark_change() FROM PUBLIC;

-- SECURITY DEFINER: nobody writes the removals directly.
CREATE FUNCTION entitle_internal.record_removal(relation text, row_key jsonb) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    INSERT INTO entitle.shipped_removal
    SELECT s.relation, s.row_key
    FROM entitle.shipped_row s
    WHERE s.relation = record_removal.relation AND s.row_key = coalesce(record_removal.row_key, s.row_key)
    ON CONFLICT DO NOTHING
    $$;
COMMENT ON FUNCTION entitle_internal.record_removal(text, jsonb) IS 'Remembers that a row, or with NULL every row, of the table is gone, if it was shipped';
REVOKE ALL ON FUNCTION entitle_internal.record_removal(text, jsonb) FROM PUBLIC;

-- SECURITY DEFINER: it calls record_removal, which nobody else may.
CREATE FUNCTION entitle_internal.mark_removal() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM entitle_internal.record_removal(TG_TABLE_NAME, NULL);
    ELSIF TG_OP = 'DELETE'
          OR entitle_internal.shipped_key(to_jsonb(OLD), TG_ARGV) <> entitle_internal.shipped_key(to_jsonb(NEW), TG_ARGV) THEN
        PERFORM entitle_internal.record_removal(TG_TABLE_NAME, entitle_internal.shipped_key(to_jsonb(OLD), TG_ARGV));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION entitle_internal.mark_removal() IS 'Trigger: remembers removed shipped rows';
REVOKE ALL ON FUNCTION entitle_internal.mark_removal() FROM PUBLIC;

-- SECURITY DEFINER: it reads the removals, which nobody else may. A shipped row that something not yet restored still refers to
-- stays for now: every later insert into these tables tries again. A row that is both shipped and removed is left only by a restore.
CREATE FUNCTION entitle_internal.apply_removals() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    removal entitle.shipped_removal;
    deleted bigint;
    progress boolean := true;
BEGIN
    WHILE progress LOOP
        progress := false;
        FOR removal IN SELECT * FROM entitle.shipped_removal LOOP
            BEGIN
                EXECUTE format('DELETE FROM entitle.%I AS t WHERE t.as_shipped AND to_jsonb(t) @> $1', removal.relation)
                    USING removal.row_key;
                GET DIAGNOSTICS deleted = ROW_COUNT;
                progress := progress OR deleted > 0;
            EXCEPTION
                WHEN foreign_key_violation OR restrict_violation THEN
                    NULL;
            END;
        END LOOP;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION entitle_internal.apply_removals() IS 'Trigger: removes the shipped rows that the dumped database had removed';
REVOKE ALL ON FUNCTION entitle_internal.apply_removals() FROM PUBLIC;

CREATE FUNCTION entitle_internal.begin_restore() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_begin_restore';
COMMENT ON FUNCTION entitle_internal.begin_restore() IS 'Trigger: a dump is restored in any order of tables';
REVOKE ALL ON FUNCTION entitle_internal.begin_restore() FROM PUBLIC;

CREATE FUNCTION entitle_internal.end_restore() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_end_restore';
COMMENT ON FUNCTION entitle_internal.end_restore() IS 'Trigger: puts back what begin_restore changed';
REVOKE ALL ON FUNCTION entitle_internal.end_restore() FROM PUBLIC;

-- SECURITY DEFINER: it reads the removals, which nobody else may.
CREATE FUNCTION entitle_internal.skip_known_removal() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF EXISTS (SELECT FROM entitle.shipped_removal r WHERE r.relation = NEW.relation AND r.row_key = NEW.row_key) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION entitle_internal.skip_known_removal() IS
    'Trigger: a restored removal may already have happened, by the cascade of another';
REVOKE ALL ON FUNCTION entitle_internal.skip_known_removal() FROM PUBLIC;

-- ENABLE ALWAYS: changes under session_replication_role = replica are dumped too.
DO $$
DECLARE
    relation name;
    key_columns text[];
    shipped boolean;
    made name;
BEGIN
    FOR relation, key_columns IN
        SELECT c.relname, array_agg(a.attname::text ORDER BY k.position)
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_attribute shipped ON shipped.attrelid = c.oid AND shipped.attname = 'as_shipped'
        JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary
        CROSS JOIN unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
        WHERE c.relnamespace = 'entitle'::pg_catalog.regnamespace AND c.relkind = 'r'
        GROUP BY c.relname LOOP
        EXECUTE format('INSERT INTO entitle.shipped_row SELECT %L, entitle_internal.shipped_key(to_jsonb(t), %L) FROM entitle.%I t',
                       relation, key_columns, relation);

        EXECUTE format('CREATE TRIGGER entitle_shipped_change BEFORE INSERT OR UPDATE ON entitle.%I'
                       ' FOR EACH ROW EXECUTE FUNCTION entitle_internal.mark_change(%s)',
                       relation, (SELECT string_agg(quote_literal(k), ', ') FROM unnest(key_columns) AS k));
        EXECUTE format('CREATE TRIGGER entitle_shipped_removal AFTER UPDATE OR DELETE ON entitle.%I'
                       ' FOR EACH ROW EXECUTE FUNCTION entitle_internal.mark_removal(%s)',
                       relation, (SELECT string_agg(quote_literal(k), ', ') FROM unnest(key_columns) AS k));
        EXECUTE format('CREATE TRIGGER entitle_shipped_truncate AFTER TRUNCATE ON entitle.%I'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION entitle_internal.mark_removal()', relation);
        EXECUTE format('CREATE TRIGGER entitle_shipped_restore AFTER INSERT ON entitle.%I'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION entitle_internal.apply_removals()', relation);
    END LOOP;

    CREATE TRIGGER entitle_shipped_known BEFORE INSERT ON entitle.shipped_removal
        FOR EACH ROW EXECUTE FUNCTION entitle_internal.skip_known_removal();
    CREATE TRIGGER entitle_shipped_restore AFTER INSERT ON entitle.shipped_removal
        FOR EACH STATEMENT EXECUTE FUNCTION entitle_internal.apply_removals();

    FOR relation, shipped IN
        SELECT c.relname,
               c.relname = 'shipped_removal'
               OR EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'as_shipped')
        FROM pg_catalog.pg_class c
        WHERE c.relnamespace = 'entitle'::pg_catalog.regnamespace AND c.relkind = 'r'
          AND c.relname NOT IN ('shipped_row', 'absent_relation') LOOP
        -- Named to end before entitle_shipped_restore, whose deletes need the foreign keys.
        EXECUTE format('CREATE TRIGGER entitle_restore_begin BEFORE INSERT ON entitle.%I FOR EACH STATEMENT'
                       ' EXECUTE FUNCTION entitle_internal.begin_restore(%s)', relation, CASE WHEN shipped THEN 'shipped' END);
        EXECUTE format('CREATE TRIGGER entitle_restore_end AFTER INSERT ON entitle.%I FOR EACH STATEMENT'
                       ' EXECUTE FUNCTION entitle_internal.end_restore()', relation);
    END LOOP;

    FOR relation, made IN
        SELECT c.relname, t.tgname
        FROM pg_catalog.pg_trigger t
        JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'entitle'::pg_catalog.regnamespace AND t.tgname ~ '^entitle_(shipped|restore)_' LOOP
        EXECUTE format('ALTER TABLE entitle.%I ENABLE ALWAYS TRIGGER %I', relation, made);
        EXECUTE format('COMMENT ON TRIGGER %I ON entitle.%I IS %L', made, relation,
                       'Keeps track of how the rows differ from the shipped ones, and restores them');
    END LOOP;
END
$$;

ALTER TABLE entitle.shipped_row ENABLE ROW LEVEL SECURITY;
ALTER TABLE entitle.shipped_removal ENABLE ROW LEVEL SECURITY;

-- Everything is dumped: shipped rows when changed, declarations unless their table was dropped, and where the sequences stand.
-- A loop, because each call updates the extension's one catalogue row.
DO $$
DECLARE
    relation oid;
    condition text;
BEGIN
    FOR relation, condition IN
        SELECT c.oid,
               CASE
                   WHEN EXISTS (SELECT FROM pg_catalog.pg_attribute a
                                WHERE a.attrelid = c.oid AND a.attname = 'as_shipped') THEN 'WHERE NOT as_shipped'
                   -- Under its old name a renamed role could be another one where the dump is restored.
                   WHEN c.relname = 'protection_privilege'
                       THEN 'WHERE relation IN (SELECT oid FROM pg_catalog.pg_class) AND (grantee = ''public'' OR (grantee_oid, grantee)'
                            ' IN (SELECT oid, rolname FROM pg_catalog.pg_roles))'
                   WHEN c.relname ~ '^(protection|reported_protection|guarded_table)'
                       THEN 'WHERE relation IN (SELECT oid FROM pg_catalog.pg_class UNION ALL SELECT number FROM entitle.absent_relation)'
                   ELSE ''
               END
        FROM pg_catalog.pg_class c
        WHERE c.relnamespace = 'entitle'::pg_catalog.regnamespace
          AND c.relkind IN ('r', 'S')
          -- Names come back with what bears them; what report mode counted, it counted here.
          AND c.relname NOT IN ('shipped_row', 'absent_relation', 'reported_rows')
        ORDER BY c.relname LOOP
        PERFORM pg_catalog.pg_extension_config_dump(relation, condition);
    END LOOP;
END
$$;

-- Default privileges of whoever installs the extension do not open it; those of named roles go at the very end.
REVOKE ALL ON ALL TABLES IN SCHEMA entitle FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA entitle FROM PUBLIC;
