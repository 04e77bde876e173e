-- What the reference says that a function raises is what it raises: each SQLSTATE that a comment names is provoked here, and
-- nothing is provoked that no comment names.
\ir setup.psql
SELECT no_plan();

GRANT SELECT ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON FUNCTION entitle.grant_access, entitle.revoke_access, entitle.set_metric_value, entitle.protect_table,
    entitle.unprotect_table, entitle.alter_protected, entitle.begin_migration, entitle.lint,
    entitle.deactivate_customer, entitle.reactivate_customer, entitle.force_revoke_owner, entitle.create_role, entitle.set_role, entitle.drop_role,
    entitle.add_user, entitle.deactivate_user, entitle.reactivate_user, entitle.add_member, entitle.remove_member, entitle.invite_user,
    entitle.accept_invitation, entitle.prune_log, entitle.prune_report, entitle.protection_report, entitle.erase_user, entitle.adopt_users, entitle.adopt_customers,
    entitle.adopt_access, entitle.adopt_organizations, entitle.adopt_brands, entitle.adopt_roles, entitle.adopt_role_permissions, entitle.adopt_memberships, entitle.forget_adopted, entitle.sync_adopted,
    entitle.guard_schema, entitle.unguard_schema, entitle.except_table,
    entitle.plan_protection, entitle.protect_schema, entitle.unprotect_all, entitle.repair, entitle.verify_protection TO test_app;
INSERT INTO entitle.app_user (user_id, login, is_active) VALUES (101, 'ann', true), (102, 'owner', true), (103, 'gone', false);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id, status, country, address, contact_email)
VALUES (101, 'a', 'a', '1', 'ACTV', 'c', 'a', 'e'), (102, 'b', 'b', '2', 'INAC', NULL, NULL, NULL),
       (103, 'c', 'c', '3', 'PAIN', NULL, NULL, NULL);
INSERT INTO entitle.client_metric (metric_id, name) VALUES (101, 'pays');
INSERT INTO entitle.app_user (user_id, login) VALUES (104, 'boss');
INSERT INTO entitle.membership (membership_id, user_id, organization_id, is_owner) VALUES (104, 104, 1, true);
INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id) VALUES (101, 101, 1, 7);
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (101, 102, 'L90'), (101, 101, 'L30');

CREATE TABLE orders (order_id integer PRIMARY KEY, customer_id bigint, kept date, price numeric);
CREATE TABLE bare (order_id integer, customer_id bigint);
CREATE SEQUENCE bare_pkey;
CREATE TABLE policed (customer_id bigint);
CREATE POLICY entitle_select ON policed USING (false);
CREATE TABLE lines (line_id integer PRIMARY KEY, order_id integer);
INSERT INTO orders VALUES (1, 101, current_date, 5);
CREATE TABLE twice (id integer PRIMARY KEY, login text);
INSERT INTO twice VALUES (1, 'same'), (2, 'same');
CREATE TABLE taken (id integer PRIMARY KEY);
INSERT INTO taken VALUES (101);
CREATE TABLE client (code text PRIMARY KEY);
SELECT entitle.adopt_customers('client', 'code');
CREATE TABLE seat (id integer PRIMARY KEY, client text, login text);
INSERT INTO seat VALUES (1, 'none', 'none');
CREATE TABLE firm (id integer PRIMARY KEY, name text, may text[]);
INSERT INTO firm VALUES (1, 'main', '{none}');
INSERT INTO entitle.organization (name) VALUES ('1');
CREATE TABLE post (code text PRIMARY KEY);
SELECT entitle.adopt_roles('post', 'code', 'code');
CREATE TABLE adopted (login text PRIMARY KEY);
SELECT entitle.adopt_users('adopted', 'login');
ALTER TABLE adopted DISABLE TRIGGER entitle_adopted;
INSERT INTO adopted VALUES ('ann');
GRANT ALL ON orders, bare, lines TO test_app;
SELECT entitle.protect_table('orders', 'customer_id', view_permission => 'customers.view');
CREATE TABLE follow (line_id integer PRIMARY KEY, order_id integer REFERENCES orders);
SELECT entitle.protect_table('follow', parent => 'orders');

