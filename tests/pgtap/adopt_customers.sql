-- Customers and external access that are rows of an application's tables (R64, R65): by uuid, text and integer keys, which protected
-- tables name; they follow every write, an owner's grant (R43) given by a row goes with the row, one that was given here stays
-- (S320 to S323).
\ir tried.psql
\ir adopting.psql
SELECT no_plan();

CREATE ROLE app_owner;
CREATE ROLE app_writer;
GRANT CREATE ON SCHEMA public TO app_owner;
GRANT EXECUTE ON FUNCTION entitle.adopt_users, entitle.adopt_customers, entitle.adopt_access, entitle.forget_adopted, entitle.verify_adoption TO app_owner;
SET ROLE app_owner;
CREATE TYPE word AS ENUM ('viewer', 'buyer', 'boss', 'odd');
CREATE TABLE person (id uuid PRIMARY KEY, mail text NOT NULL UNIQUE, deleted_at timestamptz);
CREATE TABLE account (id uuid PRIMARY KEY, title text, vat text, closed boolean NOT NULL DEFAULT false);
CREATE TABLE seat (account_id uuid REFERENCES account ON DELETE CASCADE, person_id uuid REFERENCES person ON DELETE CASCADE ON UPDATE CASCADE,
    what word, since timestamp, until date, days bigint, PRIMARY KEY (account_id, person_id));
CREATE TABLE orders (order_id integer PRIMARY KEY, account_id uuid, price numeric);
INSERT INTO person SELECT md5('p' || i)::uuid, 'p' || i FROM generate_series(1, 6) i;
INSERT INTO account SELECT md5('a' || i)::uuid, 'account ' || i, CASE WHEN i > 2 THEN 'vat ' || i ELSE '  ' END FROM generate_series(1, 6) i;
INSERT INTO seat SELECT md5('a' || i)::uuid, md5('p' || i)::uuid, 'viewer' FROM generate_series(1, 4) i;
INSERT INTO seat VALUES (md5('a5')::uuid, md5('p5')::uuid, 'boss');
INSERT INTO orders SELECT i, md5('a' || i)::uuid, 5 FROM generate_series(1, 6) i;
GRANT SELECT, INSERT, UPDATE, DELETE ON person, account, seat TO app_writer;
SELECT entitle.adopt_users('person', 'mail', active_when => 'deleted_at IS NULL');
SELECT lives_ok($$ SELECT entitle.adopt_customers('account', 'id', 'title', active_when => 'NOT closed', profile => '{"tax_id": "vat"}') $$, 'an owner adopts customers');
SELECT lives_ok($$ SELECT entitle.adopt_access('seat', 'account_id', 'person_id', level_column => 'what', levels => '{"viewer": "L10", "buyer": "L30", "boss": "L90"}',
                    valid_from_column => 'since', valid_until_column => 'until', days_back_column => 'days') $$, 'and the access to them');
RESET ROLE;
SELECT bag_eq($$ SELECT trade_name, legal_name, tax_id, status, customer_uuid::text FROM entitle.customer WHERE adoption_id IS NOT NULL ORDER BY trade_name $$,
    $$ SELECT 'account ' || i AS a, NULL::text AS b, CASE WHEN i > 2 THEN 'vat ' || i END AS c, 'ACTV' AS d, md5('a' || i)::uuid::text AS e FROM generate_series(1, 6) i $$,
    'R65: customers have what their rows have, and are ACTV');
SELECT bag_eq($$ SELECT u.login, c.trade_name, g.role FROM entitle.external_access g JOIN entitle.app_user u USING (user_id) JOIN entitle.customer c USING (customer_id) ORDER BY 1 $$,
    $$ SELECT 'p' || i AS a, 'account ' || i AS b, CASE WHEN i = 5 THEN 'L90' ELSE 'L10' END AS c FROM generate_series(1, 5) i $$, 'R64: rows are grants, with the levels that their words mean');
