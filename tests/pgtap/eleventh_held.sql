-- What the eleventh attack tried in vain: S522, S524 and S526.
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_owner;
GRANT CREATE ON SCHEMA public TO test_owner, test_app;
GRANT EXECUTE ON FUNCTION entitle.adopt_users TO test_owner;
INSERT INTO entitle.organization (organization_id, name) VALUES (500, 'home');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (500, 500, 'home');
INSERT INTO entitle.brand_module SELECT 500, module_key FROM entitle.module;
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (500, 500, 'all');
INSERT INTO entitle.role_permission SELECT 500, permission_key FROM entitle.permission;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT i, 'n', 'n', 't' FROM generate_series(1, 8) AS i;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'one'), (102, 'mixed'), (103, 'low'), (104, 'none'), (105, 'recent'), (106, 'high'), (107, 'staff'), (108, 'leaver');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES
    (1, 101, 'L30', NULL), (2, 102, 'L30', NULL), (3, 102, 'L20', NULL), (1, 103, 'L20', NULL), (1, 105, 'L40', 20), (2, 105, 'L40', NULL),
    (4, 106, 'L90', NULL), (5, 106, 'L40', NULL), (6, 106, 'L30', 5);
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (107, 500, 500), (108, 500, 500);

-- S522: a masked column where it opens for all rows that one sees, another that never does, and both, in queries of every shape, by
-- kept plans that users take turns with: as if each had a table of his own with what the rules show.
CREATE TABLE doc (id integer PRIMARY KEY, customer_id bigint, day date NOT NULL, price integer, cost numeric);
CREATE TABLE line (id integer PRIMARY KEY, doc integer REFERENCES doc, price integer);
CREATE TABLE part (id integer, customer_id bigint, price integer, PRIMARY KEY (id, customer_id)) PARTITION BY LIST (customer_id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1, 2, 3);
CREATE TABLE part_2 PARTITION OF part DEFAULT;
INSERT INTO doc SELECT i, 1 + i % 8, current_date - i % 40, CASE WHEN i % 13 > 0 THEN i % 150 END, i % 77 FROM generate_series(1, 600) i;
INSERT INTO line SELECT i, CASE WHEN i % 17 > 0 THEN 1 + i % 600 END, i % 150 FROM generate_series(1, 800) i;
INSERT INTO part SELECT i, 1 + i % 8, i % 150 FROM generate_series(1, 600) i;
CREATE INDEX ON doc (price);
CREATE INDEX ON line (doc);
CREATE INDEX ON line (price);
CREATE INDEX ON part (price);
ANALYZE doc, line, part;
SELECT entitle.protect_table('doc', 'customer_id', date_column => 'day', min_level => 20, view_permission => 'conversions.view', masked_columns => '{"price": 30, "cost": 40}'),
       entitle.protect_table('line', parent => 'doc', masked_columns => '{"price": 30}'),
       entitle.protect_table('part', 'customer_id', min_level => 10, masked_columns => '{"price": 30}') \g /dev/null
GRANT SELECT ON doc_view, line_view, part_view TO test_app;
CREATE TABLE own_doc AS
SELECT u.login, d.id, d.customer_id, d.day, CASE WHEN g.role >= 'L30' OR g.role IS NULL THEN d.price END AS price, CASE WHEN g.role >= 'L40' OR g.role IS NULL THEN d.cost END AS cost,
       CASE WHEN g.role >= 'L40' OR g.role IS NULL THEN '{}' WHEN g.role = 'L30' THEN '{cost}' ELSE '{price,cost}' END::text[] AS masked_columns
FROM entitle.app_user u
CROSS JOIN doc d
LEFT JOIN entitle.external_access g ON g.user_id = u.user_id AND g.customer_id = d.customer_id
WHERE u.login = 'staff' OR g.role >= 'L20' AND (g.days_back IS NULL OR d.day >= current_date - g.days_back);
CREATE TABLE own_line AS
SELECT o.login, l.id, l.doc, CASE WHEN 'price' = ANY (o.masked_columns) THEN NULL ELSE l.price END AS price,
       CASE WHEN 'price' = ANY (o.masked_columns) THEN '{price}' ELSE '{}' END::text[] AS masked_columns
