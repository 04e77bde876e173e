-- External access: one grant per customer and user, with a level and a window.

-- Deleting the customer or the user takes the grants along.
CREATE TABLE entitle.external_access (
    customer_id bigint REFERENCES entitle.customer ON DELETE CASCADE,
    user_id bigint REFERENCES entitle.app_user ON DELETE CASCADE,
    role text NOT NULL DEFAULT 'L30'
        CONSTRAINT external_access_role_check CHECK (role IN ('L10', 'L20', 'L30', 'L40', 'L80', 'L90')),
    days_back integer DEFAULT 30
        CONSTRAINT external_access_days_back_check CHECK (days_back >= 0),
    valid_from date,
    valid_until date,
    notes text,
    CONSTRAINT external_access_valid_check CHECK (valid_until >= valid_from),
    PRIMARY KEY (customer_id, user_id)
);
COMMENT ON TABLE entitle.external_access IS 'What an external user sees of one customer (R33, R34)';
COMMENT ON COLUMN entitle.external_access.role IS 'L10 Basic, L20 Orders, L30 Orders with prices, L40 Billing, L80 Admin, L90 Owner; each includes the ones below';
COMMENT ON COLUMN entitle.external_access.days_back IS 'How far back dated rows show; NULL is unlimited (R38)';
COMMENT ON COLUMN entitle.external_access.valid_from IS 'First day of the grant, in the business time zone (R40)';
COMMENT ON COLUMN entitle.external_access.valid_until IS 'Last day of the grant, in the business time zone (R40)';
CREATE INDEX external_access_user_idx ON entitle.external_access (user_id, customer_id);
COMMENT ON INDEX entitle.external_access_user_idx IS 'Finds a user''s grants, in customer order';

CREATE FUNCTION entitle_internal.guard_grant() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_guard_grant';
COMMENT ON FUNCTION entitle_internal.guard_grant() IS
    'Trigger: who writes a grant and which (R41, R42, R44), its values (R33, R38, R40), and that an owner stays (R43)';
REVOKE ALL ON FUNCTION entitle_internal.guard_grant() FROM PUBLIC;

CREATE FUNCTION entitle_internal.keep_owners() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_keep_owners';
COMMENT ON FUNCTION entitle_internal.keep_owners() IS 'Trigger: no TRUNCATE while a grant of an owner is there (R43)';
REVOKE ALL ON FUNCTION entitle_internal.keep_owners() FROM PUBLIC;

CREATE FUNCTION entitle_internal.keep_owned_customer() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_keep_owned_customer';
COMMENT ON FUNCTION entitle_internal.keep_owned_customer() IS 'Trigger: a customer with an owner is not deleted and keeps its keys (R43)';
REVOKE ALL ON FUNCTION entitle_internal.keep_owned_customer() FROM PUBLIC;

CREATE FUNCTION entitle_internal.keep_owning_user() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_keep_owning_user';
COMMENT ON FUNCTION entitle_internal.keep_owning_user() IS 'Trigger: a user who is an owner is not deleted and keeps the key (R43)';
REVOKE ALL ON FUNCTION entitle_internal.keep_owning_user() FROM PUBLIC;

-- ENABLE ALWAYS: under session_replication_role = replica, where foreign keys sleep, owners are kept too.
CREATE TRIGGER entitle_guard
    BEFORE INSERT OR UPDATE OR DELETE ON entitle.external_access
    FOR EACH ROW EXECUTE FUNCTION entitle_internal.guard_grant();
ALTER TABLE entitle.external_access ENABLE ALWAYS TRIGGER entitle_guard;
COMMENT ON TRIGGER entitle_guard ON entitle.external_access IS 'Holds every write to the rules, whoever writes and however';

CREATE TRIGGER entitle_keep_owner
    BEFORE TRUNCATE ON entitle.external_access
    FOR EACH STATEMENT EXECUTE FUNCTION entitle_internal.keep_owners();
ALTER TABLE entitle.external_access ENABLE ALWAYS TRIGGER entitle_keep_owner;
COMMENT ON TRIGGER entitle_keep_owner ON entitle.external_access IS 'An owner''s grant stays, whoever writes';

CREATE TRIGGER entitle_keep_owner
    BEFORE DELETE OR UPDATE OF customer_id, customer_uuid, customer_code ON entitle.customer
    FOR EACH ROW EXECUTE FUNCTION entitle_internal.keep_owned_customer();
