-- Permissions, capabilities and metrics as applications ask about them: through sign_in and the public functions, as an
-- ordinary role (R1, R2, R4, R5, R20, R22 to R32, R52).
\ir setup.psql
SELECT no_plan();

-- Organization 1 is the installed `main` with brand 1; 201 has two brands; 203 stands alone.
INSERT INTO entitle.organization (organization_id, name) VALUES (201, 'group');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (201, 201, 'north'), (202, 201, 'south'), (203, NULL, 'alone');
INSERT INTO entitle.brand_module (brand_id, module_key)
SELECT b, module_key FROM entitle.module, unnest(ARRAY[201, 202, 203]) AS b;
INSERT INTO entitle.role (role_id, organization_id, name) VALUES
    (201, 201, 'viewer'), (202, 201, 'editor'), (203, 201, 'exporter'), (204, 201, 'empty'), (205, 201, 'all metrics'),
    (206, 201, 'two metrics'), (207, 201, 'seller');
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES
    (201, 'customers.view'), (202, 'customers.edit'), (203, 'customers.export'),
    (207, 'conversions.create'), (207, 'conversions.view'), (207, 'analytics.view');
INSERT INTO entitle.role_metric (role_id, metric_key) VALUES (205, '*'), (206, 'revenue'), (206, 'roas');
INSERT INTO entitle.app_user (user_id, login) VALUES
    (201, 'viewer'), (202, 'editor'), (203, 'both'), (204, 'exporter'), (205, 'owner'), (206, 'alone'), (207, 'stranger'),
    (208, 'northern'), (209, 'all metrics'), (210, 'two metrics'), (211, 'empty'), (212, 'seller'), (213, 'main only');
INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id, is_owner) VALUES
    (201, 201, NULL, 201, false), (202, 201, NULL, 202, false), (203, 201, NULL, 201, false), (203, 201, NULL, 202, false),
    (204, 201, NULL, 203, false), (205, 201, NULL, NULL, true), (206, NULL, 203, NULL, false), (208, NULL, 201, 201, false),
    (209, 201, NULL, 205, false), (210, 201, NULL, 206, false), (211, 201, NULL, 204, false), (212, 201, NULL, 207, false);
INSERT INTO entitle.membership (user_id, organization_id, role_id)
SELECT 213, 1, role_id FROM entitle.role WHERE organization_id = 1 AND name = 'sales manager';

CREATE FUNCTION may(login text, permission text, brand bigint DEFAULT 201) RETURNS boolean
    LANGUAGE sql
    AS $$ SELECT ask(login, format('SELECT entitle.has_permission(%L, %L)', permission, brand))::boolean $$;
CREATE FUNCTION may_open(login text, capability text, brand bigint DEFAULT 201) RETURNS boolean
    LANGUAGE sql
    AS $$ SELECT ask(login, format('SELECT entitle.has_capability(%L, %L)', capability, brand))::boolean $$;
CREATE FUNCTION sees_metric(login text, metric text, brand bigint DEFAULT 201) RETURNS boolean
    LANGUAGE sql
    AS $$ SELECT ask(login, format('SELECT entitle.has_metric(%L, %L)', metric, brand))::boolean $$;
-- Everything the library can say about a user in a brand, in one text.
CREATE FUNCTION everything(login text, brand bigint) RETURNS text
    LANGUAGE sql
    AS $$
    SELECT ask(login, format($q$
        SELECT btrim(concat_ws(' ',
            (SELECT string_agg(k, ' ') FROM unnest(%2$L::text[]) AS k WHERE entitle.has_permission(k, %1$L)),
            (SELECT string_agg(k, ' ') FROM unnest(%3$L::text[]) AS k WHERE entitle.has_capability(k, %1$L)),
            array_to_string(entitle.visible_metrics(%1$L), ' '),
            array_to_string(entitle.allowed_capabilities('reports', %1$L), ' ')))$q$,
        brand, (SELECT array_agg(permission_key) FROM entitle.permission),
        (SELECT array_agg(capability_key) FROM entitle.capability)))
    $$;