SELECT entitle.protect_table('orders', 'account_id', masked_columns => '{"price": 30}');
GRANT SELECT ON orders_view TO test_app;
SELECT is(ask('p1', 'SELECT string_agg(order_id || coalesce('' '' || price, ''''), '','') FROM orders_view'), '1', 'a protected table finds adopted customers by their own key');
SET ROLE app_writer;
UPDATE seat SET what = 'buyer' WHERE person_id = md5('p1')::uuid;
RESET ROLE;
SELECT is(ask('p1', 'SELECT string_agg(order_id || coalesce('' '' || price, ''''), '','') FROM orders_view'), '1 5', 'R64: a change there is a change here at the next statement');
SELECT is((SELECT min(db_role::text) FROM entitle.change_log WHERE relation = 'entitle.external_access'::regclass AND new_row ->> 'role' = 'L30'), 'app_writer', 'the log tells who');

-- What follows, compared with the tables themselves.
CREATE FUNCTION in_step(what text) RETURNS SETOF text LANGUAGE plpgsql
    AS $$ BEGIN
        RETURN NEXT bag_eq(
            $q$ SELECT c.source_key, c.status FROM entitle.customer c JOIN entitle.adoption a USING (adoption_id) WHERE a.source = 'account'::regclass::oid AND c.status <> 'INAC' ORDER BY 1 $q$,
            $q$ SELECT id::text COLLATE "C" AS a, 'ACTV' AS b FROM account WHERE NOT closed ORDER BY 1 $q$, 'R64: customers follow ' || what);
        RETURN NEXT bag_eq(
            $q$ SELECT c.customer_uuid, u.source_key::uuid, g.role, g.valid_from, g.valid_until, g.days_back
                FROM entitle.external_access g JOIN entitle.customer c USING (customer_id) JOIN entitle.app_user u USING (user_id) JOIN entitle.adoption a ON a.adoption_id = g.adoption_id
                WHERE a.source = 'seat'::regclass::oid $q$,
            $q$ SELECT account_id, person_id, CASE what WHEN 'viewer' THEN 'L10' WHEN 'buyer' THEN 'L30' ELSE 'L90' END AS role, since::date, until, days::integer AS days FROM seat $q$,
            'R64: grants follow ' || what);
        RETURN NEXT is((SELECT string_agg(v::text, '; ') FROM entitle.verify_adoption() v), NULL, 'and verify_adoption finds nothing');
    END $$;
CREATE TEMP TABLE way (n integer, command text);
INSERT INTO way VALUES
    (1, $$INSERT INTO account (id, title) SELECT md5('a' || i)::uuid, NULL FROM generate_series(10, 20) i$$),
    (2, $$INSERT INTO seat (account_id, person_id, what, since, until, days) SELECT md5('a' || i)::uuid, md5('p1')::uuid, 'buyer', '2024-02-03 23:59', '2030-01-01', 7 FROM generate_series(10, 15) i$$),
    (3, $$UPDATE seat SET since = NULL, days = NULL, until = 'infinity' WHERE days = 7$$),
    (4, $$UPDATE account SET closed = true WHERE id IN (md5('a10')::uuid, md5('a3')::uuid)$$),
    (5, $$UPDATE account SET closed = false, title = 'back' WHERE id = md5('a10')::uuid$$),
    (6, $$UPDATE seat SET person_id = md5('p2')::uuid WHERE account_id = md5('a11')::uuid$$),
    (7, $$UPDATE person SET id = md5('p22')::uuid WHERE id = md5('p2')::uuid$$),
    (8, $$DELETE FROM person WHERE id = md5('p22')::uuid$$),
    (9, $$DELETE FROM account WHERE id = md5('a12')::uuid$$),
    (10, $$MERGE INTO seat s USING (SELECT md5('a13')::uuid AS a, md5('p1')::uuid AS p UNION ALL SELECT md5('a14')::uuid, md5('p3')::uuid) n ON s.account_id = n.a AND s.person_id = n.p
           WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (n.a, n.p, 'boss')$$),
    (11, $$WITH s AS (DELETE FROM seat WHERE account_id = md5('a14')::uuid RETURNING *) INSERT INTO seat SELECT account_id, md5('p4')::uuid, what FROM s WHERE what = 'boss'$$),
    (12, $$DELETE FROM seat WHERE what = 'boss'$$),
    (13, $$INSERT INTO seat VALUES (md5('a5')::uuid, md5('p5')::uuid, 'boss')$$);