FROM line l JOIN own_doc o ON o.id = l.doc;
CREATE TABLE own_part AS
SELECT u.login, p.id, p.customer_id, CASE WHEN g.role >= 'L30' THEN p.price END AS price
FROM entitle.app_user u JOIN entitle.external_access g USING (user_id) JOIN part p USING (customer_id);

ANALYZE own_doc, own_line, own_part;

CREATE TABLE shape (n integer GENERATED ALWAYS AS IDENTITY, query text);
INSERT INTO shape (query) VALUES
    ('SELECT count(*), count(price), sum(price), sum(cost) FROM D'),
    ('SELECT d.id, l.id, l.price, d.price FROM D d LEFT JOIN L l ON l.doc = d.id AND l.price > 20 WHERE d.price < 200 ORDER BY 1, 2'),
    ('SELECT d.id, l.id FROM D d FULL JOIN L l ON l.doc = d.id AND l.price = d.price ORDER BY 1, 2'),
    ('SELECT count(*) FROM D d RIGHT JOIN L l ON l.price = d.price WHERE l.price IS NULL OR d.id IS NOT NULL'),
    ('SELECT count(*) FROM D d WHERE EXISTS (SELECT FROM L l WHERE l.price = d.price)'),
    ('SELECT count(*) FROM D d WHERE NOT EXISTS (SELECT FROM L l WHERE l.price = d.price)'),
    ('SELECT count(*) FROM D d WHERE d.price NOT IN (SELECT l.price FROM L l WHERE l.price IS NOT NULL)'),
    ('SELECT count(*) FROM L l WHERE (l.price, l.doc) IN (SELECT price, id FROM D)'),
    ('SELECT sum(x.m) FROM D d LEFT JOIN LATERAL (SELECT max(l.price) AS m FROM L l WHERE l.price >= d.price AND l.doc = d.id) x ON true'),
    ('SELECT price, count(*) FROM (SELECT price FROM D UNION ALL SELECT price FROM L) u GROUP BY price ORDER BY price'),
    ('SELECT price FROM D INTERSECT SELECT price FROM L ORDER BY 1'),
    ('SELECT count(*) FROM (SELECT price FROM D EXCEPT SELECT price FROM L) u'),
    ('SELECT generate_series(1, coalesce(price, 3) % 4), id FROM D ORDER BY 2, 1'),
    ('SELECT id, rank() OVER (ORDER BY price NULLS FIRST, id), lag(price) OVER (ORDER BY id) FROM D ORDER BY 1'),
    ('SELECT masked_columns, count(d), count(DISTINCT d.price) FROM D d GROUP BY 1 ORDER BY 1'),
    ('SELECT masked_columns, count(*) FROM L GROUP BY 1 ORDER BY 1'),
    ('SELECT min(price), max(price) FROM D'),
    ('SELECT id FROM D WHERE price IS NULL ORDER BY 1'),
    ('SELECT id FROM D WHERE coalesce(price, -1) = -1 ORDER BY 1'),
    ('SELECT count(*) FROM D WHERE price BETWEEN 10 AND 500 AND cost IS NULL'),
    ('WITH x AS MATERIALIZED (SELECT * FROM D) SELECT count(*), sum(price) FROM x WHERE price > 5'),
    ('WITH RECURSIVE r AS (SELECT id, price FROM D WHERE price < 60 UNION SELECT l.id, l.price FROM r JOIN L l ON l.price = r.price + 50) SELECT count(*), sum(price) FROM r'),
    ('SELECT a.customer_id, sum(a.price) FROM D a GROUP BY GROUPING SETS ((customer_id), ()) ORDER BY 1'),
    ('SELECT count(*) FROM D d JOIN L l ON l.doc = d.id JOIN D e ON e.customer_id = d.customer_id AND e.price = l.price'),
    ('SELECT (SELECT sum(l.price) FROM L l WHERE l.doc = d.id), d.id FROM D d ORDER BY 2'),
    ('SELECT d.id FROM D d WHERE d.price > (SELECT avg(price) FROM D) ORDER BY 1'),
    ('SELECT count(*), sum(p.price) FROM P p LEFT JOIN D d ON d.price = p.price WHERE d.id IS NULL'),
    ('SELECT customer_id, count(price), count(*) FROM P GROUP BY 1 ORDER BY 1'),
    ('SELECT DISTINCT ON (customer_id) customer_id, price FROM D ORDER BY customer_id, price DESC NULLS LAST'),
    ('SELECT id FROM D ORDER BY price NULLS FIRST, id LIMIT 5 OFFSET 3');