-- R1
SELECT is(everything(NULL, 1), '', 'R1: nobody signed in is denied everything');
SELECT is(ask(NULL, 'SELECT entitle.permitted_brands(''customers.view'')'), '{}', 'R1: nobody is permitted in any brand');
SELECT isnt(everything('owner', 201), '', 'R1: the owner is not, to begin with');
UPDATE entitle.app_user SET is_active = false WHERE login = 'owner';
SET LOCAL entitle.identity = '205';
SELECT is(everything(NULL, 201), '', 'R1: an identity whose user was switched off is denied everything');
SET LOCAL entitle.identity = '99999';
SELECT is(everything(NULL, 201), '', 'R1: an identity of a user that does not exist is denied everything');
RESET entitle.identity;
UPDATE entitle.app_user SET is_active = true WHERE login = 'owner';

-- R4
SELECT is(held('viewer', ARRAY['Customers.View', 'CUSTOMERS.VIEW', 'customers.view ', ' customers.view', 'customers.vie',
                               'customers.viewer', 'customers.*', '*', 'customers.%', '%', 'customers', 'customers_view', '', 'nothing'], 201),
          'none', 'R4: permission keys match byte for byte');
SELECT is(held('owner', ARRAY['no.such_key', 'Customers.view', '*'], 201), 'none', 'R4: an unknown key is denied to owners too');
SELECT is(held('alone', ARRAY['no.such_key', 'Customers.view', '*'], 203), 'none', 'R4: and to members of a standalone brand');
SELECT ok(NOT may_open('owner', 'no_such_capability') AND NOT may_open('owner', 'Reports') AND NOT may_open('owner', ''),
          'R4: an unknown capability is denied to owners');
SELECT ok(NOT sees_metric('owner', 'Revenue') AND NOT sees_metric('owner', 'revenu') AND NOT sees_metric('owner', '*'),
          'R4: metric keys match byte for byte, and "*" is no metric');
SELECT ok(NOT sees_metric('all metrics', 'no_such_metric'), 'R4: "*" grants metrics that exist, not any word');

-- R5
SELECT ok(NOT may('editor', 'customers.edit'), 'R5: customers.edit without customers.view grants nothing');
SELECT ok(NOT may('exporter', 'customers.export'), 'R5: nor does customers.export');
SELECT is(held('both', ARRAY['customers.view', 'customers.edit'], 201), 'customers.view customers.edit',
          'R5: with customers.view, held through another role, it counts');
INSERT INTO entitle.permission (permission_key) VALUES ('step.1'), ('step.2'), ('step.3');
INSERT INTO entitle.permission_prerequisite VALUES ('step.1', 'step.2'), ('step.2', 'step.3');
INSERT INTO entitle.role_permission VALUES (201, 'step.1'), (201, 'step.2');
SELECT is(held('viewer', ARRAY['step.1', 'step.2', 'step.3'], 201), 'none', 'R5: prerequisites are transitive');
INSERT INTO entitle.role_permission VALUES (201, 'step.3');
SELECT is(held('viewer', ARRAY['step.1', 'step.2', 'step.3'], 201), 'step.1 step.2 step.3', 'R5: the whole chain must be held');
INSERT INTO entitle.permission_module VALUES ('step.3', 'affiliates');
UPDATE entitle.brand_module SET is_enabled = false WHERE brand_id = 201 AND module_key = 'affiliates';
SELECT is(held('viewer', ARRAY['step.1', 'step.2', 'step.3'], 201), 'none', 'R5: each prerequisite through every gate, its modules too');
SELECT is(held('viewer', ARRAY['step.1', 'step.2', 'step.3'], 202), 'step.1 step.2 step.3', 'R5: in the brand that is asked about');
SELECT ok(NOT may('owner', 'step.1'), 'R5: a prerequisite that fails a gate denies owners too');
UPDATE entitle.brand_module SET is_enabled = true WHERE brand_id = 201;
UPDATE entitle.permission SET is_active = false WHERE permission_key = 'step.3';
SELECT ok(NOT may('owner', 'step.1') AND NOT may('viewer', 'step.1'), 'R5: so does one that is switched off');

