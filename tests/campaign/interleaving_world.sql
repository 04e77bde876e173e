-- The world of the interleavings, after shop_world.sql: outsiders with grants of every kind, staff of one brand, of an organization and
-- of a standalone brand, an owner, rows, and a pool's role.
INSERT INTO entitle.plan (plan_key) VALUES ('tiny');
INSERT INTO entitle.plan_denial (plan_key, permission_key) VALUES ('tiny', 'conversions.view'), ('tiny', 'customers.view');
UPDATE entitle.brand SET plan_key = 'small' WHERE brand_id = 1;
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES
    (101, 'conversions.view'), (101, 'conversions.update'), (101, 'customers.view'),
    (102, 'customers.view'), (102, 'external_access.manage'), (103, 'customers.view');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (6, 1, 101), (9, 4, NULL);
INSERT INTO entitle.membership (user_id, organization_id, role_id, is_owner) VALUES (8, 1, 102, false), (10, 2, NULL, true);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES
    (1, 1, 'L40', NULL), (2, 1, 'L20', 30), (4, 1, 'L80', NULL), (5, 1, 'L10', NULL), (4, 5, 'L20', 7);

INSERT INTO deal SELECT i, 1 + i % 4, 1 + i / 4 % 6, today() - (ARRAY[0, 8, 31, 400])[1 + i * 3 / 4 % 4] FROM generate_series(1, 48) AS i;
INSERT INTO paper SELECT i, 1 + i % 12, i FROM generate_series(1, 24) AS i;
INSERT INTO line SELECT i, 1 + i * 7 % 24 FROM generate_series(1, 48) AS i;
ANALYZE deal, paper, line;
SELECT entitle.protect_table('deal', customer_column => 'customer_id', date_column => 'day', brand_column => 'brand_id', min_level => 10,
    view_permission => 'conversions.view', update_permission => 'conversions.update', external_update_level => 20);

CREATE ROLE inter_pool LOGIN;
GRANT EXECUTE ON FUNCTION entitle.sign_in(text, boolean, text), entitle.grant_access(bigint, text, text, integer, text) TO inter_pool;
INSERT INTO entitle.sign_in_grant (db_role, login) SELECT 'inter_pool', login FROM entitle.app_user;
GRANT SELECT ON deal, line, paper_view TO inter_pool;
GRANT UPDATE (note) ON deal TO inter_pool;
GRANT SELECT (id, customer_id) ON paper TO inter_pool;
