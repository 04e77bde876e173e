-- Roles that are rows of an application's table, and what they grant: a list in the same row, or rows of another table (R64).

-- Facts: whether it is active, name, organization, permissions.
CREATE FUNCTION entitle_internal.wanted_roles(adopted entitle.adoption, keys text[])
    RETURNS TABLE (source_key text, image jsonb, problem text, waits_for text)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT DISTINCT ON (f.source_key COLLATE "C") f.source_key,
           jsonb_build_object('organization_id', h.home, 'name', coalesce(nullif(btrim(f.facts[2], E' \t\n\r\f\x0b'), ''), f.source_key),
                              'is_active', f.facts[1] IS NOT DISTINCT FROM 't'),
           CASE WHEN h.home IS NULL THEN format('no organization has the key "%s"', f.facts[3])
                WHEN h.is_kept THEN 'the role does not change its organization while memberships made here hold it' END,
           CASE WHEN h.home IS NULL THEN format('%s %s', adopted.options ->> 'organizations', f.facts[3]) END
    FROM entitle_internal.source_facts(adopted.adoption_id, keys) f
    LEFT JOIN entitle.organization o ON o.adoption_id = (adopted.options ->> 'organizations')::bigint AND o.source_key = f.facts[3]
    LEFT JOIN entitle.role r ON r.adoption_id = adopted.adoption_id AND r.source_key = f.source_key
    CROSS JOIN LATERAL (SELECT e.home, r.organization_id <> e.home AND EXISTS (SELECT FROM entitle.membership m WHERE m.role_id = r.role_id AND m.adoption_id IS NULL)
                        FROM (SELECT CASE WHEN adopted.options ->> 'organizations' IS NULL THEN 1 ELSE o.organization_id END) AS e (home)) AS h (home, is_kept)
    WHERE adopted.options ->> 'organizations' IS NULL OR f.facts[3] IS NOT NULL
    ORDER BY f.source_key COLLATE "C", f.facts[1] DESC NULLS LAST, f.facts
    $$;
COMMENT ON FUNCTION entitle_internal.wanted_roles(entitle.adoption, text[]) IS 'The roles that the rows of an adopted table stand for';
REVOKE ALL ON FUNCTION entitle_internal.wanted_roles(entitle.adoption, text[]) FROM PUBLIC;

-- The words of a fact that lists several: of an array, or of a jsonb array. NULL where it is none.
CREATE FUNCTION entitle_internal.fact_words(fact text, list text) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN list = 'array' THEN fact::text[]
                WHEN list IS NULL THEN ARRAY[fact]
                WHEN jsonb_typeof(fact::jsonb) = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(fact::jsonb)) END
    $$;
COMMENT ON FUNCTION entitle_internal.fact_words(text, text) IS 'The words of a fact that is a word, an array or a jsonb array; NULL where it is no array';
REVOKE ALL ON FUNCTION entitle_internal.fact_words(text, text) FROM PUBLIC;