-- R20
UPDATE entitle.role SET is_active = false WHERE role_id = 202;
SELECT is(held('both', ARRAY['customers.view', 'customers.edit'], 201), 'customers.view', 'R20: a role switched off grants nothing');
UPDATE entitle.role SET is_active = true WHERE role_id = 202;
SELECT ok(may('both', 'customers.edit'), 'R20: several roles are a union');
UPDATE entitle.permission SET is_active = false WHERE permission_key = 'customers.view';
SELECT ok(NOT may('viewer', 'customers.view') AND NOT may('owner', 'customers.view') AND NOT may('alone', 'customers.view', 203),
          'R20: a permission switched off is denied to everyone, owners and members of standalone brands too');
SELECT ok(NOT may('owner', 'customers.edit') AND NOT may('alone', 'customers.edit', 203), 'R20: and takes along what requires it');
UPDATE entitle.permission SET is_active = true WHERE permission_key = 'customers.view';

-- R22
SELECT is(everything('stranger', 201), '', 'R22: without a membership all is denied');
SELECT is(everything('main only', 201), '', 'R22: roles held in another organization count for nothing here');
SELECT is(everything('owner', 1), '', 'R22: nor does owning another organization');
SELECT is(everything('alone', 201), '', 'R22: nor a standalone brand');
SELECT is(everything('viewer', 203), '', 'R22: and a standalone brand is nobody else''s');
SELECT ok(may('northern', 'customers.view', 201), 'R22: a membership of one brand');
SELECT ok(NOT may('northern', 'customers.view', 202), 'R22: is none of its sister''s');
SELECT is(ask('viewer', 'SELECT entitle.permitted_brands(''customers.view'')'), '{201,202}',
          'R22: a membership of the organization reaches all its brands');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (204, 201, 'later');
INSERT INTO entitle.brand_module (brand_id, module_key) VALUES (204, 'customers');
SELECT is(ask('viewer', 'SELECT entitle.permitted_brands(''customers.view'')'), '{201,202,204}', 'R22: later ones too');
DELETE FROM entitle.brand WHERE brand_id = 204;
SELECT is(everything('empty', 201), '', 'R22: a membership whose role grants nothing opens nothing');

-- R23
UPDATE entitle.brand_module SET is_enabled = false WHERE brand_id IN (201, 203) AND module_key = 'customers';
SELECT ok(NOT may('viewer', 'customers.view') AND may('viewer', 'customers.view', 202), 'R23: a module that is not enabled denies, in that brand');
SELECT ok(NOT may('owner', 'customers.view') AND NOT may('alone', 'customers.view', 203), 'R23: owners and members of standalone brands too');
SELECT ok(may('owner', 'billing.cards.view') AND may('alone', 'billing.cards.view', 203), 'R23: a permission with no module passes');
INSERT INTO entitle.permission_module VALUES ('billing.cards.view', 'pages'), ('billing.cards.view', 'customers');
SELECT ok(NOT may('owner', 'billing.cards.view'), 'R23: every module must be enabled');
UPDATE entitle.brand_module SET is_enabled = true;
SELECT ok(may('owner', 'billing.cards.view'), 'R23: and is, again');
DELETE FROM entitle.brand_module WHERE brand_id = 201 AND module_key = 'pages';
SELECT ok(NOT may('owner', 'billing.cards.view'), 'R23: a module without a row is not enabled');
INSERT INTO entitle.brand_module VALUES (201, 'pages');

-- R24
SELECT is(ask('owner', format('SELECT bool_and(entitle.has_permission(k, 201)) FROM unnest(%L::text[]) AS k',
                              (SELECT array_agg(permission_key) FROM entitle.permission WHERE is_active AND permission_key NOT LIKE 'step%'))),
          'true', 'R24: an owner has every known, active permission');
