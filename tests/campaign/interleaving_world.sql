-- The world of the interleavings: outsiders with grants of every kind, staff of one brand, of an organization and of a standalone
-- brand, an owner; a table that carries its brand and a date, one with a mask, and its lines.
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
INSERT INTO entitle.plan (plan_key) VALUES ('small'), ('tiny');
INSERT INTO entitle.plan_denial (plan_key, permission_key) VALUES ('tiny', 'conversions.view'), ('tiny', 'customers.view');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (2, 1, 'other'), (3, 2, 'second'), (4, NULL, 'alone');
UPDATE entitle.brand SET plan_key = 'small' WHERE brand_id = 1;
INSERT INTO entitle.brand_module (brand_id, module_key) SELECT b, module_key FROM generate_series(2, 4) AS b, entitle.module;
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'one'), (102, 1, 'two'), (103, 2, 'three');
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES
    (101, 'conversions.view'), (101, 'conversions.update'), (101, 'customers.view'),
    (102, 'customers.view'), (102, 'external_access.manage'), (103, 'customers.view');
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id)
SELECT i, 1 + i % 4, 'n', 'n', 't' FROM generate_series(1, 12) AS i;
INSERT INTO entitle.app_user (user_id, login) SELECT i, 'user ' || i FROM generate_series(1, 10) AS i;
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (6, 1, 101), (9, 4, NULL);
INSERT INTO entitle.membership (user_id, organization_id, role_id, is_owner) VALUES (8, 1, 102, false), (10, 2, NULL, true);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES
    (1, 1, 'L40', NULL), (2, 1, 'L20', 30), (4, 1, 'L80', NULL), (5, 1, 'L10', NULL), (4, 5, 'L20', 7);

CREATE ROLE inter_pool LOGIN;
GRANT EXECUTE ON FUNCTION entitle.sign_in(text, boolean, text), entitle.grant_access(bigint, text, text, integer, text) TO inter_pool;
INSERT INTO entitle.sign_in_grant (db_role, login) SELECT 'inter_pool', login FROM entitle.app_user;

CREATE TABLE deal (id integer PRIMARY KEY, brand_id bigint, customer_id bigint, day date, note text);
CREATE TABLE paper (id integer PRIMARY KEY, customer_id bigint, price integer);
CREATE TABLE line (id integer PRIMARY KEY, paper_id integer NOT NULL REFERENCES paper);
INSERT INTO deal SELECT i, 1 + i % 4, 1 + i / 4 % 6, today() - (ARRAY[0, 8, 31, 400])[1 + i * 3 / 4 % 4] FROM generate_series(1, 48) AS i;
INSERT INTO paper SELECT i, 1 + i % 12, i FROM generate_series(1, 24) AS i;
INSERT INTO line SELECT i, 1 + i * 7 % 24 FROM generate_series(1, 48) AS i;
SELECT entitle.protect_table('deal', customer_column => 'customer_id', date_column => 'day', brand_column => 'brand_id', min_level => 10,
    view_permission => 'conversions.view', update_permission => 'conversions.update', external_update_level => 20);
SELECT entitle.protect_table('paper', customer_column => 'customer_id', min_level => 10, view_permission => 'customers.view',
    masked_columns => '{"price": 40}');
SELECT entitle.protect_table('line', parent => 'paper');
GRANT SELECT ON deal, line, paper_view TO inter_pool;
GRANT UPDATE (note) ON deal TO inter_pool;
GRANT SELECT (id, customer_id) ON paper TO inter_pool;
CREATE INDEX ON deal (customer_id);
CREATE INDEX ON deal (brand_id);
CREATE INDEX ON line (paper_id);
ANALYZE deal, paper, line;
CREATE FUNCTION deals_in_function() RETURNS text LANGUAGE plpgsql STABLE AS
    $$ DECLARE t text; BEGIN SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') INTO t FROM public.deal; RETURN t; END $$;
