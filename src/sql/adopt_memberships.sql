-- Memberships that are rows of an application's table: each names a user, and the organization or brand where he has a place (R64).

-- Facts: whether it is active, user, organization, brand, roles, whether he owns the organization. A row that names nobody, or no place,
-- gives nothing, and nothing is wrong with it. Of several roles each is a membership; one that is not known is left out and told. Where a
-- brand is given, its own move to another organization may let the role in, as the role's may: such a row waits for both.
CREATE FUNCTION entitle_internal.wanted_memberships(adopted entitle.adoption, keys text[])
    RETURNS TABLE (source_key text, image jsonb, problem text, waits_for text)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT DISTINCT m.source_key,
           jsonb_build_object('user_id', u.user_id, 'organization_id', CASE WHEN m.brand IS NULL THEN h.home END, 'brand_id', b.brand_id,
                              'role_id', r.role_id, 'is_owner', m.is_owner),
           p.problem, t.waits_for
    FROM (SELECT f.source_key, f.facts[2] AS who, f.facts[3] AS organization, f.facts[4] AS brand, l.role, f.facts[6] IS NOT DISTINCT FROM 't' AS is_owner
          FROM entitle_internal.source_facts(adopted.adoption_id, keys) f
          CROSS JOIN LATERAL (SELECT array_remove(entitle_internal.fact_words(f.facts[5], adopted.options ->> 'list'), NULL)) AS w (words)
          -- Without a role one is a member that is granted nothing.
          CROSS JOIN LATERAL unnest(CASE WHEN cardinality(w.words) > 0 THEN w.words ELSE ARRAY[NULL::text] END) AS l (role)
          WHERE f.facts[1] = 't' AND f.facts[2] IS NOT NULL) m
    LEFT JOIN entitle.app_user u ON u.adoption_id = (adopted.options ->> 'users')::bigint AND u.source_key = m.who
    LEFT JOIN entitle.organization o ON o.adoption_id = (adopted.options ->> 'organizations')::bigint AND o.source_key = m.organization
    LEFT JOIN entitle.brand b ON b.adoption_id = (adopted.options ->> 'brands')::bigint AND b.source_key = m.brand
    CROSS JOIN LATERAL (SELECT CASE WHEN m.brand IS NOT NULL THEN b.organization_id
                                    WHEN coalesce(adopted.options ->> 'organizations', adopted.options ->> 'brands') IS NULL THEN 1
                                    ELSE o.organization_id END) AS h (home)
    LEFT JOIN entitle.role k ON k.adoption_id = (adopted.options ->> 'roles')::bigint AND k.source_key = m.role
    LEFT JOIN entitle.role n ON adopted.options ->> 'roles' IS NULL AND n.organization_id = h.home AND n.name = m.role AND (n.adoption_id IS NULL OR n.is_active)
    CROSS JOIN LATERAL (SELECT coalesce(k.role_id, n.role_id), coalesce(k.organization_id, n.organization_id)) AS r (role_id, organization_id)
    CROSS JOIN LATERAL (SELECT
           CASE WHEN u.user_id IS NULL THEN format('no user has the key "%s"', m.who)
                WHEN m.brand IS NOT NULL AND b.brand_id IS NULL THEN format('no brand has the key "%s"', m.brand)
                WHEN h.home IS NULL THEN format('no organization has the key "%s"', m.organization)
                WHEN m.brand IS NOT NULL AND m.organization IS NOT NULL AND o.organization_id IS DISTINCT FROM h.home THEN format('brand "%s" is one of another organization', m.brand)
                WHEN m.is_owner AND m.brand IS NOT NULL THEN 'an owner owns an organization, not a brand'
                WHEN m.role IS NOT NULL AND r.role_id IS NULL THEN format('no role has the %s "%s"', CASE WHEN adopted.options ->> 'roles' IS NULL THEN 'name' ELSE 'key' END, m.role)
                WHEN r.organization_id <> h.home THEN format('role "%s" is one of another organization', m.role) END,
           CASE WHEN u.user_id IS NULL THEN ARRAY[format('%s %s', adopted.options ->> 'users', m.who)]
                WHEN m.brand IS NOT NULL AND b.brand_id IS NULL THEN ARRAY[format('%s %s', adopted.options ->> 'brands', m.brand)]
                WHEN h.home IS NULL THEN ARRAY[format('%s %s', adopted.options ->> 'organizations', m.organization)]
                ELSE array_remove(ARRAY[CASE WHEN m.role IS NOT NULL THEN (adopted.options ->> 'roles') || ' ' || m.role END,
                                        (adopted.options ->> 'brands') || ' ' || m.brand,
                                        CASE WHEN m.brand IS NOT NULL THEN (adopted.options ->> 'organizations') || ' ' || m.organization END], NULL) END)
        AS p (problem, waits)
    LEFT JOIN LATERAL unnest(CASE WHEN p.problem IS NOT NULL THEN p.waits END) AS t (waits_for) ON true
    WHERE coalesce(adopted.options ->> 'organizations', adopted.options ->> 'brands') IS NULL OR m.organization IS NOT NULL OR m.brand IS NOT NULL
    $$;
