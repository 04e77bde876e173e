-- Names and keys that are blank, or would be mistaken for something else, are refused in words; the constraints behind stay.

CREATE FUNCTION entitle.guard_name() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_guard_name';
COMMENT ON FUNCTION entitle.guard_name() IS 'Trigger: the column that it names is not blank, a login has no blank at its ends, no metric is called *';
REVOKE ALL ON FUNCTION entitle.guard_name() FROM PUBLIC;

DO $$
DECLARE
    relation text;
    field text;
BEGIN
    FOR relation, field IN
        VALUES ('app_user', 'login'), ('organization', 'name'), ('plan', 'plan_key'), ('brand', 'name'), ('module', 'module_key'),
               ('permission', 'permission_key'), ('capability', 'capability_key'), ('metric', 'metric_key'), ('role', 'name'),
               ('change_log', 'action') LOOP
        EXECUTE format('CREATE TRIGGER entitle_guard_name BEFORE INSERT OR UPDATE OF %I ON entitle.%I'
                       ' FOR EACH ROW EXECUTE FUNCTION entitle.guard_name(%L)', field, relation, field);
        EXECUTE format('ALTER TABLE entitle.%I ENABLE ALWAYS TRIGGER entitle_guard_name', relation);
        EXECUTE format('COMMENT ON TRIGGER entitle_guard_name ON entitle.%I IS %L', relation, 'Says in words what the constraint would refuse');
    END LOOP;
END
$$;