SELECT * FROM run_ways();

-- S320: what an owner's grant is, depends on where it came from.
INSERT INTO entitle.app_user (login) VALUES ('made here');
SELECT entitle.grant_access((SELECT customer_id FROM entitle.customer WHERE customer_uuid = md5('a6')::uuid), 'made here', 'L90');
SELECT entitle.grant_access((SELECT customer_id FROM entitle.customer WHERE customer_uuid = md5('a6')::uuid), 'p6', 'L90');
SELECT lives_ok($$ DELETE FROM account WHERE id = md5('a6')::uuid; DELETE FROM person WHERE id = md5('p6')::uuid $$, 'S320: the rows of an owned customer and of an owner go');
SELECT is((SELECT count(*) FROM entitle.external_access g JOIN entitle.customer c USING (customer_id) WHERE c.customer_uuid = md5('a6')::uuid AND g.role = 'L90'), 2::bigint,
          'S320, R43: the grants that were given here stay');
SELECT is((SELECT status FROM entitle.customer WHERE customer_uuid = md5('a6')::uuid), 'INAC', 'on an INAC customer');
INSERT INTO account VALUES (md5('a6')::uuid, 'six again');
SELECT is(ask('made here', format('SELECT entitle.access_level(%L::uuid)', md5('a6')::uuid)), '90', 'R64: and are there when the key comes back');
SELECT is(error_in(command), '42501 the row of "external_access" belongs to adopted table "public.seat"', 'S321: ' || command)
FROM (VALUES ($$SELECT entitle.force_revoke_owner(customer_id, 'p5', 'x') FROM entitle.customer WHERE customer_uuid = md5('a5')::uuid$$),
             ($$SELECT entitle.revoke_access(customer_id, 'p1') FROM entitle.customer WHERE customer_uuid = md5('a1')::uuid$$),
             ($$SELECT entitle.grant_access(customer_id, 'p1', 'L80') FROM entitle.customer WHERE customer_uuid = md5('a1')::uuid$$)) AS c (command);
SELECT is(error_in(command), '42501 the row of "customer" belongs to adopted table "public.account"', 'S321: ' || command)
FROM (VALUES ($$SELECT entitle.deactivate_customer(customer_id) FROM entitle.customer WHERE customer_uuid = md5('a1')::uuid$$),
             ($$UPDATE entitle.customer SET legal_name = 'mine' WHERE customer_uuid = md5('a1')::uuid$$),
             ($$DELETE FROM entitle.customer WHERE customer_uuid = md5('a4')::uuid$$)) AS c (command);
INSERT INTO entitle.client_metric (metric_id, name) VALUES (900, 'pays');
INSERT INTO entitle.customer_metric SELECT customer_id, 900, 50 FROM entitle.customer WHERE customer_uuid = md5('a1')::uuid;
SELECT lives_ok($$ SELECT entitle.recalc_scores() $$, 'scores are set here');
SELECT is((SELECT client_score FROM entitle.customer WHERE customer_uuid = md5('a1')::uuid), 50.00, 'of adopted customers too');
SELECT is(error_in($$INSERT INTO entitle.customer (legal_name, trade_name) VALUES ('a', 'b')$$),
          '23502 null value in column "tax_id" of relation "customer" violates not-null constraint', 'R8: a customer made here has a tax id');

-- What is in the way.
SELECT is(error_in($$UPDATE seat SET what = 'odd' WHERE person_id = md5('p5')::uuid$$), '23505 row of adopted table "public.seat" cannot be followed: "odd" is no level', 'a word without level is refused');
SELECT is(error_in($$UPDATE seat SET days = -1 WHERE person_id = md5('p5')::uuid$$), '23505 row of adopted table "public.seat" cannot be followed: days back are negative', 'and negative days');
CREATE TABLE client (code text PRIMARY KEY, boss integer); CREATE TABLE firm (no integer PRIMARY KEY, at timestamptz);
INSERT INTO entitle.customer (customer_id, customer_code, legal_name, trade_name, tax_id) VALUES (7000, 'TAKEN', 'a', 'a', '1');
INSERT INTO client VALUES ('one'), ('TAKEN'); INSERT INTO firm VALUES (7000), (7001);
SELECT is(error_in($$SELECT entitle.adopt_customers('client', 'code')$$), '23505 row of adopted table "public.client" cannot be followed: key "TAKEN" is that of another customer (rows with the keys TAKEN)',
          'S322: a text key that a customer made here has is refused');