COMMENT ON FUNCTION entitle_internal.wanted_memberships(entitle.adoption, text[]) IS 'The memberships that the rows of an adopted table stand for';
REVOKE ALL ON FUNCTION entitle_internal.wanted_memberships(entitle.adoption, text[]) FROM PUBLIC;

CREATE FUNCTION entitle_internal.adopt_memberships_steps(
    source regclass, user_column name, organization_column name, brand_column name, role_column name, owner_when text, active_when text, on_conflict text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    keys CONSTANT regtype[] := '{smallint,integer,bigint,uuid,text,varchar,anyenum}';
    declared entitle.adoption;
BEGIN
    PERFORM entitle_internal.check_adoptable(source, 'entitle.adopt_memberships'::regproc::regprocedure);
    IF user_column IS NULL THEN
        RAISE EXCEPTION 'no user column is given' USING ERRCODE = '22004', HINT = 'Give the column that names the user.';
    END IF;
    declared.source := source;
    declared.kind := 'memberships';
    declared.key_columns := entitle_internal.adopted_key(source, NULL);
    declared.options := jsonb_build_object('user_column', user_column, 'organization_column', organization_column, 'brand_column', brand_column,
                                           'role_column', role_column,
                                           'list', CASE WHEN role_column IS NOT NULL THEN entitle_internal.list_of(source, 'role_column', role_column, keys) END);
    declared.facts := ARRAY[coalesce(active_when, 'true'),
                            entitle_internal.column_fact(source, 'user_column', user_column, keys),
                            entitle_internal.column_fact(source, 'organization_column', organization_column, keys),
                            entitle_internal.column_fact(source, 'brand_column', brand_column, keys),
                            coalesce(quote_ident(role_column), 'NULL::text'),
                            coalesce(owner_when, 'false')];
    declared.on_conflict := on_conflict;
    PERFORM entitle_internal.install_adoption(declared);
END
$$;
COMMENT ON FUNCTION entitle_internal.adopt_memberships_steps(regclass, name, name, name, name, text, text, text) IS 'What adopt_memberships does';
REVOKE ALL ON FUNCTION entitle_internal.adopt_memberships_steps(regclass, name, name, name, name, text, text, text) FROM PUBLIC;

CREATE FUNCTION entitle.adopt_memberships(
    source regclass,
    user_column name,
    organization_column name DEFAULT NULL,
    brand_column name DEFAULT NULL,
    role_column name DEFAULT NULL,
    owner_when text DEFAULT NULL,
    active_when text DEFAULT NULL,
    on_conflict text DEFAULT 'refuse') RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.adopt_memberships(regclass, name, name, name, name, text, text, text) IS
    'Has the rows of an application''s table stand for memberships of adopted users in adopted organizations and brands, or in organization 1, with one role or several;'
    ' one is an owner where owner_when holds (R64)'
    '. Raises 42501: the caller does not own the table, or those it refers to; 22004, 22023: an argument is missing or wrong; 42703: no such column; '
    '42804: a column has an unfit type; 42809: no table that can be; 23505: a row cannot be followed';
REVOKE ALL ON FUNCTION entitle.adopt_memberships(regclass, name, name, name, name, text, text, text) FROM PUBLIC;