SELECT is(ask('owner', 'SELECT cardinality(entitle.visible_metrics(202))'), (SELECT count(*)::text FROM entitle.metric), 'R24: and every metric');

-- R25
SELECT ok(may('alone', 'conversions.delete', 203) AND sees_metric('alone', 'roas', 203) AND may_open('alone', 'page_tools', 203),
          'R25: a member of a standalone brand is not restricted by lists');

-- R26
INSERT INTO entitle.plan VALUES ('starter');
INSERT INTO entitle.plan_denial VALUES ('starter', 'conversions.create'), ('starter', 'customers.view');
UPDATE entitle.brand SET plan_key = 'starter' WHERE brand_id IN (201, 203);
SELECT ok(NOT may('seller', 'conversions.create') AND may('seller', 'conversions.create', 202),
          'R26: a plan denies to its brand what a role grants, and to no other brand');
SELECT ok(NOT may('owner', 'conversions.create') AND NOT may('alone', 'conversions.create', 203), 'R26: owners and standalone brands too');
SELECT ok(NOT may('owner', 'customers.edit'), 'R26: what a plan denies is missing as a prerequisite');
UPDATE entitle.brand SET plan_key = NULL;

-- R27
SELECT is(held('seller', ARRAY['conversions.view', 'conversions.create', 'conversions.update', 'conversions.delete', 'conversions.export'], 201),
          'conversions.view conversions.create', 'R27: no verb implies another');
SELECT is(held('viewer', ARRAY['customers.view', 'customers.export', 'customers.edit', 'customers.client_metrics'], 201), 'customers.view',
          'R27: view does not imply export');
SELECT ok(NOT may('exporter', 'customers.view'), 'R27: export does not imply view');

-- R28
SELECT ok(NOT may_open('seller', 'manual_order'), 'R28: manual order needs conversions.create and customers.view');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (212, 201, 201);
SELECT ok(may_open('seller', 'manual_order'), 'R28: both of them');
SELECT ok(may('seller', 'analytics.view') AND NOT may_open('seller', 'custom_reports'), 'R28: analytics.view does not open custom reports');
SELECT ok(may_open('viewer', 'reports') AND NOT may_open('viewer', 'conversions_list'), 'R28: one alternative is enough');
SELECT ok(NOT may_open('empty', 'reports') AND NOT may_open('viewer', 'page_tools'), 'R28: none is not');
INSERT INTO entitle.capability (capability_key) VALUES ('hollow');
SELECT ok(NOT may_open('owner', 'hollow'), 'R28: a capability without alternatives opens to nobody');
INSERT INTO entitle.role_permission VALUES (204, 'files.view');
SELECT ok(may_open('empty', 'page_tools') AND may_open('empty', 'files') AND NOT may_open('empty', 'collections'),
          'R28: page tools open by any of their keys, and each tool by its own');
INSERT INTO entitle.role_permission VALUES (204, 'reporting.utm_performance.view'), (204, 'billing.cards.view');
SELECT ok(may_open('empty', 'tracking_reports') AND may_open('empty', 'billing') AND NOT may_open('empty', 'billing_invoices'),
          'R28: tracking reports and billing open by either of two');

-- R29
SELECT is(ask('owner', 'SELECT entitle.allowed_capabilities(''reports'', 201)'),
          '{conversions_list,customers_report,tracking_report,utm_report,custom_reports}', 'R29: pages come in the catalogue''s order');
