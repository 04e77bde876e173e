-- Signals: every change of the model reaches the rights that backends keep in memory. ENABLE ALWAYS, so that changes
-- under session_replication_role = replica arrive too; last in name, so that other BEFORE triggers have had their say.
-- Workers of logical replication fire row triggers only, so every table has one: of tables that signal by statement, too.

CREATE FUNCTION entitle_internal.signal_model() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_signal_model';
COMMENT ON FUNCTION entitle_internal.signal_model() IS 'Trigger: the catalogue or somebody''s staff rights changed';
REVOKE ALL ON FUNCTION entitle_internal.signal_model() FROM PUBLIC;

CREATE FUNCTION entitle_internal.signal_user() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_signal_user';
COMMENT ON FUNCTION entitle_internal.signal_user() IS 'Trigger: one user or that user''s memberships changed';
REVOKE ALL ON FUNCTION entitle_internal.signal_user() FROM PUBLIC;

CREATE FUNCTION entitle_internal.signal_access() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_signal_access';
COMMENT ON FUNCTION entitle_internal.signal_access() IS 'Trigger: one user''s grants changed';
REVOKE ALL ON FUNCTION entitle_internal.signal_access() FROM PUBLIC;

CREATE FUNCTION entitle_internal.signal_customer() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_signal_customer';
COMMENT ON FUNCTION entitle_internal.signal_customer() IS 'Trigger: a customer''s keys, brand or status changed';
REVOKE ALL ON FUNCTION entitle_internal.signal_customer() FROM PUBLIC;

CREATE FUNCTION entitle_internal.signal_declaration() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_signal_declaration';
COMMENT ON FUNCTION entitle_internal.signal_declaration() IS 'Trigger: what is declared of a table changed';
REVOKE ALL ON FUNCTION entitle_internal.signal_declaration() FROM PUBLIC;

DO $$
DECLARE
    relation text;
    signal text;
BEGIN
    FOREACH relation IN ARRAY ARRAY['protection', 'protection_view', 'reported_protection'] LOOP
        EXECUTE format(
            'CREATE TRIGGER zz_entitle_signal AFTER INSERT OR UPDATE OR DELETE ON entitle.%I'
            ' FOR EACH ROW EXECUTE FUNCTION entitle_internal.signal_declaration()', relation);
    END LOOP;

    FOREACH relation IN ARRAY ARRAY[
        'organization', 'plan', 'plan_denial', 'brand', 'brand_module', 'module',
        'permission', 'permission_module', 'permission_prerequisite', 'capability', 'capability_permission',
        'metric', 'metric_module', 'role', 'role_permission', 'role_metric', 'sign_in_grant'] LOOP
        EXECUTE format(
            'CREATE TRIGGER zz_entitle_signal AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON entitle.%I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION entitle_internal.signal_model()', relation);
        EXECUTE format(
            'CREATE TRIGGER zz_entitle_signal_row BEFORE INSERT OR UPDATE OR DELETE ON entitle.%I'
            ' FOR EACH ROW EXECUTE FUNCTION entitle_internal.signal_model()', relation);
    END LOOP;

    FOR relation, signal IN
        VALUES ('app_user', 'signal_user'), ('membership', 'signal_user'), ('external_access', 'signal_access') LOOP
        EXECUTE format(
            'CREATE TRIGGER zz_entitle_signal BEFORE INSERT OR UPDATE OR DELETE ON entitle.%I'
            ' FOR EACH ROW EXECUTE FUNCTION entitle_internal.%I()', relation, signal);
        EXECUTE format(
            'CREATE TRIGGER zz_entitle_signal_truncate AFTER TRUNCATE ON entitle.%I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION entitle_internal.%I()', relation, signal);
    END LOOP;

    CREATE TRIGGER zz_entitle_signal
        AFTER DELETE OR TRUNCATE OR UPDATE OF customer_id, customer_uuid, customer_code, brand_id, status
        ON entitle.customer
        FOR EACH STATEMENT EXECUTE FUNCTION entitle_internal.signal_customer();
    CREATE TRIGGER zz_entitle_signal_row
        BEFORE DELETE OR UPDATE OF customer_id, customer_uuid, customer_code, brand_id, status
        ON entitle.customer
        FOR EACH ROW EXECUTE FUNCTION entitle_internal.signal_customer();

    FOR relation, signal IN
        SELECT c.relname, t.tgname
        FROM pg_catalog.pg_trigger t
        JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'entitle'::pg_catalog.regnamespace
          AND t.tgname LIKE 'zz\_entitle\_signal%' LOOP
        EXECUTE format('ALTER TABLE entitle.%I ENABLE ALWAYS TRIGGER %I', relation, signal);
        EXECUTE format('COMMENT ON TRIGGER %I ON entitle.%I IS %L', signal, relation,
                       'Tells every backend that what it keeps in memory is stale');
    END LOOP;
END
$$;

-- ALTER EXTENSION entitle UPDATE: sessions that keep the library of the version before learn that the objects are no longer theirs.
CREATE FUNCTION entitle_internal.signal_version() RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_signal_version';
COMMENT ON FUNCTION entitle_internal.signal_version() IS 'Tells every session that the extension''s objects have another version';
REVOKE ALL ON FUNCTION entitle_internal.signal_version() FROM PUBLIC;

CREATE FUNCTION entitle_internal.tell_update() RETURNS event_trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_event_trigger_ddl_commands() d
        JOIN pg_extension e ON e.oid = d.objid
        WHERE d.classid = 'pg_extension'::regclass AND e.extname = 'entitle') THEN
        PERFORM entitle_internal.signal_version();
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.tell_update() IS 'Event trigger: sessions learn that the extension was updated';
REVOKE ALL ON FUNCTION entitle_internal.tell_update() FROM PUBLIC;

CREATE EVENT TRIGGER entitle_tell_update ON ddl_command_end WHEN TAG IN ('ALTER EXTENSION')
    EXECUTE FUNCTION entitle_internal.tell_update();
ALTER EVENT TRIGGER entitle_tell_update ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER entitle_tell_update IS 'Sessions learn that the extension was updated';
