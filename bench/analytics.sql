-- The data of the analytics case: documents with four lines each, three times: lines that follow their documents, the same through
-- filtered views, and lines with a customer and a date of their own. Read after data.sql; psql variable: rows, as there.
\set QUIET on
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET search_path = bench;
SELECT :rows * 3 / 50 AS documents \gset
BEGIN;
CREATE TABLE product (product_id integer NOT NULL, name text NOT NULL, category text NOT NULL);
CREATE TABLE document (document_id bigint NOT NULL, customer_id bigint NOT NULL, order_date date NOT NULL, status text NOT NULL);
CREATE TABLE document_line (
    document_id bigint NOT NULL, number integer NOT NULL, product_id integer NOT NULL, quantity integer NOT NULL,
    price numeric(10,2) NOT NULL, note text NOT NULL);
INSERT INTO product SELECT i, 'Product ' || i, 'category ' || i % 25 FROM generate_series(1, 20000) AS i;
INSERT INTO document
SELECT i, scatter(i, 12, 100000) + 1, current_date - 1825 + (i * 1825 / :documents)::integer,
       (ARRAY['new', 'paid', 'sent', 'done'])[scatter(i, 14, 4) + 1]
FROM generate_series(1, :documents::bigint) AS i;
INSERT INTO document_line
SELECT i, k, scatter(i * 4 + k, 15, 20000) + 1, scatter(i * 4 + k, 16, 10) + 1, scatter(i * 4 + k, 17, 100000) / 100.0,
       'note ' || scatter(i * 4 + k, 18, 1000)
FROM generate_series(1, :documents::bigint) AS i, generate_series(1, 4) AS k;
CREATE TABLE masked_document (LIKE document);
CREATE TABLE masked_line (LIKE document_line);
CREATE TABLE own_line (LIKE document_line, customer_id bigint NOT NULL, order_date date NOT NULL);
INSERT INTO masked_document SELECT * FROM document;
INSERT INTO masked_line SELECT * FROM document_line;
INSERT INTO own_line SELECT l.*, d.customer_id, d.order_date FROM document_line l JOIN document d USING (document_id);

ALTER TABLE product ADD PRIMARY KEY (product_id);
ALTER TABLE document ADD PRIMARY KEY (document_id);
ALTER TABLE masked_document ADD PRIMARY KEY (document_id);
ALTER TABLE document_line ADD PRIMARY KEY (document_id, number), ADD FOREIGN KEY (document_id) REFERENCES document;
ALTER TABLE masked_line ADD PRIMARY KEY (document_id, number), ADD FOREIGN KEY (document_id) REFERENCES masked_document;
ALTER TABLE own_line ADD PRIMARY KEY (document_id, number);
CREATE INDEX ON document (customer_id, order_date);
CREATE INDEX ON document (order_date, customer_id);
CREATE INDEX ON masked_document (customer_id, order_date);
CREATE INDEX ON masked_document (order_date, customer_id);
CREATE INDEX ON own_line (customer_id, order_date);
CREATE INDEX ON document_line (product_id);
CREATE INDEX ON document_line (price);
CREATE INDEX ON masked_line (product_id);
CREATE INDEX ON masked_line (price);
CREATE INDEX ON own_line (product_id);
CREATE INDEX ON own_line (price);
COMMIT;

SELECT entitle.protect_table('document', customer_column => 'customer_id', date_column => 'order_date', min_level => 20,
                             view_permission => 'customers.view'),
       entitle.protect_table('document_line', parent => 'document'),
       entitle.protect_table('masked_document', customer_column => 'customer_id', date_column => 'order_date', min_level => 20,
                             view_permission => 'customers.view', masked_columns => '{"status": 30}'),
       entitle.protect_table('masked_line', parent => 'masked_document', masked_columns => '{"price": 30}'),
       entitle.protect_table('own_line', customer_column => 'customer_id', date_column => 'order_date', min_level => 20,
                             view_permission => 'customers.view')
\g /dev/null
GRANT SELECT ON product, document, document_line, own_line TO bench_app, bench_plain;
GRANT SELECT ON masked_document, masked_line TO bench_plain;
GRANT SELECT ON masked_document_view, masked_line_view TO bench_app;
VACUUM (ANALYZE, FREEZE) product, document, document_line, masked_document, masked_line, own_line;
CHECKPOINT;
