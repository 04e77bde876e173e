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
    FOREACH relation IN ARRAY ARRAY['protection', 'protection_view'] LOOP
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
