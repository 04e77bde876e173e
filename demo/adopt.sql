-- From the application's schema to a protected one. Nothing of it is changed but that tables get triggers, policies and row-level security.
\set QUIET on
\pset footer off

\echo
\echo '--- 1. The roles that its words mean: "sales" comes with the extension, "support" is made'
SELECT entitle.create_role('support', '{customers.view}', organization_id => 1) \g /dev/null
SELECT r.name, string_agg(p.permission_key, ', ' ORDER BY p.permission_key) AS grants
FROM entitle.role r JOIN entitle.role_permission p USING (role_id) WHERE r.name IN ('support', 'sales') AND r.organization_id = 1 GROUP BY r.name ORDER BY r.name;

\echo '--- 2. Its rows stand for users, brands, members, customers and their access'
SELECT entitle.adopt_users('lamps.person', 'email', name_column => 'display_name', active_when => 'deleted_at IS NULL') \g /dev/null
SELECT entitle.adopt_brands('lamps.branch', 'id', 'town') \g /dev/null
SELECT entitle.adopt_memberships('lamps.person', 'id', brand_column => 'branch_id', role_column => 'staff_roles', active_when => 'staff_roles <> ''{}''') \g /dev/null
SELECT entitle.adopt_customers('lamps.account', 'id', 'company', 'branch_id', active_when => 'deleted_at IS NULL', profile => '{"tax_id": "vat_number"}') \g /dev/null
SELECT entitle.adopt_access('lamps.account_member', 'account_id', 'person_id', level_column => 'is_what',
                            levels => '{"viewer": "L10", "buyer": "L30", "boss": "L90"}') \g /dev/null
SELECT count(*) AS problems FROM entitle.verify_adoption();
SELECT u.login, b.name AS branch, string_agg(DISTINCT r.name, ', ') AS roles, string_agg(DISTINCT c.trade_name || ' ' || g.role, ', ') AS access
FROM entitle.app_user u
LEFT JOIN entitle.membership m USING (user_id)
LEFT JOIN entitle.brand b USING (brand_id)
LEFT JOIN entitle.role r USING (role_id)
LEFT JOIN entitle.external_access g USING (user_id)
LEFT JOIN entitle.customer c USING (customer_id)
GROUP BY u.login, b.name ORDER BY u.login;

\echo '--- 3. What would be protected, and how that is known'
SELECT p.relation, p.call IS NOT NULL AS is_found, p.reason FROM entitle.plan_protection('{lamps}') p;

\echo '--- 4. First in report mode: the application runs as it did, and is told what would be hidden from whom'
GRANT EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_out TO lamps_web;
INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('lamps_web', NULL);
SELECT entitle.protect_schema('{lamps}', mode => 'report') AS tables;
BEGIN;
SELECT entitle.sign_in('cleo@cedar.example') \g /dev/null
SET LOCAL ROLE lamps_web;
SELECT count(*) AS accounts FROM lamps.account;
COMMIT;
SELECT relation, login, action, gate, rows FROM entitle.protection_report();

\echo '--- 5. Protected: filtered views under the same names stand before the tables'
SELECT entitle.protect_schema('{lamps}', view_schema => 'lamps_seen') AS tables;
-- Orders are read from level L10 by default; a buyer of L30 may place them, too.
SELECT entitle.protect_table('lamps.purchase', 'account_id', brand_column => 'branch_id', view_permission => 'customers.view', insert_permission => 'customers.edit',
                             update_permission => 'customers.edit', external_insert_level => 30, view_name => 'lamps_seen.purchase') \g /dev/null
ALTER ROLE lamps_web SET search_path = lamps_seen, lamps;
SELECT count(*) AS problems FROM entitle.verify_protection();
