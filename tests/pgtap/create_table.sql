-- CREATE TABLE AS of a query whose parts planning throws away: the extension has event triggers, and PostgreSQL 17.12, 18.6 and
-- 19rc1 hand them the query that was planned.
\ir setup.psql
SELECT plan(5);

CREATE TABLE orders (order_id integer, customer_id bigint);
CREATE TABLE notes (order_id integer, note integer);
INSERT INTO orders VALUES (1, 2), (3, 4);
INSERT INTO notes VALUES (2, 2), (4, 4);
SELECT entitle.protect_table('orders', 'customer_id');

CREATE TABLE query AS SELECT 'SELECT rank() OVER (PARTITION BY 7::bigint) AS r, max(n.note) OVER (PARTITION BY 12::bigint ORDER BY md5(''x'')) AS m '
    'FROM orders o FULL JOIN notes n ON o.order_id = n.note WHERE EXISTS (SELECT FROM notes x WHERE n.note = x.note)' AS text;
SELECT lives_ok('CREATE TABLE made AS ' || text, 'a table is made') FROM query;
SELECT lives_ok('CREATE MATERIALIZED VIEW stored AS ' || text, 'a materialized view, too') FROM query;
SELECT lives_ok(format('DO $do$ BEGIN CREATE TEMP TABLE held AS %s; END $do$', text), 'and one by a function') FROM query;
SELECT set_eq('SELECT r, m FROM made', text, 'with the rows of the query') FROM query;

-- Another trigger plans queries of its own before.
CREATE FUNCTION counted() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM count(*) FROM orders; DO 'BEGIN PERFORM 1; END'; END $$;
CREATE EVENT TRIGGER counted ON ddl_command_start EXECUTE FUNCTION counted();
SELECT lives_ok('CREATE TABLE made_after AS ' || text, 'whatever other event triggers do') FROM query;

SELECT * FROM finish();
ROLLBACK;