SELECT is(ask('empty', 'SELECT (entitle.allowed_capabilities(''reports'', 201))[1]'), 'utm_report', 'R29: a section lands on its first allowed page');
SELECT is(ask('seller', 'SELECT entitle.allowed_capabilities(''reports'', 201)'), '{conversions_list,customers_report}', 'R29: only allowed ones');
UPDATE entitle.capability SET position = 9 WHERE capability_key = 'conversions_list';
SELECT is(ask('seller', 'SELECT entitle.allowed_capabilities(''reports'', 201)'), '{customers_report,conversions_list}', 'R29: in the order as it is now');
SELECT is(ask('empty', 'SELECT entitle.allowed_capabilities(''billing'', 201)'), '{billing_cards}', 'R29: another section');
SELECT is(ask('viewer', 'SELECT entitle.allowed_capabilities(''page_tools'', 201)'), '{}', 'R29: a section with no allowed page is empty');
SELECT is(ask('owner', 'SELECT entitle.allowed_capabilities(''nowhere'', 201)'), '{}', 'R29: so is an unknown one');

-- R30
SELECT is(ask('all metrics', 'SELECT cardinality(entitle.visible_metrics(201))'), (SELECT count(*)::text FROM entitle.metric), 'R30: "*" grants every metric');
INSERT INTO entitle.metric VALUES ('margin');
SELECT ok(sees_metric('all metrics', 'margin'), 'R30: later ones too');
SELECT is(ask('two metrics', 'SELECT entitle.visible_metrics(201)'), '{revenue,roas}', 'R30: listed keys only those');
SELECT is(ask('viewer', 'SELECT entitle.visible_metrics(201)'), '{}', 'R30: no grant, none; permissions give no metric');
SELECT is(held('all metrics', ARRAY['customers.view', 'reports.view', 'analytics.view'], 201), 'none', 'R30: metrics give no permission');

-- R31
CREATE FUNCTION metrics_without(VARIADIC switched_off text[]) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    seen text;
BEGIN
    UPDATE entitle.brand_module SET is_enabled = module_key <> ALL (switched_off) WHERE brand_id = 201;
    seen := ask('owner', $q$SELECT string_agg(k, ' ' ORDER BY k) FROM unnest(ARRAY['revenue', 'sales', 'net_revenue', 'refund_total',
                                   'conversion_rate', 'roas', 'margin']) AS k WHERE entitle.has_metric(k, 201)$q$);
    UPDATE entitle.brand_module SET is_enabled = true WHERE brand_id = 201;
    RETURN seen;
END
$$;
SELECT is(metrics_without('conversions'), 'margin', 'R31: revenue, sales, net_revenue, refund_total, conversion_rate and roas need conversions');
SELECT is(metrics_without('tracking'), 'margin net_revenue refund_total revenue roas sales', 'R31: conversion_rate needs tracking too');
SELECT is(metrics_without('integrations'), 'conversion_rate margin net_revenue refund_total revenue sales', 'R31: roas needs integrations too');

-- R32
INSERT INTO entitle.app_user (user_id, login) SELECT 220 + role_id, 'example ' || name FROM entitle.role WHERE organization_id = 1;
INSERT INTO entitle.membership (user_id, organization_id, role_id) SELECT 220 + role_id, 1, role_id FROM entitle.role WHERE organization_id = 1;
SELECT is(held('example ' || e.role, (SELECT array_agg(permission_key ORDER BY permission_key) FROM entitle.permission)), e.permissions,
          format('R32: the example role "%s" holds what the catalogue lists', e.role))
FROM (VALUES ('conversions-only viewer', 'conversions.view'),
             ('customers-only viewer', 'customers.view'),
             ('reports reader', 'conversions.view customers.view reporting.utm_performance.view reports.view tracking.view'),
             ('operations user', 'conversions.update conversions.view'),
             ('sales', 'customers.edit customers.view'),
             ('sales manager', 'customers.client_metrics customers.edit customers.view'),
             ('read-only', 'customers.view')) AS e (role, permissions);

