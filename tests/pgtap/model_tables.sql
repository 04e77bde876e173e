-- The model's tables are those of the interface, column by column, and every object of the extension is described, dumped and
-- guarded.
\ir setup.psql
SELECT no_plan();

-- The columns an application loads, in this order; what the extension adds for itself comes after them.
CREATE TEMP TABLE expected (relation, columns, key) AS VALUES
    ('app_user', ARRAY['user_id bigint', 'login text', 'full_name text', 'db_role name', 'is_active boolean'], 'user_id'),
    ('organization', ARRAY['organization_id bigint', 'name text'], 'organization_id'),
    ('plan', ARRAY['plan_key text'], 'plan_key'),
    ('plan_denial', ARRAY['plan_key text', 'permission_key text'], 'plan_key, permission_key'),
    ('brand', ARRAY['brand_id bigint', 'organization_id bigint', 'name text', 'plan_key text', 'as_shipped boolean', 'brand_uuid uuid', 'brand_code text'], 'brand_id'),
    ('module', ARRAY['module_key text'], 'module_key'),
    ('brand_module', ARRAY['brand_id bigint', 'module_key text', 'is_enabled boolean'], 'brand_id, module_key'),
    ('permission', ARRAY['permission_key text', 'description text', 'is_active boolean'], 'permission_key'),
    ('permission_module', ARRAY['permission_key text', 'module_key text'], 'permission_key, module_key'),
    ('permission_prerequisite', ARRAY['permission_key text', 'requires_key text'], 'permission_key, requires_key'),
    ('capability', ARRAY['capability_key text', 'title text', 'section text', 'position integer'], 'capability_key'),
    ('capability_permission', ARRAY['capability_key text', 'alternative integer', 'permission_key text'],
     'capability_key, alternative, permission_key'),
    ('metric', ARRAY['metric_key text', 'description text'], 'metric_key'),
    ('metric_module', ARRAY['metric_key text', 'module_key text'], 'metric_key, module_key'),
    ('role', ARRAY['role_id bigint', 'organization_id bigint', 'name text', 'is_active boolean'], 'role_id'),
    ('role_permission', ARRAY['role_id bigint', 'permission_key text'], 'role_id, permission_key'),
    ('sign_in_grant', ARRAY['db_role name', 'login text'], 'sign_in_grant_id'),
    ('role_metric', ARRAY['role_id bigint', 'metric_key text'], 'role_id, metric_key'),
    ('membership', ARRAY['membership_id bigint', 'user_id bigint', 'organization_id bigint', 'brand_id bigint',
                         'role_id bigint', 'is_owner boolean'], 'membership_id'),
    ('customer', ARRAY['customer_id bigint', 'customer_uuid uuid', 'customer_code text', 'brand_id bigint', 'legal_name text',
                       'trade_name text', 'tax_id text', 'country text', 'address text', 'contact_email text', 'notes text',
                       'status text', 'client_score numeric(6,2)', 'scored_at timestamp with time zone'], 'customer_id'),
    ('client_metric', ARRAY['metric_id bigint', 'organization_id bigint', 'name text', 'multiplier numeric', 'is_active boolean'], 'metric_id'),
    ('customer_metric', ARRAY['customer_id bigint', 'metric_id bigint', 'value numeric'], 'customer_id, metric_id'),
    ('integration_link', ARRAY['customer_id bigint', 'provider text', 'external_id text'], 'customer_id, provider'),
    ('external_access', ARRAY['customer_id bigint', 'user_id bigint', 'role text', 'days_back integer', 'valid_from date',
                              'valid_until date', 'notes text'], 'customer_id, user_id'),
    ('change_log', ARRAY['change_id bigint', 'changed_at timestamp with time zone', 'actor_login text', 'db_role name',
                         'relation regclass', 'action text', 'row_key jsonb', 'old_row jsonb', 'new_row jsonb'], 'change_id');

