-- Self-service: organizations run their own roles, members and users (R58 to R61). Triggers decide about every write, whoever
-- writes and however; the functions do the same in one step.

CREATE FUNCTION entitle_internal.guard_role() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_guard_role';
COMMENT ON FUNCTION entitle_internal.guard_role() IS 'Trigger: who writes a role (R59)';
REVOKE ALL ON FUNCTION entitle_internal.guard_role() FROM PUBLIC;

CREATE FUNCTION entitle_internal.guard_role_list() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_guard_role_list';
COMMENT ON FUNCTION entitle_internal.guard_role_list() IS 'Trigger: who writes what a role lists (R59)';
REVOKE ALL ON FUNCTION entitle_internal.guard_role_list() FROM PUBLIC;

CREATE FUNCTION entitle_internal.guard_member() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_guard_member';
COMMENT ON FUNCTION entitle_internal.guard_member() IS 'Trigger: who writes a membership (R60)';
REVOKE ALL ON FUNCTION entitle_internal.guard_member() FROM PUBLIC;

CREATE FUNCTION entitle_internal.guard_user() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_guard_user';
COMMENT ON FUNCTION entitle_internal.guard_user() IS 'Trigger: who writes a user (R61)';
REVOKE ALL ON FUNCTION entitle_internal.guard_user() FROM PUBLIC;

CREATE FUNCTION entitle_internal.keep_last_owner() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_keep_last_owner';
COMMENT ON FUNCTION entitle_internal.keep_last_owner() IS 'Trigger: an owner who goes leaves another active one (R60)';
REVOKE ALL ON FUNCTION entitle_internal.keep_last_owner() FROM PUBLIC;

CREATE FUNCTION entitle_internal.keep_last_active_owner() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_keep_last_active_owner';
COMMENT ON FUNCTION entitle_internal.keep_last_active_owner() IS 'Trigger: an owner who is switched off leaves another active one (R60)';
REVOKE ALL ON FUNCTION entitle_internal.keep_last_active_owner() FROM PUBLIC;

-- ENABLE ALWAYS: under session_replication_role = replica, too. First by name: nothing is told about a row to whom may not write it.
DO $$
DECLARE
    relation text;
    decides text;
BEGIN
    FOR relation, decides IN
        VALUES ('role', 'guard_role'), ('role_permission', 'guard_role_list'), ('role_metric', 'guard_role_list'),
               ('membership', 'guard_member'), ('app_user', 'guard_user') LOOP
        EXECUTE format('CREATE TRIGGER entitle_authorize BEFORE INSERT OR UPDATE OR DELETE ON entitle.%I'
                       ' FOR EACH ROW EXECUTE FUNCTION entitle_internal.%I()', relation, decides);
        EXECUTE format('ALTER TABLE entitle.%I ENABLE ALWAYS TRIGGER entitle_authorize', relation);
        EXECUTE format('COMMENT ON TRIGGER entitle_authorize ON entitle.%I IS %L', relation,
                       'Holds every write to the rules, whoever writes and however');
    END LOOP;
    FOREACH relation IN ARRAY ARRAY['role', 'role_permission', 'role_metric', 'membership', 'app_user', 'pending_invitation'] LOOP
        EXECUTE format('CREATE TRIGGER entitle_truncate BEFORE TRUNCATE ON entitle.%I FOR EACH STATEMENT'
                       ' WHEN (pg_catalog.row_security_active(%L::pg_catalog.regclass::oid)) EXECUTE FUNCTION entitle_internal.refuse_write()',
                       relation, 'entitle.' || quote_ident(relation));
        EXECUTE format('ALTER TABLE entitle.%I ENABLE ALWAYS TRIGGER entitle_truncate', relation);
        EXECUTE format('COMMENT ON TRIGGER entitle_truncate ON entitle.%I IS %L', relation, 'TRUNCATE asks no rule about a row');
    END LOOP;
END
$$;

CREATE TRIGGER entitle_keep_last_owner
    AFTER UPDATE OR DELETE ON entitle.membership
    FOR EACH ROW WHEN (OLD.is_owner) EXECUTE FUNCTION entitle_internal.keep_last_owner();
