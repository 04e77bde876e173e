-- A test that follows from another table's is left out only where nothing else is asked: an own policy that looks for a protected document
-- may ask more than the key (S282). And staff read lines without their documents only where each line has one that the query reads (S283).
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT i, 'n', 'n', 't' FROM generate_series(1, 20) AS i;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'staff'), (102, 'outsider');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'all');
INSERT INTO entitle.role_permission SELECT 101, permission_key FROM entitle.permission;
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 101);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 102, 'L20', NULL);
CREATE SCHEMA shop;
CREATE TABLE shop.document (document_id integer PRIMARY KEY, customer_id bigint NOT NULL, price integer);
INSERT INTO shop.document SELECT i, 1 + i % 20, i FROM generate_series(1, 200) AS i;
CREATE TABLE shop.line (line_id integer PRIMARY KEY, document_id integer NOT NULL REFERENCES shop.document DEFERRABLE);
INSERT INTO shop.line SELECT i, i FROM generate_series(1, 200) AS i;
SELECT entitle.protect_table('shop.document', customer_column => 'customer_id', min_level => 20, view_permission => 'conversions.view'),
       entitle.protect_table('shop.line', parent => 'shop.document') \g /dev/null
CREATE TABLE shop.remark (document_id integer NOT NULL REFERENCES shop.document, is_secret boolean);
INSERT INTO shop.remark SELECT i, i % 40 = 0 FROM generate_series(1, 200) AS i;
ALTER TABLE shop.remark ENABLE ROW LEVEL SECURITY;
CREATE VIEW shop.sampled WITH (security_barrier) AS
    SELECT r.* FROM shop.remark AS r JOIN shop.document AS d TABLESAMPLE BERNOULLI (0) ON r.document_id = d.document_id
    WHERE entitle.row_allowed('conversions.view', 20, d.customer_id);
GRANT USAGE ON SCHEMA shop TO test_app;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO test_app;

CREATE FUNCTION pg_temp.own_policy(condition text) RETURNS TABLE (alone text, joined text, beside text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'CREATE POLICY own ON shop.remark USING (EXISTS (SELECT FROM shop.document AS d WHERE d.document_id = remark.document_id AND '
            || condition || '))';
    RETURN QUERY SELECT ask('outsider', 'SELECT count(*) FROM shop.remark'),
                        ask('outsider', 'SELECT count(r) FROM shop.remark AS r JOIN shop.document USING (document_id)'),
                        ask('outsider', 'SELECT count(r) FROM shop.document AS d LEFT JOIN shop.remark AS r ON r.document_id = d.document_id');
    DROP POLICY own ON shop.remark;
END
$$;
SELECT is((SELECT p::text FROM pg_temp.own_policy('true') AS p), '(10,10,10)', 'remarks of the own documents');
SELECT is((SELECT p::text FROM pg_temp.own_policy('NOT remark.is_secret') AS p), '(5,5,5)',
                  'S282: what an own policy asks of the line is asked beside its document, too');
SELECT is((SELECT p::text FROM pg_temp.own_policy('d.price <> 40') AS p), '(9,9,9)', 'S282: what it asks of the document');
SELECT is((SELECT p::text FROM pg_temp.own_policy('d.price + remark.document_id < 100') AS p), '(2,2,2)', 'S282: of both');

SELECT is(ask('staff', 'SELECT count(*) FROM shop.sampled'), '0', 'S283: a view that looks for documents in a sample gives no others');
SELECT is(ask('staff', 'SELECT count(*) FROM shop.line'), '200', 'R51: staff see all lines');
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO shop.line VALUES (1000, 1000);
SELECT is(ask('staff', 'SELECT count(*) FROM shop.line'), '200', 'S283: but none whose document is still to come');

SELECT * FROM finish();
ROLLBACK;
