-- The shipped catalogue. An application adds its own rows beside these.

INSERT INTO entitle.module (module_key, as_shipped)
SELECT k, true
FROM unnest(ARRAY['customers', 'conversions', 'tracking', 'integrations', 'merchants', 'products', 'pages', 'reports',
                  'affiliates']) AS k;

INSERT INTO entitle.organization (organization_id, name, as_shipped) VALUES (1, 'main', true);
INSERT INTO entitle.brand (brand_id, organization_id, name, as_shipped) VALUES (1, 1, 'main', true);
INSERT INTO entitle.brand_module (brand_id, module_key, as_shipped)
SELECT 1, m.module_key, true FROM entitle.module m;

INSERT INTO entitle.permission (permission_key, description, as_shipped) VALUES
    ('customers.view', 'Read customers of every status', true),
    ('customers.edit', 'Create, edit, activate and deactivate customers', true),
    ('customers.client_metrics', 'Manage the client metric catalogue and recalculate scores', true),
    ('customers.export', 'Export customers', true),
    ('external_access.manage', 'Grant and revoke external access to customers', true),
    ('conversions.view', 'Read conversions', true),
    ('conversions.create', 'Create conversions', true),
    ('conversions.update', 'Work on conversions', true),
    ('conversions.delete', 'Delete conversions', true),
    ('conversions.export', 'Export conversions', true),
    ('tracking.view', 'Read tracking reports', true),
    ('reporting.utm_performance.view', 'Read the UTM performance report', true),
    ('integrations.view', 'See integrations', true),
    ('merchants.view', 'See merchants', true),
    ('products.view', 'See products', true),
    ('pages.view', 'See pages', true),
    ('pages.create', 'Create pages', true),
    ('pages.update', 'Edit pages', true),
    ('pagecomponents.view', 'See page components', true),
    ('collections.view', 'See collections', true),
    ('trackingscripts.view', 'See tracking scripts', true),
    ('backendscripts.view', 'See backend scripts', true),
    ('files.view', 'See files', true),
    ('reports.view', 'Read custom reports', true),
    ('analytics.view', 'See analytics', true),
    ('affiliates.view', 'See affiliates', true),
    ('billing.invoices.view', 'Read own invoices', true),
    ('billing.cards.view', 'See own payment cards', true),
    ('roles.manage', 'Create, change and delete roles of the organization, within the own rights', true),
    ('members.manage', 'Add, change and end memberships, within the own rights', true);

INSERT INTO entitle.permission_module (permission_key, module_key, as_shipped)
SELECT p, n.module_key, true
FROM (VALUES
    ('customers', ARRAY['customers.view', 'customers.edit', 'customers.client_metrics', 'customers.export',
                        'external_access.manage']),
    ('conversions', ARRAY['conversions.view', 'conversions.create', 'conversions.update', 'conversions.delete',
                          'conversions.export']),
    ('tracking', ARRAY['tracking.view', 'reporting.utm_performance.view']),
    ('integrations', ARRAY['integrations.view']),
    ('merchants', ARRAY['merchants.view']),
    ('products', ARRAY['products.view']),
    ('pages', ARRAY['pages.view', 'pages.create', 'pages.update', 'pagecomponents.view', 'collections.view',
                    'trackingscripts.view', 'backendscripts.view', 'files.view']),
    ('reports', ARRAY['reports.view', 'analytics.view']),
    ('affiliates', ARRAY['affiliates.view'])
) AS n (module_key, permissions), unnest(n.permissions) AS p;

INSERT INTO entitle.permission_prerequisite (permission_key, requires_key, as_shipped) VALUES
    ('customers.edit', 'customers.view', true),
    ('customers.client_metrics', 'customers.view', true),
    ('customers.export', 'customers.view', true),
    ('external_access.manage', 'customers.view', true);

INSERT INTO entitle.capability (capability_key, title, section, "position", as_shipped) VALUES
    ('conversions_list', 'Conversions list', 'reports', 1, true),
    ('customers_report', 'Customers report', 'reports', 2, true),
    ('tracking_report', 'Tracking report', 'reports', 3, true),
    ('utm_report', 'UTM performance report', 'reports', 4, true),
    ('custom_reports', 'Custom reports', 'reports', 5, true),
    ('reports', 'Reports', NULL, NULL, true),
    ('tracking_reports', 'Tracking reports', NULL, NULL, true),
    ('fulfillment_list', 'Fulfillment list', NULL, NULL, true),
    ('conversion_operations', 'Operational actions', NULL, NULL, true),
    ('manual_order', 'Manual order', NULL, NULL, true),
    ('customers_screen', 'Customers', NULL, NULL, true),
    ('customers_export', 'Customers export', NULL, NULL, true),
    ('customer_edit', 'Customer editing', NULL, NULL, true),
    ('customer_metrics', 'Customer metric values', NULL, NULL, true),
    ('client_metrics_catalogue', 'Client metric catalogue', NULL, NULL, true),
    ('external_access', 'External access', NULL, NULL, true),
    ('integrations', 'Integrations', NULL, NULL, true),
    ('merchants', 'Merchants', NULL, NULL, true),
    ('products', 'Products', NULL, NULL, true),
    ('pages', 'Pages', NULL, NULL, true),
    ('page_components', 'Page components', 'page_tools', 1, true),
    ('collections', 'Collections', 'page_tools', 2, true),
    ('tracking_scripts', 'Tracking scripts', 'page_tools', 3, true),
    ('backend_scripts', 'Backend scripts', 'page_tools', 4, true),
    ('files', 'Files', 'page_tools', 5, true),
    ('page_tools', 'Page tools', NULL, NULL, true),
    ('billing_invoices', 'Invoices', 'billing', 1, true),
    ('billing_cards', 'Payment cards', 'billing', 2, true),
    ('billing', 'Billing', NULL, NULL, true);