ALTER TABLE entitle.membership ENABLE ALWAYS TRIGGER entitle_keep_last_owner;
COMMENT ON TRIGGER entitle_keep_last_owner ON entitle.membership IS 'The last active owner of an organization stays, superusers'' changes apart';

CREATE TRIGGER entitle_keep_last_owner
    AFTER UPDATE OR DELETE ON entitle.app_user
    FOR EACH ROW WHEN (OLD.is_active) EXECUTE FUNCTION entitle_internal.keep_last_active_owner();
ALTER TABLE entitle.app_user ENABLE ALWAYS TRIGGER entitle_keep_last_owner;
COMMENT ON TRIGGER entitle_keep_last_owner ON entitle.app_user IS 'The last active owner of an organization stays, superusers'' changes apart';

CREATE FUNCTION entitle_internal.only_organization() RETURNS bigint
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    own CONSTANT bigint[] := entitle.own_organizations();
BEGIN
    IF cardinality(own) <> 1 THEN
        RAISE EXCEPTION 'which organization is not said'
            USING ERRCODE = '22023', HINT = 'Give organization_id: the signed-in user belongs to several organizations, or to none.';
    END IF;
    RETURN own[1];
END
$$;
COMMENT ON FUNCTION entitle_internal.only_organization() IS 'The caller''s only organization; an error when there is none or several';
REVOKE ALL ON FUNCTION entitle_internal.only_organization() FROM PUBLIC;

CREATE FUNCTION entitle_internal.require_role(role_id bigint) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_require_role';
COMMENT ON FUNCTION entitle_internal.require_role(bigint) IS 'An error unless the caller may write the role; the same one when there is no such role (R3, R59)';
REVOKE ALL ON FUNCTION entitle_internal.require_role(bigint) FROM PUBLIC;