SELECT is((SELECT array_agg(format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
           FROM pg_attribute a
           WHERE a.attrelid = ('entitle.' || e.relation)::regclass AND a.attnum BETWEEN 1 AND cardinality(e.columns)),
          e.columns, format('%s has the columns of the interface', e.relation))
FROM expected e;

SELECT is((SELECT string_agg(a.attname, ', ' ORDER BY array_position(c.conkey, a.attnum))
           FROM pg_constraint c
           JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
           WHERE c.conrelid = ('entitle.' || e.relation)::regclass AND c.contype = 'p'),
          e.key, format('%s has the key of the interface', e.relation))
FROM expected e;

SELECT is((SELECT string_agg(c.relname, ' ' ORDER BY c.relname COLLATE "C")
           FROM pg_class c
           WHERE c.relnamespace = 'entitle'::regnamespace AND c.relkind = 'v'),
          'adopted_tables customer_metric_value customer_profile guarded_tables invitation protected_tables', 'the views are these');

SELECT is((SELECT array_agg(a.attname ORDER BY a.attnum)
           FROM pg_attribute a
           WHERE a.attrelid = 'entitle.customer_profile'::regclass AND a.attnum > 0),
          ARRAY['customer_id', 'customer_uuid', 'customer_code', 'legal_name', 'trade_name', 'tax_id', 'country', 'address',
                'contact_email']::name[], 'customer_profile has the columns of the interface');

-- Surrogate keys may be given by a loader, and are numbered otherwise.
SELECT is((SELECT string_agg(format('%s.%s', c.relname, a.attname), ' ' ORDER BY c.relname COLLATE "C")
           FROM pg_attribute a
           JOIN pg_class c ON c.oid = a.attrelid
           WHERE c.relnamespace = 'entitle'::regnamespace AND a.attidentity = 'd'),
          'adoption.adoption_id app_user.user_id brand.brand_id change_log.change_id client_metric.metric_id customer.customer_id'
          ' membership.membership_id organization.organization_id pending_invitation.invitation_id role.role_id sign_in_grant.sign_in_grant_id', 'surrogate keys are identities');

-- Defaults: what an application that names only the keys gets.
SELECT results_eq(
    $$ INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES ('a', 'b', 'c')
       RETURNING customer_uuid IS NOT NULL, customer_code, brand_id, status, client_score, scored_at $$,
    $$ VALUES (true, NULL::text, 1::bigint, 'PAIN', NULL::numeric(6,2), NULL::timestamptz) $$,
    'a customer is PAIN, of the first brand, without a score (R8, R18)');
SELECT results_eq(
    $$ INSERT INTO entitle.app_user (login) VALUES ('model') RETURNING is_active, db_role_oid $$,
    $$ VALUES (true, NULL::oid) $$, 'a user is active and mapped to no role');
SELECT results_eq(
    $$ INSERT INTO entitle.external_access (customer_id, user_id)
       SELECT c.customer_id, u.user_id FROM entitle.customer c, entitle.app_user u WHERE u.login = 'model' LIMIT 1
       RETURNING role, days_back, valid_from, valid_until $$,
    $$ VALUES ('L30', 30, NULL::date, NULL::date) $$, 'a grant is L30 with 30 days (R33, R38)');
SELECT results_eq(
    $$ INSERT INTO entitle.client_metric (name) VALUES ('model') RETURNING organization_id, multiplier, is_active $$,
    $$ VALUES (1::bigint, 1::numeric, true) $$, 'a client metric weighs 1, in the first organization''s catalogue (R57)');
SELECT results_eq(
    $$ INSERT INTO entitle.permission (permission_key) VALUES ('model') RETURNING is_active, as_shipped $$,
    $$ VALUES (true, false) $$, 'a permission is active');

-- Every object tells what it is for.
SELECT is_empty($$
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'entitle'::regnamespace AND c.relkind IN ('r', 'v') AND obj_description(c.oid, 'pg_class') IS NULL
    $$, 'every table and view has a comment');
SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND obj_description(p.oid, 'pg_proc') IS NULL
    $$, 'every function has a comment');
SELECT is_empty($$
    SELECT t.tgrelid::regclass, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'entitle'::regnamespace AND NOT t.tgisinternal AND obj_description(t.oid, 'pg_trigger') IS NULL
    $$, 'every trigger has a comment');
SELECT is_empty($$
    SELECT p.polrelid::regclass, p.polname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE c.relnamespace = 'entitle'::regnamespace AND obj_description(p.oid, 'pg_policy') IS NULL
    $$, 'every policy has a comment');

-- S104: everything is dumped but the list of shipped rows, which CREATE EXTENSION brings, and what report mode counted.
SELECT is((SELECT string_agg(c.relname, ' ')
           FROM pg_class c
           WHERE c.relnamespace = 'entitle'::regnamespace AND c.relkind IN ('r', 'S')
             AND c.oid <> ALL ((SELECT x.extconfig FROM pg_extension x WHERE x.extname = 'entitle')::oid[])),
          'absent_relation reported_rows shipped_row', 'all tables and sequences are registered with pg_dump');
