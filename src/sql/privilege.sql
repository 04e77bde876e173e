-- Privileges on tables with masked columns: narrowed to the other columns while the table is protected, put back afterwards.

CREATE TABLE entitle.protection_privilege (
    relation entitle.relation_name REFERENCES entitle.protection_member ON DELETE CASCADE,
    position integer,
    column_name name,
    grantor name NOT NULL,
    grantee name NOT NULL,
    privilege text NOT NULL CONSTRAINT protection_privilege_privilege_check
        CHECK (privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES', 'TRIGGER')),
    is_grantable boolean NOT NULL,
    grantor_oid oid,
    grantee_oid oid,
    PRIMARY KEY (relation, position)
);
COMMENT ON TABLE entitle.protection_privilege IS 'What other roles held on a table with masked columns before they were narrowed; put back by unprotect_table';
COMMENT ON COLUMN entitle.protection_privilege.position IS 'In the order in which they were granted';
COMMENT ON COLUMN entitle.protection_privilege.column_name IS 'NULL is the whole table';
COMMENT ON COLUMN entitle.protection_privilege.grantee IS 'A role''s name, which lives through a dump; "public" is PUBLIC';
COMMENT ON COLUMN entitle.protection_privilege.grantor_oid IS 'As grantee_oid';
COMMENT ON COLUMN entitle.protection_privilege.grantee_oid IS
    'The role''s OID when the row was written, never believed from input: a renamed role gets back what it had; 0 is PUBLIC';

CREATE FUNCTION entitle_internal.record_privilege_roles() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    NEW.grantor_oid := (SELECT r.oid FROM pg_roles r WHERE r.rolname = NEW.grantor);
    NEW.grantee_oid := CASE WHEN NEW.grantee = 'public' THEN 0 ELSE (SELECT r.oid FROM pg_roles r WHERE r.rolname = NEW.grantee) END;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION entitle_internal.record_privilege_roles() IS 'Trigger: sets the OIDs of the roles from their names; NULL when there is no such role';
REVOKE ALL ON FUNCTION entitle_internal.record_privilege_roles() FROM PUBLIC;

-- A restore into another cluster finds the roles by name: OIDs mean other roles there.
CREATE TRIGGER entitle_record_roles
    BEFORE INSERT OR UPDATE OF grantor, grantee, grantor_oid, grantee_oid ON entitle.protection_privilege
    FOR EACH ROW EXECUTE FUNCTION entitle_internal.record_privilege_roles();
ALTER TABLE entitle.protection_privilege ENABLE ALWAYS TRIGGER entitle_record_roles;
COMMENT ON TRIGGER entitle_record_roles ON entitle.protection_privilege IS 'Binds the row to the roles that exist now';

-- The functions from here on run with the caller's own rights, so PUBLIC may execute them. Those that change what is recorded
-- are SECURITY DEFINER: they ask for EXECUTE on protect_table or unprotect_table, take nothing but a table, and read the rest in
-- the catalogues.

CREATE FUNCTION entitle_internal.table_privileges(relation regclass)
    RETURNS TABLE ("position" integer, column_name name, grantor name, grantee name, privilege text, is_grantable boolean)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT (row_number() OVER (ORDER BY l.attnum, l.number))::integer, l.attname, pg_get_userbyid(l.grantor),
           CASE WHEN l.grantee = 0 THEN 'public' ELSE pg_get_userbyid(l.grantee) END, l.privilege_type, l.is_grantable
    FROM (SELECT 0 AS attnum, NULL::name AS attname, c.relowner, x.*
          FROM pg_class c, aclexplode(c.relacl) WITH ORDINALITY AS x (grantor, grantee, privilege_type, is_grantable, number)
          WHERE c.oid = table_privileges.relation
          UNION ALL
          SELECT a.attnum, a.attname, c.relowner, x.*
          FROM pg_class c
          -- A dropped column keeps its privileges.
          JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped,
               aclexplode(a.attacl) WITH ORDINALITY AS x (grantor, grantee, privilege_type, is_grantable, number)
          WHERE c.oid = table_privileges.relation) l
    WHERE l.grantee <> l.relowner
    $$;
COMMENT ON FUNCTION entitle_internal.table_privileges(regclass) IS 'What roles other than its owner hold on a relation and its columns';
GRANT EXECUTE ON FUNCTION entitle_internal.table_privileges(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.grant_privilege(relation regclass, privilege text, columns name[], grantee name, is_grantable boolean)
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF privilege IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN') IS NOT TRUE THEN
        RAISE EXCEPTION 'no privilege on tables is called "%"', privilege
            USING ERRCODE = '22023', HINT = 'Give SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES or TRIGGER.';
    END IF;
    EXECUTE format('GRANT %s%s ON TABLE %s TO %s%s', privilege,
                   '(' || (SELECT string_agg(quote_ident(c), ', ') FROM unnest(columns) AS c) || ')', relation,
                   CASE grantee WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(grantee) END,
                   CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
END
$$;
COMMENT ON FUNCTION entitle_internal.grant_privilege(regclass, text, name[], name, boolean) IS 'GRANT, on the columns or with NULL on the whole relation';
GRANT EXECUTE ON FUNCTION entitle_internal.grant_privilege(regclass, text, name[], name, boolean) TO PUBLIC;

-- Also what others granted on: CASCADE.
CREATE FUNCTION entitle_internal.revoke_privilege(relation regclass, privilege text, grantee name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF privilege IN ('ALL', 'SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN') IS NOT TRUE THEN
        RAISE EXCEPTION 'no privilege on tables is called "%"', privilege
            USING ERRCODE = '22023', HINT = 'Give ALL, SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES or TRIGGER.';
    END IF;
    EXECUTE format('REVOKE %s ON TABLE %s FROM %s CASCADE', privilege, relation,
                   CASE grantee WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(grantee) END);
END
$$;
COMMENT ON FUNCTION entitle_internal.revoke_privilege(regclass, text, name) IS 'REVOKE on a relation, which takes its columns along';
GRANT EXECUTE ON FUNCTION entitle_internal.revoke_privilege(regclass, text, name) TO PUBLIC;

-- SECURITY DEFINER: nobody writes the records directly. TRIGGER is taken whole, masks or not: a trigger sees every column of every
-- row it fires for, and writes through the view fire it with the rights of the table's owner.
CREATE FUNCTION entitle_internal.record_privileges(member regclass) RETURNS SETOF entitle.protection_privilege
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    masked CONSTANT name[] := entitle_internal.masked_names(entitle_internal.declaration(member));
    owner CONSTANT name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = member);
    recorded CONSTANT integer := (SELECT coalesce(max(p.position), 0) FROM entitle.protection_privilege p WHERE p.relation = member);
    reaching text[];
BEGIN
    PERFORM entitle_internal.check_may_protect(member);
    IF NOT EXISTS (SELECT FROM entitle.protection_member m WHERE m.relation = member) THEN
        RAISE EXCEPTION 'table "%" is not protected', member
            USING ERRCODE = '42704', HINT = 'The view entitle.protected_tables lists the tables that are.';
    END IF;
    SELECT array_agg(DISTINCT p.privilege || ' ' || p.grantee) INTO reaching
    FROM entitle_internal.table_privileges(member) p
    WHERE p.privilege = 'TRIGGER'
       OR p.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
          AND masked <> '{}' AND (p.column_name IS NULL OR p.column_name = ANY (masked));

    -- What was granted on by one of those goes with it.
    RETURN QUERY
        INSERT INTO entitle.protection_privilege AS p
            (relation, position, column_name, grantor, grantee, privilege, is_grantable)
        SELECT member, recorded + h.position, h.column_name, h.grantor, h.grantee, h.privilege, h.is_grantable
        FROM entitle_internal.table_privileges(member) h
        WHERE h.privilege || ' ' || h.grantee = ANY (reaching)
           OR h.grantor <> owner AND h.privilege IN (SELECT split_part(r, ' ', 1) FROM unnest(reaching) AS r)
        RETURNING p.*;
END
$$;
COMMENT ON FUNCTION entitle_internal.record_privileges(regclass) IS 'Writes down the privileges that are about to be narrowed';
GRANT EXECUTE ON FUNCTION entitle_internal.record_privileges(regclass) TO PUBLIC;

-- SECURITY DEFINER: nobody writes the records directly. Roles come by the names they have now; what the roles that are gone had
-- is forgotten.
CREATE FUNCTION entitle_internal.forget_privileges(root regclass) RETURNS SETOF entitle.protection_privilege
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT entitle_internal.may_unprotect(root) THEN
        RAISE EXCEPTION 'permission denied to unprotect table "%"', root
            USING ERRCODE = '42501', HINT = 'It takes the table''s owner, with EXECUTE on entitle.unprotect_table.';
    END IF;
    RETURN QUERY
        WITH forgotten AS (
            DELETE FROM entitle.protection_privilege p
            -- The table's own are found too when it was a partition until now.
            WHERE p.relation = forget_privileges.root
               OR p.relation IN (SELECT m.relation FROM entitle.protection_member m WHERE m.root = forget_privileges.root)
            RETURNING p.*)
        SELECT f.relation, f.position, f.column_name, coalesce(o.rolname, f.grantor), coalesce(r.rolname, f.grantee),
               f.privilege, f.is_grantable, f.grantor_oid, f.grantee_oid
        FROM forgotten f
        JOIN pg_class c ON c.oid = f.relation
        LEFT JOIN pg_roles o ON o.oid = f.grantor_oid
        LEFT JOIN pg_roles r ON r.oid = f.grantee_oid
        WHERE (f.grantee = 'public' OR r.oid IS NOT NULL)
          -- Whose table it is by now has all of it.
          AND f.grantee_oid <> c.relowner;
END
$$;
COMMENT ON FUNCTION entitle_internal.forget_privileges(regclass) IS 'Forgets the narrowed privileges of a table with its parts, and gives them back';
GRANT EXECUTE ON FUNCTION entitle_internal.forget_privileges(regclass) TO PUBLIC;

CREATE FUNCTION entitle_internal.narrow_privileges(member regclass, masked name[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    open_columns CONSTANT name[] := (
        SELECT array_agg(a.attname ORDER BY a.attnum)
        FROM pg_attribute a
        WHERE a.attrelid = member AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL (masked));
    held CONSTANT entitle.protection_privilege[] := ARRAY(SELECT r FROM entitle_internal.record_privileges(member) r ORDER BY r.position);
    item entitle.protection_privilege;
BEGIN
    PERFORM entitle_internal.revoke_privilege(member, f.privilege, f.grantee)
    FROM (SELECT DISTINCT u.privilege, u.grantee FROM unnest(held) AS u) f;
    -- What a role granted on a column by its privilege on the table, no REVOKE of the table's takes along. That of the column's does.
    PERFORM entitle_internal.grant_privilege(member, f.privilege, ARRAY[f.column_name], f.grantor, true),
            entitle_internal.revoke_privilege(member, f.privilege, f.grantor)
    FROM entitle_internal.table_privileges(member) f
    WHERE f.column_name = ANY (masked);
    FOREACH item IN ARRAY held LOOP
        CONTINUE WHEN item.privilege = 'TRIGGER' OR item.column_name = ANY (masked);
        PERFORM entitle_internal.grant_privilege(member, item.privilege,
                    CASE WHEN item.column_name IS NULL THEN open_columns ELSE ARRAY[item.column_name] END,
                    item.grantee, item.is_grantable);
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.narrow_privileges(regclass, name[]) IS 'Leaves other roles what they hold on a table except its masked columns, and records what they held';
GRANT EXECUTE ON FUNCTION entitle_internal.narrow_privileges(regclass, name[]) TO PUBLIC;

-- Whoever reads, inserts or updates the table does so through the view, at whose masked columns the rules are kept.
CREATE FUNCTION entitle_internal.grant_view(view regclass, relation regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM entitle_internal.grant_privilege(view, p.privilege,
                CASE
                    WHEN p.column_name IS NULL THEN NULL
                    WHEN p.privilege = 'SELECT' THEN ARRAY[p.column_name, 'masked_columns']
                    ELSE ARRAY[p.column_name]
                END, p.grantee, p.is_grantable)
    FROM entitle_internal.table_privileges(relation) p
    WHERE p.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE');
END
$$;
COMMENT ON FUNCTION entitle_internal.grant_view(regclass, regclass) IS 'Grants the filtered view to those who hold the table, the same and no more';
GRANT EXECUTE ON FUNCTION entitle_internal.grant_view(regclass, regclass) TO PUBLIC;

-- Tells of what was granted on a filtered view alone, before the view goes: nobody could say later who had it.
CREATE FUNCTION entitle_internal.warn_of_lost_grants(view regclass, relation regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    lost record;
BEGIN
    FOR lost IN
        SELECT p.grantee, string_agg(DISTINCT p.privilege, ', ' ORDER BY p.privilege) AS privileges
        FROM entitle_internal.table_privileges(view) p
        LEFT JOIN entitle_internal.view_columns(relation, view) c ON c.view_column = p.column_name
        WHERE (p.column_name IS NULL OR c.column_name IS NOT NULL)
          AND p.grantee <> (SELECT pg_get_userbyid(t.relowner) FROM pg_class t WHERE t.oid = relation)
          AND NOT EXISTS (SELECT
                          FROM entitle_internal.table_privileges(relation) t
                          WHERE t.grantee = p.grantee AND t.privilege = p.privilege
                            AND (t.column_name IS NULL OR p.column_name IS NULL OR t.column_name = c.column_name))
        GROUP BY p.grantee LOOP
        RAISE WARNING 'role "%" loses % on "%", which it was granted on the view alone', lost.grantee, lost.privileges, view
            USING HINT = format('To keep it for when the view is made again: GRANT %s ON %s TO %s.', lost.privileges, relation,
                                CASE lost.grantee WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(lost.grantee) END);
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.warn_of_lost_grants(regclass, regclass) IS 'Warns of privileges that go with a filtered view and that its table does not have';
GRANT EXECUTE ON FUNCTION entitle_internal.warn_of_lost_grants(regclass, regclass) TO PUBLIC;

-- Gives one privilege back. Nothing that stands in its way keeps the table from being protected or unprotected: what cannot be
-- given back is named, and stays away.
CREATE FUNCTION entitle_internal.put_back_privilege(item entitle.protection_privilege) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    was_role CONSTANT text := current_setting('role');
    granted CONSTANT text := item.privilege || ' WITH GRANT OPTION';
BEGIN
    IF item.column_name IS NOT NULL
       AND NOT EXISTS (SELECT
                       FROM pg_attribute a
                       WHERE a.attrelid = item.relation AND a.attname = item.column_name AND a.attnum > 0 AND NOT a.attisdropped) THEN
        RAISE WARNING 'column "%" of table "%" is gone, and so is the privilege % on it that role "%" had',
                      item.column_name, item.relation, item.privilege, item.grantee;
        RETURN;
    END IF;
    -- A superuser can give back in the name of who gave, if that role may still grant it; anyone else gives as the table's owner.
    IF item.grantor <> (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = item.relation)
       AND EXISTS (SELECT FROM pg_roles r WHERE r.rolname = item.grantor)
       AND (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user)
       AND current_user = coalesce(nullif(was_role, 'none')::name, session_user)
       AND (item.column_name IS NULL AND has_table_privilege(item.grantor, item.relation, granted)
            OR has_column_privilege(item.grantor, item.relation, item.column_name, granted)) THEN
        PERFORM set_config('role', item.grantor, true);
    END IF;
    PERFORM entitle_internal.grant_privilege(item.relation, item.privilege,
                CASE WHEN item.column_name IS NOT NULL THEN ARRAY[item.column_name] END, item.grantee, item.is_grantable);
    PERFORM set_config('role', was_role, true) WHERE current_setting('role') <> was_role;
EXCEPTION
    WHEN insufficient_resources OR lock_not_available OR transaction_rollback OR operator_intervention
         OR system_error THEN RAISE; -- tells of the server, not of what is looked at
    WHEN OTHERS THEN
        RAISE WARNING 'role "%" is not given back % on "%": %', item.grantee, item.privilege, item.relation, SQLERRM
            USING HINT = 'Grant it by hand, if the role is to have it.';
END
$$;
COMMENT ON FUNCTION entitle_internal.put_back_privilege(entitle.protection_privilege) IS 'GRANT of what was recorded, in the name of who gave it where that can be';
GRANT EXECUTE ON FUNCTION entitle_internal.put_back_privilege(entitle.protection_privilege) TO PUBLIC;

-- What was revoked meanwhile is not given back: a role is given back what it held on the table if it still holds the same on
-- the view, and what it held on a partition, or on a table whose view is gone, if it still holds the same on some column of that.
CREATE FUNCTION entitle_internal.put_back_privileges(root regclass, view regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    -- Columns that were renamed keep their old names in the view.
    names CONSTANT jsonb := (SELECT jsonb_object_agg(c.view_column, c.column_name) FROM entitle_internal.view_columns(root, view) c);
    held CONSTANT entitle.protection_privilege[] := ARRAY(SELECT f FROM entitle_internal.forget_privileges(root) f ORDER BY f.relation::oid, f.position);
    item entitle.protection_privilege;
    kept text[];
BEGIN
    SELECT coalesce(array_agg(format('%s %s %s', f.relation::oid, f.privilege, f.grantee)), '{}') INTO kept
    FROM unnest(held) AS f
    WHERE EXISTS (SELECT
                  FROM entitle_internal.table_privileges(CASE WHEN f.relation = root AND view IS NOT NULL THEN view ELSE f.relation END) p
                  WHERE p.grantee = f.grantee
                    AND (p.privilege = f.privilege OR f.privilege IN ('REFERENCES', 'TRIGGER')))
       -- Nothing stands on the view for a role that could neither read nor write the table.
       OR NOT EXISTS (SELECT
                      FROM unnest(held) AS o
                      WHERE o.relation = f.relation AND o.grantee = f.grantee
                        AND o.privilege IN ('SELECT', 'INSERT', 'UPDATE'));

    PERFORM entitle_internal.revoke_privilege(f.relation, f.privilege, f.grantee)
    FROM (SELECT DISTINCT u.relation, u.privilege, u.grantee FROM unnest(held) AS u) f;
    FOREACH item IN ARRAY held LOOP
        CONTINUE WHEN format('%s %s %s', item.relation::oid, item.privilege, item.grantee) <> ALL (kept);
        item.column_name := coalesce(names ->> item.column_name::text, item.column_name);
        PERFORM entitle_internal.put_back_privilege(item);
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle_internal.put_back_privileges(regclass, regclass) IS 'Undoes narrow_privileges on a table with its parts';
GRANT EXECUTE ON FUNCTION entitle_internal.put_back_privileges(regclass, regclass) TO PUBLIC;
