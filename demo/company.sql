-- An invented trading company: two brands of one organization, and a bookshop that stands alone beside them. All dates
-- are counted back from today, so that windows of days always cut the same way.

-- The application connects as shop_app and signs its users in; the tables belong to a role nobody logs in with.
CREATE ROLE shop_app LOGIN;
CREATE ROLE shop_owner NOLOGIN;

BEGIN;

-- Brands: the shipped organization and brand (number 1) take the company's names and keep the shipped roles.
UPDATE entitle.organization SET name = 'Tidewater Trading' WHERE organization_id = 1;
UPDATE entitle.brand SET name = 'Tea' WHERE brand_id = 1;
INSERT INTO entitle.plan (plan_key) VALUES ('starter');
INSERT INTO entitle.brand (organization_id, name, plan_key) VALUES
    (1, 'Tools', NULL),         -- 2
    (NULL, 'Books', 'starter'); -- 3, standalone

-- What the application adds to the catalogue: a module, its permissions, what they require, who gets them.
INSERT INTO entitle.module (module_key) VALUES ('orders');
INSERT INTO entitle.brand_module (brand_id, module_key)
SELECT b.brand_id, m.module_key
FROM entitle.brand b, entitle.module m
ON CONFLICT DO NOTHING;

INSERT INTO entitle.permission (permission_key, description) VALUES
    ('orders.view', 'Read orders'),
    ('orders.create', 'Place orders'),
    ('orders.update', 'Change orders'),
    ('invoices.view', 'Read invoices');
INSERT INTO entitle.permission_module (permission_key, module_key) VALUES
    ('orders.view', 'orders'),
    ('orders.create', 'orders'),
    ('orders.update', 'orders');
INSERT INTO entitle.permission_prerequisite (permission_key, requires_key) VALUES
    ('orders.create', 'orders.view'),
    ('orders.update', 'orders.view');
INSERT INTO entitle.plan_denial (plan_key, permission_key) VALUES ('starter', 'orders.create');

INSERT INTO entitle.role_permission (role_id, permission_key)
SELECT r.role_id, p.permission_key
FROM (VALUES
    ('reports reader', ARRAY['orders.view', 'invoices.view']),
    ('operations user', ARRAY['orders.view', 'orders.update']),
    ('sales', ARRAY['orders.view', 'orders.create']),
    ('sales manager', ARRAY['orders.view', 'orders.create', 'orders.update', 'invoices.view'])
) AS g (role_name, permissions)
JOIN entitle.role r ON r.organization_id = 1 AND r.name = g.role_name,
unnest(g.permissions) AS p (permission_key);

-- Staff: one of every shipped role, the owner, and a member of the standalone brand, who has no role.
INSERT INTO entitle.app_user (login, full_name) VALUES
    ('odile', 'Odile Marchand'),
    ('mara', 'Mara Lindqvist'),
    ('sven', 'Sven Aalto'),
    ('petra', 'Petra Novak'),
    ('rui', 'Rui Cardoso'),
    ('clara', 'Clara Weiss'),
    ('kofi', 'Kofi Mensah'),
    ('ruth', 'Ruth Adler'),
    ('lars', 'Lars Holm');

INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id, is_owner)
SELECT u.user_id, m.organization_id, m.brand_id, r.role_id, m.is_owner
FROM (VALUES
    ('odile', 1, NULL, NULL, true),
    ('mara', 1, NULL, 'sales manager', false),
    ('sven', NULL, 1, 'sales', false),
    ('petra', 1, NULL, 'operations user', false),
    ('rui', 1, NULL, 'reports reader', false),
    ('clara', 1, NULL, 'conversions-only viewer', false),
    ('kofi', 1, NULL, 'customers-only viewer', false),
    ('ruth', NULL, 2, 'read-only', false),
    ('lars', NULL, 3, NULL, false)
) AS m (login, organization_id, brand_id, role_name, is_owner)
JOIN entitle.app_user u ON u.login = m.login
LEFT JOIN entitle.role r ON r.organization_id = 1 AND r.name = m.role_name;

-- Customers: mostly active; two prospects with an incomplete record, and one that was deactivated.
INSERT INTO entitle.customer
    (customer_code, brand_id, legal_name, trade_name, tax_id, country, address, contact_email, status)