SELECT is(error_in($$SELECT entitle.adopt_customers('firm', 'no')$$), '23505 row of adopted table "public.firm" cannot be followed: key "7000" is that of another customer (rows with the keys 7000)', 'S322: and so is an integer');
DELETE FROM client WHERE code = 'TAKEN'; DELETE FROM firm WHERE no = 7000;
SELECT lives_ok($$ SELECT entitle.adopt_customers('client', 'code'), entitle.adopt_customers('firm', 'no', on_conflict => 'report') $$, 'free keys are adopted');
SELECT is((SELECT string_agg(customer_code, ',') FROM entitle.customer WHERE customer_code = 'one'), 'one', 'a text key is the code');
SELECT is((SELECT count(*) FROM entitle.customer WHERE customer_id = 7001), 1::bigint, 'an integer key the number');
INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES ('next', 'a', '1');
SELECT cmp_ok((SELECT customer_id FROM entitle.customer WHERE legal_name = 'next'), '>', 7001::bigint, 'a customer made here takes the next number');
INSERT INTO firm VALUES (7000);
SELECT bag_eq($$ SELECT key, problem FROM entitle.verify_adoption() $$, $$ VALUES ('7000', 'key "7000" is that of another customer') $$, 'on_conflict => report: reported');

-- A grant whose user comes later, and two rows for one grant, reported.
CREATE TABLE later (id integer PRIMARY KEY, who uuid, code text); ALTER TABLE later OWNER TO app_owner; CREATE TABLE solo (id integer PRIMARY KEY, name text);
SELECT entitle.adopt_access('later', 'code', 'who', on_conflict => 'report') IS NULL AS adopted \gset
INSERT INTO later VALUES (1, NULL, 'one'), (2, md5('p99')::uuid, 'one'), (3, md5('p99')::uuid, 'one'), (4, md5('p3')::uuid, NULL);
SELECT bag_eq($$ SELECT key, problem FROM entitle.verify_adoption() WHERE source = 'later'::regclass $$,
    format($$ VALUES ('2', 'no user has the key "%1$s"'), ('3', 'no user has the key "%1$s"') $$, md5('p99')::uuid), 'who is not there yet is reported, a row that names nobody is not');
INSERT INTO person VALUES (md5('p99')::uuid, 'p99');
SELECT is((SELECT string_agg(g.source_key, ',') FROM entitle.external_access g JOIN entitle.app_user u USING (user_id) WHERE u.login = 'p99'), '2', 'and has the grant when he comes');
SELECT bag_eq($$ SELECT key, problem FROM entitle.verify_adoption() WHERE source = 'later'::regclass $$, $$ VALUES ('3', 'the user has a grant on the customer already') $$, 'R34: one');
DELETE FROM later WHERE id = 2;
SELECT is((SELECT string_agg(g.source_key, ',') FROM entitle.external_access g JOIN entitle.app_user u USING (user_id) WHERE u.login = 'p99'), '3', 'the other row gives it when that one goes');

