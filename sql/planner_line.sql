-- Lines of documents (R51) as the planner meets them. For whoever sees all documents nothing is asked of a line but a document; for
-- others its test is a join with the documents, or goes where the query joins these itself, unless a condition could tell something.
BEGIN;
\set ECHO none
\i sql/plain_plan.psql
\set ECHO all
SET LOCAL client_min_messages = warning;
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE ROLE app_role;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT i, 'n', 'n', 't' FROM generate_series(1, 500) AS i;
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'outsider'), (2, 'staff'), (3, 'agent');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (7, 1, 'L20', NULL);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) SELECT i, 3, 'L20', NULL FROM generate_series(1, 400) AS i;
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'all');
INSERT INTO entitle.role_permission SELECT 101, permission_key FROM entitle.permission;
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (2, 1, 101);
GRANT EXECUTE ON FUNCTION entitle.sign_in(text, boolean, text) TO app_role;
INSERT INTO entitle.sign_in_grant (db_role, login) SELECT 'app_role', login FROM entitle.app_user;

CREATE TABLE document (document_id integer PRIMARY KEY, customer_id bigint NOT NULL, day date NOT NULL, amount numeric NOT NULL);
INSERT INTO document SELECT i, 1 + i % 500, date '2026-01-01' + i % 300, i / 10.0 FROM generate_series(1, 5000) AS i;
CREATE INDEX ON document (customer_id, day);
CREATE INDEX ON document (amount);
CREATE INDEX ON document (day, customer_id);
CREATE TABLE line (document_id integer NOT NULL REFERENCES document, number integer, price numeric, note text,
                   PRIMARY KEY (document_id, number));
INSERT INTO line SELECT i, k, k * 10, 'line ' || i FROM generate_series(1, 5000) AS i, generate_series(1, 3) AS k;
CREATE TABLE part (document_id integer, number integer, weight integer, FOREIGN KEY (document_id, number) REFERENCES line);
INSERT INTO part SELECT document_id, number, 1 FROM line;
CREATE INDEX ON part (document_id, number);
CREATE TABLE client (customer_id bigint PRIMARY KEY, country text);
INSERT INTO client SELECT i, 'PT' FROM generate_series(1, 500) AS i;
CREATE TABLE ware (number integer PRIMARY KEY, weight integer);
INSERT INTO ware VALUES (1, 1), (2, 2), (3, 3);
SELECT entitle.protect_table('client', customer_column => 'customer_id', view_permission => 'conversions.view');
SELECT entitle.protect_table('document', customer_column => 'customer_id', date_column => 'day', view_permission => 'conversions.view');
SELECT entitle.protect_table('line', parent => 'document', masked_columns => '{"price": 30}');
SELECT entitle.protect_table('part', parent => 'line');
ANALYZE document, line, part, client, ware;
GRANT SELECT ON document, line_view, part, client, ware TO app_role;
GRANT SELECT (document_id, number, note) ON line TO app_role;

CREATE FUNCTION tell(value numeric) RETURNS boolean LANGUAGE plpgsql IMMUTABLE COST 0.0001 AS
    $$ BEGIN RAISE WARNING 'told %', value; RETURN true; END $$;

-- Staff: nothing is left of the tests, whatever else is asked.
SELECT plan_for('staff', 'SELECT sum(number) FROM line WHERE tell(number)');
SELECT plan_for('staff', 'SELECT sum(price) FROM line_view');
-- A line of a line; where its key may be NULL, it may have no document.
SELECT plan_for('staff', 'SELECT sum(weight) FROM part');
SELECT plan_for('staff', 'SELECT count(*) FROM document WHERE amount > 499.5');

-- Outsiders: from their customers' documents to the lines.
SELECT plan_for('outsider', 'SELECT sum(number) FROM line');
SELECT plan_for('outsider', 'SELECT sum(price) FROM line_view WHERE price < 25');
-- Not asked twice about documents that are there.
SELECT plan_for('outsider', 'SELECT amount, number FROM document JOIN line USING (document_id)');
SELECT plan_for('outsider', 'SELECT amount, number FROM document d LEFT JOIN line l ON l.document_id = d.document_id AND number = 2');
SELECT plan_for('outsider', 'SELECT count(*) FROM document d WHERE EXISTS (SELECT FROM line l WHERE l.document_id = d.document_id AND number = 2)');
-- But where the join is another one.
SELECT plan_for('outsider', 'SELECT amount, number FROM line l LEFT JOIN document d ON l.document_id = d.document_id');
SELECT plan_for('outsider', 'SELECT amount, l.number FROM document d JOIN line l ON l.document_id = d.document_id + 1');
-- A condition on any type that tells nothing may come first; one that tells comes last, and so does all that hangs on it.
SELECT plan_for('outsider', 'SELECT * FROM document WHERE amount = 0.7 AND day >= timestamp ''2026-01-01 12:00''');
SELECT plan_for('outsider', 'SELECT * FROM document WHERE tell(amount)');
SELECT plan_for('outsider', 'SELECT sum(number) FROM line WHERE tell(number)');
SELECT plan_for('outsider', 'SELECT sum(l.number) FROM line l JOIN ware w USING (number) WHERE document_id = 7 AND tell(w.weight)');
SELECT plan_for('outsider', 'SELECT sum(l.number) FROM line_view l JOIN ware w USING (number) WHERE document_id = 7 AND tell(w.weight)');
-- An array of many customers behind an equality is not worth a descent for each.
SELECT plan_for('agent', 'SELECT count(*) FROM document WHERE day = ''2026-02-02''');
SELECT plan_for('outsider', 'SELECT count(*) FROM document WHERE day = ''2026-02-02''');
-- Of two tests about one customer one is enough: the one that asks for more.
-- What an index finds by its array is a matter of cost, which majors see in different ways.
SELECT count(*) AS tests
FROM plan_for('agent', 'SELECT sum(amount) FROM document JOIN client USING (customer_id) WHERE day = ''2026-02-02''') AS line
WHERE line ~ 'row_allowed|unlimited_customers';
SELECT plan_for('agent', 'SELECT count(*) FROM client LEFT JOIN document USING (customer_id) WHERE customer_id = 3');
ROLLBACK;
