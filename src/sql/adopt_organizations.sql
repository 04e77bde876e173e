-- Organizations and brands that are rows of an application's tables (R64): its tenants, and their shops.

-- Facts: whether it is active, name.
CREATE FUNCTION entitle_internal.wanted_organizations(adopted entitle.adoption, keys text[])
    RETURNS TABLE (source_key text, image jsonb, problem text, waits_for text)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT DISTINCT ON (f.source_key COLLATE "C") f.source_key,
           jsonb_build_object('name', coalesce(nullif(btrim(f.facts[2], E' \t\n\r\f\x0b'), ''), f.source_key), 'is_active', f.facts[1] IS NOT DISTINCT FROM 't'),
           NULL::text, NULL::text
    FROM entitle_internal.source_facts(adopted.adoption_id, keys) f
    ORDER BY f.source_key COLLATE "C", f.facts[1] DESC NULLS LAST, f.facts
    $$;
COMMENT ON FUNCTION entitle_internal.wanted_organizations(entitle.adoption, text[]) IS 'The organizations that the rows of an adopted table stand for';
REVOKE ALL ON FUNCTION entitle_internal.wanted_organizations(entitle.adoption, text[]) FROM PUBLIC;

-- Facts: whether it is active, name, organization. One without organization would be standalone, where nothing is denied to members
-- (R25): such a row gives nothing.
CREATE FUNCTION entitle_internal.wanted_brands(adopted entitle.adoption, keys text[])
    RETURNS TABLE (source_key text, image jsonb, problem text, waits_for text)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT DISTINCT ON (f.source_key COLLATE "C") f.source_key,
           jsonb_strip_nulls(jsonb_build_object(
               'brand_id', CASE adopted.options ->> 'key_type' WHEN 'integer' THEN f.source_key::bigint END,
               'brand_uuid', CASE adopted.options ->> 'key_type' WHEN 'uuid' THEN f.source_key END,
               'brand_code', CASE adopted.options ->> 'key_type' WHEN 'text' THEN f.source_key END, 'organization_id', h.home,
               'name', coalesce(nullif(btrim(f.facts[2], E' \t\n\r\f\x0b'), ''), f.source_key), 'is_active', f.facts[1] IS NOT DISTINCT FROM 't')),
           CASE WHEN h.home IS NULL THEN format('no organization has the key "%s"', f.facts[3])
                WHEN adopted.options ->> 'key_type' = 'text' AND (btrim(f.source_key, E' \t\n\r\f\x0b') = '' OR octet_length(f.source_key) > 1000)
                    THEN 'its key is blank, or longer than 1000 bytes'
                WHEN h.is_kept THEN 'the brand does not change its organization while memberships made here hold roles of the old one' END,
           CASE WHEN h.home IS NULL THEN format('%s %s', adopted.options ->> 'organizations', f.facts[3]) END
    FROM entitle_internal.source_facts(adopted.adoption_id, keys) f
    LEFT JOIN entitle.organization o ON o.adoption_id = (adopted.options ->> 'organizations')::bigint AND o.source_key = f.facts[3]
    LEFT JOIN entitle.brand b ON b.adoption_id = adopted.adoption_id AND b.source_key = f.source_key
    CROSS JOIN LATERAL (SELECT e.home, b.organization_id <> e.home
                               AND EXISTS (SELECT FROM entitle.membership m WHERE m.brand_id = b.brand_id AND m.role_id IS NOT NULL AND m.adoption_id IS NULL)
                        FROM (SELECT CASE WHEN adopted.options ->> 'organizations' IS NULL THEN 1 ELSE o.organization_id END) AS e (home)) AS h (home, is_kept)
    WHERE adopted.options ->> 'organizations' IS NULL OR f.facts[3] IS NOT NULL
    ORDER BY f.source_key COLLATE "C", f.facts[1] DESC NULLS LAST, f.facts
    $$;
COMMENT ON FUNCTION entitle_internal.wanted_brands(entitle.adoption, text[]) IS 'The brands that the rows of an adopted table stand for';
REVOKE ALL ON FUNCTION entitle_internal.wanted_brands(entitle.adoption, text[]) FROM PUBLIC;

