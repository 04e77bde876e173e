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
