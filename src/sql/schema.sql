-- What must hold before the first object is made.

-- A schema that somebody prepared could hold functions or default privileges that this extension would then trust (S71).
DO $$
DECLARE
    home oid := pg_catalog.to_regnamespace('entitle');
BEGIN
    IF NOT (SELECT r.rolsuper
            FROM pg_catalog.pg_namespace n
            JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
            WHERE n.oid = home) THEN
        RAISE EXCEPTION 'schema "entitle" belongs to a role that is not a superuser'
            USING ERRCODE = '42501',
                  HINT = 'Drop the schema after looking at what it holds; CREATE EXTENSION makes its own.';
    END IF;
    IF pg_catalog.to_regnamespace('entitle_internal') IS NOT NULL THEN
        RAISE EXCEPTION 'schema "entitle_internal" is there already'
            USING ERRCODE = '42501',
                  HINT = 'Drop the schema after looking at what it holds; CREATE EXTENSION makes its own.';
    END IF;
    IF EXISTS (SELECT
               FROM pg_catalog.pg_depend d
               WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                 AND d.refobjid = home
                 AND d.classid <> 'pg_catalog.pg_extension'::pg_catalog.regclass) THEN
        RAISE EXCEPTION 'schema "entitle" is not empty'
            USING ERRCODE = '42501',
                  HINT = 'Drop the schema after looking at what it holds; CREATE EXTENSION makes its own.';
    END IF;
END
$$;

COMMENT ON SCHEMA entitle IS 'Application permissions and per-customer external access, enforced in the database';
REVOKE ALL ON SCHEMA entitle FROM PUBLIC;
GRANT USAGE ON SCHEMA entitle TO PUBLIC;

-- What no user, policy, view or visible plan names.
CREATE SCHEMA entitle_internal;
COMMENT ON SCHEMA entitle_internal IS 'Functions by which the extension does its work; no interface, and different with every release';
REVOKE ALL ON SCHEMA entitle_internal FROM PUBLIC;
GRANT USAGE ON SCHEMA entitle_internal TO PUBLIC;
