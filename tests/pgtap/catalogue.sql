-- CREATE EXTENSION installs the shipped catalogue, these rows and no others (R5, R26 to R32).
\ir setup.psql
SELECT no_plan();

SELECT set_eq('SELECT module_key FROM entitle.module',
    ARRAY['customers', 'conversions', 'tracking', 'integrations', 'merchants', 'products', 'pages', 'reports', 'affiliates'],
    'modules');

SELECT results_eq('SELECT organization_id, name FROM entitle.organization', $$ VALUES (1::bigint, 'main') $$,
    'the organization main');
SELECT results_eq('SELECT brand_id, organization_id, name, plan_key FROM entitle.brand',
    $$ VALUES (1::bigint, 1::bigint, 'main', NULL::text) $$, 'the brand main');
SELECT set_eq('SELECT brand_id, module_key, is_enabled FROM entitle.brand_module',
    'SELECT 1::bigint, module_key, true FROM entitle.module', 'every module is enabled for it (R23)');

-- Every permission with the modules it needs, all of them active.
SELECT set_eq($$
    SELECT p.permission_key, p.is_active, m.module_key
    FROM entitle.permission p LEFT JOIN entitle.permission_module m USING (permission_key) $$, $$ VALUES
    ('customers.view', true, 'customers'),
    ('customers.edit', true, 'customers'),
    ('customers.client_metrics', true, 'customers'),
    ('customers.export', true, 'customers'),
    ('external_access.manage', true, 'customers'),
    ('conversions.view', true, 'conversions'),
    ('conversions.create', true, 'conversions'),
    ('conversions.update', true, 'conversions'),
    ('conversions.delete', true, 'conversions'),
    ('conversions.export', true, 'conversions'),
    ('tracking.view', true, 'tracking'),
    ('reporting.utm_performance.view', true, 'tracking'),
    ('integrations.view', true, 'integrations'),
    ('merchants.view', true, 'merchants'),
    ('products.view', true, 'products'),
    ('pages.view', true, 'pages'),
    ('pages.create', true, 'pages'),
    ('pages.update', true, 'pages'),
    ('pagecomponents.view', true, 'pages'),
    ('collections.view', true, 'pages'),
    ('trackingscripts.view', true, 'pages'),
    ('backendscripts.view', true, 'pages'),
    ('files.view', true, 'pages'),
    ('reports.view', true, 'reports'),
    ('analytics.view', true, 'reports'),
    ('affiliates.view', true, 'affiliates'),
    ('billing.invoices.view', true, NULL),
    ('billing.cards.view', true, NULL),
    ('roles.manage', true, NULL),
    ('members.manage', true, NULL) $$, 'permissions and their modules (R23)');
SELECT is_empty('SELECT permission_key FROM entitle.permission WHERE description IS NULL', 'permissions are described');

SELECT set_eq('SELECT permission_key, requires_key FROM entitle.permission_prerequisite', $$ VALUES
    ('customers.edit', 'customers.view'),
    ('customers.client_metrics', 'customers.view'),
    ('customers.export', 'customers.view'),
    ('external_access.manage', 'customers.view') $$, 'prerequisites (R5)');