-- By whom (NULL: a superuser; '': an application in which nobody is signed in; a login), what, and what it raises.
CREATE TEMP TABLE call (login text, command text, sqlstate text);
INSERT INTO call VALUES
    (NULL, $$sign_in('nobody')$$, '42501'),
    (NULL, $$sign_in('gone')$$, '42501'),
    (NULL, $$sign_in_token('x')$$, '28000'),
    (NULL, $$use_brand(99999)$$, '42501'),
    (NULL, $$use_customer(99999)$$, '42501'),
    ('', $$set_metric_value(101, 'pays', 5)$$, '42501'),
    (NULL, $$set_metric_value(99999, 'pays', 5)$$, '22023'),
    (NULL, $$set_metric_value(101, 'pays', 101)$$, '23514'),
    ('', $$recalc_scores()$$, '42501'),
    ('', $$grant_access(101, 'ann', 'L30')$$, '42501'),
    (NULL, $$grant_access(99999, 'ann', 'L30')$$, '22023'),
    (NULL, $$grant_access(101, 'ann', 'L31')$$, '23514'),
    (NULL, $$grant_access(101, 'ann', 'L30', -1)$$, '23514'),
    (NULL, $$revoke_access(101, 'owner')$$, '42501'),
    (NULL, $$revoke_access(99999, 'ann')$$, '22023'),
    ('', $$force_revoke_owner(101, 'owner', 'x')$$, '42501'),
    (NULL, $$force_revoke_owner(101, 'ann', 'x')$$, '22023'),
    ('', $$deactivate_customer(101)$$, '42501'),
    ('', $$reactivate_customer(102)$$, '42501'),
    (NULL, $$reactivate_customer(101)$$, '23514'),
    ('', $$create_role('x', organization_id => 1)$$, '42501'),
    (NULL, $$create_role('x')$$, '22023'),
    (NULL, $$create_role('sales', organization_id => 1)$$, '23505'),
    ('', $$set_role(1, '{}', '{}')$$, '42501'),
    (NULL, $$set_role(99999, '{}', '{}')$$, '22023'),
    ('ann', $$drop_role(7)$$, '42501'),
    (NULL, $$drop_role(7)$$, '23503'),
    ('', $$add_user('x')$$, '42501'),
    (NULL, $$add_user(' x')$$, '23514'),
    (NULL, $$add_user(NULL)$$, '23502'),
    (NULL, $$add_user('ann')$$, '23505'),
    ('', $$deactivate_user('ann')$$, '42501'),
    (NULL, $$deactivate_user('none')$$, '22023'),
    ('', $$reactivate_user('ann')$$, '42501'),
    (NULL, $$reactivate_user('none')$$, '22023'),
    ('', $$add_member('ann', organization_id => 1)$$, '42501'),
    (NULL, $$add_member('none', organization_id => 1)$$, '22023'),
    (NULL, $$add_member('ann', 'read-only', 1)$$, '23505'),
    (NULL, $$add_member('ann', organization_id => 1, brand_id => 1)$$, '23514'),
    ('boss', $$remove_member(104)$$, '42501'),
    ('', $$invite_user('x', organization_id => 1)$$, '42501'),
    (NULL, $$invite_user('x')$$, '22023'),
    (NULL, $$invite_user(NULL, organization_id => 1)$$, '23502'),
    (NULL, $$invite_user('x', customer_id => 101, days_back => -1)$$, '23514'),
    ('', $$accept_invitation(1)$$, '42501'),
    ('', $$prune_log(now())$$, '42501'),
    (NULL, $$prune_log(NULL)$$, '22004'),
    ('', $$prune_report(now())$$, '42501'),
    (NULL, $$prune_report(NULL)$$, '22004'),
    ('', $$erase_user('ann', 'x')$$, '42501'),
    (NULL, $$erase_user('none', 'x')$$, '22023'),
    (NULL, $$erase_user('boss', 'x')$$, '55000'),
    (NULL, $$plan_protection(NULL)$$, '22004'),
    (NULL, $$plan_protection('{none}')$$, '3F000'),
    (NULL, $$protect_schema(NULL)$$, '22004'),
    (NULL, $$protect_schema('{none}')$$, '3F000'),
    (NULL, $$protect_schema('{public}', 'none')$$, '22023'),
    (NULL, $$guard_schema(NULL)$$, '22004'),
    ('', $$guard_schema('public')$$, '42501'),
    (NULL, $$guard_schema('none')$$, '3F000'),
    (NULL, $$guard_schema('entitle')$$, '42809'),
    (NULL, $$unguard_schema(NULL)$$, '22004'),
    ('', $$unguard_schema('public')$$, '42501'),
    (NULL, $$unguard_schema('none')$$, '3F000'),
    (NULL, $$unguard_schema('entitle')$$, '42809'),
    (NULL, $$unguard_schema('public')$$, '42704'),
    (NULL, $$except_table(NULL, 'x')$$, '22004'),
    ('', $$except_table('bare', 'x')$$, '42501'),
    (NULL, $$except_table('bare', ' ')$$, '22023'),
    (NULL, $$except_table('bare_pkey', 'x')$$, '42809'),
    (NULL, $$except_table('bare', 'x')$$, '55000'),
    (NULL, $$protect_table(NULL)$$, '22004'),
    ('', $$protect_table('bare')$$, '42501'),
    (NULL, $$protect_table('bare')$$, '22023'),
    (NULL, $$protect_table('bare', 'none')$$, '42703'),
    (NULL, $$protect_table('bare', 'customer_id', mode => 'none')$$, '22023'),
    (NULL, $$protect_table('lines', parent => 'orders')$$, '42830'),
    (NULL, $$protect_table('lines', parent => 'bare')$$, '55000'),
    (NULL, $$protect_table('policed', 'customer_id')$$, '42710'),
    (NULL, $$protect_table('pg_class', 'oid')$$, '42809'),
    (NULL, $$protect_table('orders', 'customer_id', masked_columns => '{"price": 30}', view_name => 'bare')$$, '42P07'),
    (NULL, $$unprotect_table(NULL)$$, '22004'),
    ('', $$unprotect_table('orders')$$, '42501'),
    (NULL, $$unprotect_table('bare')$$, '42704'),
    (NULL, $$unprotect_table('orders')$$, '2BP01'),
    (NULL, $$alter_protected('orders', NULL)$$, '22004'),
    ('', $$alter_protected('orders', 'ADD x integer')$$, '42501'),
    (NULL, $$alter_protected('bare', 'ADD x integer')$$, '42704'),
    ('', $$begin_migration('{orders}')$$, '42501'),
    (NULL, $$begin_migration('{bare}')$$, '42704'),
    ('', $$adopt_users('bare', 'x')$$, '42501'),
    (NULL, $$adopt_users(NULL, 'x')$$, '22004'),
    (NULL, $$adopt_users('bare', 'x')$$, '22023'),
    (NULL, $$adopt_users('orders', 'x')$$, '42703'),
    (NULL, $$adopt_users('orders', 'price')$$, '42804'),
    (NULL, $$adopt_users('pg_class', 'relname')$$, '42809'),
    (NULL, $$adopt_users('twice', 'login', 'id')$$, '23505'),
    ('', $$adopt_customers('bare', 'customer_id')$$, '42501'),
    (NULL, $$adopt_customers('bare', NULL)$$, '22004'),
    (NULL, $$adopt_customers('bare', 'customer_id')$$, '22023'),
    (NULL, $$adopt_customers('orders', 'x')$$, '42703'),
    (NULL, $$adopt_customers('orders', 'kept')$$, '42804'),
    (NULL, $$adopt_customers('pg_class', 'oid')$$, '42809'),
    (NULL, $$adopt_customers('taken', 'id')$$, '23505'),
    ('', $$adopt_access('bare', 'customer_id', 'order_id')$$, '42501'),
    (NULL, $$adopt_access('bare', 'customer_id', NULL)$$, '22004'),
    (NULL, $$adopt_access('bare', 'customer_id', 'order_id')$$, '22023'),
    (NULL, $$adopt_access('orders', 'none', 'customer_id')$$, '42703'),
    (NULL, $$adopt_access('orders', 'kept', 'customer_id')$$, '42804'),
    (NULL, $$adopt_access('pg_class', 'oid', 'oid')$$, '42809'),
    (NULL, $$adopt_access('seat', 'client', 'login')$$, '23505'),
    ('', $$adopt_organizations('bare', 'order_id', 'order_id')$$, '42501'),
    (NULL, $$adopt_organizations('firm', NULL, 'name')$$, '22004'),
    (NULL, $$adopt_organizations('bare', 'order_id', 'order_id')$$, '22023'),
    (NULL, $$adopt_organizations('firm', 'x', 'name')$$, '42703'),
    (NULL, $$adopt_organizations('firm', 'may', 'name')$$, '42804'),
    (NULL, $$adopt_organizations('pg_class', 'oid', 'relname')$$, '42809'),
    (NULL, $$adopt_organizations('firm', 'id', 'id')$$, '23505'),
    ('', $$adopt_brands('bare', 'order_id', 'order_id')$$, '42501'),
    (NULL, $$adopt_brands('firm', NULL, 'name')$$, '22004'),
    (NULL, $$adopt_brands('bare', 'order_id', 'order_id')$$, '22023'),
    (NULL, $$adopt_brands('firm', 'x', 'name')$$, '42703'),
    (NULL, $$adopt_brands('firm', 'may', 'name')$$, '42804'),
    (NULL, $$adopt_brands('pg_class', 'oid', 'relname')$$, '42809'),
    (NULL, $$adopt_brands('firm', 'id', 'name')$$, '23505'),
    ('', $$adopt_roles('bare', 'order_id', 'order_id')$$, '42501'),
    (NULL, $$adopt_roles('firm', NULL, 'name')$$, '22004'),
    (NULL, $$adopt_roles('bare', 'order_id', 'order_id')$$, '22023'),
    (NULL, $$adopt_roles('firm', 'x', 'name')$$, '42703'),
    (NULL, $$adopt_roles('firm', 'may', 'name')$$, '42804'),
    (NULL, $$adopt_roles('pg_class', 'oid', 'relname')$$, '42809'),
    (NULL, $$adopt_roles('firm', 'id', 'name', permissions_column => 'may')$$, '23505'),
    ('', $$adopt_role_permissions('bare', 'order_id', 'customer_id')$$, '42501'),
    (NULL, $$adopt_role_permissions('seat', 'client', NULL)$$, '22004'),
    (NULL, $$adopt_role_permissions('bare', 'order_id', 'customer_id')$$, '22023'),
    (NULL, $$adopt_role_permissions('seat', 'x', 'login')$$, '42703'),
    (NULL, $$adopt_role_permissions('orders', 'kept', 'price')$$, '42804'),
    (NULL, $$adopt_role_permissions('pg_class', 'oid', 'relname')$$, '42809'),
    (NULL, $$adopt_role_permissions('seat', 'client', 'login')$$, '23505'),
    ('', $$adopt_memberships('bare', 'order_id')$$, '42501'),
    (NULL, $$adopt_memberships('seat', NULL)$$, '22004'),
    (NULL, $$adopt_memberships('bare', 'order_id')$$, '22023'),
    (NULL, $$adopt_memberships('seat', 'x')$$, '42703'),
    (NULL, $$adopt_memberships('orders', 'kept')$$, '42804'),
    (NULL, $$adopt_memberships('pg_class', 'oid')$$, '42809'),
    (NULL, $$adopt_memberships('seat', 'login')$$, '23505'),
    ('', $$forget_adopted('lines')$$, '42501'),
    (NULL, $$forget_adopted(NULL)$$, '22004'),
    (NULL, $$forget_adopted('lines')$$, '42704'),
    ('', $$sync_adopted('adopted')$$, '42501'),
    (NULL, $$sync_adopted('lines')$$, '42704'),
    (NULL, $$sync_adopted('adopted')$$, '23505'),
    (NULL, $$explain_row('orders', 'x')$$, '22P02'),
    (NULL, $$explain_action('orders', '1', 'fly')$$, '22023'),
    (NULL, $$explain_action('orders', 'x', 'select')$$, '22P02'),
    (NULL, $$explain_new_row('orders', '[]')$$, '22023'),
    (NULL, $$explain_new_row('orders', '{"none": 1}')$$, '42703'),
    (NULL, $$column_default('orders', 99, NULL::integer)$$, '55000');

-- Calls it as that user. Returns: the SQLSTATE, NULL when nothing is raised.
CREATE FUNCTION raised_by(login text, command text) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF login = '' THEN
        PERFORM do_as(NULL, 'SELECT entitle.' || command);
    ELSIF login IS NOT NULL THEN
        PERFORM do_as(login, 'SELECT entitle.' || command);
    ELSE
        EXECUTE 'SELECT entitle.' || command;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;

SELECT is(raised_by(login, command), sqlstate, format('entitle.%s raises %s', command, sqlstate)) FROM call;

SELECT set_eq(
    $$ SELECT p.proname::text, s.state
       FROM pg_proc p, substring(obj_description(p.oid, 'pg_proc') FROM 'Raises (.*)$') AS t (states),
            regexp_matches(t.states, '\m[0-9][0-9A-Z]{4}\M', 'g') AS m (found), unnest(m.found) AS s (state)
       WHERE p.pronamespace = 'entitle'::regnamespace $$,
    $$ SELECT DISTINCT substring(command FROM '^[a-z_]+'), sqlstate FROM call $$,
    'what the comments say is raised is what was tried here');

SELECT * FROM finish();
ROLLBACK;