CREATE FUNCTION entitle_internal.require_members(organization_id bigint, brand_id bigint) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_require_members';
COMMENT ON FUNCTION entitle_internal.require_members(bigint, bigint) IS 'An error unless the caller manages the members of the organization or brand (R60)';
REVOKE ALL ON FUNCTION entitle_internal.require_members(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION entitle_internal.switched_user(login text) RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_switched_user';
COMMENT ON FUNCTION entitle_internal.switched_user(text) IS
    'The user whom the caller may switch off or on; the same error for one who does not exist as for one who is out of reach (R3, R61)';
REVOKE ALL ON FUNCTION entitle_internal.switched_user(text) FROM PUBLIC;

CREATE FUNCTION entitle_internal.role_named(role text, organization_id bigint, brand_id bigint) RETURNS bigint
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_role_named';
COMMENT ON FUNCTION entitle_internal.role_named(text, bigint, bigint) IS 'The role with that name in the organization, or in that of the brand; NULL for NULL';
REVOKE ALL ON FUNCTION entitle_internal.role_named(text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION entitle_internal.check_role_lists(permissions text[], metrics text[]) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    unknown text;
BEGIN
    SELECT k INTO unknown
    FROM (SELECT k, EXISTS (SELECT FROM entitle.permission p WHERE p.permission_key = k) AS known FROM unnest(permissions) AS k
          UNION ALL
          SELECT k, k = '*' OR EXISTS (SELECT FROM entitle.metric m WHERE m.metric_key = k) FROM unnest(metrics) AS k) AS l
    WHERE known IS NOT TRUE
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no permission or metric "%"', unknown
            USING ERRCODE = '22023', HINT = 'See entitle.permission and entitle.metric; keys match byte for byte.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_role_lists(text[], text[]) IS 'An error unless every permission and metric is known';
REVOKE ALL ON FUNCTION entitle_internal.check_role_lists(text[], text[]) FROM PUBLIC;

-- SECURITY DEFINER, like the functions down to remove_member: the caller needs no privilege on the tables. Their triggers decide
-- about the caller.
CREATE FUNCTION entitle.create_role(name text, permissions text[] DEFAULT '{}', metrics text[] DEFAULT '{}', organization_id bigint DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO entitle.role (organization_id, name)
    VALUES (coalesce(create_role.organization_id, entitle_internal.only_organization()), create_role.name)
    RETURNING role_id INTO made;
    PERFORM entitle_internal.check_role_lists(permissions, metrics);
    INSERT INTO entitle.role_permission (role_id, permission_key) SELECT DISTINCT made, k FROM unnest(permissions) AS k;
    INSERT INTO entitle.role_metric (role_id, metric_key) SELECT DISTINCT made, k FROM unnest(metrics) AS k;
    RETURN made;
END
$$;
COMMENT ON FUNCTION entitle.create_role(text, text[], text[], bigint) IS
    'Makes a role of the organization, or of the caller''s only one, that grants these permissions and metrics (R59)'
    '. Raises 42501: not allowed, or more than the caller holds; 22023: no such permission or metric, or no organization given; 23505: the name is taken';
REVOKE ALL ON FUNCTION entitle.create_role(text, text[], text[], bigint) FROM PUBLIC;

CREATE FUNCTION entitle.set_role(role_id bigint, permissions text[], metrics text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM entitle_internal.require_role(role_id);
    PERFORM entitle_internal.check_role_lists(permissions, metrics);
    DELETE FROM entitle.role_permission p WHERE p.role_id = set_role.role_id AND p.permission_key <> ALL (permissions);
    INSERT INTO entitle.role_permission (role_id, permission_key)
    SELECT DISTINCT set_role.role_id, k
    FROM unnest(permissions) AS k
    WHERE NOT EXISTS (SELECT FROM entitle.role_permission p WHERE p.role_id = set_role.role_id AND p.permission_key = k);
    DELETE FROM entitle.role_metric m WHERE m.role_id = set_role.role_id AND m.metric_key <> ALL (metrics);
    INSERT INTO entitle.role_metric (role_id, metric_key)
    SELECT DISTINCT set_role.role_id, k
    FROM unnest(metrics) AS k
    WHERE NOT EXISTS (SELECT FROM entitle.role_metric m WHERE m.role_id = set_role.role_id AND m.metric_key = k);
END
$$;
COMMENT ON FUNCTION entitle.set_role(bigint, text[], text[]) IS
    'Makes a role grant exactly these permissions and metrics; NULL leaves them (R59)'
    '. Raises 42501: not allowed, or more than the caller holds; 22023: no such role, permission or metric';
REVOKE ALL ON FUNCTION entitle.set_role(bigint, text[], text[]) FROM PUBLIC;

CREATE FUNCTION entitle.drop_role(role_id bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT entitle.acting_superuser() AND drop_role.role_id = ANY (entitle.own_roles()) IS NOT TRUE THEN
        RETURN false;
    END IF;
    DELETE FROM entitle.role r WHERE r.role_id = drop_role.role_id;
    RETURN FOUND;
EXCEPTION WHEN foreign_key_violation OR restrict_violation THEN
    RAISE EXCEPTION 'the role is still held by members'
        USING ERRCODE = '23503', HINT = 'End those memberships, or give them another role, first.';
END
$$;
COMMENT ON FUNCTION entitle.drop_role(bigint) IS
    'Deletes a role that nobody holds any more; false when the caller sees no such role (R59)'
    '. Raises 42501: not allowed; 23503: members hold it';
REVOKE ALL ON FUNCTION entitle.drop_role(bigint) FROM PUBLIC;

CREATE FUNCTION entitle.add_user(login text, full_name text DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO entitle.app_user (login, full_name) VALUES (add_user.login, add_user.full_name)
    ON CONFLICT ON CONSTRAINT app_user_login_key DO NOTHING
    RETURNING user_id INTO made;
    IF made IS NULL THEN
        RAISE EXCEPTION 'this login is taken'
            USING ERRCODE = '23505', HINT = 'Invite the user with entitle.invite_user, or give another login.';
    END IF;
    RETURN made;
END
$$;
COMMENT ON FUNCTION entitle.add_user(text, text) IS
    'Sets up an active user without any rights (R61)'
    '. Raises 42501: not allowed; 23502: no login; 23505: the login is taken; 23514: no login can be like that';
REVOKE ALL ON FUNCTION entitle.add_user(text, text) FROM PUBLIC;

CREATE FUNCTION entitle.deactivate_user(login text) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    UPDATE entitle.app_user u SET is_active = false WHERE u.user_id = (SELECT entitle_internal.switched_user(deactivate_user.login))
    $$;
COMMENT ON FUNCTION entitle.deactivate_user(text) IS
    'Switches a user off, who keeps all rights for when he is switched on again; it takes managing every place where he has any (R61)'
    '. Raises 42501: not allowed, or the last active owner of an organization; 22023: no such user';
REVOKE ALL ON FUNCTION entitle.deactivate_user(text) FROM PUBLIC;

CREATE FUNCTION entitle.reactivate_user(login text) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    UPDATE entitle.app_user u SET is_active = true WHERE u.user_id = (SELECT entitle_internal.switched_user(reactivate_user.login))
    $$;
COMMENT ON FUNCTION entitle.reactivate_user(text) IS
    'Switches a user on again; it takes managing every place where he has rights (R61)'
    '. Raises 42501: not allowed; 22023: no such user';
REVOKE ALL ON FUNCTION entitle.reactivate_user(text) FROM PUBLIC;

-- Whom a manager of members may take in without asking: those whom he manages already, and those who have no place anywhere. Others
-- are invited, as one who is not there (S362).
CREATE FUNCTION entitle_internal.user_at_hand(login text, organization_id bigint, brand_id bigint) RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_user_at_hand';
COMMENT ON FUNCTION entitle_internal.user_at_hand(text, bigint, bigint) IS
    'The active user with that login whom the caller, who must manage the members of the place, may make one of them without inviting; NULL for who has places elsewhere, as for nobody (R60, R61)';
REVOKE ALL ON FUNCTION entitle_internal.user_at_hand(text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION entitle.add_member(login text, role text DEFAULT NULL, organization_id bigint DEFAULT NULL, brand_id bigint DEFAULT NULL,
                                   is_owner boolean DEFAULT false)
    RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    home CONSTANT bigint := CASE WHEN add_member.brand_id IS NOT NULL THEN add_member.organization_id
                                 ELSE coalesce(add_member.organization_id, entitle_internal.only_organization()) END;
    member bigint;
    made bigint;
BEGIN
    IF num_nonnulls(add_member.organization_id, add_member.brand_id) = 2 THEN
        RAISE EXCEPTION 'a membership names either an organization or a brand'
            USING ERRCODE = '23514', HINT = 'Give organization_id for all brands of an organization, or brand_id for one brand.';
    END IF;
    -- First: the roles of another organization are none of a brand manager's business.
    member := entitle_internal.user_at_hand(add_member.login, home, add_member.brand_id);
    IF member IS NULL THEN
        RAISE EXCEPTION 'there is no active user with this login'
            USING ERRCODE = '22023',
                  HINT = 'Set the user up with entitle.add_user(login), or invite them with entitle.invite_user, as it takes for users of other places.';
    END IF;
    INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id, is_owner)
    VALUES (member, home, add_member.brand_id, entitle_internal.role_named(add_member.role, home, add_member.brand_id), add_member.is_owner)
    ON CONFLICT (user_id, organization_id, brand_id, role_id) DO NOTHING -- rather than a subtransaction for each call
    RETURNING membership_id INTO made;
    IF made IS NULL THEN
        RAISE EXCEPTION 'the user has this membership already'
            USING ERRCODE = '23505', HINT = 'See entitle.membership.';
    END IF;
    RETURN made;
END
$$;
COMMENT ON FUNCTION entitle.add_member(text, text, bigint, bigint, boolean) IS
    'Makes an active user a member of the brand, of the organization, or of the caller''s only one, with a role of it; users of places that the caller does not manage are invited instead (R60, R61)'
    '. Raises 42501: not allowed, or a role beyond the caller''s rights; 22023: no such user at hand, role or organization; 23505: there already'
    '; 23514: no such membership can be';
REVOKE ALL ON FUNCTION entitle.add_member(text, text, bigint, bigint, boolean) FROM PUBLIC;

CREATE FUNCTION entitle.remove_member(membership_id bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    DELETE FROM entitle.membership m
    WHERE m.membership_id = remove_member.membership_id
      AND (entitle.acting_superuser()
           OR m.user_id = entitle.own_user()
           OR m.organization_id = ANY (entitle.managed_organizations())
           OR m.brand_id = ANY (entitle.managed_brands()));
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION entitle.remove_member(bigint) IS
    'Ends a membership and keeps the user; false when the caller sees no such membership (R60)'
    '. Raises 42501: not allowed, or the last active owner';
REVOKE ALL ON FUNCTION entitle.remove_member(bigint) FROM PUBLIC;
