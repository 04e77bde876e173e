-- What the worlds of the histories and of the interleavings have in common, and read first: a business time zone, organizations,
-- brands, roles without permissions, customers, users, and empty tables: deals, papers with a mask, and their lines.
CREATE EXTENSION entitle;
DO $$
DECLARE
    shift CONSTANT integer := 12 - extract(hour FROM now() AT TIME ZONE 'UTC')::integer;
    zone CONSTANT text := 'Etc/GMT' || CASE WHEN shift > 0 THEN '-' ELSE '+' END || abs(shift);
BEGIN
    -- Midnight in the business time zone is as far away as can be.
    EXECUTE format('ALTER DATABASE %I SET entitle.time_zone = %L', current_database(), zone);
    EXECUTE format('SET entitle.time_zone = %L', zone);
END
$$;
CREATE FUNCTION today() RETURNS date LANGUAGE sql STABLE AS
    $$ SELECT (now() AT TIME ZONE current_setting('entitle.time_zone'))::date $$;
INSERT INTO entitle.organization (organization_id, name) VALUES (2, 'second');
INSERT INTO entitle.plan (plan_key) VALUES ('small');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (2, 1, 'other'), (3, 2, 'second'), (4, NULL, 'alone');
INSERT INTO entitle.brand_module (brand_id, module_key) SELECT b, module_key FROM generate_series(2, 4) AS b, entitle.module;
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'one'), (102, 1, 'two'), (103, 2, 'three');
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id)
SELECT i, 1 + i % 4, 'n', 'n', 't' FROM generate_series(1, 12) AS i;
INSERT INTO entitle.app_user (user_id, login) SELECT i, 'user ' || i FROM generate_series(1, 10) AS i;

CREATE TABLE deal (id integer PRIMARY KEY, brand_id bigint, customer_id bigint, day date, note text);
CREATE TABLE paper (id integer PRIMARY KEY, customer_id bigint, price integer);
CREATE TABLE line (id integer PRIMARY KEY, paper_id integer NOT NULL REFERENCES paper);
CREATE INDEX ON deal (customer_id);
CREATE INDEX ON deal (brand_id);
CREATE INDEX ON line (paper_id);
SELECT entitle.protect_table('paper', customer_column => 'customer_id', min_level => 10, view_permission => 'customers.view',
    masked_columns => '{"price": 40}');
SELECT entitle.protect_table('line', parent => 'paper');
CREATE FUNCTION deals_in_function() RETURNS text LANGUAGE plpgsql STABLE AS
    $$ DECLARE t text; BEGIN SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') INTO t FROM public.deal; RETURN t; END $$;
