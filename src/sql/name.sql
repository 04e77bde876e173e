-- Names and keys that are blank, or would be mistaken for something else, are refused in words; the constraints behind stay.

CREATE FUNCTION entitle_internal.guard_name() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_guard_name';
COMMENT ON FUNCTION entitle_internal.guard_name() IS 'Trigger: the column that it names is neither blank nor too long, a login has no blank at its ends, no metric is called *';
REVOKE ALL ON FUNCTION entitle_internal.guard_name() FROM PUBLIC;

CREATE FUNCTION entitle_internal.guard_key() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_guard_key';
COMMENT ON FUNCTION entitle_internal.guard_key() IS 'Trigger: the columns that it names, keys of other tables, are not too long for an index';
REVOKE ALL ON FUNCTION entitle_internal.guard_key() FROM PUBLIC;

DO $$
DECLARE
    relation text;
    field text;
    fields text[];
BEGIN
    FOR relation, field IN
        VALUES ('app_user', 'login'), ('organization', 'name'), ('plan', 'plan_key'), ('brand', 'name'), ('module', 'module_key'),
               ('permission', 'permission_key'), ('capability', 'capability_key'), ('metric', 'metric_key'), ('role', 'name'),
               ('change_log', 'action') LOOP
        EXECUTE format('CREATE TRIGGER entitle_guard_name BEFORE INSERT OR UPDATE OF %I ON entitle.%I'
                       ' FOR EACH ROW EXECUTE FUNCTION entitle_internal.guard_name(%L)', field, relation, field);
        EXECUTE format('ALTER TABLE entitle.%I ENABLE ALWAYS TRIGGER entitle_guard_name', relation);
        EXECUTE format('COMMENT ON TRIGGER entitle_guard_name ON entitle.%I IS %L', relation, 'Says in words what the constraint would refuse');
    END LOOP;

    CREATE TRIGGER entitle_guard_code BEFORE INSERT OR UPDATE OF brand_code ON entitle.brand
        FOR EACH ROW EXECUTE FUNCTION entitle_internal.guard_name('brand_code');
    ALTER TABLE entitle.brand ENABLE ALWAYS TRIGGER entitle_guard_code;
    COMMENT ON TRIGGER entitle_guard_code ON entitle.brand IS 'Says in words what the constraint would refuse';

    -- Indexes hold these before the foreign key would find that nobody has such a long one.
    FOR relation, fields IN
        VALUES ('sign_in_grant', ARRAY['login']), ('brand_module', ARRAY['module_key']),
               ('permission_module', ARRAY['permission_key', 'module_key']),
               ('permission_prerequisite', ARRAY['permission_key', 'requires_key']),
               ('plan_denial', ARRAY['plan_key', 'permission_key']),
               ('capability_permission', ARRAY['capability_key', 'permission_key']),
               ('metric_module', ARRAY['metric_key', 'module_key']), ('role_permission', ARRAY['permission_key']),
               ('role_metric', ARRAY['metric_key']) LOOP
        EXECUTE format('CREATE TRIGGER entitle_guard_key BEFORE INSERT OR UPDATE ON entitle.%I'
                       ' FOR EACH ROW EXECUTE FUNCTION entitle_internal.guard_key(%s)',
                       relation, (SELECT string_agg(quote_literal(f), ', ') FROM unnest(fields) AS f));
        EXECUTE format('ALTER TABLE entitle.%I ENABLE ALWAYS TRIGGER entitle_guard_key', relation);
        EXECUTE format('COMMENT ON TRIGGER entitle_guard_key ON entitle.%I IS %L', relation, 'Says in words that a key is too long for an index');
    END LOOP;
END
$$;
