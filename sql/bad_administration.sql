-- What the calls that change an identity or a choice refuse, and what the model's tables refuse to hold (R1, R5, R22, R33,
-- R34, R38, R44, R45, R52; S29, S81): SQLSTATE, message and hint, and nothing is changed.
\set ECHO none
\i sql/refused.psql
\set ECHO all
BEGIN;
CREATE ROLE pool_role;
GRANT EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_out TO pool_role;
CREATE ROLE app_role;
INSERT INTO entitle.organization (organization_id, name) VALUES (2, 'Other');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (2, 2, 'Theirs'), (3, NULL, 'Alone');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (100, 1, 'ours'), (200, 2, 'theirs');
INSERT INTO entitle.app_user (user_id, login, is_active) VALUES (1, 'ann', true), (2, 'bob', false), (3, 'Ünï', true);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'One', 'One', '1'), (2, 'Two', 'Two', '2');
INSERT INTO entitle.external_access (customer_id, user_id) VALUES (1, 1), (2, 2);
INSERT INTO entitle.membership (membership_id, user_id, organization_id) VALUES (1, 1, 1);

-- Logins that may not sign in: unknown and inactive ones look the same, and after each nobody is signed in.
SET LOCAL ROLE pool_role;
SELECT code, message, hint, entitle.current_user_id()
FROM unnest(ARRAY[NULL, '', ' ', 'bob', 'nobody', 'ANN', ' ann', 'ann ', E'ann\n', 'ann%', '1', 'Uni', E'U\u0308ni\u0308', E'\u0430nn',
                  'ann''; --', repeat('x', 1000000)]) AS login,
     LATERAL refused(format('SELECT entitle.sign_in(%L)', login));
-- One that failed leaves what its rollback restores (R47), and never the identity before it in a caller that goes on.
SELECT entitle.sign_in('ann');
SELECT code, entitle.current_login() FROM refused($$SELECT entitle.sign_in('bob')$$);
SELECT entitle.sign_out();
RESET ROLE;

-- Without EXECUTE there is no way in.
SET LOCAL ROLE app_role;
SELECT * FROM refused($$SELECT entitle.sign_in('ann')$$);
SELECT * FROM refused($$SELECT entitle.sign_out()$$);
SELECT * FROM refused($$SET entitle.identity = '1'$$);
SELECT * FROM refused($$SELECT set_config('entitle.identity', '1', true)$$);
SELECT * FROM refused($$SET LOCAL entitle.choice = '1:1:1'$$);
SELECT * FROM refused($$SET entitle.time_zone = 'Pacific/Kiritimati'$$);
SELECT * FROM refused($$SET entitle.full_record_fields = ''$$);
SELECT * FROM refused($$SET entitle.anything = 'x'$$);
SELECT * FROM refused($$CREATE FUNCTION pg_temp.become() RETURNS integer LANGUAGE sql SET entitle.identity = '1' AS 'SELECT 1'$$);
SELECT * FROM refused($$ALTER ROLE app_role SET entitle.identity = '1'$$);
RESET ROLE;

-- What a superuser may not set either.
SELECT code, message, hint
FROM unnest(ARRAY['ann', '1 ', '+1', '1x', '0x1', '1.0', '99999999999999999999', '-', '1;2']) AS value,
     LATERAL refused(format('SET entitle.identity = %L', value));
SELECT * FROM refused($$ALTER ROLE app_role SET entitle.identity = '1'$$);
SELECT * FROM refused($$ALTER ROLE ALL SET entitle.identity = '1'$$);
SELECT * FROM refused($$CREATE FUNCTION pg_temp.become() RETURNS integer LANGUAGE sql SET entitle.identity = '1' AS 'SELECT 1'$$);
SELECT * FROM refused($$SET entitle.choice = '1'$$);
SELECT * FROM refused($$SET entitle.choice = 'ann::1'$$);
SELECT * FROM refused($$SET entitle.choice = '1:1x:1'$$);
SELECT * FROM refused($$SET entitle.choice = '1:1:1:1'$$);
SELECT * FROM refused($$SET entitle.time_zone = 'Nowhere/Special'$$);
SELECT * FROM refused($$SET entitle.time_zone = ''$$);
SELECT * FROM refused($$SET entitle.anything = 'x'$$);

-- A grant of the parameter itself opens no way around sign_in (S22).
GRANT SET ON PARAMETER entitle.identity, entitle.choice TO app_role;
SET LOCAL ROLE app_role;
SELECT * FROM refused($$SET entitle.identity = '1'$$);
SELECT * FROM refused($$SELECT set_config('entitle.identity', '1', false)$$);
SELECT entitle.current_login(), entitle.access_level(1);
RESET ROLE;
REVOKE SET ON PARAMETER entitle.identity, entitle.choice FROM app_role;

-- Choices that are not the user's to make; a refused one leaves the one before it.
SELECT * FROM refused('SELECT entitle.use_brand(1)');
SELECT * FROM refused('SELECT entitle.use_customer(1)');
SELECT entitle.sign_in('ann') \g /dev/null
SELECT entitle.use_brand(1), entitle.use_customer(1) \g /dev/null
SELECT code, message, hint, entitle.current_brand_id()
FROM unnest(ARRAY[2, 3, 0, -1, 9223372036854775807, -9223372036854775808]) AS brand, LATERAL refused(format('SELECT entitle.use_brand(%L)', brand));
SELECT code, message, hint, entitle.current_customer_id()
FROM unnest(ARRAY[2, 0, -1, 9223372036854775807, -9223372036854775808]) AS customer, LATERAL refused(format('SELECT entitle.use_customer(%L)', customer));

