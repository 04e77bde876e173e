-- Protects the company's tables. From here on an ordinary role sees nothing in them unless a signed-in user has a right to
-- it; the application's own queries stay as they are.

-- Orders. Staff: by permission, judged in the brand of each row. External users: their customer's rows from L20, as far
-- back as their window reaches; from L20 they place orders. No delete_permission: nobody deletes an order. Every column shows
-- with its row, price and discount too, until the end of the tour masks them.
SELECT entitle.protect_table(
    'shop.orders',
    customer_column => 'customer_id',
    date_column => 'placed_on',
    brand_column => 'brand_id',
    min_level => 20,
    view_permission => 'orders.view',
    insert_permission => 'orders.create',
    update_permission => 'orders.update',
    external_insert_level => 20)
\g /dev/null
\echo 'shop.orders:   orders.view in the brand of the row, or L20 on its customer and inside the window'

-- Invoices: read by permission or from L40, written by neither: the billing job's role has BYPASSRLS, because the owner of
-- a protected table is bound like everyone else.
SELECT entitle.protect_table(
    'shop.invoices',
    customer_column => 'customer_id',
    date_column => 'issued_on',
    brand_column => 'brand_id',
    min_level => 40,
    view_permission => 'invoices.view')
\g /dev/null
\echo 'shop.invoices: invoices.view in the brand of the row, or L40 on its customer and inside the window'

-- Row-level security narrows what table privileges open, so the application's role still needs those.
GRANT SELECT, INSERT, UPDATE ON shop.orders TO shop_app;
GRANT SELECT ON shop.invoices TO shop_app;

-- The model narrows itself in the same way: users read what concerns them.
GRANT SELECT ON entitle.customer, entitle.customer_profile, entitle.brand, entitle.external_access TO shop_app;

-- Whoever may execute sign_in can be any active user who manages nothing: the application's role and no other.
GRANT EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_out TO shop_app;
-- A pool may become an owner, a manager of access or a mapped superuser only where it is listed.
INSERT INTO entitle.sign_in_grant (db_role, login)
SELECT 'shop_app', login FROM entitle.app_user ON CONFLICT DO NOTHING;
\echo 'shop_app:      may read and write the tables, and sign users in'
