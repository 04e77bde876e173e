-- Row-level security on the model's own tables: given table privileges, an ordinary role sees no more than its own rights, and
-- managers what they manage. Not forced: the owner, who is a superuser, keeps the model; so do dumps and loaders.
--
-- Each table has one policy for reading and, to refuse a write to a visible row with an error rather than silence (R3), lets
-- UPDATE and DELETE find the rows that SELECT finds: a failing WITH CHECK refuses the one, a trigger the other.

-- What the caller belongs to, from the rights in memory: a removed membership counts at the next statement even under an
-- old snapshot (S12). In most policies these functions stand inside a sub-select, which makes them run once a query.

CREATE FUNCTION entitle.own_user() RETURNS bigint
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_own_user';
COMMENT ON FUNCTION entitle.own_user() IS 'current_user_id, when that user exists and is active';
GRANT EXECUTE ON FUNCTION entitle.own_user() TO PUBLIC;

CREATE FUNCTION entitle.owned_organizations() RETURNS bigint[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_owned_organizations';
COMMENT ON FUNCTION entitle.owned_organizations() IS 'The organizations the user owns';
GRANT EXECUTE ON FUNCTION entitle.owned_organizations() TO PUBLIC;

CREATE FUNCTION entitle.owned_brands() RETURNS bigint[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_owned_brands';
COMMENT ON FUNCTION entitle.owned_brands() IS 'The brands of the organizations the user owns';
GRANT EXECUTE ON FUNCTION entitle.owned_brands() TO PUBLIC;

CREATE FUNCTION entitle.own_organizations() RETURNS bigint[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_own_organizations';
COMMENT ON FUNCTION entitle.own_organizations() IS 'The organizations the user is a member of, or of a brand of';
GRANT EXECUTE ON FUNCTION entitle.own_organizations() TO PUBLIC;

CREATE FUNCTION entitle.own_brands() RETURNS bigint[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_own_brands';
COMMENT ON FUNCTION entitle.own_brands() IS 'The brands the user is a member of';
GRANT EXECUTE ON FUNCTION entitle.own_brands() TO PUBLIC;

CREATE FUNCTION entitle_internal.held_roles() RETURNS bigint[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_held_roles';
COMMENT ON FUNCTION entitle_internal.held_roles() IS 'The roles of the user''s memberships';
GRANT EXECUTE ON FUNCTION entitle_internal.held_roles() TO PUBLIC;

CREATE FUNCTION entitle.managed_organizations() RETURNS bigint[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_managed_organizations';
COMMENT ON FUNCTION entitle.managed_organizations() IS
    'The organizations the user owns, and those whose roles or members he manages (R59, R60)';
GRANT EXECUTE ON FUNCTION entitle.managed_organizations() TO PUBLIC;

CREATE FUNCTION entitle.managed_brands() RETURNS bigint[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_managed_brands';
COMMENT ON FUNCTION entitle.managed_brands() IS 'The brands of managed_organizations, and those whose members the user manages (R60)';
GRANT EXECUTE ON FUNCTION entitle.managed_brands() TO PUBLIC;

-- In C, with what the caller manages kept from row to row: it is asked for every user that a query lists. It reads two indexes, and
-- says so: where memberships name the users, these few are looked up rather than everybody asked about.
CREATE FUNCTION entitle_internal.manages_user_support(internal) RETURNS internal
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_manages_user_support';
COMMENT ON FUNCTION entitle_internal.manages_user_support(internal) IS
    'Planner support of manages_user: loads the library, and estimates that those whom a query comes to are managed';
REVOKE ALL ON FUNCTION entitle_internal.manages_user_support(internal) FROM PUBLIC;

CREATE FUNCTION entitle.manages_user(user_id bigint) RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE COST 1000 SUPPORT entitle_internal.manages_user_support
    AS 'MODULE_PATHNAME', 'entitle_manages_user';
COMMENT ON FUNCTION entitle.manages_user(bigint) IS
    'Whether the user has a grant on a customer whose access the caller manages, or a place in an organization or brand whose members the caller manages';
GRANT EXECUTE ON FUNCTION entitle.manages_user(bigint) TO PUBLIC;

-- SECURITY DEFINER, like the functions down to customer_allowed: they read the model past its own policies, which would otherwise
-- ask themselves (S100). Each answers about the caller only, so PUBLIC may execute it. In PL/pgSQL, which keeps the plan: before 18
-- a function in SQL plans its query at each call, which took a millisecond of each list of members.
CREATE FUNCTION entitle.own_roles() RETURNS bigint[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN (SELECT coalesce(array_agg(o.role_id), '{}')
            FROM (SELECT r.role_id
                  FROM entitle.role r
                  WHERE r.organization_id = ANY (entitle.managed_organizations())
                  UNION
                  SELECT r.role_id
                  FROM entitle.role r
                  WHERE r.organization_id IN (SELECT b.organization_id
                                              FROM entitle.brand b
                                              WHERE b.brand_id = ANY (entitle.managed_brands()))
                  UNION
                  SELECT r.role_id FROM entitle.role r WHERE r.role_id = ANY (entitle_internal.held_roles())) AS o);
END
$$;
COMMENT ON FUNCTION entitle.own_roles() IS
    'The roles the user holds, and those of the organizations whose roles or members, or members of a brand, the user manages';
GRANT EXECUTE ON FUNCTION entitle.own_roles() TO PUBLIC;

-- SECURITY DEFINER: it finds the customer's brand past the customers' own policy. It answers about the caller only.
CREATE FUNCTION entitle.customer_allowed(customer_id bigint, permission text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT EXISTS (SELECT FROM entitle.customer c
                   WHERE c.customer_id = customer_allowed.customer_id
                     AND entitle.brand_row_allowed('customers.view', c.brand_id, NULL::integer, NULL::bigint)
                     AND entitle.brand_row_allowed(customer_allowed.permission, c.brand_id, NULL::integer, NULL::bigint))
    $$;
COMMENT ON FUNCTION entitle.customer_allowed(bigint, text) IS 'Whether the user sees the customer by permission, and holds this permission in its brand';
GRANT EXECUTE ON FUNCTION entitle.customer_allowed(bigint, text) TO PUBLIC;

CREATE INDEX change_log_moved_role_idx ON entitle.change_log (((row_key ->> 'role_id')::bigint))
    WHERE relation = 'entitle.role'::regclass AND old_row ->> 'organization_id' <> new_row ->> 'organization_id';
COMMENT ON INDEX entitle.change_log_moved_role_idx IS 'Finds roles that moved to another organization';

CREATE FUNCTION entitle_internal.sees_lists_of(role_id bigint) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT EXISTS (SELECT FROM entitle.role r
                   WHERE r.role_id = sees_lists_of.role_id AND r.organization_id = ANY (entitle.managed_organizations()))
       AND NOT EXISTS (SELECT FROM entitle.change_log l
                       WHERE l.relation = 'entitle.role'::regclass AND l.old_row ->> 'organization_id' <> l.new_row ->> 'organization_id'
                         AND (l.row_key ->> 'role_id')::bigint = sees_lists_of.role_id
                         AND (l.old_row ->> 'organization_id')::bigint <> ALL (entitle.managed_organizations()))
    $$;
COMMENT ON FUNCTION entitle_internal.sees_lists_of(bigint) IS
    'Whether the user manages the organization of the role, and all that it came from: what it listed there is in the log, too';
REVOKE ALL ON FUNCTION entitle_internal.sees_lists_of(bigint) FROM PUBLIC;

-- SECURITY DEFINER: it looks at what the log tells about past the tables' own policies. It answers about the caller only. An entry
-- of an UPDATE holds two rows, either of which may tell of what the reader does not manage (S166): it is asked for each, with that
-- row's own key.
CREATE FUNCTION entitle.log_shows(relation regclass, row_key jsonb, row_image jsonb) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE relation
        WHEN 'entitle.external_access'::regclass THEN entitle.manages_access((row_key ->> 'customer_id')::bigint)
        -- In the brand it has now and in the one it had then; of a recalculation there is the score alone.
        WHEN 'entitle.customer'::regclass THEN entitle.customer_allowed((row_key ->> 'customer_id')::bigint, 'customers.edit')
            AND (row_image -> 'brand_id' IS NULL
                 OR entitle.brand_row_allowed('customers.edit', (row_image ->> 'brand_id')::bigint, NULL::integer, NULL::bigint))
        WHEN 'entitle.customer_metric'::regclass THEN entitle.customer_allowed((row_key ->> 'customer_id')::bigint, 'customers.edit')
        WHEN 'entitle.integration_link'::regclass THEN entitle.customer_allowed((row_key ->> 'customer_id')::bigint, 'customers.edit')
        WHEN 'entitle.client_metric'::regclass THEN row_image IS NOT NULL AND entitle.sees_metrics((row_image ->> 'organization_id')::bigint)
        WHEN 'entitle.app_user'::regclass THEN entitle.manages_user((row_key ->> 'user_id')::bigint)
        WHEN 'entitle.organization'::regclass THEN (row_key ->> 'organization_id')::bigint = ANY (entitle.managed_organizations())
        WHEN 'entitle.brand'::regclass THEN (row_key ->> 'brand_id')::bigint = ANY (entitle.managed_brands())
            AND (row_image ->> 'organization_id')::bigint = ANY (entitle.managed_organizations())
        WHEN 'entitle.brand_module'::regclass THEN (row_key ->> 'brand_id')::bigint = ANY (entitle.managed_brands())
        WHEN 'entitle.role'::regclass THEN (row_image ->> 'organization_id')::bigint = ANY (entitle.managed_organizations())
        WHEN 'entitle.role_permission'::regclass THEN entitle_internal.sees_lists_of((row_key ->> 'role_id')::bigint)
        WHEN 'entitle.role_metric'::regclass THEN entitle_internal.sees_lists_of((row_key ->> 'role_id')::bigint)
        -- All that it carries.
        WHEN 'entitle.pending_invitation'::regclass THEN
            num_nonnulls(row_image ->> 'organization_id', row_image ->> 'brand_id', row_image ->> 'customer_id') > 0
            AND (row_image ->> 'organization_id' IS NULL OR (row_image ->> 'organization_id')::bigint = ANY (entitle.managed_organizations()))
            AND (row_image ->> 'brand_id' IS NULL OR (row_image ->> 'brand_id')::bigint = ANY (entitle.managed_brands()))
            AND (row_image ->> 'customer_id' IS NULL OR entitle.manages_access((row_image ->> 'customer_id')::bigint))
        -- A brand may have been another organization's then.
        WHEN 'entitle.membership'::regclass THEN (row_image ->> 'organization_id')::bigint = ANY (entitle.managed_organizations())
            OR (row_image ->> 'brand_id')::bigint = ANY (entitle.managed_brands())
               AND (row_image ->> 'role_organization_id' IS NULL
                    OR EXISTS (SELECT FROM entitle.brand b
                               WHERE b.brand_id = (row_image ->> 'brand_id')::bigint
                                 AND b.organization_id = (row_image ->> 'role_organization_id')::bigint))
        END
    $$;
COMMENT ON FUNCTION entitle.log_shows(regclass, jsonb, jsonb) IS 'Whether the user manages what a row of the change log tells about (R21)';
GRANT EXECUTE ON FUNCTION entitle.log_shows(regclass, jsonb, jsonb) TO PUBLIC;

-- SECURITY DEFINER: it finds the user past the users' own policy. It answers about the caller only.
CREATE FUNCTION entitle.knows_author(relation regclass, author text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT relation <> 'entitle.app_user'::regclass OR author IS NULL
        OR EXISTS (SELECT FROM entitle.app_user u
                   WHERE u.login = author AND (u.user_id = entitle.own_user() OR entitle.manages_user(u.user_id)))
    $$;
COMMENT ON FUNCTION entitle.knows_author(regclass, text) IS
    'Whether the user may know who wrote an entry of the change log: users are written by whoever manages them, wherever that is (R34)';
GRANT EXECUTE ON FUNCTION entitle.knows_author(regclass, text) TO PUBLIC;

-- What shows, table by table. Nothing shows of the tables that only the extension itself reads.
DO $$
DECLARE
    relation text;
    shows text;
    member CONSTANT text := '(SELECT entitle.own_user()) IS NOT NULL';
    own CONSTANT text := 'user_id = (SELECT entitle.own_user())';
    own_organization CONSTANT text := 'organization_id = ANY ((SELECT entitle.own_organizations())::bigint[])';
    own_brand CONSTANT text := 'brand_id = ANY ((SELECT entitle.own_brands())::bigint[])';
    own_role CONSTANT text := 'role_id = ANY ((SELECT entitle.own_roles())::bigint[])';
    managed CONSTANT text := 'organization_id = ANY ((SELECT entitle.managed_organizations())::bigint[])';
    -- Without a sub-select: the planner asks a STABLE function how long its array is, and takes any other for ten long. Of a large
    -- table it then read all, or started workers, for the members of one organization. Where no index is used, it costs a call a row.
    member_place CONSTANT text := 'organization_id = ANY (entitle.managed_organizations()) OR brand_id = ANY (entitle.managed_brands())';
BEGIN
    FOR relation, shows IN VALUES
        ('app_user', own || ' OR entitle.manages_user(user_id)'),
        ('organization', own_organization),
        ('plan', member),
        ('plan_denial', member),
        ('brand', own_brand),
        ('brand_module', own_brand),
        ('module', member),
        ('permission', member),
        ('permission_module', member),
        ('permission_prerequisite', member),
        ('capability', member),
        ('capability_permission', member),
        ('metric', member),
        ('metric_module', member),
        ('role', own_role || ' OR ' || managed),
        ('role_permission', own_role),
        ('role_metric', own_role),
        ('membership', own || ' OR ' || member_place),
        ('customer', 'entitle.brand_row_allowed(''customers.view'', brand_id, NULL::integer, NULL::bigint)'),
        ('client_metric', 'entitle.sees_metrics(organization_id)'),
        ('customer_metric', 'entitle.customer_allowed(customer_id, ''customers.view'')'),
        ('integration_link', 'entitle.customer_allowed(customer_id, ''customers.view'')'),
        ('external_access', own || ' OR entitle.manages_access(customer_id)'),
        ('change_log', 'entitle.log_shows(relation, row_key || coalesce(old_row, new_row, ''{}''), coalesce(old_row, new_row))'
                       ' AND (old_row IS NULL OR new_row IS NULL OR entitle.log_shows(relation, row_key || new_row, new_row))'
                       ' AND entitle.knows_author(relation, actor_login)'),
        ('pending_invitation', NULL),
        ('sign_in_grant', NULL),
        ('absent_relation', NULL),
        ('protection', NULL),
        ('protection_member', NULL),
        ('protection_view', NULL),
        ('protection_privilege', NULL) LOOP
        EXECUTE format('ALTER TABLE entitle.%I ENABLE ROW LEVEL SECURITY', relation);
        CONTINUE WHEN shows IS NULL;
        EXECUTE format('CREATE POLICY entitle_select ON entitle.%I FOR SELECT USING (%s)', relation, shows);
        EXECUTE format('COMMENT ON POLICY entitle_select ON entitle.%I IS %L', relation, 'What the user may know');
        EXECUTE format('CREATE POLICY entitle_delete ON entitle.%I FOR DELETE USING (%s)', relation, shows);
        EXECUTE format('COMMENT ON POLICY entitle_delete ON entitle.%I IS %L', relation,
                       'As entitle_select: the trigger entitle_delete refuses what may not be deleted');
    END LOOP;
END
$$;

-- Who writes, table by table: everywhere else only those whom row-level security does not bind. A visible row that may not be
-- written as it is may not be moved to where it may, nor deleted: the tables named here have a trigger entitle_guard or
-- entitle_authorize that decides about every write; elsewhere a trigger refuses to delete.
DO $$
DECLARE
    relation text;
    writes text;
BEGIN
    FOR relation, writes IN
        SELECT c.relname, w.writes
        FROM pg_catalog.pg_policy p
        JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
        LEFT JOIN (VALUES
            ('customer', 'entitle.brand_row_allowed(''customers.edit'', brand_id, NULL::integer, NULL::bigint)'),
            ('client_metric', 'entitle.writes_metrics(organization_id)'),
            ('customer_metric', 'entitle.can_score(customer_id)'),
            ('integration_link', 'entitle.can_link(customer_id)'),
            ('role', '(SELECT entitle.own_user()) IS NOT NULL'),
            ('role_permission', '(SELECT entitle.own_user()) IS NOT NULL'),
            ('role_metric', '(SELECT entitle.own_user()) IS NOT NULL'),
            -- By his number alone nobody becomes a member where he would be seen then (S305): the trigger asks that, too.
            ('membership', '(SELECT entitle.own_user()) IS NOT NULL'),
            ('app_user', '(SELECT entitle.own_user()) IS NOT NULL'),
            ('external_access', 'user_id = (SELECT entitle.own_user()) OR entitle.manages_access(customer_id)')
        ) AS w (relation, writes) ON w.relation = c.relname
        WHERE p.polname = 'entitle_select' AND c.relnamespace = 'entitle'::pg_catalog.regnamespace
          AND c.relname <> 'change_log' LOOP
        EXECUTE format('CREATE POLICY entitle_insert ON entitle.%I FOR INSERT WITH CHECK (%s)', relation, coalesce(writes, 'false'));
        EXECUTE format('COMMENT ON POLICY entitle_insert ON entitle.%I IS %L', relation, 'What the user may add');
        EXECUTE format(
            'CREATE POLICY entitle_update ON entitle.%I FOR UPDATE USING (%s) WITH CHECK (%s)', relation,
            (SELECT pg_catalog.pg_get_expr(p.polqual, p.polrelid)
             FROM pg_catalog.pg_policy p
             WHERE p.polname = 'entitle_select' AND p.polrelid = format('entitle.%I', relation)::pg_catalog.regclass),
            coalesce(writes, 'false'));
        EXECUTE format('COMMENT ON POLICY entitle_update ON entitle.%I IS %L', relation,
                       'Finds what entitle_select finds, and refuses with an error what may not be written');
        CONTINUE WHEN writes IS NOT NULL;
        EXECUTE format(
            'CREATE TRIGGER entitle_delete BEFORE DELETE ON entitle.%I FOR EACH ROW'
            ' WHEN (pg_catalog.row_security_active(%L::pg_catalog.regclass::oid)) EXECUTE FUNCTION entitle_internal.refuse_write()',
            relation, 'entitle.' || quote_ident(relation));
        EXECUTE format('ALTER TABLE entitle.%I ENABLE ALWAYS TRIGGER entitle_delete', relation);
        EXECUTE format('COMMENT ON TRIGGER entitle_delete ON entitle.%I IS %L', relation,
                       'Refuses to delete a visible row that the user may not delete');
    END LOOP;
END
$$;

-- What an L10 sees of a customer (R35); undated, so days back does not narrow it (R39).
CREATE VIEW entitle.customer_profile WITH (security_barrier) AS
    SELECT c.customer_id, c.customer_uuid, c.customer_code, c.legal_name, c.trade_name, c.tax_id, c.country, c.address,
           c.contact_email
    FROM entitle.customer c
    WHERE entitle.brand_row_allowed('customers.view', c.brand_id, 10, c.customer_id);
COMMENT ON VIEW entitle.customer_profile IS 'A customer''s profile, for customers.view and for external users from L10';

-- The view runs with its owner's rights: writing through it would pass by the table's policies.
CREATE TRIGGER entitle_write
    INSTEAD OF INSERT OR UPDATE OR DELETE ON entitle.customer_profile
    FOR EACH ROW EXECUTE FUNCTION entitle_internal.refuse_write();
COMMENT ON TRIGGER entitle_write ON entitle.customer_profile IS 'The view is for reading; customers are written in entitle.customer';

-- The sliders of a customer (R15): names show here to those who may edit, without the catalogue's multipliers.
CREATE VIEW entitle.customer_metric_value WITH (security_barrier) AS
    SELECT c.customer_id, m.name AS metric, v.value
    FROM entitle.customer c
    JOIN entitle.brand b ON b.brand_id = c.brand_id
    JOIN entitle.client_metric m ON m.organization_id IS NOT DISTINCT FROM b.organization_id
    LEFT JOIN entitle.customer_metric v ON v.customer_id = c.customer_id AND v.metric_id = m.metric_id
    WHERE entitle.brand_row_allowed('customers.edit', c.brand_id, NULL::integer, NULL::bigint)
      AND (m.is_active OR v.value IS NOT NULL);
COMMENT ON VIEW entitle.customer_metric_value IS
    'Every active metric of every customer the user may edit, of its organization''s catalogue, with its value; NULL where none is set';
