-- R36, R46: where all of somebody's customers reach a mask's level, the masked column is planned as any other, with its index; and
-- whatever changes later, by a kept plan or a cursor as well, nothing shows that the mask hides.
\ir setup.psql
\ir plan_of.psql
SELECT no_plan();

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT i, 'n', 'n', 't' FROM generate_series(1, 100) AS i;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'all'), (102, 'mixed'), (103, 'low'), (104, 'recent'), (105, 'staff'), (106, 'none');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'all');
INSERT INTO entitle.role_permission SELECT 101, permission_key FROM entitle.permission;
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (105, 1, 101);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES
    (1, 101, 'L30', NULL), (2, 101, 'L40', NULL), (1, 102, 'L30', NULL), (2, 102, 'L20', NULL), (1, 103, 'L20', NULL), (2, 103, 'L20', NULL),
    (1, 104, 'L30', 10), (2, 104, 'L30', 10);
CREATE TABLE doc (id integer PRIMARY KEY, customer_id bigint, brand_id bigint DEFAULT 1, day date NOT NULL, price integer);
CREATE TABLE line (id integer PRIMARY KEY, doc integer NOT NULL REFERENCES doc, price integer);
INSERT INTO doc (id, customer_id, day, price) SELECT i, 1 + i % 100, current_date - i % 100, i FROM generate_series(1, 20000) AS i;
INSERT INTO line SELECT id, id, price FROM doc;
CREATE TABLE shared (LIKE doc INCLUDING ALL);
CREATE TABLE branded (LIKE doc INCLUDING ALL);
INSERT INTO shared SELECT * FROM doc;
INSERT INTO shared VALUES (0, NULL, 1, current_date, 0);
INSERT INTO branded SELECT * FROM doc;
CREATE INDEX ON doc (price);
CREATE INDEX ON line (price);
ANALYZE doc, line, shared, branded;
SELECT entitle.protect_table('doc', 'customer_id', date_column => 'day', min_level => 20, view_permission => 'conversions.view', masked_columns => '{"price": 30}'),
       entitle.protect_table('line', parent => 'doc', masked_columns => '{"price": 30}'),
       entitle.protect_table('shared', 'customer_id', min_level => 20, shared_rows => true, masked_columns => '{"price": 30}'),
       entitle.protect_table('branded', 'customer_id', brand_column => 'brand_id', min_level => 20, view_permission => 'conversions.view',
                             masked_columns => '{"price": 30}') \g /dev/null
GRANT SELECT ON doc_view, line_view, shared_view, branded_view TO test_app;

CREATE FUNCTION finds_by_index(login text, query text) RETURNS boolean LANGUAGE sql
    AS $$ SELECT plan_of(login, query) ~ 'Index Cond: \(price' AND plan_of(login, query) !~ 'CASE' $$;

-- What the rules say, by hand: rows of the own customers from L20 in the window, their prices from L30.
CREATE FUNCTION expected(who text) RETURNS text LANGUAGE sql
    AS $$
    SELECT concat_ws(' ', count(*), count(price), sum(price))
    FROM (SELECT CASE WHEN g.role >= 'L30' THEN d.price END AS price
          FROM doc d
          JOIN entitle.external_access g USING (customer_id)
          JOIN entitle.app_user u USING (user_id)
          WHERE u.login = who AND g.role >= 'L20' AND (g.days_back IS NULL OR d.day >= current_date - g.days_back)) AS r
    $$;
CREATE FUNCTION seen(who text, relation text) RETURNS text LANGUAGE sql
    AS $$ SELECT ask(who, format('SELECT concat_ws('' '', count(*), count(price), sum(price)) FROM %I', relation)) $$;