-- R52
SELECT is(ask('northern', 'SELECT entitle.current_brand_id()'), '201', 'R52: the only brand is the current one');
SELECT is(ask('viewer', 'SELECT coalesce(entitle.current_brand_id()::text, ''none'')'), 'none', 'R52: of several brands none is');
SELECT is(held('northern', ARRAY['customers.view']), 'customers.view', 'R52: a check that names no brand uses the only one');
SELECT is(held('viewer', ARRAY['customers.view']), 'none', 'R52: a user of several brands who chose none is denied');
SELECT is(held('viewer', ARRAY['customers.view'], 202), 'customers.view', 'R52: the chosen brand is used');
SELECT is(ask('viewer', 'SELECT entitle.has_permission(''customers.view'', 1)', 202), 'false', 'R52: a named brand is judged, not the chosen one');
SELECT ok(NOT ask('viewer', 'SELECT entitle.has_capability(''reports'')')::boolean AND ask('viewer', 'SELECT entitle.has_capability(''reports'')', 201)::boolean
          AND NOT ask('two metrics', 'SELECT entitle.has_metric(''roas'')')::boolean AND ask('two metrics', 'SELECT entitle.has_metric(''roas'')', 202)::boolean
          AND ask('two metrics', 'SELECT entitle.visible_metrics()') = '{}' AND ask('two metrics', 'SELECT entitle.visible_metrics()', 202) = '{revenue,roas}'
          AND ask('viewer', 'SELECT entitle.allowed_capabilities(''reports'')') = '{}'
          AND ask('viewer', 'SELECT entitle.allowed_capabilities(''reports'')', 201) = '{customers_report}',
          'R52: the same for capabilities, metrics and sections');
SELECT throws_ok($$SELECT ask('viewer', 'SELECT 1', 203)$$, '42501', NULL, 'R52: a brand one is no member of cannot be chosen');

-- R2: the gates are ANDed. Each of them closed in turn denies one who passes all others.
CREATE FUNCTION closed_by(change text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
    allowed boolean;
BEGIN
    BEGIN
        EXECUTE change;
        allowed := may('both', 'customers.edit');
        RAISE EXCEPTION USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        RETURN NOT allowed AND may('both', 'customers.edit');
    END;
END
$$;
SELECT ok(closed_by(change), 'R2: denied by one closed gate: ' || change)
FROM unnest(ARRAY[
    'DELETE FROM entitle.membership WHERE user_id = 203',
    'UPDATE entitle.brand_module SET is_enabled = false WHERE brand_id = 201 AND module_key = ''customers''',
    'INSERT INTO entitle.plan_denial VALUES (''starter'', ''customers.edit''); UPDATE entitle.brand SET plan_key = ''starter'' WHERE brand_id = 201',
    'DELETE FROM entitle.role_permission WHERE role_id = 202',
    'DELETE FROM entitle.role_permission WHERE role_id = 201',
    'UPDATE entitle.permission SET is_active = false WHERE permission_key = ''customers.edit''']) AS change;

-- For another user: superusers, managers of access in that brand, and oneself.
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (208, 201, 'access manager');
INSERT INTO entitle.role_permission VALUES (208, 'customers.view'), (208, 'external_access.manage');
INSERT INTO entitle.app_user (user_id, login) VALUES (214, 'access manager');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (214, 201, 208);
SELECT is(ask('access manager', 'SELECT entitle.user_has_permission(203, ''customers.edit'', 201)'), 'true', 'R41: a manager may ask about another user');
SELECT is(ask('access manager', 'SELECT entitle.user_has_permission(203, ''customers.edit'', 202)'), 'false', 'R41: in the manager''s own brand only');
SELECT is(ask('viewer', 'SELECT entitle.user_has_permission(203, ''customers.edit'', 201)'), 'false', 'R41: nobody else may');
SELECT is(ask('viewer', 'SELECT entitle.user_has_permission(201, ''customers.view'', 201)'), 'true', 'R41: everyone may ask about themselves');
SELECT ok(entitle.user_has_permission(203, 'customers.edit', 201) AND NOT entitle.user_has_permission(201, 'customers.edit', 201),
          'R41: a superuser may ask about anyone');

SELECT * FROM finish();
ROLLBACK;
