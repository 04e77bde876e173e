-- The world of the histories, after shop_world.sql: staff of three brands, rows, and a pool's role that signs everybody in.
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (101, 'conversions.view'), (102, 'customers.view'), (103, 'conversions.view');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (6, 1, 101), (7, 2, 102), (9, 4, NULL);
INSERT INTO entitle.membership (user_id, organization_id, role_id, is_owner) VALUES (8, 1, 101, false), (10, 2, NULL, true);

INSERT INTO deal SELECT i, 1 + i % 4, 1 + i * 5 % 12, today() - (ARRAY[0, 1, 7, 8, 30, 31, 400])[1 + i % 7] FROM generate_series(1, 60) AS i;
INSERT INTO paper SELECT i, 1 + i * 7 % 12, i FROM generate_series(1, 30) AS i;
INSERT INTO line SELECT i, 1 + i * 11 % 30 FROM generate_series(1, 60) AS i;
ANALYZE deal, paper, line;
SELECT entitle.protect_table('deal', customer_column => 'customer_id', date_column => 'day', brand_column => 'brand_id', min_level => 20,
    view_permission => 'conversions.view');

CREATE ROLE hist_pool LOGIN;
GRANT EXECUTE ON FUNCTION entitle.sign_in(text, boolean, text), entitle.sign_out(text) TO hist_pool;
INSERT INTO entitle.sign_in_grant (db_role, login) SELECT 'hist_pool', login FROM entitle.app_user;
GRANT SELECT ON deal, line, paper_view TO hist_pool;
GRANT SELECT (id, customer_id) ON paper TO hist_pool;
