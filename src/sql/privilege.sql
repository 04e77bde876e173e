-- Privileges on tables with masked columns: narrowed to the other columns while the table is protected, put back afterwards.

CREATE TABLE entitle.protection_privilege (
    relation regclass REFERENCES entitle.protection_member ON DELETE CASCADE,
    position integer,
    column_name name,
    grantor name NOT NULL,
    grantee name NOT NULL,
    privilege text NOT NULL,
    is_grantable boolean NOT NULL,
    PRIMARY KEY (relation, position)
);
COMMENT ON TABLE entitle.protection_privilege IS 'What other roles held on a table with masked columns before they were narrowed; put back by unprotect_table';
COMMENT ON COLUMN entitle.protection_privilege.position IS 'In the order in which they were granted';
COMMENT ON COLUMN entitle.protection_privilege.column_name IS 'NULL is the whole table';
COMMENT ON COLUMN entitle.protection_privilege.grantee IS 'A role''s name, which lives through a dump; "public" is PUBLIC';

-- The functions from here on run with the caller's own rights, so PUBLIC may execute them; those that change what is recorded
-- ask for EXECUTE on protect_table or unprotect_table.

CREATE FUNCTION entitle.table_privileges(relation regclass)
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
COMMENT ON FUNCTION entitle.table_privileges(regclass) IS 'What roles other than its owner hold on a relation and its columns';
GRANT EXECUTE ON FUNCTION entitle.table_privileges(regclass) TO PUBLIC;