-- Grants (R33, R34, R38, R40, R44).
SELECT * FROM refused($$INSERT INTO entitle.external_access (customer_id, user_id) VALUES (1, 1)$$);
SELECT * FROM refused($$INSERT INTO entitle.external_access (customer_id, user_id) VALUES (99, 1)$$);
SELECT * FROM refused($$INSERT INTO entitle.external_access (customer_id, user_id) VALUES (1, 99)$$);
SELECT * FROM refused($$INSERT INTO entitle.external_access (customer_id, user_id) VALUES (NULL, 1)$$);
SELECT code, message, hint, role
FROM unnest(ARRAY['L15', 'L0', 'L00', 'l30', 'L30 ', ' L30', '30', 'L300', 'L91', 'Owner', '', '*', NULL]) AS role,
     LATERAL refused(format('UPDATE entitle.external_access SET role = %L', role));
SELECT code, message, hint, days
FROM unnest(ARRAY['-1', '-2147483648', '2147483648', 'thirty']) AS days,
     LATERAL refused(format('UPDATE entitle.external_access SET days_back = %L', days));
SELECT * FROM refused($$UPDATE entitle.external_access SET valid_from = '2026-01-02', valid_until = '2026-01-01'$$);

-- Memberships (R22): one place each, a role of the same organization, an owner of organizations only.
SELECT * FROM refused($$INSERT INTO entitle.membership (user_id) VALUES (1)$$);
SELECT * FROM refused($$INSERT INTO entitle.membership (user_id, organization_id, brand_id) VALUES (1, 1, 1)$$);
SELECT * FROM refused($$INSERT INTO entitle.membership (user_id, brand_id, is_owner) VALUES (1, 1, true)$$);
SELECT * FROM refused($$INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (1, 1, 200)$$);
SELECT * FROM refused($$INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (1, 2, 100)$$);
SELECT * FROM refused($$INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (1, 3, 100)$$);
SELECT * FROM refused($$INSERT INTO entitle.membership (user_id, organization_id) VALUES (1, 1)$$);
SELECT * FROM refused($$UPDATE entitle.membership SET role_id = 200$$);

-- Prerequisites without cycles (R5), keys and metrics (R4, R30).
SELECT * FROM refused($$INSERT INTO entitle.permission_prerequisite VALUES ('customers.view', 'customers.view')$$);
SELECT * FROM refused($$INSERT INTO entitle.permission_prerequisite VALUES ('customers.view', 'customers.edit')$$);
SELECT * FROM refused($$INSERT INTO entitle.role_permission VALUES (100, 'customers.%')$$);
SELECT * FROM refused($$INSERT INTO entitle.role_metric VALUES (100, 'revenu')$$);
SELECT * FROM refused($$INSERT INTO entitle.metric VALUES ('*')$$);
SELECT * FROM refused($$INSERT INTO entitle.permission VALUES ('')$$);
SELECT * FROM refused($$INSERT INTO entitle.app_user (login) VALUES (' ann')$$);

-- Scores (R12, R16, R17).
SELECT * FROM refused($$INSERT INTO entitle.client_metric (name, multiplier) VALUES ('x', -0.01)$$);
SELECT * FROM refused($$INSERT INTO entitle.client_metric (name, multiplier) VALUES ('x', 'NaN')$$);
SELECT * FROM refused($$INSERT INTO entitle.client_metric (name, multiplier) VALUES ('x', 'Infinity')$$);
INSERT INTO entitle.client_metric (metric_id, name) VALUES (1, 'payments');
SELECT code, message, hint, value
FROM unnest(ARRAY['-0.001', '100.001', 'NaN', 'Infinity', '-Infinity']) AS value,
     LATERAL refused(format('INSERT INTO entitle.customer_metric VALUES (1, 1, %L)', value));
SET LOCAL ROLE app_role;
SELECT * FROM refused('SELECT entitle.recalc_scores()');
RESET ROLE;

-- A superuser's typing mistakes are told as such, not as missing rights.
SELECT * FROM refused($$SELECT entitle.grant_access(99, 'ann')$$);
SELECT * FROM refused($$SELECT entitle.revoke_access(99, 'bob')$$);
SELECT * FROM refused($$SELECT entitle.grant_access(NULL, 'ann')$$);
SELECT * FROM refused($$SELECT entitle.sign_in('ann', seal => '')$$);
SAVEPOINT a;
UPDATE entitle.app_user SET db_role = 'no_such_role' WHERE user_id = 1;
INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('no_such_pool', 'ann');
ROLLBACK TO a;

-- The model is as it was.
SELECT customer_id, user_id, role, days_back, valid_from, valid_until FROM entitle.external_access ORDER BY customer_id;
SELECT membership_id, user_id, organization_id, brand_id, role_id, is_owner FROM entitle.membership;
SELECT count(*) FROM entitle.customer_metric;
ROLLBACK;
DROP FUNCTION refused;