-- Each row is one alternative of a capability, whole.
INSERT INTO entitle.capability_permission (capability_key, alternative, permission_key, as_shipped)
SELECT a.capability_key, a.alternative, p, true
FROM (VALUES
    ('conversions_list', 1, ARRAY['conversions.view']),
    ('customers_report', 1, ARRAY['customers.view']),
    ('tracking_report', 1, ARRAY['tracking.view']),
    ('utm_report', 1, ARRAY['reporting.utm_performance.view']),
    ('custom_reports', 1, ARRAY['reports.view']),
    ('reports', 1, ARRAY['conversions.view']),
    ('reports', 2, ARRAY['customers.view']),
    ('reports', 3, ARRAY['tracking.view']),
    ('reports', 4, ARRAY['reporting.utm_performance.view']),
    ('reports', 5, ARRAY['reports.view']),
    ('tracking_reports', 1, ARRAY['tracking.view']),
    ('tracking_reports', 2, ARRAY['reporting.utm_performance.view']),
    ('fulfillment_list', 1, ARRAY['conversions.view']),
    ('conversion_operations', 1, ARRAY['conversions.update']),
    ('manual_order', 1, ARRAY['conversions.create', 'customers.view']),
    ('customers_screen', 1, ARRAY['customers.view']),
    ('customers_export', 1, ARRAY['customers.export']),
    ('customer_edit', 1, ARRAY['customers.edit']),
    ('customer_metrics', 1, ARRAY['customers.edit']),
    ('client_metrics_catalogue', 1, ARRAY['customers.client_metrics']),
    ('external_access', 1, ARRAY['external_access.manage']),
    ('integrations', 1, ARRAY['integrations.view']),
    ('merchants', 1, ARRAY['merchants.view']),
    ('products', 1, ARRAY['products.view']),
    ('pages', 1, ARRAY['pages.view']),
    ('page_components', 1, ARRAY['pagecomponents.view']),
    ('collections', 1, ARRAY['collections.view']),
    ('tracking_scripts', 1, ARRAY['trackingscripts.view']),
    ('backend_scripts', 1, ARRAY['backendscripts.view']),
    ('files', 1, ARRAY['files.view']),
    ('page_tools', 1, ARRAY['pagecomponents.view']),
    ('page_tools', 2, ARRAY['collections.view']),
    ('page_tools', 3, ARRAY['trackingscripts.view']),
    ('page_tools', 4, ARRAY['backendscripts.view']),
    ('page_tools', 5, ARRAY['files.view']),
    ('billing_invoices', 1, ARRAY['billing.invoices.view']),
    ('billing_cards', 1, ARRAY['billing.cards.view']),
    ('billing', 1, ARRAY['billing.invoices.view']),
    ('billing', 2, ARRAY['billing.cards.view'])
) AS a (capability_key, alternative, permissions), unnest(a.permissions) AS p;

INSERT INTO entitle.metric (metric_key, description, as_shipped) VALUES
    ('revenue', 'Revenue', true),
    ('sales', 'Number of sales', true),
    ('net_revenue', 'Revenue less refunds', true),
    ('refund_total', 'Refunds', true),
    ('aov', 'Average order value', true),
    ('cogs', 'Cost of goods sold', true),
    ('page_views', 'Page views', true),
    ('sessions', 'Sessions', true),
    ('engagement_rate', 'Engagement rate', true),
    ('time_on_page', 'Time on page', true),
    ('conversion_rate', 'Conversions per session', true),
    ('ad_spend', 'Advertising spend', true),
    ('roas', 'Return on advertising spend', true);

INSERT INTO entitle.metric_module (metric_key, module_key, as_shipped)
SELECT k, n.module_key, true
FROM (VALUES
    ('conversions', ARRAY['revenue', 'sales', 'net_revenue', 'refund_total', 'aov', 'cogs', 'conversion_rate', 'roas']),
    ('tracking', ARRAY['page_views', 'sessions', 'engagement_rate', 'time_on_page', 'conversion_rate']),
    ('integrations', ARRAY['ad_spend', 'roas'])
) AS n (module_key, metrics), unnest(n.metrics) AS k;

INSERT INTO entitle.role (role_id, organization_id, name, as_shipped) VALUES
    (1, 1, 'conversions-only viewer', true),
    (2, 1, 'customers-only viewer', true),
    (3, 1, 'reports reader', true),
    (4, 1, 'operations user', true),
    (5, 1, 'sales', true),
    (6, 1, 'sales manager', true),
    (7, 1, 'read-only', true);

INSERT INTO entitle.role_permission (role_id, permission_key, as_shipped)
SELECT g.role_id, p, true
FROM (VALUES
    (1, ARRAY['conversions.view']),
    (2, ARRAY['customers.view']),
    (3, ARRAY['reports.view', 'conversions.view', 'customers.view', 'tracking.view', 'reporting.utm_performance.view']),
    (4, ARRAY['conversions.view', 'conversions.update']),
    (5, ARRAY['customers.view', 'customers.edit']),
    (6, ARRAY['customers.view', 'customers.edit', 'customers.client_metrics']),
    (7, ARRAY['customers.view'])
) AS g (role_id, permissions), unnest(g.permissions) AS p;

-- The application's own rows are numbered after the shipped ones.
ALTER TABLE entitle.organization ALTER COLUMN organization_id RESTART WITH 2;
ALTER TABLE entitle.brand ALTER COLUMN brand_id RESTART WITH 2;
ALTER TABLE entitle.role ALTER COLUMN role_id RESTART WITH 8;
