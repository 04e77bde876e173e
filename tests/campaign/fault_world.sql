-- A small company for faults: staff by a role of the database, an outsider by another, a pool that signs in, one table with a mask.
CREATE EXTENSION entitle;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT i, 'n', 'n', 't' FROM generate_series(1, 40) AS i;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (1, 'ann', 'fault_ann'), (2, 'bob', 'fault_bob'), (3, 'eve', NULL);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) SELECT i, 1, CASE i WHEN 3 THEN 'L40' ELSE 'L20' END, NULL
FROM generate_series(1, 3) AS i;
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (7, 3, 'L80', NULL);
INSERT INTO entitle.membership (user_id, brand_id, role_id) SELECT 2, 1, role_id FROM entitle.role WHERE name = 'operations user';
CREATE TABLE doc (id integer PRIMARY KEY, customer_id bigint, day date, price numeric);
INSERT INTO doc SELECT i, i, current_date, i * 10 FROM generate_series(1, 40) AS i;
SELECT entitle.protect_table('doc', customer_column => 'customer_id', date_column => 'day', min_level => 10,
    view_permission => 'conversions.view', update_permission => 'conversions.update', external_update_level => 20,
    masked_columns => '{"price": 40}');
GRANT SELECT (id, customer_id, day), UPDATE (id, customer_id, day) ON doc TO fault_ann, fault_bob, fault_pool;
GRANT SELECT, UPDATE ON doc_view TO fault_ann, fault_bob, fault_pool;
GRANT EXECUTE ON FUNCTION entitle.sign_in(text, boolean, text), entitle.grant_access(bigint, text, text, integer, text) TO fault_pool, fault_ann;
ANALYZE doc;