VALUES
    ('TEA-1', 1, 'Birch Coffee Houses Ltd', 'Birch Cafe', 'GB 411 2201', 'GB', '4 Mill Lane, York', 'hello@birch.example', 'ACTV'),
    ('TEA-2', 1, 'Old Mill Hotels plc', 'Old Mill Hotel', 'GB 411 2202', 'GB', '19 Weir Road, Bath', 'desk@oldmill.example', 'ACTV'),
    ('TEA-3', 1, 'Bluefin Gastro GmbH', 'Bluefin Bistro', 'DE 302 8803', 'DE', 'Hafenweg 7, Kiel', 'team@bluefin.example', 'ACTV'),
    ('TEA-4', 1, 'Corner Pantry Co-op', 'Corner Pantry', 'IE 771 0204', 'IE', '2 Fish Street, Cork', 'shop@pantry.example', 'ACTV'),
    ('TEA-5', 1, 'Green Door Catering SARL', 'Green Door', 'FR 559 3005', NULL, NULL, NULL, 'PAIN'),
    ('TEA-6', 1, 'Quay Bakery AS', 'Quay Bakery', 'NO 918 4406', 'NO', 'Bryggen 11, Bergen', 'post@quay.example', 'INAC'),
    ('TOOL-1', 2, 'Harrow Joinery Ltd', 'Harrow Joinery', 'GB 411 2207', 'GB', '88 Station Road, Leeds', 'office@harrow.example', 'ACTV'),
    ('TOOL-2', 2, 'Stonebridge Build NV', 'Stonebridge', 'BE 640 1108', 'BE', 'Kaai 3, Gent', 'info@stonebridge.example', 'ACTV'),
    ('TOOL-3', 2, 'Apex Roofing Oy', 'Apex Roofing', 'FI 225 6709', 'FI', 'Satamakatu 5, Turku', 'apex@apex.example', 'ACTV'),
    ('TOOL-4', 2, 'Fen Boatyard Ltd', 'Fen Boatyard', 'GB 411 2210', NULL, NULL, 'yard@fen.example', 'PAIN'),
    ('BOOK-1', 3, 'Riverside School Trust', 'Riverside School', 'GB 411 2211', 'GB', '1 Park View, Ely', 'library@riverside.example', 'ACTV'),
    ('BOOK-2', 3, 'Night Owl Readers e.V.', 'Night Owl Readers', 'DE 302 8812', 'DE', 'Eulengasse 9, Jena', 'wir@nightowl.example', 'ACTV');

-- Reliability sliders, 0 to 100; the prospects have none yet.
INSERT INTO entitle.client_metric (name, multiplier) VALUES
    ('pays on time', 3),
    ('order volume', 2),
    ('easy to reach', 1);
-- The bookshop's: all standalone brands share one catalogue.
INSERT INTO entitle.client_metric (organization_id, name, multiplier) VALUES
    (NULL, 'pays on time', 3),
    (NULL, 'order volume', 2),
    (NULL, 'easy to reach', 1);
INSERT INTO entitle.customer_metric (customer_id, metric_id, value)
SELECT c.customer_id, m.metric_id, 40 + (c.customer_id * 17 + m.metric_id * 23) % 60
FROM entitle.customer c
JOIN entitle.brand b ON b.brand_id = c.brand_id
JOIN entitle.client_metric m ON m.organization_id IS NOT DISTINCT FROM b.organization_id
WHERE c.status <> 'PAIN';

-- External users: every level, each with a window of its own.
INSERT INTO entitle.app_user (login, full_name, is_active) VALUES
    ('ines@birch', 'Ines Duarte', true),
    ('tom@oldmill', 'Tom Barker', true),
    ('yuki@bluefin', 'Yuki Brandt', true),
    ('dora@harrow', 'Dora Flint', true),
    ('hugo@stonebridge', 'Hugo Claes', true),
    ('oona@apex', 'Oona Salo', true),
    ('emil@fen', 'Emil Carr', true),
    ('nils@birch', 'Nils Berg', false);