-- The letters stand for the three tables.
CREATE FUNCTION over_tables(query text, documents text, lines text, parts text) RETURNS text LANGUAGE sql
    AS $$ SELECT regexp_replace(regexp_replace(regexp_replace(query, '\mD\M', documents, 'g'), '\mL\M', lines, 'g'), '\mP\M', parts, 'g') $$;
DO $$
DECLARE
    one shape;
BEGIN
    FOR one IN SELECT * FROM shape LOOP
        EXECUTE format('CREATE FUNCTION kept_%s() RETURNS text LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan'
                       ' AS $f$ BEGIN RETURN (SELECT string_agg(x::text, E''\n'') FROM (%s) x); END $f$',
                       one.n, over_tables(one.query, 'doc_view', 'line_view', 'part_view'));
    END LOOP;
END
$$;
-- A table's alias follows it in the shapes: by hand a view stands in its place.
CREATE FUNCTION own_tables(who text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE OR REPLACE TEMP VIEW d_of AS SELECT id, customer_id, day, price, cost, masked_columns FROM own_doc WHERE login = %L', who);
    EXECUTE format('CREATE OR REPLACE TEMP VIEW l_of AS SELECT id, doc, price, masked_columns FROM own_line WHERE login = %L', who);
    EXECUTE format('CREATE OR REPLACE TEMP VIEW p_of AS SELECT id, customer_id, price FROM own_part WHERE login = %L', who);
END
$$;
CREATE FUNCTION by_hand(who text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    PERFORM own_tables(who);
    EXECUTE format('SELECT string_agg(x::text, E''\n'') FROM (%s) x', over_tables(query, 'd_of', 'l_of', 'p_of')) INTO told;
    RETURN told;
END
$$;
SELECT is_empty(format($$ SELECT %L, query FROM shape WHERE ask(%1$L, format('SELECT kept_%%s()', n), brand => %L) IS DISTINCT FROM by_hand(%1$L, query) $$,
                       login, CASE login WHEN 'staff' THEN 500 END),
                format('S522: %s sees in every query what the rules show', login))
FROM unnest('{one,mixed,low,none,recent,high,staff,high,low,one}'::text[]) AS login;

-- S524: lists of members and roles by index and by kept plans, when the membership ends or somebody else asks.
CREATE ROLE test_manager;
CREATE ROLE test_outsider;
GRANT USAGE ON SCHEMA entitle TO test_manager, test_outsider;
GRANT SELECT ON ALL TABLES IN SCHEMA entitle TO test_manager, test_outsider;
UPDATE entitle.app_user SET db_role = CASE login WHEN 'leaver' THEN 'test_manager' ELSE 'test_outsider' END::name WHERE login IN ('leaver', 'low');
INSERT INTO entitle.app_user (user_id, login) SELECT i, 'user ' || i FROM generate_series(1000, 1400) i;
INSERT INTO entitle.membership (user_id, brand_id) SELECT i, 500 FROM generate_series(1000, 1400) i;
ANALYZE entitle.membership, entitle.app_user;
CREATE FUNCTION fetched(list text, change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    rows CONSTANT refcursor := 'rows';
    told text;
BEGIN
    SET LOCAL ROLE test_manager;
    OPEN rows SCROLL FOR EXECUTE list;
    FETCH rows INTO told;
    RESET ROLE;
    EXECUTE change;
    FETCH rows INTO told;
    RAISE EXCEPTION USING ERRCODE = 'P0042';
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'P0042' THEN coalesce(told, 'nothing') ELSE SQLSTATE END;
END
$$;
SELECT is(fetched(list, change), '40001', format('S524: %s, after %s', list, change))
FROM unnest(ARRAY['SELECT user_id FROM entitle.membership', 'SELECT user_id FROM entitle.membership WHERE brand_id = 500', 'SELECT role_id FROM entitle.role',
                  'SELECT user_id FROM entitle.app_user', 'SELECT user_id FROM entitle.membership ORDER BY user_id DESC']) AS list,
     unnest(ARRAY['DELETE FROM entitle.membership WHERE user_id = 108; SET LOCAL ROLE test_manager', 'SET LOCAL ROLE test_outsider']) AS change;
CREATE FUNCTION listed() RETURNS text LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN concat_ws(' ', (SELECT count(*) FROM entitle.membership), (SELECT count(*) FROM entitle.role), entitle.own_roles());
END
$$;
CREATE FUNCTION in_turns() RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    told text[];
BEGIN
    FOR i IN 1..2 LOOP
        SET LOCAL ROLE test_manager;
        told := told || listed();
        SET LOCAL ROLE test_outsider;
        told := told || listed();
    END LOOP;
    RESET ROLE;
    DELETE FROM entitle.membership WHERE user_id = 108;
    SET LOCAL ROLE test_manager;
    told := told || listed();
    RESET ROLE;
    RETURN told;
END
$$;
SELECT is(in_turns(), '{"403 1 {500}","0 0 {}","403 1 {500}","0 0 {}","0 0 {}"}', 'S524: kept plans list for whom they run');

-- S526: an adopted table is written by somebody whose temporary table bears a name that a trigger of the DBA's, on the model, uses.
CREATE FUNCTION note_user() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO noted VALUES (TG_TABLE_NAME); RETURN NULL; END $$;
CREATE TRIGGER note_user AFTER INSERT OR UPDATE ON entitle.app_user FOR EACH ROW EXECUTE FUNCTION note_user();
SET LOCAL ROLE test_owner;
CREATE TABLE person (id integer PRIMARY KEY, login text NOT NULL);
SELECT entitle.adopt_users('person', login_column => 'login') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON person TO test_app;
SET LOCAL ROLE test_app;
CREATE FUNCTION pg_temp.act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'runs as %', current_user; END $$;
CREATE FUNCTION pg_temp.act(value text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'runs as %', current_user; END $$;
CREATE TEMP TABLE noted (what text);
CREATE TRIGGER act BEFORE INSERT ON noted FOR EACH ROW EXECUTE FUNCTION pg_temp.act();
SELECT throws_ok('INSERT INTO person VALUES (1, ''a'')', '55000', NULL, 'S526: a trigger of a temporary table');
DROP TABLE noted;
CREATE TEMP TABLE noted (what text CHECK (pg_temp.act(what)));
SELECT throws_ok('INSERT INTO person VALUES (1, ''a'')', '55000', NULL, 'S526: a check of one');
DROP TABLE noted;
CREATE TEMP VIEW noted AS SELECT NULL::text AS what;
CREATE TRIGGER act INSTEAD OF INSERT ON noted FOR EACH ROW EXECUTE FUNCTION pg_temp.act();
SELECT throws_ok('INSERT INTO person VALUES (1, ''a'')', '55000', NULL, 'S526: a temporary view');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
