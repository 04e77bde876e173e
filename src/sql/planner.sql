-- What the planner makes of the row tests: their support functions, and the STABLE functions its conditions call.

CREATE FUNCTION entitle_internal.row_allowed_support(internal) RETURNS internal
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_row_allowed_support';
COMMENT ON FUNCTION entitle_internal.row_allowed_support(internal) IS 'Planner support of row_allowed: index conditions, estimates, folding';
REVOKE ALL ON FUNCTION entitle_internal.row_allowed_support(internal) FROM PUBLIC;

CREATE FUNCTION entitle_internal.brand_row_allowed_support(internal) RETURNS internal
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_brand_row_allowed_support';
COMMENT ON FUNCTION entitle_internal.brand_row_allowed_support(internal) IS 'Planner support of brand_row_allowed: index conditions, estimates, folding';
REVOKE ALL ON FUNCTION entitle_internal.brand_row_allowed_support(internal) FROM PUBLIC;

-- How far back the widest window reaches at a level: the least a dated row must satisfy to be visible to anyone whose
-- grants all have a window. Minus infinity when a window is unlimited, infinity without any grant.
CREATE FUNCTION entitle.earliest_visible_date(min_level integer) RETURNS date
    LANGUAGE C STABLE PARALLEL SAFE COST 3
    AS 'MODULE_PATHNAME', 'entitle_earliest_visible';
COMMENT ON FUNCTION entitle.earliest_visible_date(integer) IS 'The first day that any of one''s own windows reaches at a level (R38)';
GRANT EXECUTE ON FUNCTION entitle.earliest_visible_date(integer) TO PUBLIC;

CREATE FUNCTION entitle.earliest_visible_timestamp(min_level integer) RETURNS timestamp
    LANGUAGE C STABLE PARALLEL SAFE COST 3
    AS 'MODULE_PATHNAME', 'entitle_earliest_visible';
COMMENT ON FUNCTION entitle.earliest_visible_timestamp(integer) IS 'The same for timestamp columns: the start of that day';
GRANT EXECUTE ON FUNCTION entitle.earliest_visible_timestamp(integer) TO PUBLIC;

CREATE FUNCTION entitle.earliest_visible_timestamptz(min_level integer) RETURNS timestamptz
    LANGUAGE C STABLE PARALLEL SAFE COST 3
    AS 'MODULE_PATHNAME', 'entitle_earliest_visible';
COMMENT ON FUNCTION entitle.earliest_visible_timestamptz(integer) IS 'The same for timestamptz columns: no later than the start of that day in the business time zone';
GRANT EXECUTE ON FUNCTION entitle.earliest_visible_timestamptz(integer) TO PUBLIC;

-- For index conditions that need no recheck of dates.
-- NULL of the column's type says which type; it is not looked at.
CREATE FUNCTION entitle.accessible_customer_keys(min_level integer, sample anyelement) RETURNS anyarray
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_accessible_customer_keys';
COMMENT ON FUNCTION entitle.accessible_customer_keys(integer, anyelement) IS
    'accessible_customers by keys of the sample''s type: ids as numeric, codes as char, citext or labels of an enum; for query plans';
GRANT EXECUTE ON FUNCTION entitle.accessible_customer_keys(integer, anyelement) TO PUBLIC;

CREATE FUNCTION entitle.unlimited_customers(min_level integer) RETURNS bigint[]
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_unlimited_customers';
COMMENT ON FUNCTION entitle.unlimited_customers(integer) IS 'Those of accessible_customers(min_level) without a days-back limit, sorted';
GRANT EXECUTE ON FUNCTION entitle.unlimited_customers(integer) TO PUBLIC;

-- For conditions that leave out partitions: a plan may compare a column with a list of known length, whose elements are
-- asked for when it runs. PARALLEL RESTRICTED: each process of a parallel plan leaves out partitions by its own answers, and
-- a worker that has heard of a change after its leader would count the partitions differently.
CREATE FUNCTION entitle.accessible_customer(min_level integer, nth integer) RETURNS bigint
    LANGUAGE C STABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'entitle_accessible_customer';
COMMENT ON FUNCTION entitle.accessible_customer(integer, integer) IS 'The nth of accessible_customers(min_level), from 1; NULL past the last';
GRANT EXECUTE ON FUNCTION entitle.accessible_customer(integer, integer) TO PUBLIC;

CREATE FUNCTION entitle.permitted_brand(permission text, nth integer) RETURNS bigint
    LANGUAGE C STABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'entitle_permitted_brand';
COMMENT ON FUNCTION entitle.permitted_brand(text, integer) IS 'The nth of permitted_brands(permission), from 1; NULL past the last';
GRANT EXECUTE ON FUNCTION entitle.permitted_brand(text, integer) TO PUBLIC;

CREATE FUNCTION entitle.permitted_brand_key(permission text, nth integer, sample anyelement) RETURNS anyelement
    LANGUAGE C STABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'entitle_permitted_brand_key';
COMMENT ON FUNCTION entitle.permitted_brand_key(text, integer, anyelement) IS
    'The nth of permitted_brand_keys(permission, sample), from 1; NULL past the last';
GRANT EXECUTE ON FUNCTION entitle.permitted_brand_key(text, integer, anyelement) TO PUBLIC;

-- NULL of the column's type says which type; it is not looked at.
CREATE FUNCTION entitle.permitted_brand_keys(permission text, sample anyelement) RETURNS anyarray
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'entitle_permitted_brand_keys';
COMMENT ON FUNCTION entitle.permitted_brand_keys(text, anyelement) IS
    'permitted_brands(permission) by keys of the sample''s type: ids as numbers, uuids, codes as text, char, citext or labels of an enum; for query plans';
GRANT EXECUTE ON FUNCTION entitle.permitted_brand_keys(text, anyelement) TO PUBLIC;

CREATE FUNCTION entitle.earliest_partition_date(min_level integer) RETURNS date
    LANGUAGE C STABLE PARALLEL RESTRICTED COST 3
    AS 'MODULE_PATHNAME', 'entitle_earliest_visible';
COMMENT ON FUNCTION entitle.earliest_partition_date(integer) IS 'earliest_visible_date, for tables that are partitioned';
GRANT EXECUTE ON FUNCTION entitle.earliest_partition_date(integer) TO PUBLIC;

CREATE FUNCTION entitle.earliest_partition_timestamp(min_level integer) RETURNS timestamp
    LANGUAGE C STABLE PARALLEL RESTRICTED COST 3
    AS 'MODULE_PATHNAME', 'entitle_earliest_visible';
COMMENT ON FUNCTION entitle.earliest_partition_timestamp(integer) IS 'earliest_visible_timestamp, for tables that are partitioned';
GRANT EXECUTE ON FUNCTION entitle.earliest_partition_timestamp(integer) TO PUBLIC;

CREATE FUNCTION entitle.earliest_partition_timestamptz(min_level integer) RETURNS timestamptz
    LANGUAGE C STABLE PARALLEL RESTRICTED COST 3
    AS 'MODULE_PATHNAME', 'entitle_earliest_visible';
COMMENT ON FUNCTION entitle.earliest_partition_timestamptz(integer) IS 'earliest_visible_timestamptz, for tables that are partitioned';
GRANT EXECUTE ON FUNCTION entitle.earliest_partition_timestamptz(integer) TO PUBLIC;
