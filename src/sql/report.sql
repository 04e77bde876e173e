-- Reports: who may do what, who sees which customer, what a change would give and take. Each row is what the checks decide.

CREATE FUNCTION entitle_internal.role_capabilities(role_id bigint, brand_id bigint) RETURNS text[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_role_capabilities';
COMMENT ON FUNCTION entitle_internal.role_capabilities(bigint, bigint) IS
    'The capabilities of a member who holds only that role, in the brand, or with NULL in any brand of the role''s organization';
REVOKE ALL ON FUNCTION entitle_internal.role_capabilities(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION entitle.user_rights(user_id bigint) RETURNS TABLE (kind text, place text, key text, value text)
    LANGUAGE C STABLE PARALLEL SAFE ROWS 100
    AS 'MODULE_PATHNAME', 'entitle_user_rights';
COMMENT ON FUNCTION entitle.user_rights(bigint) IS 'Everything a user holds: permissions and metrics brand by brand, grants that count today';
REVOKE ALL ON FUNCTION entitle.user_rights(bigint) FROM PUBLIC;

-- SECURITY DEFINER: it reads roles that the caller's row-level security may hide. It answers superusers, and those who manage external
-- access, roles or members in a brand of the organization (R62).
CREATE FUNCTION entitle.permission_matrix(organization_id bigint, brand_id bigint)
    RETURNS TABLE (role text, capability text, allowed boolean)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED -- it keeps its plan, which takes longer to make than to run
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN QUERY
    WITH opened AS MATERIALIZED (
        SELECT r.name, entitle_internal.role_capabilities(r.role_id, permission_matrix.brand_id) AS keys
        FROM entitle.role r
        WHERE r.organization_id = permission_matrix.organization_id
          AND ((SELECT entitle.acting_superuser())
               OR permission_matrix.organization_id = ANY ((SELECT entitle.managed_organizations())::bigint[])
               OR EXISTS (SELECT
                          FROM entitle.brand b
                          WHERE b.organization_id = permission_matrix.organization_id
                            AND (b.brand_id = ANY (entitle.managed_brands())
                                 OR entitle.has_permission('external_access.manage', b.brand_id)))))
    SELECT o.name, c.capability_key, c.capability_key = ANY (o.keys)
    FROM opened o
    CROSS JOIN entitle.capability c
    ORDER BY o.name, c.capability_key;
END
$$;
COMMENT ON FUNCTION entitle.permission_matrix(bigint, bigint) IS
    'Roles by capability: what a member who holds only that role may do in the brand, or with NULL in any brand of the organization';
GRANT EXECUTE ON FUNCTION entitle.permission_matrix(bigint, bigint) TO PUBLIC;

CREATE FUNCTION entitle.permission_matrix(organization_id bigint DEFAULT 1)
    RETURNS TABLE (role text, capability text, allowed boolean)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RETURN QUERY SELECT m.role, m.capability, m.allowed FROM entitle.permission_matrix(permission_matrix.organization_id, NULL) m;
END
$$;
COMMENT ON FUNCTION entitle.permission_matrix(bigint) IS
    'Roles by capability: what a member who holds only that role may do in at least one brand of the organization';
GRANT EXECUTE ON FUNCTION entitle.permission_matrix(bigint) TO PUBLIC;

-- SECURITY DEFINER: as permission_matrix; of the roles that the caller may see.
CREATE FUNCTION entitle.compare_roles(a bigint, b bigint) RETURNS TABLE (kind text, key text, in_a boolean, in_b boolean)
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    WITH asked (role_id) AS MATERIALIZED (
        SELECT r.role_id
        FROM entitle.role r
        WHERE r.role_id IN (a, b) AND (entitle.acting_superuser() OR r.role_id = ANY (entitle.own_roles()))),
    listed AS (
        SELECT q.role_id, 'capability' AS kind, k.key
        FROM asked q, unnest(entitle_internal.role_capabilities(q.role_id, NULL)) AS k (key)
        UNION ALL
        SELECT p.role_id, 'permission', p.permission_key FROM asked q JOIN entitle.role_permission p USING (role_id)
        UNION ALL
        SELECT m.role_id, 'metric', m.metric_key FROM asked q JOIN entitle.role_metric m USING (role_id))
    SELECT l.kind, l.key, bool_or(l.role_id = a), bool_or(l.role_id = b)
    FROM listed l
    WHERE (SELECT count(*) FROM asked) = cardinality(ARRAY(SELECT DISTINCT unnest(ARRAY[a, b])))
    GROUP BY l.kind, l.key
    ORDER BY l.kind, l.key
    $$;
COMMENT ON FUNCTION entitle.compare_roles(bigint, bigint) IS
    'What two roles list, and what they open in some brand of their organization, side by side; nothing when the caller does not see both (R62)';
GRANT EXECUTE ON FUNCTION entitle.compare_roles(bigint, bigint) TO PUBLIC;

-- SECURITY DEFINER: it reads logins that the caller's row-level security may hide. Whoever does not manage the customer's
-- access sees no grant but his own.
CREATE FUNCTION entitle.customer_access(customer_id bigint)
    RETURNS TABLE (login text, role text, level integer, days_back integer, valid_from date, valid_until date)
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT u.login, g.role, entitle.user_access_level(g.user_id, g.customer_id), g.days_back, g.valid_from, g.valid_until
    FROM entitle.external_access g
    JOIN entitle.app_user u USING (user_id)
    WHERE g.customer_id = customer_access.customer_id
      AND (g.user_id = entitle.own_user()
           OR (SELECT entitle.acting_superuser() OR entitle.manages_access(customer_access.customer_id)))
    ORDER BY u.login
    $$;
COMMENT ON FUNCTION entitle.customer_access(bigint) IS
    'Who has a grant on the customer; level is the one that counts today, 0 for a grant outside its dates or a user switched off';
GRANT EXECUTE ON FUNCTION entitle.customer_access(bigint) TO PUBLIC;

-- SECURITY DEFINER: as customer_access.
CREATE FUNCTION entitle.user_access(login text)
    RETURNS TABLE (customer_id bigint, role text, level integer, days_back integer, valid_from date, valid_until date)
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT g.customer_id, g.role, entitle.user_access_level(g.user_id, g.customer_id), g.days_back, g.valid_from, g.valid_until
    FROM entitle.app_user u
    JOIN entitle.external_access g USING (user_id)
    WHERE u.login = user_access.login
      AND ((SELECT entitle.acting_superuser()) OR u.user_id = (SELECT entitle.own_user()) OR entitle.manages_access(g.customer_id))
    ORDER BY g.customer_id
    $$;
COMMENT ON FUNCTION entitle.user_access(text) IS
    'The customers on which a user has a grant, of those whose access the caller manages; level is the one that counts today';
GRANT EXECUTE ON FUNCTION entitle.user_access(text) TO PUBLIC;

-- The past, from the change log.

CREATE FUNCTION entitle_internal.past_level(role text, days_back integer, valid_from date, valid_until date, is_active boolean, as_of timestamptz)
    RETURNS integer
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_past_level';
COMMENT ON FUNCTION entitle_internal.past_level(text, integer, date, date, boolean, timestamptz) IS
    'The level that such a grant of such a user gave at that time';
REVOKE ALL ON FUNCTION entitle_internal.past_level(text, integer, date, date, boolean, timestamptz) FROM PUBLIC;

-- The log's entries of a grant or user are found by its key: the one that the row had before, and where a change moved the row
-- the one it got. What was written anew has not moved, which is asked first: a load logs row after row.
CREATE INDEX change_log_grant_customer_idx ON entitle.change_log (((row_key ->> 'customer_id')::bigint))
    WHERE relation = 'entitle.external_access'::regclass;
COMMENT ON INDEX entitle.change_log_grant_customer_idx IS 'Finds the log of a customer''s grants';
CREATE INDEX change_log_grant_user_idx ON entitle.change_log (((row_key ->> 'user_id')::bigint))
    WHERE relation = 'entitle.external_access'::regclass;
COMMENT ON INDEX entitle.change_log_grant_user_idx IS 'Finds the log of a user''s grants';
CREATE INDEX change_log_moved_customer_idx ON entitle.change_log (((new_row ->> 'customer_id')::bigint))
    WHERE relation = 'entitle.external_access'::regclass AND old_row IS NOT NULL AND NOT new_row @> row_key;
COMMENT ON INDEX entitle.change_log_moved_customer_idx IS 'Finds grants that were moved to a customer';
CREATE INDEX change_log_moved_user_idx ON entitle.change_log (((new_row ->> 'user_id')::bigint))
    WHERE relation = 'entitle.external_access'::regclass AND old_row IS NOT NULL AND NOT new_row @> row_key;
COMMENT ON INDEX entitle.change_log_moved_user_idx IS 'Finds grants that were moved to a user';
CREATE INDEX change_log_user_idx ON entitle.change_log (((row_key ->> 'user_id')::bigint))
    WHERE relation = 'entitle.app_user'::regclass;
COMMENT ON INDEX entitle.change_log_user_idx IS 'Finds the log of a user';
CREATE INDEX change_log_renumbered_user_idx ON entitle.change_log (((new_row ->> 'user_id')::bigint))
    WHERE relation = 'entitle.app_user'::regclass AND old_row IS NOT NULL AND NOT new_row @> row_key;
COMMENT ON INDEX entitle.change_log_renumbered_user_idx IS 'Finds users whose id was changed';
CREATE INDEX change_log_truncate_idx ON entitle.change_log (relation, change_id) WHERE action = 'truncate';
COMMENT ON INDEX entitle.change_log_truncate_idx IS 'Finds the last time a table was emptied';

CREATE FUNCTION entitle_internal.last_truncate(logged regclass, as_of timestamptz) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(max(l.change_id), 0)
    FROM entitle.change_log l
    WHERE l.relation = logged AND l.action = 'truncate' AND l.changed_at <= as_of
    $$;
COMMENT ON FUNCTION entitle_internal.last_truncate(regclass, timestamptz) IS 'The change that emptied a logged table last before that time; 0 when none did';
REVOKE ALL ON FUNCTION entitle_internal.last_truncate(regclass, timestamptz) FROM PUBLIC;

CREATE FUNCTION entitle_internal.past_user(id bigint, as_of timestamptz) RETURNS TABLE (login text, is_active boolean)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT last.new_row ->> 'login', (last.new_row ->> 'is_active')::boolean
    FROM (SELECT e.*
          FROM (SELECT * FROM entitle.change_log l
                WHERE l.relation = 'entitle.app_user'::regclass AND (l.row_key ->> 'user_id')::bigint = id
                UNION ALL
                SELECT * FROM entitle.change_log l
                WHERE l.relation = 'entitle.app_user'::regclass AND l.old_row IS NOT NULL AND NOT l.new_row @> l.row_key
                  AND (l.new_row ->> 'user_id')::bigint = id) e
          WHERE e.changed_at <= as_of
          ORDER BY e.change_id DESC
          LIMIT 1) last
    -- Deleted, or given another number.
    WHERE (last.new_row ->> 'user_id')::bigint = id AND last.change_id > (SELECT entitle_internal.last_truncate('entitle.app_user', as_of))
    $$;
COMMENT ON FUNCTION entitle_internal.past_user(bigint, timestamptz) IS 'A user as at that time; no row when there was none';
REVOKE ALL ON FUNCTION entitle_internal.past_user(bigint, timestamptz) FROM PUBLIC;

-- A change of the key ends one grant and begins another; an emptied table has none left.
CREATE FUNCTION entitle_internal.past_grants(customer bigint, holder bigint, as_of timestamptz)
    RETURNS TABLE (customer_id bigint, login text, role text, level integer, days_back integer, valid_from date, valid_until date)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET max_parallel_workers_per_gather = 0 -- nothing tells the planner how few rows it finds; workers take longer to start
    AS $$
    WITH entry AS MATERIALIZED (
        SELECT e.change_id, e.old_row, e.new_row, jsonb_build_array(e.old_row -> 'customer_id', e.old_row -> 'user_id') AS old_key,
               jsonb_build_array(e.new_row -> 'customer_id', e.new_row -> 'user_id') AS new_key
        FROM (SELECT * FROM entitle.change_log l
              WHERE l.relation = 'entitle.external_access'::regclass AND (l.row_key ->> 'customer_id')::bigint = customer
              UNION ALL
              SELECT * FROM entitle.change_log l
              WHERE l.relation = 'entitle.external_access'::regclass AND l.old_row IS NOT NULL AND NOT l.new_row @> l.row_key
                AND (l.new_row ->> 'customer_id')::bigint = customer
              UNION ALL
              SELECT * FROM entitle.change_log l
              WHERE l.relation = 'entitle.external_access'::regclass AND (l.row_key ->> 'user_id')::bigint = holder
              UNION ALL
              SELECT * FROM entitle.change_log l
              WHERE l.relation = 'entitle.external_access'::regclass AND l.old_row IS NOT NULL AND NOT l.new_row @> l.row_key
                AND (l.new_row ->> 'user_id')::bigint = holder) e
        WHERE e.changed_at <= as_of),
    state AS (
        SELECT e.old_key AS key, e.change_id, CASE WHEN e.new_key = e.old_key THEN e.new_row END AS stored
        FROM entry e WHERE e.old_row IS NOT NULL
        UNION ALL
        SELECT e.new_key, e.change_id, e.new_row
        FROM entry e WHERE e.new_row IS NOT NULL AND e.new_key IS DISTINCT FROM e.old_key),
    past AS (
        SELECT g.*
        FROM (SELECT DISTINCT ON (s.key) s.stored, s.change_id FROM state s ORDER BY s.key, s.change_id DESC) last
        CROSS JOIN LATERAL jsonb_to_record(last.stored)
            AS g (customer_id bigint, user_id bigint, role text, days_back integer, valid_from date, valid_until date)
        WHERE (g.customer_id = customer OR g.user_id = holder)
          AND last.change_id > (SELECT entitle_internal.last_truncate('entitle.external_access', as_of)))
    SELECT g.customer_id, u.login, g.role,
           entitle_internal.past_level(g.role, g.days_back, g.valid_from, g.valid_until, u.is_active, as_of), g.days_back, g.valid_from, g.valid_until
    FROM past g
    LEFT JOIN (SELECT i.user_id, p.login, p.is_active
               FROM (SELECT DISTINCT past.user_id FROM past) i
               CROSS JOIN LATERAL entitle_internal.past_user(i.user_id, as_of) p) u USING (user_id)
    $$;
COMMENT ON FUNCTION entitle_internal.past_grants(bigint, bigint, timestamptz) IS
    'Grants on a customer or of a user, one of the two given, and their users, as they were at that time';
REVOKE ALL ON FUNCTION entitle_internal.past_grants(bigint, bigint, timestamptz) FROM PUBLIC;

-- SECURITY DEFINER: the log is closed. Superusers and who manages the customer's access today may ask.
CREATE FUNCTION entitle.customer_access(customer_id bigint, as_of timestamptz)
    RETURNS TABLE (login text, role text, level integer, days_back integer, valid_from date, valid_until date)
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT g.login, g.role, g.level, g.days_back, g.valid_from, g.valid_until
    FROM (SELECT WHERE entitle.acting_superuser() OR entitle.manages_access(customer_access.customer_id)) allowed,
         entitle_internal.past_grants(customer_access.customer_id, NULL, as_of) g
    ORDER BY g.login
    $$;
COMMENT ON FUNCTION entitle.customer_access(bigint, timestamptz) IS 'customer_access as it was at that time, from the change log';
GRANT EXECUTE ON FUNCTION entitle.customer_access(bigint, timestamptz) TO PUBLIC;

-- SECURITY DEFINER: as customer_access. The login is the user's of today.
CREATE FUNCTION entitle.user_access(login text, as_of timestamptz)
    RETURNS TABLE (customer_id bigint, role text, level integer, days_back integer, valid_from date, valid_until date)
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT g.customer_id, g.role, g.level, g.days_back, g.valid_from, g.valid_until
    FROM entitle.app_user u
    CROSS JOIN LATERAL entitle_internal.past_grants(NULL, u.user_id, as_of) g
    WHERE u.login = user_access.login AND ((SELECT entitle.acting_superuser()) OR entitle.manages_access(g.customer_id))
    ORDER BY g.customer_id
    $$;
COMMENT ON FUNCTION entitle.user_access(text, timestamptz) IS 'user_access as it was at that time, from the change log';
GRANT EXECUTE ON FUNCTION entitle.user_access(text, timestamptz) TO PUBLIC;

-- SECURITY DEFINER: it reads users past their own policy. Superusers are told of everybody. Whoever manages members or external
-- access is told of the users and places that he manages, everybody of himself (R62). It answers about the caller only.
CREATE FUNCTION entitle_internal.told_rights(users bigint[])
    RETURNS TABLE (user_id bigint, login text, kind text, place text, key text, value text)
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    WITH asker AS MATERIALIZED (
        SELECT entitle.acting_superuser() AS is_superuser, entitle.own_user() AS id, entitle.managed_organizations() AS organizations,
               entitle.managed_brands() AS brands),
    managed AS MATERIALIZED (
        SELECT m.user_id FROM asker a JOIN entitle.membership m ON m.organization_id = ANY (a.organizations)
        UNION
        SELECT m.user_id FROM asker a JOIN entitle.membership m ON m.brand_id = ANY (a.brands)
        UNION
        SELECT g.user_id FROM asker a JOIN entitle.external_access g ON NOT a.is_superuser AND entitle.manages_access(g.customer_id))
    SELECT u.user_id, u.login, t.kind, t.place, t.key, t.value
    FROM asker a
    JOIN entitle.app_user u ON a.is_superuser OR u.user_id = a.id OR u.user_id IN (SELECT m.user_id FROM managed m)
    CROSS JOIN LATERAL entitle.user_rights(u.user_id) t
    CROSS JOIN LATERAL (SELECT split_part(t.place, ' ', 2)::bigint AS id) p -- as user_rights writes it: brand 1, customer 1
    WHERE (users IS NULL OR u.user_id = ANY (users))
      AND (a.is_superuser OR u.user_id = a.id
           OR CASE t.kind WHEN 'access' THEN entitle.manages_access(p.id) ELSE p.id = ANY (a.brands) END)
    $$;
COMMENT ON FUNCTION entitle_internal.told_rights(bigint[]) IS
    'What these users hold, or with NULL all, where the caller manages it; to superusers everything (R62)';
GRANT EXECUTE ON FUNCTION entitle_internal.told_rights(bigint[]) TO PUBLIC;

CREATE FUNCTION entitle.rights_digests() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(jsonb_object_agg(d.user_id, d.digest), '{}')
    FROM (SELECT t.user_id, md5(string_agg(concat_ws(' ', t.kind, t.place, t.key, t.value), E'\n' ORDER BY t.kind, t.place, t.key)) AS digest
          FROM entitle_internal.told_rights(NULL) t
          GROUP BY t.user_id) d
    $$;
COMMENT ON FUNCTION entitle.rights_digests() IS 'A digest of everything each user holds, by user id, of those whom the caller manages (R62)';
GRANT EXECUTE ON FUNCTION entitle.rights_digests() TO PUBLIC;

CREATE FUNCTION entitle.rights_of(users bigint[]) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('login', t.login, 'kind', t.kind, 'place', t.place, 'key', t.key, 'value', t.value)), '[]')
    FROM entitle_internal.told_rights(users) t
    $$;