SELECT ok(finds_by_index('all', 'SELECT id FROM doc_view WHERE price = 77'), 'R51: the masked column''s index is used by those to whom it always opens');
SELECT ok(finds_by_index('recent', 'SELECT id FROM doc_view WHERE price = 77'), 'whatever their windows');
SELECT ok(finds_by_index('all', 'SELECT id FROM line_view WHERE price = 77'), 'lines'' as well');
SELECT ok(finds_by_index('staff', 'SELECT id FROM doc_view WHERE price = 77'), 'as it is by staff');
SELECT ok(NOT finds_by_index(login, format('SELECT id FROM %I WHERE price = 77', relation)), format('not by %s in %s', login, relation))
FROM unnest('{mixed,low,none}'::text[]) AS login, unnest('{doc_view,line_view}'::text[]) AS relation;
SELECT is(seen(login, relation), expected(login), format('R36: %s in %s', login, relation))
FROM unnest('{all,mixed,low,recent,none}'::text[]) AS login, unnest('{doc_view,line_view,branded_view}'::text[]) AS relation;
SELECT is(ask('all', 'SELECT concat(count(*), '' '', count(price)) FROM shared_view WHERE id = 0'), '1 0', 'R36: of a shared row the price stays masked');
SELECT is(ask('all', 'SELECT count(*) FROM doc_view WHERE price > 0', customer => 1), '200', 'R45: of the chosen customer');
SELECT is(ask('mixed', 'SELECT count(*) FROM doc_view WHERE price > 0', customer => 1), '200', 'R45: who chose the one with prices');
SELECT is(ask('mixed', 'SELECT concat(count(*), '' '', count(price)) FROM doc_view', customer => 2), '200 0', 'and the one without');

-- A kept plan, when rights change and when somebody else asks.
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE kept AS SELECT concat_ws(' ', count(*), count(price), sum(price)) FROM doc_view;
PREPARE found AS SELECT concat(count(*), ' ', count(price)) FROM doc_view WHERE price > 0;
SELECT is(ask('all', 'EXECUTE kept'), expected('all'), 'a kept plan');
SELECT is(ask('all', 'EXECUTE found'), '400 400', 'and one that looks for prices');
SELECT is(ask('mixed', 'EXECUTE kept'), expected('mixed'), 'R46: the same for somebody with masks');
SELECT is(ask('mixed', 'EXECUTE found'), '200 200', 'who finds no price that he does not see');
UPDATE entitle.external_access SET role = 'L20' WHERE user_id = 101 AND customer_id = 1;
SELECT is(ask('all', 'EXECUTE kept'), expected('all'), 'R46: a level is taken down');
SELECT is(ask('all', 'EXECUTE found'), '200 200', 'and those prices are not found');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (3, 104, 'L20', NULL);
SELECT is(ask('recent', 'EXECUTE kept'), expected('recent'), 'a customer with less comes to the others');
DELETE FROM entitle.external_access WHERE user_id = 104 AND customer_id = 3;
UPDATE entitle.external_access SET role = 'L30' WHERE user_id = 101 AND customer_id = 1;
SELECT is(ask('all', 'EXECUTE kept'), expected('all'), 'and up again');
SELECT is(ask('none', 'EXECUTE kept') || ask(NULL, 'EXECUTE kept'), '0 00 0', 'nobody sees anything');

-- A cursor.
CREATE FUNCTION fetched(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    rows CONSTANT refcursor := 'rows';
    told text;
BEGIN
    PERFORM entitle.sign_in('all');
    SET LOCAL ROLE test_app;
    OPEN rows FOR SELECT concat(customer_id, ' ', price IS NULL) FROM doc_view WHERE customer_id = 1;
    FETCH rows INTO told;
    RESET ROLE;
    EXECUTE change;
    SET LOCAL ROLE test_app;
    FETCH rows INTO told;
    RAISE EXCEPTION USING ERRCODE = 'P0042';
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'P0042' THEN told ELSE SQLSTATE END;
END
$$;
SELECT is(fetched('SELECT 1'), '1 f', 'a cursor');
SELECT is(fetched('UPDATE entitle.external_access SET role = ''L20'' WHERE user_id = 101 AND customer_id = 1'), '40001',
          'R46: FETCH shows no price that is masked by now');

SELECT * FROM finish();
ROLLBACK;
