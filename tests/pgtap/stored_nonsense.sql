-- Whatever stands in the tables of declarations, written by a superuser or a restore that fires no triggers: verify_protection and lint
-- tell it, other tables are protected and unprotected, and none of it is run (S130, S133).
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error; -- of what cannot be given back

CREATE TABLE broken (id integer PRIMARY KEY, customer_id bigint, placed_on date, price integer);
CREATE TABLE well (id integer PRIMARY KEY, customer_id bigint, price integer);
CREATE TABLE other (id integer PRIMARY KEY, customer_id bigint, price integer);
GRANT SELECT ON broken, well TO test_app;
SELECT entitle.protect_table('broken', 'customer_id', masked_columns => '{"price": 30}'),
       entitle.protect_table('well', 'customer_id', masked_columns => '{"price": 30}');
SELECT is_empty('SELECT * FROM entitle.verify_protection()', 'all is well at first');

-- What stands for tables that did not come with a dump is a name, or is to be one.
INSERT INTO entitle.absent_relation
SELECT 4026531839 + n.number, n.name FROM unnest(ARRAY['"', '', 'a.b.c.d', 'elsewhere.public.t', E'"x\n; DROP TABLE well; --"', 'none']) WITH ORDINALITY AS n (name, number);

CREATE TEMP TABLE nonsense (relation text, change text, is_told boolean);
INSERT INTO nonsense VALUES
    ('protection', 'masked_columns = ''[]''', true), ('protection', 'masked_columns = ''"x"''', true), ('protection', 'masked_columns = ''null''', true),
    ('protection', 'masked_columns = ''{"price": "x"}''', true), ('protection', 'masked_columns = ''{"price": 99999999999999999999}''', true),
    ('protection', 'masked_columns = ''{"price": {}}''', true), ('protection', 'masked_columns = ''{"price": null}''', true),
    ('protection', 'masked_columns = ''{"": 30}''', true), ('protection', 'masked_columns = ''{"none": 30}''', true),
    ('protection', 'masked_columns = ''{"; DROP TABLE well; --": 30}''', true), ('protection', 'min_level = -2147483648', true), ('protection', 'min_level = 15', true),
    ('protection', 'external_insert_level = 0', true), ('protection', 'external_update_level = 2147483647', true),
    ('protection', 'external_delete_level = 81', true), ('protection', 'shared_rows = true', true), ('protection', 'parent_key = ''none''', true),
    ('protection', $$parent_key = '"'$$, true),
    ('protection', 'customer_column = ''''', true), ('protection', 'customer_column = ''none''', true), ('protection', 'customer_column = ''a" b''', true),
    ('protection', 'customer_column = ''placed_on''', true), ('protection', 'customer_column = NULL', true),
    ('protection', 'date_column = ''''', true), ('protection', 'date_column = ''none''', true), ('protection', 'brand_column = ''''', true),
    ('protection', 'brand_column = ''none''', true), ('protection', 'view_permission = ''; DROP TABLE well; --''', true), ('protection', 'view_permission = ''''', true),
    ('protection', 'insert_permission = ''x''', true), ('protection', $$update_permission = '\'''$$, true), ('protection', 'delete_permission = ''x''', true),
    ('protection', 'view_name = ''''', true), ('protection', 'view_name = ''"x''', true), ('protection', 'view_name = ''a.b.c''', true),
    ('protection', 'parent = relation', true), ('protection', 'parent = 1::oid', true), ('protection', 'parent = ''well''', true), ('protection', 'parent = ''pg_class''', true),
    ('protection', 'parent = ''broken_view''', true), ('protection', 'relation = 1::oid', false), ('protection', 'relation = ''pg_class''', true),
    ('protection', 'relation = ''broken_view''', true), ('protection', 'relation = ''entitle.customer''', true),
    ('protection_member', 'root = 1::oid', true), ('protection_member', 'root = ''well''', true), ('protection_member', 'root = ''pg_class''', true),
    ('protection_member', 'relation = 1::oid', true), ('protection_member', 'relation = ''pg_class''', true), ('protection_member', 'relation = ''broken_view''', true),
    ('protection_member', 'rls_was_enabled = true, rls_was_forced = true', false),
    ('protection_view', 'view = 1::oid', true), ('protection_view', 'view = ''pg_class''', true), ('protection_view', 'view = ''broken''', true),
    ('protection_view', 'view = ''other''', true), ('protection_view', 'relation = 1::oid', true), ('protection_view', 'relation = ''other''', true),
    ('protection_member', 'table_name = ''''', false), ('protection_view', 'told_masks = ''{"x": []}''', false), ('protection_view', 'numbers = ''{}''', false),
    ('protection_view', 'numbers = ''{NULL,-1,32767}''', false), ('protection_view', 'table_oid = 1', false), ('protection_view', 'is_named = true', false), ('protection_view', 'columns = ''{}''', false), ('protection_view', 'columns = ''{NULL}''', false),
    ('protection_privilege', 'column_name = ''''', false), ('protection_privilege', 'column_name = ''x; DROP TABLE well; --''', false),
    ('protection_privilege', 'grantor = ''''', false), ('protection_privilege', 'grantor = ''; ALTER ROLE test_app SUPERUSER; --''', false),
    ('protection_privilege', 'grantee = ''''', true), ('protection_privilege', 'grantee = ''; ALTER ROLE test_app SUPERUSER; --''', true),
    ('protection_privilege', 'privilege = ''SELECT ON well TO PUBLIC; ALTER ROLE test_app SUPERUSER; --''', false),
    ('protection_privilege', 'grantee_oid = 10, grantor_oid = 10', false), ('protection_privilege', 'relation = 1::oid', false),
    ('protection_privilege', 'relation = ''well'', position = -1', false), ('protection_privilege', 'is_grantable = true', false);