SELECT is_empty($$
    SELECT c.relname
    FROM pg_extension x, unnest(x.extconfig, x.extcondition) AS k (relation, condition)
    JOIN pg_class c ON c.oid = k.relation
    WHERE x.extname = 'entitle'
      AND (k.condition = 'WHERE NOT as_shipped') <> EXISTS (SELECT FROM pg_attribute a
                                                            WHERE a.attrelid = c.oid AND a.attname = 'as_shipped')
    $$, 'tables with shipped rows, and no others, leave those out of a dump');

-- Guards.
SELECT is_empty($$
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'entitle'::regnamespace AND c.relkind = 'r' AND NOT c.relrowsecurity
    $$, 'every table has row-level security');
SELECT is_empty($$
    SELECT p.polrelid::regclass, p.polname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE c.relnamespace = 'entitle'::regnamespace AND NOT p.polpermissive
    $$, 'a policy that is lost denies: all are permissive');
SELECT is_empty($$
    SELECT t.tgrelid::regclass, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'entitle'::regnamespace AND c.relkind = 'r' AND NOT t.tgisinternal
      AND t.tgenabled <> CASE WHEN t.tgname ~ '^entitle_log_row_' THEN 'R' ELSE 'A' END
    $$, 'S63 S68: every trigger fires whatever the replication role, but for those that log rows where replication fires no statement''s');
SELECT is_empty($$
    SELECT c.relname, x.privilege_type
    FROM pg_class c, aclexplode(c.relacl) x
    WHERE c.relnamespace = 'entitle'::regnamespace AND x.grantee <> c.relowner
    $$, 'nobody has privileges on the tables, views and sequences');
SELECT set_eq($$
    SELECT x.privilege_type FROM pg_namespace n, aclexplode(n.nspacl) x WHERE n.nspname IN ('entitle', 'entitle_internal') AND x.grantee = 0
    $$, ARRAY['USAGE'], 'PUBLIC has USAGE on the schema and no more');

-- Signals: what each change tells the other backends.
SELECT is((SELECT string_agg(format('%s:%s:%s', c.relname, p.proname,
                                    CASE WHEN t.tgtype & 1 = 1 THEN 'row' ELSE 'statement' END), E'\n'
                             ORDER BY c.relname COLLATE "C", t.tgname COLLATE "C")
           FROM pg_trigger t
           JOIN pg_class c ON c.oid = t.tgrelid
           JOIN pg_proc p ON p.oid = t.tgfoid
           WHERE c.relnamespace = 'entitle'::regnamespace AND t.tgname LIKE 'zz\_entitle\_signal%'),
          concat_ws(E'\n',
              'app_user:signal_user:row', 'app_user:signal_user:statement',
              'brand:signal_model:statement', 'brand:signal_model:row',
              'brand_module:signal_model:statement', 'brand_module:signal_model:row',
              'capability:signal_model:statement', 'capability:signal_model:row',
              'capability_permission:signal_model:statement', 'capability_permission:signal_model:row',
              'customer:signal_customer:statement', 'customer:signal_customer:row', 'customer:signal_customer:row',
              'external_access:signal_access:row', 'external_access:signal_access:statement',
              'membership:signal_user:row', 'membership:signal_user:statement',
              'metric:signal_model:statement', 'metric:signal_model:row',
              'metric_module:signal_model:statement', 'metric_module:signal_model:row',
              'module:signal_model:statement', 'module:signal_model:row',
              'organization:signal_model:statement', 'organization:signal_model:row',
              'permission:signal_model:statement', 'permission:signal_model:row',
              'permission_module:signal_model:statement', 'permission_module:signal_model:row',
              'permission_prerequisite:signal_model:statement', 'permission_prerequisite:signal_model:row',
              'plan:signal_model:statement', 'plan:signal_model:row',
              'plan_denial:signal_model:statement', 'plan_denial:signal_model:row',
              'protection:signal_declaration:row', 'protection_view:signal_declaration:row', 'reported_protection:signal_declaration:row',
              'role:signal_model:statement', 'role:signal_model:row',
              'role_metric:signal_model:statement', 'role_metric:signal_model:row',
              'role_permission:signal_model:statement', 'role_permission:signal_model:row',
              'sign_in_grant:signal_model:statement', 'sign_in_grant:signal_model:row'),
          'every table that decides something signals its changes');

SELECT * FROM finish();
ROLLBACK;
