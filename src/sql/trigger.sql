-- Triggers of others. The TRIGGER privilege, of which a GRANT ALL is enough, makes triggers that see whole rows, masked columns too,
-- and puts others in the place of those by which the extension refuses writes and keeps its log (S177). On protected tables, their
-- filtered views and the model only the owner makes any. An event trigger: it needs no library loaded.

CREATE FUNCTION entitle.refuse_trigger() RETURNS event_trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT c.relname, n.nspname
        FROM pg_event_trigger_ddl_commands() d
        JOIN pg_trigger t ON t.oid = d.objid
        JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE d.classid = 'pg_trigger'::regclass AND NOT t.tgisinternal
          AND NOT pg_has_role(current_user, c.relowner, 'USAGE')
          AND (n.nspname = 'entitle' OR (entitle.declaration(c.oid)).relation IS NOT NULL OR entitle.view_relation(c.oid) IS NOT NULL)
    LOOP
        RAISE EXCEPTION 'permission denied to make a trigger of "%"', made.relname
            USING ERRCODE = '42501', TABLE = made.relname, SCHEMA = made.nspname,
                  HINT = 'The relation is protected: triggers see its rows whole, so its owner makes them.';
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle.refuse_trigger() IS 'Event trigger: only owners make triggers of the model, of protected tables and of filtered views';
REVOKE ALL ON FUNCTION entitle.refuse_trigger() FROM PUBLIC;

CREATE EVENT TRIGGER entitle_refuse_trigger ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER')
    EXECUTE FUNCTION entitle.refuse_trigger();
ALTER EVENT TRIGGER entitle_refuse_trigger ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER entitle_refuse_trigger IS 'Only owners make triggers of the model, of protected tables and of filtered views';