-- Who may give what to whom.
CREATE TABLE second (id uuid PRIMARY KEY); CREATE TABLE twin (id integer PRIMARY KEY, who uuid); ALTER TABLE twin OWNER TO app_owner;
SELECT entitle.adopt_customers('second', 'id');
SET ROLE app_owner;
CREATE TABLE grab (id integer PRIMARY KEY, who uuid REFERENCES person, what text, on_day interval);
RESET ROLE;
SELECT is(error_in(format('SELECT entitle.%s', command), as_role), error, format('refused: %s', command))
FROM (VALUES
    ('app_owner', $$adopt_access('grab', 'what', 'who')$$, '42501 permission denied to give to what column "what" names'),
    ('app_owner', $$adopt_customers('account', 'id', brand_column => 'id')$$, '42804 column "id" of table "public.account" has type uuid'),
    ('app_owner', $$adopt_customers('grab', 'id', brand_column => 'id')$$, '42501 permission denied to choose the brands of adopted customers'),
    (NULL, $$adopt_access('grab', 'id', 'id')$$, '42804 column "id" of table "public.grab" has another type than the keys of adopted users'),
    (NULL, $$adopt_access('twin', 'who', 'who')$$, '22023 which adopted customers column "who" names is not known'),
    (NULL, $$adopt_access('grab', 'what', NULL)$$, '22004 no customer or user column is given'),
    (NULL, $$adopt_access('seat', 'account_id', 'person_id', level => 'L31')$$, '22023 there is no level ''L31'''),
    (NULL, $$adopt_access('seat', 'account_id', 'person_id', levels => '{"viewer": "high"}')$$, '22023 there is no level ''high'''),
    (NULL, $$adopt_access('seat', 'account_id', 'person_id', days_back => -1)$$, '22023 days back are negative'),
    (NULL, $$adopt_access('grab', 'on_day', 'who')$$, '42804 column "on_day" of table "public.grab" has type interval'),
    (NULL, $$adopt_customers('grab', 'who')$$, '22023 column "who" of table "public.grab" is no key'),
    (NULL, $$adopt_customers('grab', NULL)$$, '22004 no key column is given'),
    (NULL, $$adopt_customers('grab', 'id', profile => '{"client_score": "id"}')$$, '22023 profile names "client_score", which customers have not'),
    (NULL, $$adopt_customers('grab', 'id', profile => '[]')$$, '22023 profile is no object'),
    (NULL, $$adopt_customers('grab', 'id', profile => '{"tax_id": "none"}')$$, '42703 column "none" of table "public.grab" does not exist'),
    (NULL, $$adopt_customers('grab', 'on_day')$$, '42804 column "on_day" of table "public.grab" has type interval')) AS c (as_role, command, error);
-- S323: the helper that records resolves what a row refers to itself.
GRANT EXECUTE ON FUNCTION entitle.adopt_access TO app_writer;
CREATE TABLE own (id integer PRIMARY KEY, a uuid, p uuid); ALTER TABLE own OWNER TO app_writer;
CREATE FUNCTION try_record() RETURNS void LANGUAGE plpgsql
    AS $$ DECLARE d entitle.adoption; BEGIN d.source := 'own'; d.kind := 'access'; d.facts := '{true,a,p,''L90'',NULL,NULL,NULL}'; d.key_columns := '{id}'; d.on_conflict := 'report';
          d.options := jsonb_build_object('levels', '{}'::jsonb, 'customer_column', 'a', 'user_column', 'p', 'customers', 2, 'users', 1);
          PERFORM entitle_internal.record_adoption(d); END $$;
SELECT matches(error_in($$SELECT try_record()$$, 'app_writer'), '^(42501|22023) ', 'S323: nobody grants on the customers of another''s table');

-- A table that is dropped.
DROP TABLE second; DROP TABLE firm;
SELECT is((SELECT status FROM entitle.customer WHERE customer_id = 7001), 'INAC', 'R64: gives nothing any more');

-- Nothing is left.
SELECT lives_ok($$ SELECT entitle.forget_adopted(source) FROM (SELECT DISTINCT source FROM entitle.adopted_tables WHERE source IN (SELECT oid FROM pg_class)) s $$, 'all are forgotten');
SELECT is((SELECT count(*) FROM entitle.external_access WHERE adoption_id IS NOT NULL), 0::bigint, 'no grant by an adopted row is left');
SELECT is((SELECT count(*) FROM entitle.customer WHERE adoption_id IS NOT NULL AND status <> 'INAC'), 0::bigint, 'nor a customer');
SELECT is((SELECT count(*) FROM pg_trigger t WHERE t.tgfoid = 'entitle_internal.follow_source()'::regprocedure), 0::bigint, 'nor a trigger');

SELECT * FROM finish();
ROLLBACK;