ALTER TABLE entitle.customer ENABLE ALWAYS TRIGGER entitle_keep_owner;
COMMENT ON TRIGGER entitle_keep_owner ON entitle.customer IS 'An owner''s grant stays, whoever writes';

CREATE TRIGGER entitle_keep_owner
    BEFORE DELETE OR UPDATE OF user_id ON entitle.app_user
    FOR EACH ROW EXECUTE FUNCTION entitle_internal.keep_owning_user();
ALTER TABLE entitle.app_user ENABLE ALWAYS TRIGGER entitle_keep_owner;
COMMENT ON TRIGGER entitle_keep_owner ON entitle.app_user IS
    'An owner''s grant stays, whoever writes; switching the user off is allowed, and the grant waits';

CREATE FUNCTION entitle_internal.require_managing(customer_id bigint) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_require_managing';
COMMENT ON FUNCTION entitle_internal.require_managing(bigint) IS
    'An error unless the caller manages the customer''s external access; the same one when there is no such customer (R3, R41)';
REVOKE ALL ON FUNCTION entitle_internal.require_managing(bigint) FROM PUBLIC;

CREATE FUNCTION entitle_internal.find_grantee(login text) RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_find_grantee';
COMMENT ON FUNCTION entitle_internal.find_grantee(text) IS 'The active user with exactly that login; an error when there is none (R44)';
REVOKE ALL ON FUNCTION entitle_internal.find_grantee(text) FROM PUBLIC;