-- Of roles: the words in their rows. Facts of role permissions: whether it is active, role, permission. A word that is no permission is
-- left out and told; the others count.
CREATE FUNCTION entitle_internal.wanted_role_permissions(adopted entitle.adoption, keys text[])
    RETURNS TABLE (source_key text, image jsonb, problem text, waits_for text)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT DISTINCT l.source_key, jsonb_build_object('role_id', r.role_id, 'permission_key', p.permission_key),
           CASE WHEN l.is_none THEN 'its permissions are no list'
                WHEN r.role_id IS NULL THEN format('no role has the key "%s"', l.role_key)
                WHEN p.permission_key IS NULL THEN format('"%s" is no permission', l.word) END,
           CASE WHEN r.role_id IS NULL THEN format('%s %s', adopted.options ->> 'roles', l.role_key) END
    FROM (SELECT f.source_key, f.source_key AS role_key, t.word, t.word IS NULL AS is_none
          FROM entitle_internal.source_facts(adopted.adoption_id, keys) f
          CROSS JOIN LATERAL (SELECT entitle_internal.fact_words(f.facts[4], adopted.options ->> 'permissions')) AS w (words)
          LEFT JOIN LATERAL unnest(w.words) AS t (word) ON true
          WHERE adopted.kind = 'roles' AND adopted.options ->> 'permissions' IS NOT NULL AND f.facts[1] = 't' AND f.facts[4] IS NOT NULL
            AND (w.words IS NULL OR t.word IS NOT NULL)
          UNION ALL
          SELECT f.source_key, f.facts[2], f.facts[3], false
          FROM entitle_internal.source_facts(adopted.adoption_id, keys) f
          WHERE adopted.kind = 'role_permissions' AND f.facts[1] = 't' AND f.facts[2] IS NOT NULL AND f.facts[3] IS NOT NULL) l
    LEFT JOIN entitle.role r ON r.source_key = l.role_key
         AND r.adoption_id = CASE adopted.kind WHEN 'roles' THEN adopted.adoption_id ELSE (adopted.options ->> 'roles')::bigint END
    LEFT JOIN entitle.permission p ON p.permission_key = l.word
    -- A role that cannot be followed is told by itself; its table is written first.
    WHERE adopted.kind = 'role_permissions' OR r.is_active
    $$;
COMMENT ON FUNCTION entitle_internal.wanted_role_permissions(entitle.adoption, text[]) IS 'The permissions of roles that the rows of an adopted table stand for';
REVOKE ALL ON FUNCTION entitle_internal.wanted_role_permissions(entitle.adoption, text[]) FROM PUBLIC;

-- How a column lists words: in an array, in jsonb, or, with NULL, as one.
CREATE FUNCTION entitle_internal.list_of(source regclass, argument text, column_name name, types regtype[]) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found_type pg_type;
BEGIN
    SELECT t.* INTO found_type
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = entitle_internal.base_type(a.atttypid)
    WHERE a.attrelid = source AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped;
    IF found_type.typcategory = 'A' AND (entitle_internal.base_type(found_type.typelem) = ANY (types)
                                         OR 'anyenum'::regtype = ANY (types) AND EXISTS (SELECT FROM pg_type e WHERE e.oid = found_type.typelem AND e.typtype = 'e')) THEN
        RETURN 'array';
    ELSIF found_type.oid = 'jsonb'::regtype AND 'jsonb'::regtype = ANY (types) THEN
        RETURN 'jsonb';
    END IF;
    PERFORM entitle_internal.check_protection_column(source, argument, column_name, types);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION entitle_internal.list_of(regclass, text, name, regtype[]) IS 'How a column of an adopted table lists words: array, jsonb, or NULL for one word';
GRANT EXECUTE ON FUNCTION entitle_internal.list_of(regclass, text, name, regtype[]) TO PUBLIC;

