-- R64, S436: an adopted customer whose row is gone, or fails its condition, gives nothing to those who have external access to it. What was
-- granted on it waits (R43), and is there again when the row comes back. Staff read it as any INAC customer (R6).
\ir tried.psql
SELECT no_plan();

CREATE TABLE account (id bigint PRIMARY KEY, closed boolean NOT NULL DEFAULT false);
CREATE TABLE person (id integer PRIMARY KEY, mail text);
CREATE TABLE seat (id integer PRIMARY KEY, account bigint, person integer, level text);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint);
INSERT INTO account SELECT 90000 + i FROM generate_series(1, 3000) i;
INSERT INTO person VALUES (1, 'few'), (2, 'many'), (3, 'admin'), (4, 'all');
INSERT INTO seat VALUES (1, 90001, 1, 'L30'), (2, 90002, 1, 'L30'), (3, 90001, 3, 'L80');
INSERT INTO seat SELECT 1000 + i, 90000 + i, 2, 'L10' FROM generate_series(1, 400) i;
INSERT INTO seat SELECT 10000 + i, 90000 + i, 4, 'L10' FROM generate_series(1, 3000) i;
INSERT INTO orders SELECT i, 90000 + i FROM generate_series(1, 3000) i;
SELECT entitle.adopt_customers('account', 'id', active_when => 'NOT closed'), entitle.adopt_users('person', 'mail'),
       entitle.adopt_access('seat', 'account', 'person', level_column => 'level');
INSERT INTO entitle.app_user (user_id, login) VALUES (901, 'here'), (902, 'staff'), (903, 'boss');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (901, 1, 'viewer');
INSERT INTO entitle.role_permission VALUES (901, 'customers.view');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (902, 1, 901);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (89000, 'made here', 'a', '1');
INSERT INTO orders VALUES (0, 89000);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (90001, 901, 'L30', NULL), (89000, 901, 'L30', NULL), (90001, 903, 'L90', NULL);
SELECT entitle.protect_table('orders', 'customer_id', view_permission => 'customers.view');
GRANT SELECT ON orders TO test_app;
GRANT EXECUTE ON FUNCTION entitle.grant_access, entitle.revoke_access, entitle.invite_user TO test_app;

CREATE FUNCTION seen(login text) RETURNS text LANGUAGE sql
    AS $$ SELECT ask(login, 'SELECT concat_ws('' '', count(*), min(id), max(id), sum(id)) FROM orders') $$;
CREATE FUNCTION levels() RETURNS text LANGUAGE sql
    AS $$ SELECT string_agg(ask(login, 'SELECT entitle.access_level(90001)'), ' ' ORDER BY login) FROM unnest('{few,admin,here,boss,staff}'::text[]) AS login $$;
-- What somebody should see, from the tables of the application.
CREATE FUNCTION expected(who integer) RETURNS text LANGUAGE sql
    AS $$ SELECT concat_ws(' ', count(*), min(o.id), max(o.id), sum(o.id)) FROM orders o JOIN account a ON a.id = o.customer_id AND NOT a.closed
          WHERE EXISTS (SELECT FROM seat s WHERE s.account = a.id AND s.person = who) $$;
SELECT is(seen('few'), '2 1 2 3', 'who has access sees the rows of both customers');
SELECT is(levels(), '80 90 30 30 0', 'by adopted grants and by those made here');
UPDATE account SET closed = true WHERE id = 90001;
SELECT is(seen('few'), '1 2 2 2', 'S436: of a customer that is switched off nothing shows');
SELECT is(levels(), '0 0 0 0 0', 'S436: no grant on it counts, an owner''s neither');
SELECT is(seen('here'), '1 0 0 0', 'nor does one that was made here');
SELECT is((SELECT detail FROM entitle.explain_row('orders', '1', 'here') WHERE NOT passed AND gate = 'customer'),
          'the customer''s row is gone from the table it was adopted from; the grant waits until it comes back', 'R2: an explanation tells why');
SELECT is(seen('staff'), '3001 0 3000 4501500', 'R6: staff go on reading it');
SELECT is((SELECT count(*) FROM entitle.external_access WHERE customer_id = 90001), 6::bigint, 'R43: what was granted on it stays');
SELECT is((SELECT string_agg(level::text, ',') FROM entitle.customer_access(90001)), '0,0,0,0,0,0', 'and is told to count for nothing');
SELECT is(tried('admin', $$SELECT entitle.grant_access(90001, 'staff', 'L10')$$), '42501', 'S436: nobody manages its access by access');
SELECT is(tried('boss', $$SELECT entitle.invite_user('somebody', customer_id => 90001)$$), '42501', 'nor invites to it');
SELECT is(tried('here', $$SELECT entitle.revoke_access(90001, 'here')$$), '1', 'the own grant may be given up');
UPDATE account SET closed = false WHERE id = 90001;
SELECT is(levels(), '80 90 30 30 0', 'R64: when it is switched on, all is there again');
DELETE FROM account WHERE id = 90001;
SELECT is(levels() || ' ' || seen('few'), '0 0 0 0 0 1 2 2 2', 'S436: the same when the row is deleted');
INSERT INTO account VALUES (90001);
SELECT is(levels() || ' ' || seen('few'), '80 90 30 30 0 2 1 2 3', 'and comes back under its key');
SAVEPOINT before; UPDATE account SET closed = true WHERE id = 90001; ROLLBACK TO before;
SELECT is(levels(), '80 90 30 30 0', 'R47: rolled back, it was never switched off');

-- However many grants somebody has, and however many customers are gone.
UPDATE account SET closed = true WHERE id % 2 = 0 AND id <= 90400;
SELECT is(seen('many'), expected(2), 'S436: many grants, half of them wait');
SELECT is(seen('all'), expected(4), 'more grants, a few wait');
UPDATE account SET closed = true WHERE id > 90100 AND id % 7 > 0;
SELECT is(seen('few'), expected(1), 'few grants, many customers are gone');
SELECT is(seen('many'), expected(2), 'many grants, more customers are gone');
SELECT is(seen('all'), expected(4), 'most wait');
SELECT is(ask('many', format('SELECT entitle.access_level(%s)', id)), CASE WHEN closed THEN '0' ELSE '10' END, format('one asked for by itself: %s', id)) FROM account WHERE id IN (90001, 90002, 90150, 90154, 90399);
UPDATE account SET closed = NOT closed;
SELECT is(seen('many'), expected(2), 'all turn round');
SELECT is(seen('all'), expected(4), 'for everybody');

-- A customer made here that is deactivated is read as before (R11), and so is one that is no row's any more.
SELECT entitle.deactivate_customer(89000);
SELECT is(ask('here', 'SELECT count(*) FROM orders WHERE customer_id = 89000'), '1', 'R11: an INAC customer made here is not edited, and is read');
UPDATE account SET closed = true WHERE id = 90001;
SELECT is(seen('here'), '1 0 0 0', 'beside it one waits');
SELECT entitle.forget_adopted('account');
SELECT is(levels(), '0 0 0 0 0', 'R64: a forgotten table gives nothing either');
UPDATE entitle.customer SET adoption_id = NULL, source_key = NULL, legal_name = 'a', trade_name = 'a', tax_id = '1' WHERE customer_id = 90001;
SELECT is(ask('here', 'SELECT entitle.access_level(90001)'), '30', 'what a superuser makes one of his own is read as that');

SELECT * FROM finish();
ROLLBACK;
