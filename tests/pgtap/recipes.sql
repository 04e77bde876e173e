-- Recipes of docs/how-to.md, run as they are written there: the owner's UPDATE under FORCE ROW LEVEL SECURITY, and a history that a
-- trigger of the table keeps for whoever writes.
\ir setup.psql
SELECT no_plan();
\set owner `sed -n '/recipe: owner/,/^\x60\x60\x60$/p' docs/how-to.md | sed '1,2d;$d' | grep -v '^BEGIN;\|^COMMIT;'`
\set history `sed -n '/recipe: history/,/^\x60\x60\x60$/p' docs/how-to.md | sed '1,2d;$d'`

CREATE ROLE shop_owner;
CREATE SCHEMA shop AUTHORIZATION shop_owner;
CREATE TABLE shop.orders (order_id integer PRIMARY KEY, customer_id bigint, note text, price integer);
ALTER TABLE shop.orders OWNER TO shop_owner;
INSERT INTO shop.orders VALUES (1, 1, NULL, 7), (2, 2, NULL, 7);
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'guest'), (2, 'editor');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (2, 1, 6);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L20', NULL);
SELECT entitle.protect_table('shop.orders', customer_column => 'customer_id', external_update_level => 20, view_permission => 'customers.view',
                             masked_columns => '{"price": 30}') \g /dev/null
GRANT USAGE ON SCHEMA shop TO test_app;
GRANT SELECT, UPDATE ON shop.orders_view TO test_app;

SET LOCAL ROLE shop_owner;
WITH changed AS (UPDATE shop.orders SET note = 'imported' RETURNING 1) SELECT is(count(*), 0::bigint, 'under FORCE the owner''s UPDATE finds nothing') FROM changed;
RESET ROLE;
:owner
RESET ROLE;
SELECT is((SELECT count(*) FROM shop.orders WHERE note = 'imported'), 2::bigint, 'with the recipe it finds every row');

:history
GRANT SELECT ON shop.orders_history TO test_app;
SELECT is(do_as('guest', 'UPDATE shop.orders_view SET note = ''mine'' WHERE order_id = 1'), 1::bigint, 'a user writes through the view');
SELECT is((SELECT concat_ws(' ', changed_by, customer_id, old_row ->> 'price', old_row ->> 'note', new_row ->> 'note') FROM shop.orders_history),
          'guest 1 7 imported mine', 'and the history holds the rows whole, with the user');
SELECT is(ask(login, 'SELECT count(*) FROM shop.orders_history'), seen, format('%s reads %s rows of the history', login, seen))
FROM (VALUES ('guest', '0'), ('editor', '1')) AS v (login, seen);

SELECT * FROM finish();
ROLLBACK;