COMMENT ON FUNCTION entitle.rights_of(bigint[]) IS
    'Everything these users hold, as rows in JSON, of those whom the caller manages; NULL for NULL (R62)';
GRANT EXECUTE ON FUNCTION entitle.rights_of(bigint[]) TO PUBLIC;

-- Not SECURITY DEFINER: the change runs with its author's own rights, so whoever tries one can do it. What he is told of is what he
-- manages, before and after.
CREATE FUNCTION entitle.explain_change(change text)
    RETURNS TABLE (login text, kind text, place text, key text, before text, after text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    digests_before jsonb;
    digests_after jsonb;
    changed bigint[];
    rights_after jsonb;
    is_done boolean := false;
BEGIN
    digests_before := entitle.rights_digests();
    BEGIN
        EXECUTE change;
        SET CONSTRAINTS ALL IMMEDIATE;
        digests_after := entitle.rights_digests();
        SELECT array_agg(coalesce(b.key, a.key)::bigint) INTO changed
        FROM jsonb_each_text(digests_before) b
        FULL JOIN jsonb_each_text(digests_after) a ON a.key = b.key
        WHERE a.value IS DISTINCT FROM b.value;
        rights_after := entitle.rights_of(changed);
        is_done := true;
        RAISE EXCEPTION 'taken back';
    EXCEPTION
        -- Leaving the block by an error is what takes the change back; an error of the change itself is the answer.
        WHEN OTHERS THEN
            IF NOT is_done THEN
                RAISE;
            END IF;
    END;
    RETURN QUERY
        SELECT coalesce(b.login, a.login), coalesce(b.kind, a.kind), coalesce(b.place, a.place), coalesce(b.key, a.key),
               b.value, a.value
        FROM jsonb_to_recordset(entitle.rights_of(changed)) AS b (login text, kind text, place text, key text, value text)
        FULL JOIN jsonb_to_recordset(rights_after) AS a (login text, kind text, place text, key text, value text)
             ON (a.login, a.kind, a.place, a.key) = (b.login, b.kind, b.place, b.key)
        WHERE a.value IS DISTINCT FROM b.value
        ORDER BY 1, 2, 3, 4;
END
$$;
COMMENT ON FUNCTION entitle.explain_change(text) IS
    'Runs statements with the caller''s rights, tells what each user would gain and lose, and takes them back: NULL before is gained,'
    ' NULL after is lost. Who manages an organization''s roles or members, or external access, is told of those users there (R62)'
    '. Raises what the statements raise';
GRANT EXECUTE ON FUNCTION entitle.explain_change(text) TO PUBLIC;
