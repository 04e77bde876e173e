-- Migrations: FORCE ROW LEVEL SECURITY hides rows from their table's owner, too. A foreign key that the owner adds is then checked
-- against nothing, an UPDATE of all rows finds none, a materialized view is refreshed to nothing. The bracket lifts it for one
-- transaction.

CREATE FUNCTION entitle_internal.note_migration(relation regclass) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_note_migration';
COMMENT ON FUNCTION entitle_internal.note_migration(regclass) IS
    'Has FORCE ROW LEVEL SECURITY come back to the caller''s protected table when the transaction commits, and logs it';
GRANT EXECUTE ON FUNCTION entitle_internal.note_migration(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.is_migrating(relation regclass) RETURNS boolean
    LANGUAGE C STABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'entitle_is_migrating';
COMMENT ON FUNCTION entitle_internal.is_migrating(regclass) IS 'Whether begin_migration lifted FORCE ROW LEVEL SECURITY in this transaction';
GRANT EXECUTE ON FUNCTION entitle_internal.is_migrating(regclass) TO PUBLIC;

CREATE FUNCTION entitle.begin_migration(relations regclass[] DEFAULT NULL) RETURNS integer
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    member regclass;
    lifted integer := 0;
BEGIN
    FOREACH member IN ARRAY coalesce(relations, '{}') LOOP
        IF (entitle_internal.declaration(member)).relation IS NULL THEN
            RAISE EXCEPTION 'table "%" is not protected', member
                USING ERRCODE = '42704', HINT = 'The view entitle.protected_tables lists the tables that are.';
        END IF;
        IF NOT pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = member), 'USAGE') THEN
            RAISE EXCEPTION 'must be owner of table "%"', member
                USING ERRCODE = '42501', HINT = 'Ask its owner or a superuser.';
        END IF;
    END LOOP;
    -- Tables whose row-level security was lifted before, or is not forced, are left alone.
    FOR member IN
        SELECT c.oid::regclass
        FROM pg_class c
        WHERE c.relforcerowsecurity
          AND CASE WHEN relations IS NULL
              THEN pg_has_role(current_user, c.relowner, 'USAGE') AND (entitle_internal.declaration(c.oid)).relation IS NOT NULL
              ELSE c.oid IN (SELECT f FROM unnest(relations) AS r, entitle_internal.protection_family(r) AS f)
              END
        ORDER BY c.oid -- locks are taken in one order
    LOOP
        PERFORM entitle_internal.note_migration(member);
        EXECUTE format('ALTER TABLE ONLY %s NO FORCE ROW LEVEL SECURITY', member);
        lifted := lifted + 1;
    END LOOP;
    RETURN lifted;
END
$$;
COMMENT ON FUNCTION entitle.begin_migration(regclass[]) IS
    'Until the end of the transaction row-level security does not bind the owner of these protected tables, by default of all that the caller owns; returns how many tables. Logged'
    '. Raises 42501: the caller does not own the table; 42704: a table is not protected';
REVOKE ALL ON FUNCTION entitle.begin_migration(regclass[]) FROM PUBLIC;