-- SECURITY DEFINER: the caller needs no privilege on the table. The table's trigger decides about the caller; who manages
-- nothing here is told so before any login is looked for.
CREATE FUNCTION entitle.grant_access(
    customer_id bigint, login text, role text DEFAULT 'L30', days_back integer DEFAULT 30, notes text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    grantee bigint;
BEGIN
    -- Whoever lowers the own grant needs not manage anything, and inserts none: the trigger looks at what changes.
    IF login = entitle.current_login() THEN
        grantee := entitle_internal.find_grantee(login);
        UPDATE entitle.external_access g
        SET role = grant_access.role, days_back = grant_access.days_back, notes = coalesce(grant_access.notes, g.notes)
        WHERE g.customer_id = grant_access.customer_id AND g.user_id = grantee;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    PERFORM entitle_internal.require_managing(customer_id);
    grantee := entitle_internal.find_grantee(login);
    INSERT INTO entitle.external_access AS g (customer_id, user_id, role, days_back, notes)
    VALUES (grant_access.customer_id, grantee, grant_access.role, grant_access.days_back, grant_access.notes)
    ON CONFLICT ON CONSTRAINT external_access_pkey DO UPDATE
        SET role = excluded.role, days_back = excluded.days_back, notes = coalesce(excluded.notes, g.notes);
END
$$;
COMMENT ON FUNCTION entitle.grant_access(bigint, text, text, integer, text) IS
    'Grants an active user external access to a customer, or changes what was granted; NULL notes leave the notes (R41, R42, R44)'
    '. Raises 42501: not allowed; 22023: no such customer or active user; 23514: no such level, or negative days';
REVOKE ALL ON FUNCTION entitle.grant_access(bigint, text, text, integer, text) FROM PUBLIC;

-- SECURITY DEFINER: as grant_access. An inactive user's grant can be revoked too.
CREATE FUNCTION entitle.revoke_access(customer_id bigint, login text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF (login = entitle.current_login()) IS NOT TRUE THEN
        PERFORM entitle_internal.require_managing(customer_id);
    END IF;
    DELETE FROM entitle.external_access g
    USING entitle.app_user u
    WHERE g.customer_id = revoke_access.customer_id AND g.user_id = u.user_id AND u.login = revoke_access.login;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION entitle.revoke_access(bigint, text) IS
    'Removes a grant and keeps the user; false when there was none (R41, R42, R44)'
    '. Raises 42501: not allowed, or the grant of an owner; 22023: no such customer';
REVOKE ALL ON FUNCTION entitle.revoke_access(bigint, text) FROM PUBLIC;

CREATE FUNCTION entitle.force_revoke_owner(customer_id bigint, login text, reason text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_force_revoke_owner';
COMMENT ON FUNCTION entitle.force_revoke_owner(bigint, text, text) IS
    'A superuser takes an owner''s grant away; the reason is logged. Nothing else removes an L90 grant (R43)'
    '. Raises 42501: no superuser; 22023: no such owner, or no reason';
REVOKE ALL ON FUNCTION entitle.force_revoke_owner(bigint, text, text) FROM PUBLIC;

CREATE FUNCTION entitle.access_level(customer_id bigint) RETURNS integer
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_access_level';
COMMENT ON FUNCTION entitle.access_level(bigint) IS 'The user''s level on the customer: 0, 10, 20, 30, 40, 80 or 90 (R33, R34)';
GRANT EXECUTE ON FUNCTION entitle.access_level(bigint) TO PUBLIC;

CREATE FUNCTION entitle.access_level(customer_uuid uuid) RETURNS integer
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_access_level';
COMMENT ON FUNCTION entitle.access_level(uuid) IS 'The user''s level on the customer with that uuid';
GRANT EXECUTE ON FUNCTION entitle.access_level(uuid) TO PUBLIC;

CREATE FUNCTION entitle.access_level(customer_code text) RETURNS integer
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_access_level';
COMMENT ON FUNCTION entitle.access_level(text) IS 'The user''s level on the customer with that code';
GRANT EXECUTE ON FUNCTION entitle.access_level(text) TO PUBLIC;

-- days_back_filter(key, on_date): one C function for three kinds of key and three kinds of date.
DO $$
DECLARE
    customer_key text;
    date_type text;
BEGIN
    FOREACH customer_key IN ARRAY ARRAY['customer_id bigint', 'customer_uuid uuid', 'customer_code text'] LOOP
        FOREACH date_type IN ARRAY ARRAY['date', 'timestamp', 'timestamptz'] LOOP
            EXECUTE format(
                'CREATE FUNCTION entitle.days_back_filter(%s, on_date %s) RETURNS boolean'
                ' LANGUAGE C STABLE PARALLEL SAFE AS %L, %L',
                customer_key, date_type, 'MODULE_PATHNAME', 'entitle_days_back_filter');
            EXECUTE format(
                'COMMENT ON FUNCTION entitle.days_back_filter(%s, %s) IS %L',
                customer_key, date_type,
                'Whether the user has access to the customer and the date is inside the window (R38)');
            EXECUTE format(
                'GRANT EXECUTE ON FUNCTION entitle.days_back_filter(%s, %s) TO PUBLIC', customer_key, date_type);
        END LOOP;
    END LOOP;
END
$$;

CREATE FUNCTION entitle.accessible_customers(min_level integer DEFAULT 10) RETURNS bigint[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_accessible_customers';
COMMENT ON FUNCTION entitle.accessible_customers(integer) IS 'The customers on which the user has at least that level, sorted';
GRANT EXECUTE ON FUNCTION entitle.accessible_customers(integer) TO PUBLIC;

CREATE FUNCTION entitle.accessible_customer_uuids(min_level integer DEFAULT 10) RETURNS uuid[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_accessible_customer_uuids';
COMMENT ON FUNCTION entitle.accessible_customer_uuids(integer) IS 'accessible_customers by uuid, sorted';
GRANT EXECUTE ON FUNCTION entitle.accessible_customer_uuids(integer) TO PUBLIC;

CREATE FUNCTION entitle.accessible_customer_codes(min_level integer DEFAULT 10) RETURNS text[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_accessible_customer_codes';
COMMENT ON FUNCTION entitle.accessible_customer_codes(integer) IS 'accessible_customers by code, sorted by bytes; customers without a code are left out';
GRANT EXECUTE ON FUNCTION entitle.accessible_customer_codes(integer) TO PUBLIC;

CREATE FUNCTION entitle.user_access_level(user_id bigint, customer_id bigint) RETURNS integer
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_user_access_level';
COMMENT ON FUNCTION entitle.user_access_level(bigint, bigint) IS
    'access_level of another user, for those who manage the customer''s access; 0 for everyone else';
GRANT EXECUTE ON FUNCTION entitle.user_access_level(bigint, bigint) TO PUBLIC;

CREATE FUNCTION entitle.manages_access(customer_id bigint) RETURNS boolean
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_manages_access';
COMMENT ON FUNCTION entitle.manages_access(bigint) IS
    'Whether the user may grant and revoke on the customer: external_access.manage in its brand, or L80 or L90 of it (R41)';
GRANT EXECUTE ON FUNCTION entitle.manages_access(bigint) TO PUBLIC;
