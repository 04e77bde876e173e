-- The keys of customers: whoever may not share the rows of a customer does not free a key of it for another, whose access is the own
-- to manage, or already given (R54, R41; S191).
\ir error_of.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE ON entitle.customer TO test_app;
GRANT EXECUTE ON FUNCTION entitle.grant_access TO test_app;
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (102, 1, 'two');
INSERT INTO entitle.brand_module (brand_id, module_key) SELECT 102, module_key FROM entitle.module;
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (150, 1, 'editor'), (151, 1, 'manager');
INSERT INTO entitle.role_permission VALUES (150, 'customers.view'), (150, 'customers.edit'), (151, 'external_access.manage');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'eve'), (102, 'friend'), (103, 'sales'), (104, 'admin');
-- eve edits in both brands, and manages access in the second alone; admin edits in the first, and is L80 of a customer there.
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (101, 1, 150), (101, 102, 150), (101, 102, 151), (103, 1, 150), (104, 1, 150);
INSERT INTO entitle.customer (customer_id, brand_id, customer_code, legal_name, trade_name, tax_id) VALUES
    (101, 1, 'a', 'a', 'a', 'a'), (102, 102, 'b', 'b', 'b', 'b'), (103, 1, NULL, 'c', 'c', 'c'), (104, 1, 'd', 'd', 'd', 'd');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (103, 102, 'L30'), (104, 104, 'L80');

SELECT is(error_of(login, command), ended, format('S191: %s: %s', login, command))
FROM (VALUES
    ('eve', 'SELECT entitle.grant_access(101, ''friend'')', '42501 permission denied to manage external access of this customer'),
    ('eve', 'UPDATE entitle.customer SET customer_id = 900 WHERE customer_id = 101', '42501 permission denied to change the keys of this customer'),
    ('eve', 'UPDATE entitle.customer SET customer_uuid = gen_random_uuid() WHERE customer_id = 101', '42501 permission denied to change the keys of this customer'),
    ('eve', 'UPDATE entitle.customer SET customer_code = ''x'' WHERE customer_id = 101', '42501 permission denied to change the keys of this customer'),
    ('eve', 'UPDATE entitle.customer SET customer_code = NULL WHERE customer_id = 101', '42501 permission denied to change the keys of this customer'),
    ('eve', 'UPDATE entitle.customer SET customer_code = CASE customer_id WHEN 101 THEN ''x'' ELSE ''a'' END WHERE customer_id IN (101, 102)',
     '42501 permission denied to change the keys of this customer'),
    ('eve', 'MERGE INTO entitle.customer c USING (VALUES (101)) v (i) ON c.customer_id = v.i WHEN MATCHED THEN UPDATE SET customer_code = ''x''',
     '42501 permission denied to change the keys of this customer'),
    ('eve', 'INSERT INTO entitle.customer AS c (customer_id, legal_name, trade_name, tax_id) VALUES (101, ''a'', ''a'', ''a'')'
            ' ON CONFLICT (customer_id) DO UPDATE SET customer_code = ''x''', '42501 permission denied to change the keys of this customer'),
    -- By moving the customer along, too
    ('eve', 'UPDATE entitle.customer SET customer_code = ''x'', brand_id = 102 WHERE customer_id = 101', '42501 permission denied to move this customer'),
    -- Whose access is shared already
    ('sales', 'UPDATE entitle.customer SET customer_code = ''x'' WHERE customer_id = 101', '42501 permission denied to change the keys of this customer'),
    -- Those who manage it may, but not open more to themselves; and everybody who edits gives a code to a customer without one.
    ('eve', 'UPDATE entitle.customer SET customer_id = 900, customer_code = ''x'', customer_uuid = gen_random_uuid() WHERE customer_id = 102', '1'),
    ('admin', 'UPDATE entitle.customer SET customer_code = NULL WHERE customer_id = 104', '42501 permission denied to move this customer'),
    ('sales', 'UPDATE entitle.customer SET customer_code = ''new'' WHERE customer_id = 103', '1'),
    ('sales', 'UPDATE entitle.customer SET customer_code = customer_code, customer_id = customer_id, notes = ''x'' WHERE customer_id = 101', '1'),
    ('sales', 'INSERT INTO entitle.customer (customer_code, legal_name, trade_name, tax_id) VALUES (''e'', ''e'', ''e'', ''e'')', '1')
) AS c (login, command, ended);
SELECT lives_ok('UPDATE entitle.customer SET customer_code = ''x'', customer_id = 901 WHERE customer_id = 101', 'R53: a superuser changes keys');

SELECT * FROM finish();
ROLLBACK;