CREATE FUNCTION entitle_internal.adopt_roles_steps(
    source regclass, key_column name, name_column name, organization_column name, permissions_column name, active_when text, on_conflict text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    keys CONSTANT regtype[] := '{smallint,integer,bigint,uuid,text,varchar,anyenum}';
    list text;
    declared entitle.adoption;
BEGIN
    PERFORM entitle_internal.check_adoptable(source, 'entitle.adopt_roles'::regproc::regprocedure);
    IF key_column IS NULL OR name_column IS NULL THEN
        RAISE EXCEPTION 'no key or name column is given' USING ERRCODE = '22004', HINT = 'Give the column by which other tables name the role, and that of its name.';
    END IF;
    PERFORM entitle_internal.check_protection_column(source, 'key_column', key_column, keys);
    IF permissions_column IS NOT NULL THEN
        list := entitle_internal.list_of(source, 'permissions_column', permissions_column, '{text,varchar,char,anyenum,jsonb}');
        IF list IS NULL THEN
            RAISE EXCEPTION 'column "%" of table "%" is no list', permissions_column, source
                USING ERRCODE = '42804', HINT = 'permissions_column takes a column of type text[] or jsonb; rows of another table are adopted by entitle.adopt_role_permissions.';
        END IF;
    END IF;
    declared.source := source;
    declared.kind := 'roles';
    declared.key_columns := entitle_internal.adopted_key(source, key_column);
    declared.facts := ARRAY[coalesce(active_when, 'true'),
                            entitle_internal.column_fact(source, 'name_column', name_column, keys),
                            entitle_internal.column_fact(source, 'organization_column', organization_column, keys),
                            coalesce(quote_ident(permissions_column), 'NULL::text')];
    declared.options := jsonb_build_object('organization_column', organization_column, 'permissions', list);
    declared.on_conflict := on_conflict;
    PERFORM entitle_internal.install_adoption(declared);
END
$$;
COMMENT ON FUNCTION entitle_internal.adopt_roles_steps(regclass, name, name, name, name, text, text) IS 'What adopt_roles does';
REVOKE ALL ON FUNCTION entitle_internal.adopt_roles_steps(regclass, name, name, name, name, text, text) FROM PUBLIC;

CREATE FUNCTION entitle.adopt_roles(
    source regclass,
    key_column name,
    name_column name,
    organization_column name DEFAULT NULL,
    permissions_column name DEFAULT NULL,
    active_when text DEFAULT NULL,
    on_conflict text DEFAULT 'refuse') RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.adopt_roles(regclass, name, name, name, name, text, text) IS
    'Has the rows of an application''s table stand for roles of adopted organizations, or of organization 1, which grant what permissions_column lists (R64)'
    '. Raises 42501: the caller does not own the table, or that of the organizations; 22004, 22023: an argument is missing or wrong; 42703: no such column; '
    '42804: a column has an unfit type; 42809: no table that can be; 23505: a name is taken, or a word is no permission';
REVOKE ALL ON FUNCTION entitle.adopt_roles(regclass, name, name, name, name, text, text) FROM PUBLIC;

CREATE FUNCTION entitle_internal.adopt_role_permissions_steps(
    source regclass, role_column name, permission_column name, active_when text, on_conflict text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    declared entitle.adoption;
BEGIN
    PERFORM entitle_internal.check_adoptable(source, 'entitle.adopt_role_permissions'::regproc::regprocedure);
    IF role_column IS NULL OR permission_column IS NULL THEN
        RAISE EXCEPTION 'no role or permission column is given' USING ERRCODE = '22004', HINT = 'Give the columns that name the role and the permission.';
    END IF;
    declared.source := source;
    declared.kind := 'role_permissions';
    declared.key_columns := entitle_internal.adopted_key(source, NULL);
    declared.facts := ARRAY[coalesce(active_when, 'true'),
                            entitle_internal.column_fact(source, 'role_column', role_column, '{smallint,integer,bigint,uuid,text,varchar,anyenum}'),
                            entitle_internal.column_fact(source, 'permission_column', permission_column, '{text,varchar,char,anyenum}')];
    declared.options := jsonb_build_object('role_column', role_column);
    declared.on_conflict := on_conflict;
    PERFORM entitle_internal.install_adoption(declared);
END
$$;
COMMENT ON FUNCTION entitle_internal.adopt_role_permissions_steps(regclass, name, name, text, text) IS 'What adopt_role_permissions does';
REVOKE ALL ON FUNCTION entitle_internal.adopt_role_permissions_steps(regclass, name, name, text, text) FROM PUBLIC;

CREATE FUNCTION entitle.adopt_role_permissions(
    source regclass,
    role_column name,
    permission_column name,
    active_when text DEFAULT NULL,
    on_conflict text DEFAULT 'refuse') RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.adopt_role_permissions(regclass, name, name, text, text) IS
    'Has the rows of an application''s table stand for permissions that adopted roles grant (R64)'
    '. Raises 42501: the caller does not own the table, or that of the roles; 22004, 22023: an argument is missing or wrong; 42703: no such column; '
    '42804: a column has an unfit type; 42809: no table that can be; 23505: a row cannot be followed';
REVOKE ALL ON FUNCTION entitle.adopt_role_permissions(regclass, name, name, text, text) FROM PUBLIC;