-- Capabilities: alternatives divided by |, what each needs by +.
SELECT set_eq($$
    SELECT c.capability_key, c.section, c.position,
           (SELECT string_agg(a.needs, ' | ' ORDER BY a.alternative)
            FROM (SELECT p.alternative, string_agg(p.permission_key, ' + ' ORDER BY p.permission_key) AS needs
                  FROM entitle.capability_permission p
                  WHERE p.capability_key = c.capability_key
                  GROUP BY p.alternative) a)
    FROM entitle.capability c $$, $$ VALUES
    ('conversions_list', 'reports', 1, 'conversions.view'),
    ('customers_report', 'reports', 2, 'customers.view'),
    ('tracking_report', 'reports', 3, 'tracking.view'),
    ('utm_report', 'reports', 4, 'reporting.utm_performance.view'),
    ('custom_reports', 'reports', 5, 'reports.view'),
    ('reports', NULL, NULL,
     'conversions.view | customers.view | tracking.view | reporting.utm_performance.view | reports.view'),
    ('tracking_reports', NULL, NULL, 'tracking.view | reporting.utm_performance.view'),
    ('fulfillment_list', NULL, NULL, 'conversions.view'),
    ('conversion_operations', NULL, NULL, 'conversions.update'),
    ('manual_order', NULL, NULL, 'conversions.create + customers.view'),
    ('customers_screen', NULL, NULL, 'customers.view'),
    ('customers_export', NULL, NULL, 'customers.export'),
    ('customer_edit', NULL, NULL, 'customers.edit'),
    ('customer_metrics', NULL, NULL, 'customers.edit'),
    ('client_metrics_catalogue', NULL, NULL, 'customers.client_metrics'),
    ('external_access', NULL, NULL, 'external_access.manage'),
    ('integrations', NULL, NULL, 'integrations.view'),
    ('merchants', NULL, NULL, 'merchants.view'),
    ('products', NULL, NULL, 'products.view'),
    ('pages', NULL, NULL, 'pages.view'),
    ('page_components', 'page_tools', 1, 'pagecomponents.view'),
    ('collections', 'page_tools', 2, 'collections.view'),
    ('tracking_scripts', 'page_tools', 3, 'trackingscripts.view'),
    ('backend_scripts', 'page_tools', 4, 'backendscripts.view'),
    ('files', 'page_tools', 5, 'files.view'),
    ('page_tools', NULL, NULL,
     'pagecomponents.view | collections.view | trackingscripts.view | backendscripts.view | files.view'),
    ('billing_invoices', 'billing', 1, 'billing.invoices.view'),
    ('billing_cards', 'billing', 2, 'billing.cards.view'),
    ('billing', NULL, NULL, 'billing.invoices.view | billing.cards.view') $$,
    'capabilities, their sections and what they need (R28, R29)');
SELECT is_empty('SELECT capability_key FROM entitle.capability WHERE title IS NULL', 'capabilities have titles');

SELECT set_eq($$
    SELECT m.metric_key, string_agg(k.module_key, ' ' ORDER BY k.module_key)
    FROM entitle.metric m LEFT JOIN entitle.metric_module k USING (metric_key)
    GROUP BY m.metric_key $$, $$ VALUES
    ('revenue', 'conversions'),
    ('sales', 'conversions'),
    ('net_revenue', 'conversions'),
    ('refund_total', 'conversions'),
    ('aov', 'conversions'),
    ('cogs', 'conversions'),
    ('page_views', 'tracking'),
    ('sessions', 'tracking'),
    ('engagement_rate', 'tracking'),
    ('time_on_page', 'tracking'),
    ('conversion_rate', 'conversions tracking'),
    ('ad_spend', 'integrations'),
    ('roas', 'conversions integrations') $$, 'metrics and their modules (R31)');

SELECT set_eq($$
    SELECT r.organization_id, r.name, r.is_active, string_agg(p.permission_key, ' ' ORDER BY p.permission_key)
    FROM entitle.role r LEFT JOIN entitle.role_permission p USING (role_id)
    GROUP BY r.role_id $$, $$ VALUES
    (1::bigint, 'conversions-only viewer', true, 'conversions.view'),
    (1, 'customers-only viewer', true, 'customers.view'),
    (1, 'reports reader', true,
     'conversions.view customers.view reporting.utm_performance.view reports.view tracking.view'),
    (1, 'operations user', true, 'conversions.update conversions.view'),
    (1, 'sales', true, 'customers.edit customers.view'),
    (1, 'sales manager', true, 'customers.client_metrics customers.edit customers.view'),
    (1, 'read-only', true, 'customers.view') $$, 'roles and what they grant (R32)');

-- Nothing else comes with the extension.
SELECT is_empty(format('SELECT * FROM entitle.%I', t), format('%s is empty', t))
FROM unnest(ARRAY['app_user', 'plan', 'plan_denial', 'role_metric', 'membership', 'customer', 'client_metric',
                  'customer_metric', 'integration_link', 'external_access', 'change_log', 'protection', 'protection_member',
                  'shipped_removal']) AS t;

-- All of it is marked as shipped, and numbered out of the application's way.
SELECT is_empty(format('SELECT * FROM entitle.%I WHERE NOT as_shipped', c.relname), format('%s is as shipped', c.relname))
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'as_shipped'
WHERE c.relnamespace = 'entitle'::regnamespace AND c.relkind = 'r'
ORDER BY c.relname;
SELECT cmp_ok(nextval('entitle.organization_organization_id_seq'), '>', 1::bigint, 'own organizations are numbered after the shipped one');
SELECT cmp_ok(nextval('entitle.brand_brand_id_seq'), '>', 1::bigint, 'own brands are numbered after the shipped one');
SELECT cmp_ok(nextval('entitle.role_role_id_seq'), '>', 7::bigint, 'own roles are numbered after the shipped ones');

SELECT * FROM finish();
ROLLBACK;
