-- Invitations (R61): made with the rights of the inviter, and judged by them again when the invited user accepts.

CREATE FUNCTION entitle_internal.judge_invitation(
    user_id bigint, organization_id bigint, brand_id bigint, role_id bigint, customer_id bigint, access_role text, days_back integer)
    RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_judge_invitation';
COMMENT ON FUNCTION entitle_internal.judge_invitation(bigint, bigint, bigint, bigint, bigint, text, integer) IS
    'An error unless the caller could give the membership and the grant now (R60, R41, R42)';
REVOKE ALL ON FUNCTION entitle_internal.judge_invitation(bigint, bigint, bigint, bigint, bigint, text, integer) FROM PUBLIC;

-- SECURITY DEFINER: as create_role. Whether the login exists, nothing tells: the user is made where there is none, the sequence
-- moves either way (S310), and whoever is there is judged as anybody else would be.
CREATE FUNCTION entitle.invite_user(
    login text, role text DEFAULT NULL, organization_id bigint DEFAULT NULL, brand_id bigint DEFAULT NULL, customer_id bigint DEFAULT NULL,
    access_role text DEFAULT NULL, days_back integer DEFAULT 30, expires date DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    today CONSTANT date := (statement_timestamp() AT TIME ZONE current_setting('entitle.time_zone'))::date;
    last_day CONSTANT date := coalesce(invite_user.expires, today + 30);
    is_member CONSTANT boolean := invite_user.customer_id IS NULL OR num_nonnulls(role, invite_user.organization_id, invite_user.brand_id) > 0;
    home CONSTANT bigint := CASE WHEN is_member AND invite_user.brand_id IS NULL
                                 THEN coalesce(invite_user.organization_id, entitle_internal.only_organization())
                                 ELSE invite_user.organization_id END;
    level CONSTANT text := CASE WHEN invite_user.customer_id IS NOT NULL THEN coalesce(invite_user.access_role, 'L30') END;
    role_to_come bigint;
    made bigint;
BEGIN
    IF num_nonnulls(invite_user.organization_id, invite_user.brand_id) = 2 THEN
        RAISE EXCEPTION 'a membership names either an organization or a brand'
            USING ERRCODE = '23514', HINT = 'Give organization_id for all brands of an organization, or brand_id for one brand.';
    END IF;
    IF is_member THEN
        PERFORM entitle_internal.require_members(home, invite_user.brand_id);
        role_to_come := entitle_internal.role_named(role, home, invite_user.brand_id);
    END IF;
    PERFORM entitle_internal.judge_invitation(
        CASE WHEN invite_user.login = entitle.current_login() THEN entitle.current_user_id() END,
        home, invite_user.brand_id, role_to_come, invite_user.customer_id, level, invite_user.days_back);
    IF last_day < today THEN
        RAISE EXCEPTION 'an invitation cannot end before it begins'
            USING ERRCODE = '22023', HINT = 'Give today or a later day; NULL is 30 days from today.';
    END IF;
    INSERT INTO entitle.app_user (login) VALUES (invite_user.login) ON CONFLICT ON CONSTRAINT app_user_login_key DO NOTHING;
    INSERT INTO entitle.pending_invitation (user_id, inviter_id, organization_id, brand_id, role_id, customer_id, access_role, days_back, expires)
    SELECT u.user_id, entitle.current_user_id(), home, invite_user.brand_id, role_to_come, invite_user.customer_id, level,
           CASE WHEN level IS NOT NULL THEN invite_user.days_back END, last_day
    FROM entitle.app_user u
    WHERE u.login = invite_user.login
    RETURNING invitation_id INTO made;
    RETURN made;
END
$$;
COMMENT ON FUNCTION entitle.invite_user(text, text, bigint, bigint, bigint, text, integer, date) IS
    'Offers a membership, external access to a customer, or both, to the user with that login, who is set up when there is none; nothing is given before it is accepted. Open for 30 days unless said otherwise (R61)'
    '. Raises 42501: not allowed, or more than the caller may give; 22023: no such role or organization, or a day in the past; 23502: no login; 23514: no such level, or negative days';
REVOKE ALL ON FUNCTION entitle.invite_user(text, text, bigint, bigint, bigint, text, integer, date) FROM PUBLIC;

-- SECURITY DEFINER: as create_role. Called by accept_invitation alone, which lends it the inviter's place before the triggers.
CREATE FUNCTION entitle_internal.take_invitation(invitation_id bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    taken entitle.pending_invitation;
BEGIN
    DELETE FROM entitle.pending_invitation i WHERE i.invitation_id = take_invitation.invitation_id RETURNING i.* INTO STRICT taken;
    IF num_nonnulls(taken.organization_id, taken.brand_id) > 0 THEN
        INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id)
        VALUES (taken.user_id, taken.organization_id, taken.brand_id, taken.role_id)
        ON CONFLICT DO NOTHING;
    END IF;
    IF taken.customer_id IS NOT NULL THEN
        INSERT INTO entitle.external_access AS g (customer_id, user_id, role, days_back)
        VALUES (taken.customer_id, taken.user_id, taken.access_role, taken.days_back)
        ON CONFLICT ON CONSTRAINT external_access_pkey DO UPDATE SET role = excluded.role, days_back = excluded.days_back;
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.take_invitation(bigint) IS 'Writes what an invitation carries, and ends it';
REVOKE ALL ON FUNCTION entitle_internal.take_invitation(bigint) FROM PUBLIC;

-- SECURITY DEFINER: as create_role.
CREATE FUNCTION entitle.accept_invitation(invitation_id bigint) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'entitle_accept_invitation';
COMMENT ON FUNCTION entitle.accept_invitation(bigint) IS
    'The signed-in user takes what an invitation carries, if whoever invited could give it today (R61)'
    '. Raises 42501: no such invitation of the user, it has ended, or the inviter may not give it any more';
REVOKE ALL ON FUNCTION entitle.accept_invitation(bigint) FROM PUBLIC;

-- It answers about the caller only, and whoever reads the view runs it, so PUBLIC may execute it.
CREATE FUNCTION entitle_internal.may_withdraw(invitation entitle.pending_invitation) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(invitation.inviter_id = entitle.own_user(), false)
        OR num_nonnulls(invitation.organization_id, invitation.brand_id, invitation.customer_id) > 0
           AND (invitation.organization_id IS NULL OR invitation.organization_id = ANY (entitle.managed_organizations()))
           AND (invitation.brand_id IS NULL OR invitation.brand_id = ANY (entitle.managed_brands()))
           AND (invitation.customer_id IS NULL OR entitle.manages_access(invitation.customer_id))
    $$;
COMMENT ON FUNCTION entitle_internal.may_withdraw(entitle.pending_invitation) IS
    'Whether the caller made the invitation, or manages all that it is about, the place and the customer';
GRANT EXECUTE ON FUNCTION entitle_internal.may_withdraw(entitle.pending_invitation) TO PUBLIC;

CREATE VIEW entitle.invitation WITH (security_barrier) AS
    SELECT i.invitation_id, u.login, v.login AS inviter, i.organization_id, i.brand_id, r.name AS role, i.customer_id, i.access_role,
           i.days_back, i.expires
    FROM entitle.pending_invitation i
    JOIN entitle.app_user u ON u.user_id = i.user_id
    LEFT JOIN entitle.app_user v ON v.user_id = i.inviter_id
    LEFT JOIN entitle.role r ON r.role_id = i.role_id
    WHERE i.user_id = (SELECT entitle.own_user()) OR entitle_internal.may_withdraw(i) OR entitle.acting_superuser();
COMMENT ON VIEW entitle.invitation IS 'Open invitations: the own ones, and those that the user may withdraw; inviter is NULL for a superuser (R61)';

-- A brand's invitations do not go with it to another organization, whose managers would see them. SECURITY DEFINER: as check_home.
CREATE FUNCTION entitle_internal.end_invitations() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    DELETE FROM entitle.pending_invitation i WHERE i.brand_id = NEW.brand_id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION entitle_internal.end_invitations() IS 'Trigger: a brand that moves to another organization leaves its invitations behind';
REVOKE ALL ON FUNCTION entitle_internal.end_invitations() FROM PUBLIC;

CREATE TRIGGER entitle_end_invitations
    AFTER UPDATE OF organization_id ON entitle.brand
    FOR EACH ROW WHEN (OLD.organization_id IS DISTINCT FROM NEW.organization_id)
    EXECUTE FUNCTION entitle_internal.end_invitations();
ALTER TABLE entitle.brand ENABLE ALWAYS TRIGGER entitle_end_invitations;
COMMENT ON TRIGGER entitle_end_invitations ON entitle.brand IS 'A brand that moves to another organization leaves its invitations behind';

-- SECURITY DEFINER: as create_role.
CREATE FUNCTION entitle.withdraw_invitation(invitation_id bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    DELETE FROM entitle.pending_invitation i
    WHERE i.invitation_id = withdraw_invitation.invitation_id
      AND (entitle.acting_superuser() OR i.user_id = entitle.own_user() OR entitle_internal.may_withdraw(i));
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION entitle.withdraw_invitation(bigint) IS
    'Ends an invitation: whoever made it, whoever manages what it carries, or the invited user; false when the caller sees none (R61)';
REVOKE ALL ON FUNCTION entitle.withdraw_invitation(bigint) FROM PUBLIC;