-- What a key of an adopted table is in the model: a number, a uuid, or a text.
CREATE FUNCTION entitle_internal.key_type(relation regclass, column_name name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN t.base IN ('smallint', 'integer', 'bigint') THEN 'integer' WHEN t.base = 'uuid'::regtype THEN 'uuid' ELSE 'text' END
    FROM pg_attribute a
    CROSS JOIN LATERAL entitle_internal.base_type(a.atttypid) AS t (base)
    WHERE a.attrelid = relation AND a.attname = column_name
    $$;
COMMENT ON FUNCTION entitle_internal.key_type(regclass, name) IS 'What a key of an adopted table is in the model: integer, uuid or text';
GRANT EXECUTE ON FUNCTION entitle_internal.key_type(regclass, name) TO PUBLIC;

CREATE FUNCTION entitle_internal.adopt_place(
    kind text, source regclass, key_column name, name_column name, organization_column name, active_when text, on_conflict text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    declared entitle.adoption;
BEGIN
    PERFORM entitle_internal.check_adoptable(source, format('entitle.adopt_%s', kind)::regproc::regprocedure);
    IF key_column IS NULL OR name_column IS NULL THEN
        RAISE EXCEPTION 'no key or name column is given' USING ERRCODE = '22004', HINT = 'Give the column by which other tables name the row, and that of its name.';
    END IF;
    PERFORM entitle_internal.check_protection_column(source, 'key_column', key_column, '{smallint,integer,bigint,uuid,text,varchar,anyenum}');
    declared.source := source;
    declared.kind := kind;
    declared.key_columns := entitle_internal.adopted_key(source, key_column);
    declared.facts := ARRAY[coalesce(active_when, 'true'),
                            entitle_internal.column_fact(source, 'name_column', name_column, '{text,varchar,char,smallint,integer,bigint,uuid,anyenum}'),
                            entitle_internal.column_fact(source, 'organization_column', organization_column,
                                                         '{smallint,integer,bigint,uuid,text,varchar,anyenum}')];
    declared.options := jsonb_build_object('key_type', entitle_internal.key_type(source, key_column), 'organization_column', organization_column);
    declared.on_conflict := on_conflict;
    PERFORM entitle_internal.install_adoption(declared);
END
$$;
COMMENT ON FUNCTION entitle_internal.adopt_place(text, regclass, name, name, name, text, text) IS 'What adopt_organizations and adopt_brands do, with the rights of their caller';
GRANT EXECUTE ON FUNCTION entitle_internal.adopt_place(text, regclass, name, name, name, text, text) TO PUBLIC;

CREATE FUNCTION entitle_internal.adopt_organizations_steps(source regclass, key_column name, name_column name, active_when text, on_conflict text) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT entitle_internal.adopt_place('organizations', source, key_column, name_column, NULL, active_when, on_conflict) $$;
COMMENT ON FUNCTION entitle_internal.adopt_organizations_steps(regclass, name, name, text, text) IS 'What adopt_organizations does';
REVOKE ALL ON FUNCTION entitle_internal.adopt_organizations_steps(regclass, name, name, text, text) FROM PUBLIC;

CREATE FUNCTION entitle.adopt_organizations(
    source regclass,
    key_column name,
    name_column name,
    active_when text DEFAULT NULL,
    on_conflict text DEFAULT 'refuse') RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.adopt_organizations(regclass, name, name, text, text) IS
    'Has the rows of an application''s table stand for organizations, which give their members rights while active_when holds (R64)'
    '. Raises 42501: the caller does not own the table; 22004, 22023: an argument is missing or wrong; 42703: no such column; 42804: a column has an unfit type; '
    '42809: no table that can be; 23505: a name is taken';
REVOKE ALL ON FUNCTION entitle.adopt_organizations(regclass, name, name, text, text) FROM PUBLIC;

CREATE FUNCTION entitle_internal.adopt_brands_steps(
    source regclass, key_column name, name_column name, organization_column name, active_when text, on_conflict text) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT entitle_internal.adopt_place('brands', source, key_column, name_column, organization_column, active_when, on_conflict) $$;
COMMENT ON FUNCTION entitle_internal.adopt_brands_steps(regclass, name, name, name, text, text) IS 'What adopt_brands does';
REVOKE ALL ON FUNCTION entitle_internal.adopt_brands_steps(regclass, name, name, name, text, text) FROM PUBLIC;

CREATE FUNCTION entitle.adopt_brands(
    source regclass,
    key_column name,
    name_column name,
    organization_column name DEFAULT NULL,
    active_when text DEFAULT NULL,
    on_conflict text DEFAULT 'refuse') RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.adopt_brands(regclass, name, name, name, text, text) IS
    'Has the rows of an application''s table stand for brands of adopted organizations, or of organization 1, with every module enabled (R64)'
    '. Raises 42501: the caller does not own the table, or that of the organizations; 22004, 22023: an argument is missing or wrong; 42703: no such column; '
    '42804: a column has an unfit type; 42809: no table that can be; 23505: a key is another brand''s, or a row cannot be followed';
REVOKE ALL ON FUNCTION entitle.adopt_brands(regclass, name, name, name, text, text) FROM PUBLIC;
