-- A table without brand column shows its rows to a permission that is held anywhere (R52): protect_table and lint say so as soon as
-- several organizations or standalone brands share the database (S164).
BEGIN;
CREATE TABLE ledger (id integer PRIMARY KEY, brand_id bigint, customer_id bigint);
SELECT entitle.protect_table('ledger', view_permission => 'conversions.view');
SELECT severity, finding, remedy FROM entitle.lint() WHERE object = 'public.ledger';
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (2, 1, 'of the same organization');
SELECT severity, finding, remedy FROM entitle.lint() WHERE object = 'public.ledger';
INSERT INTO entitle.organization (organization_id, name) VALUES (2, 'without brands');
SELECT severity, finding, remedy FROM entitle.lint() WHERE object = 'public.ledger';
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (3, NULL, 'a bookshop');
SELECT severity, finding, remedy FROM entitle.lint() WHERE object = 'public.ledger';
SELECT entitle.protect_table('ledger', view_permission => 'conversions.view');
UPDATE entitle.brand SET organization_id = 2 WHERE brand_id = 3;
SELECT count(*) FROM entitle.lint() WHERE object = 'public.ledger';

-- Not where a row tells its brand, nor where only external access opens the table.
SELECT entitle.protect_table('ledger', brand_column => 'brand_id', view_permission => 'conversions.view');
SELECT count(*) FROM entitle.lint() WHERE object = 'public.ledger';
SELECT entitle.protect_table('ledger', 'customer_id');
SELECT count(*) FROM entitle.lint() WHERE object = 'public.ledger';
ROLLBACK;