INSERT INTO nonsense
    SELECT 'protection', format('relation = %s::oid', a.number), true FROM entitle.absent_relation a
    UNION ALL
    SELECT 'protection_member', format('table_name = %L', a.name), false FROM entitle.absent_relation a;

-- What came of it: everything is undone again.
CREATE FUNCTION come_of(relation text, change text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    answer text := '';
BEGIN
    BEGIN
        SET LOCAL session_replication_role = replica;
        IF relation = 'protection_privilege' THEN
            ALTER TABLE entitle.protection_privilege DROP CONSTRAINT protection_privilege_privilege_check;
        END IF;
        EXECUTE format('UPDATE entitle.%I SET %s WHERE relation = ''broken''::regclass', relation, change);
        SET LOCAL session_replication_role = origin;
        IF NOT EXISTS (SELECT FROM entitle.verify_protection() v WHERE v.relation IS DISTINCT FROM 'well'::regclass) THEN
            answer := 'not told';
        END IF;
        -- All of lint that reads declarations.
        PERFORM FROM entitle_internal.lint_tables();
        PERFORM FROM entitle_internal.lint_coverage();
        PERFORM FROM entitle_internal.lint_functions();
        PERFORM FROM entitle_internal.lint_oracles();
        PERFORM FROM entitle_internal.lint_readers();
        PERFORM FROM entitle_internal.lint_roles();
        PERFORM FROM entitle_internal.lint_tenants();
        PERFORM FROM entitle.protected_tables;
        PERFORM entitle.protect_table('well', 'customer_id', masked_columns => '{"price": 40}'),
                entitle.protect_table('other', 'customer_id', masked_columns => '{"price": 40}'),
                entitle.unprotect_table('other');
        IF (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = 'test_app') THEN
            answer := 'a superuser was made';
        END IF;
        BEGIN
            PERFORM entitle.unprotect_table('broken');
        EXCEPTION WHEN OTHERS THEN
            answer := answer || CASE WHEN SQLSTATE ~ '^(42|55|22|2B)' THEN '' ELSE format('broken: %s %s', SQLSTATE, SQLERRM) END;
        END;
        PERFORM entitle.unprotect_table('well');
        IF to_regclass('well') IS NULL OR has_table_privilege('public', 'well', 'SELECT') OR NOT has_table_privilege('test_app', 'well', 'SELECT') THEN
            answer := answer || 'well is not as it was';
        END IF;
        IF (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = 'test_app') THEN
            answer := 'a superuser was made';
        END IF;
        RAISE EXCEPTION 'undone' USING ERRCODE = 'ZZ999';
    EXCEPTION WHEN OTHERS THEN
        IF SQLSTATE <> 'ZZ999' THEN
            answer := format('%s %s', SQLSTATE, SQLERRM);
        END IF;
    END;
    RETURN answer;
END
$$;
SELECT is(come_of(relation, change), CASE WHEN is_told THEN '' ELSE 'not told' END, format('S133: %s: %s', relation, change)) FROM nonsense WHERE relation <> 'protection_privilege';
SELECT ok(come_of(relation, change) IN ('', 'not told'), format('S130, S133: %s: %s: %s', relation, change, come_of(relation, change))) FROM nonsense WHERE relation = 'protection_privilege';
SELECT set_eq($$ SELECT DISTINCT a.attrelid::regclass || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                 WHERE c.relnamespace = 'entitle'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^protection' AND a.attnum > 0 AND NOT a.attisdropped $$,
              $$ SELECT DISTINCT 'entitle.' || n.relation || '.' || m[1] FROM nonsense n, regexp_matches(n.change, '(?:^|, )(\w+) = ', 'g') AS m $$,
              'every column of the tables of declarations was tried');

SELECT * FROM finish();
ROLLBACK;
