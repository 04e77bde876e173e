-- A filtered view is a security barrier, but not for those who see all of its rows: they get the plan of the bare table. What
-- lifts it is asked again before every run (R36, R46; S46).
BEGIN;
\set ECHO none
\i sql/plain_plan.psql
\set ECHO all
SET LOCAL client_min_messages = warning;
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE ROLE app_role;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT i, 'n', 'n', 't' FROM generate_series(1, 9) AS i;
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'outsider'), (2, 'staff'), (3, 'nobody');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (7, 1, 'L20');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'all');
INSERT INTO entitle.role_permission SELECT 101, permission_key FROM entitle.permission;
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (2, 1, 101);

CREATE TABLE entry (entry_id integer PRIMARY KEY, brand_id bigint, customer_id bigint, price integer);
INSERT INTO entry SELECT i, 1, 1 + i % 9, i FROM generate_series(1, 90) AS i;
CREATE TABLE line (entry_id integer REFERENCES entry, price integer);
CREATE TABLE branded (LIKE entry);
SELECT entitle.protect_table('entry', customer_column => 'customer_id', min_level => 20, view_permission => 'conversions.view',
                             masked_columns => '{"price": 30}');
SELECT entitle.protect_table('line', parent => 'entry', masked_columns => '{"price": 30}');
SELECT entitle.protect_table('branded', customer_column => 'customer_id', brand_column => 'brand_id', min_level => 20,
                             view_permission => 'conversions.view', masked_columns => '{"price": 30}');
CREATE VIEW cheap WITH (security_barrier) AS SELECT entry_id, price FROM entry_view WHERE price < 50;
CREATE VIEW dear WITH (security_barrier) AS
    SELECT customer_id, sum(price) AS total FROM entry WHERE entitle.row_allowed('conversions.view', 20, customer_id)
    GROUP BY customer_id HAVING sum(price) > 500;
GRANT SELECT ON entry, entry_view, line_view, branded_view, cheap, dear TO app_role;
GRANT UPDATE ON entry_view TO app_role;
GRANT EXECUTE ON FUNCTION entitle.sign_in(text, boolean, text) TO app_role;
INSERT INTO entitle.sign_in_grant (db_role, login) SELECT 'app_role', login FROM entitle.app_user;

-- Tells what it is given.
CREATE FUNCTION tell(value integer) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
    $$ BEGIN RAISE WARNING 'told %', value; RETURN true; END $$;

-- The view of one table, for those who see it all, and with conditions of any kind.
SELECT plan_for('staff', 'SELECT price FROM entry_view', 'COSTS OFF, VERBOSE');
SELECT plan_for('staff', 'SELECT count(*) FROM entry_view WHERE tell(price) AND entry_id < 5', 'COSTS OFF, VERBOSE');
SELECT plan_for('staff', 'SELECT v.price FROM entry_view v JOIN entry e USING (entry_id, customer_id)', 'COSTS OFF, VERBOSE');
-- A barrier on top that hides something stays, whatever becomes of the one below.
SELECT plan_for('staff', 'SELECT price FROM cheap WHERE tell(entry_id)', 'COSTS OFF, VERBOSE');
-- Nor is one lifted that hides something after grouping.
SELECT plan_for('staff', 'SELECT customer_id FROM dear WHERE tell(customer_id::integer)', 'COSTS OFF, VERBOSE');
-- Whoever does not see all of it: the user's condition comes last.
SELECT plan_for('outsider', 'SELECT count(*) FROM entry_view WHERE tell(price)', 'COSTS OFF, VERBOSE');
SELECT plan_for('nobody', 'SELECT count(*) FROM entry_view WHERE tell(price)', 'COSTS OFF, VERBOSE');
-- Whoever sees all documents sees all lines that have one.
SELECT plan_for('staff', 'SELECT price FROM line_view WHERE tell(price)', 'COSTS OFF, VERBOSE');
-- Where rows depend on brands, and where rows are written, it stays.
SELECT plan_for('staff', 'SELECT price FROM branded_view WHERE tell(price)', 'COSTS OFF, VERBOSE');
SELECT plan_for('staff', 'UPDATE entry_view SET price = 1 WHERE tell(price)', 'COSTS OFF, VERBOSE');

-- One statement, prepared once, in turns; the first to run it sees everything.
SET LOCAL plan_cache_mode = force_generic_plan;
SET LOCAL ROLE app_role;
SELECT entitle.sign_in('staff');
PREPARE asked AS SELECT count(*), count(price) FROM entry_view WHERE entry_id BETWEEN 5 AND 14 AND tell(price);
EXECUTE asked;
SELECT entitle.sign_in('outsider');
EXECUTE asked;
SELECT entitle.sign_in('nobody');
EXECUTE asked;
SELECT entitle.sign_in('staff');
SELECT count(*), sum(price) FROM entry_view;
-- The permission goes: so do the rows, and what is told.
RESET ROLE;
UPDATE entitle.role SET is_active = false WHERE role_id = 101;
SET LOCAL ROLE app_role;
EXECUTE asked;
ROLLBACK;