INSERT INTO entitle.external_access (customer_id, user_id, role, days_back, valid_until, notes)
SELECT c.customer_id, u.user_id, g.role, g.days_back, current_date + g.until, g.notes
FROM (VALUES
    ('TEA-1', 'ines@birch', 'L10', 30, NULL, 'keeps the address up to date'),
    ('TEA-2', 'tom@oldmill', 'L20', 7, NULL, 'reorders every week'),
    ('TEA-3', 'yuki@bluefin', 'L30', 30, NULL, NULL),
    ('TOOL-1', 'dora@harrow', 'L40', 90, NULL, 'pays the bills'),
    ('TOOL-2', 'dora@harrow', 'L20', 7, NULL, 'orders for Stonebridge now and then'),
    ('TOOL-2', 'hugo@stonebridge', 'L80', 180, 60, 'until the new manager starts'),
    ('TOOL-3', 'oona@apex', 'L90', NULL, NULL, 'owner'),
    ('TOOL-4', 'emil@fen', 'L40', NULL, -10, 'left ten days ago'),
    ('TEA-1', 'nils@birch', 'L30', 30, NULL, 'switched off')
) AS g (customer_code, login, role, days_back, until, notes)
JOIN entitle.customer c ON c.customer_code = g.customer_code
JOIN entitle.app_user u ON u.login = g.login;

-- The company's own tables.
CREATE SCHEMA shop AUTHORIZATION shop_owner;
GRANT USAGE ON SCHEMA shop TO shop_app;
GRANT REFERENCES ON entitle.customer, entitle.brand TO shop_owner;
SET LOCAL ROLE shop_owner;

CREATE TABLE shop.orders (
    order_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    brand_id bigint NOT NULL REFERENCES entitle.brand,
    customer_id bigint NOT NULL REFERENCES entitle.customer,
    placed_on date NOT NULL DEFAULT current_date,
    item text NOT NULL DEFAULT 'sample box',
    quantity integer NOT NULL CHECK (quantity > 0),
    price numeric(8, 2) NOT NULL,
    discount numeric(8, 2) NOT NULL DEFAULT 0,
    amount numeric(10, 2) GENERATED ALWAYS AS (quantity * price - discount) STORED
);
CREATE INDEX ON shop.orders (customer_id, placed_on);

CREATE TABLE shop.invoices (
    invoice_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES shop.orders,
    brand_id bigint NOT NULL REFERENCES entitle.brand,
    customer_id bigint NOT NULL REFERENCES entitle.customer,
    issued_on date NOT NULL,
    due_on date NOT NULL,
    total numeric(10, 2) NOT NULL,
    is_paid boolean NOT NULL DEFAULT false
);
CREATE INDEX ON shop.invoices (customer_id, issued_on);

RESET ROLE;

-- Five orders a customer, the last some days old and the first most of a year; an invoice follows within days.
INSERT INTO shop.orders (brand_id, customer_id, placed_on, item, quantity, price, discount)
SELECT c.brand_id, c.customer_id, current_date - o.age - c.customer_id::integer % 3,
       o.items[c.brand_id], 2 + (c.customer_id * o.age) % 9, o.price, CASE WHEN o.age > 100 THEN 12.50 ELSE 0 END
FROM entitle.customer c, (VALUES
    (240, '{Assam 1 kg, Chisel set, Atlas}'::text[], 46.00),
    (110, '{Earl Grey 500 g, Clamp pair, Field guide}', 27.50),
    (45, '{Sencha 250 g, Block plane, Poetry box}', 39.90),
    (18, '{Darjeeling 1 kg, Saw blade, Picture books}', 58.00),
    (3, '{Rooibos 500 g, Sanding discs, Short stories}', 18.75)
) AS o (age, items, price)
ORDER BY o.age DESC, c.customer_id;

INSERT INTO shop.invoices (order_id, brand_id, customer_id, issued_on, due_on, total, is_paid)
SELECT o.order_id, o.brand_id, o.customer_id, o.placed_on + 7, o.placed_on + 37, o.amount, o.placed_on < current_date - 60
FROM shop.orders o
WHERE o.placed_on < current_date - 10
ORDER BY o.order_id;

COMMIT;

ANALYZE;

SELECT format('%s customers of 3 brands, %s orders, %s invoices; %s staff, %s external users',
              (SELECT count(*) FROM entitle.customer), (SELECT count(*) FROM shop.orders),
              (SELECT count(*) FROM shop.invoices), count(m.user_id), count(*) - count(m.user_id))
FROM entitle.app_user u
LEFT JOIN entitle.membership m USING (user_id)
\g (format=unaligned tuples_only)