CREATE FUNCTION entitle.grant_privilege(relation regclass, privilege text, columns name[], grantee name, is_grantable boolean)
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    EXECUTE format('GRANT %s%s ON TABLE %s TO %s%s', privilege,
                   '(' || (SELECT string_agg(quote_ident(c), ', ') FROM unnest(columns) AS c) || ')', relation,
                   CASE grantee WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(grantee) END,
                   CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
END
$$;
COMMENT ON FUNCTION entitle.grant_privilege(regclass, text, name[], name, boolean) IS 'GRANT, on the columns or with NULL on the whole relation';
GRANT EXECUTE ON FUNCTION entitle.grant_privilege(regclass, text, name[], name, boolean) TO PUBLIC;

-- Also what others granted on: CASCADE.
CREATE FUNCTION entitle.revoke_privilege(relation regclass, privilege text, grantee name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    EXECUTE format('REVOKE %s ON TABLE %s FROM %s CASCADE', privilege, relation,
                   CASE grantee WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(grantee) END);
END
$$;
COMMENT ON FUNCTION entitle.revoke_privilege(regclass, text, name) IS 'REVOKE on a relation, which takes its columns along';
GRANT EXECUTE ON FUNCTION entitle.revoke_privilege(regclass, text, name) TO PUBLIC;

-- SECURITY DEFINER: nobody writes the records directly.
CREATE FUNCTION entitle.record_privileges(member regclass, held entitle.protection_privilege[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF entitle.may_declare(member,
            'entitle.protect_table(regclass,name,name,name,integer,text,text,text,text,integer,integer,jsonb,text,regclass)')
       IS NOT TRUE THEN
        RAISE EXCEPTION 'permission denied to protect table "%"', member
            USING ERRCODE = '42501', HINT = 'It takes the table''s owner, with EXECUTE on entitle.protect_table.';
    END IF;
    INSERT INTO entitle.protection_privilege
    SELECT member, f.position, f.column_name, f.grantor, f.grantee, f.privilege, f.is_grantable FROM unnest(held) AS f;
END
$$;
COMMENT ON FUNCTION entitle.record_privileges(regclass, entitle.protection_privilege[]) IS 'Writes down the privileges that are about to be narrowed';
GRANT EXECUTE ON FUNCTION entitle.record_privileges(regclass, entitle.protection_privilege[]) TO PUBLIC;

-- SECURITY DEFINER: nobody writes the records directly.
CREATE FUNCTION entitle.forget_privileges(root regclass) RETURNS SETOF entitle.protection_privilege
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF entitle.may_declare(root, 'entitle.unprotect_table(regclass)') IS NOT TRUE
       AND entitle.may_declare(root,
               'entitle.protect_table(regclass,name,name,name,integer,text,text,text,text,integer,integer,jsonb,text,regclass)')
           IS NOT TRUE THEN
        RAISE EXCEPTION 'permission denied to unprotect table "%"', root
            USING ERRCODE = '42501', HINT = 'It takes the table''s owner, with EXECUTE on entitle.unprotect_table.';
    END IF;
    RETURN QUERY
        DELETE FROM entitle.protection_privilege p
        -- The table's own are found too when it was a partition until now.
        WHERE p.relation = forget_privileges.root
           OR p.relation IN (SELECT m.relation FROM entitle.protection_member m WHERE m.root = forget_privileges.root)
        RETURNING p.*;
END
$$;
COMMENT ON FUNCTION entitle.forget_privileges(regclass) IS 'Forgets the narrowed privileges of a table with its parts, and gives them back';
GRANT EXECUTE ON FUNCTION entitle.forget_privileges(regclass) TO PUBLIC;

-- TRIGGER is taken whole, masks or not: a trigger sees every column of every row it fires for, and writes through the view fire
-- it with the rights of the table's owner.
CREATE FUNCTION entitle.narrow_privileges(member regclass, masked name[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    owner CONSTANT name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = member);
    open_columns CONSTANT name[] := (
        SELECT array_agg(a.attname ORDER BY a.attnum)
        FROM pg_attribute a
        WHERE a.attrelid = member AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL (masked));
    reaching text[];
    held entitle.protection_privilege[];
    item entitle.protection_privilege;
BEGIN
    SELECT array_agg(DISTINCT p.privilege || ' ' || p.grantee) INTO reaching
    FROM entitle.table_privileges(member) p
    WHERE p.privilege = 'TRIGGER'
       OR p.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
          AND masked <> '{}' AND (p.column_name IS NULL OR p.column_name = ANY (masked));

    -- What was granted on by one of those goes with it.
    SELECT array_agg(ROW(member, p.position, p.column_name, p.grantor, p.grantee, p.privilege,
                         p.is_grantable)::entitle.protection_privilege ORDER BY p.position)
    INTO held
    FROM entitle.table_privileges(member) p
    WHERE p.privilege || ' ' || p.grantee = ANY (reaching)
       OR p.grantor <> owner AND p.privilege IN (SELECT split_part(r, ' ', 1) FROM unnest(reaching) AS r);
    IF held IS NULL THEN
        RETURN;
    END IF;
    PERFORM entitle.record_privileges(member, held);
    PERFORM entitle.revoke_privilege(member, f.privilege, f.grantee)
    FROM (SELECT DISTINCT u.privilege, u.grantee FROM unnest(held) AS u) f;
    FOREACH item IN ARRAY held LOOP
        CONTINUE WHEN item.privilege = 'TRIGGER' OR item.column_name = ANY (masked);
        PERFORM entitle.grant_privilege(member, item.privilege,
                    CASE WHEN item.column_name IS NULL THEN open_columns ELSE ARRAY[item.column_name] END,
                    item.grantee, item.is_grantable);
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle.narrow_privileges(regclass, name[]) IS 'Leaves other roles what they hold on a table except its masked columns, and records what they held';
GRANT EXECUTE ON FUNCTION entitle.narrow_privileges(regclass, name[]) TO PUBLIC;

-- Whoever reads, inserts or updates the table does so through the view, at whose masked columns the rules are kept.
CREATE FUNCTION entitle.grant_view(view regclass, relation regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM entitle.grant_privilege(view, p.privilege,
                CASE
                    WHEN p.column_name IS NULL THEN NULL
                    WHEN p.privilege = 'SELECT' THEN ARRAY[p.column_name, 'masked_columns']
                    ELSE ARRAY[p.column_name]
                END, p.grantee, p.is_grantable)
    FROM entitle.table_privileges(relation) p
    WHERE p.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE');
END
$$;
COMMENT ON FUNCTION entitle.grant_view(regclass, regclass) IS 'Grants the filtered view to those who hold the table, the same and no more';
GRANT EXECUTE ON FUNCTION entitle.grant_view(regclass, regclass) TO PUBLIC;

-- What was revoked meanwhile is not given back: a role is given back what it held on the table if it still holds the same on
-- the view, and what it held on a partition, or on a table whose view is gone, if it still holds the same on some column of that.
CREATE FUNCTION entitle.put_back_privileges(root regclass, view regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    was_role CONSTANT text := current_setting('role');
    -- Columns that were renamed keep their old names in the view.
    names CONSTANT jsonb := (SELECT jsonb_object_agg(c.view_column, c.column_name) FROM entitle.view_columns(root, view) c);
    held entitle.protection_privilege[];
    item entitle.protection_privilege;
    kept text[];
BEGIN
    SELECT array_agg(f ORDER BY f.relation::oid, f.position) INTO held
    FROM entitle.forget_privileges(root) f
    WHERE EXISTS (SELECT FROM pg_class c WHERE c.oid = f.relation)
      AND (f.grantee = 'public' OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname = f.grantee));

    SELECT coalesce(array_agg(format('%s %s %s', f.relation::oid, f.privilege, f.grantee)), '{}') INTO kept
    FROM unnest(held) AS f
    WHERE EXISTS (SELECT
                  FROM entitle.table_privileges(CASE WHEN f.relation = root AND view IS NOT NULL THEN view ELSE f.relation END) p
                  WHERE p.grantee = f.grantee
                    AND (p.privilege = f.privilege OR f.privilege IN ('REFERENCES', 'TRIGGER')))
       -- Nothing stands on the view for a role that could neither read nor write the table.
       OR NOT EXISTS (SELECT
                      FROM unnest(held) AS o
                      WHERE o.relation = f.relation AND o.grantee = f.grantee
                        AND o.privilege IN ('SELECT', 'INSERT', 'UPDATE'));

    PERFORM entitle.revoke_privilege(f.relation, f.privilege, f.grantee)
    FROM (SELECT DISTINCT u.relation, u.privilege, u.grantee FROM unnest(held) AS u) f;
    FOREACH item IN ARRAY coalesce(held, '{}') LOOP
        CONTINUE WHEN format('%s %s %s', item.relation::oid, item.privilege, item.grantee) <> ALL (kept);
        item.column_name := coalesce(names ->> item.column_name::text, item.column_name);
        IF item.column_name IS NOT NULL
           AND NOT EXISTS (SELECT
                           FROM pg_attribute a
                           WHERE a.attrelid = item.relation AND a.attname = item.column_name AND NOT a.attisdropped) THEN
            RAISE WARNING 'column "%" of table "%" is gone, and so is the privilege % on it that role "%" had',
                          item.column_name, item.relation, item.privilege, item.grantee;
            CONTINUE;
        END IF;
        -- A superuser can give back in the name of who gave; anyone else gives as the table's owner.
        IF item.grantor <> (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = item.relation)
           AND EXISTS (SELECT FROM pg_roles r WHERE r.rolname = item.grantor)
           AND (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user)
           AND current_user = coalesce(nullif(was_role, 'none')::name, session_user) THEN
            PERFORM set_config('role', item.grantor, true);
        END IF;
        PERFORM entitle.grant_privilege(item.relation, item.privilege,
                    CASE WHEN item.column_name IS NOT NULL THEN ARRAY[item.column_name] END, item.grantee, item.is_grantable);
        PERFORM set_config('role', was_role, true);
    END LOOP;
END
$$;
COMMENT ON FUNCTION entitle.put_back_privileges(regclass, regclass) IS 'Undoes narrow_privileges on a table with its parts';
GRANT EXECUTE ON FUNCTION entitle.put_back_privileges(regclass, regclass) TO PUBLIC;
