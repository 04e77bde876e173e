-- Keys and names that are too long for where they are kept: keys are refused in the field's words before an index would, and names that
-- are cut stay different (S158, S159).
\ir setup.psql
SELECT no_plan();

-- Every text column that an index of the model holds; what md5 makes is not compressed. Tables of the dump hold names of tables.
CREATE TEMP TABLE held AS
SELECT DISTINCT a.attrelid::regclass AS relation, a.attname AS name
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
WHERE c.relnamespace = 'entitle'::regnamespace AND a.atttypid = 'text'::regtype AND a.attgenerated = '' AND c.relname !~ '^(shipped_|absent_relation$|adoption)' -- written by the extension alone
  AND a.attname <> 'source_key'; -- a key of the application's, as long as its own index lets it be
CREATE FUNCTION refused(command text) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE command;
    RETURN 'not refused';
EXCEPTION
    WHEN OTHERS THEN
        RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'ann');
INSERT INTO entitle.plan VALUES ('small');
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', '1');

SELECT cmp_ok((SELECT count(*) FROM held), '>=', 20::bigint, 'the keys are found');
SELECT is(refused(format('INSERT INTO %s (%I) SELECT string_agg(md5(n::text), '''') FROM generate_series(1, 300) n', relation, name)),
          format('23514 field "%s" takes at most 1000 bytes', name), format('S158: a long %s of %s is refused', name, relation))
FROM held WHERE relation <> 'entitle.customer'::regclass AND relation <> 'entitle.integration_link'::regclass;
SELECT is(refused(command), format('23514 field "%s" takes at most 1000 bytes', field), format('S158: a long %s is refused', field))
FROM (VALUES ('customer_code', 'UPDATE entitle.customer SET customer_code = repeat(''x'', 1001) WHERE customer_id = 101'),
             ('provider', 'INSERT INTO entitle.integration_link VALUES (101, repeat(''x'', 1001), ''x'')'),
             ('login', 'UPDATE entitle.app_user SET login = repeat(''ä'', 501)')) AS v (field, command);

-- The longest keys there may be go into every index, two in a row too.
CREATE FUNCTION long(seed text) RETURNS text LANGUAGE sql AS $$ SELECT left(string_agg(md5(seed || n::text), ''), 1000) FROM generate_series(1, 40) n $$;
SELECT lives_ok($$ INSERT INTO entitle.permission (permission_key) VALUES (long('a')), (long('b'));
                   INSERT INTO entitle.permission_prerequisite (permission_key, requires_key) VALUES (long('a'), long('b'));
                   INSERT INTO entitle.plan VALUES (long('p'));
                   INSERT INTO entitle.plan_denial VALUES (long('p'), long('a'));
                   INSERT INTO entitle.capability (capability_key) VALUES (long('c'));
                   INSERT INTO entitle.capability_permission (capability_key, alternative, permission_key) VALUES (long('c'), 1, long('a'));
                   INSERT INTO entitle.module (module_key) VALUES (long('m'));
                   INSERT INTO entitle.permission_module (permission_key, module_key) VALUES (long('a'), long('m'));
                   INSERT INTO entitle.app_user (login) VALUES (long('l'));
                   INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('test_app', long('l'));
                   UPDATE entitle.customer SET customer_code = long('k') WHERE customer_id = 101;
                   INSERT INTO entitle.integration_link VALUES (101, long('i'), 'x') $$, 'S158: the longest keys are stored');

-- Default names of filtered views: at most 63 bytes, and different where only the end of their tables' names differs.
CREATE SCHEMA long_names;
DO $$
DECLARE
    title text;
BEGIN
    FOREACH title IN ARRAY ARRAY['short', repeat('a', 58), repeat('b', 62) || '1', repeat('b', 62) || '2', repeat('ä', 29), repeat('ä', 31), repeat('ä', 30) || 'öx', repeat('ä', 30) || 'öy',
                                 repeat('b', 58), '€' || repeat('ä', 29) || 'q'] LOOP
        EXECUTE format('CREATE TABLE long_names.%I (customer_id bigint, price numeric)', title);
        PERFORM entitle.protect_table(format('long_names.%I', title)::regclass, 'customer_id', masked_columns => '{"price": 30}');
    END LOOP;
END
$$;
SELECT is((SELECT count(DISTINCT v.view) FROM entitle.protection_view v JOIN pg_class c ON c.oid = v.relation WHERE c.relnamespace = 'long_names'::regnamespace), 10::bigint,
          'S159: every table has a view of its own, however long its name');
SELECT is_empty($$ SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'long_names'::regnamespace AND c.relkind = 'v' AND c.relname !~ '_view$' $$, 'S159: the views'' names end whole');
SELECT set_eq($$ SELECT v.relname FROM entitle.protection_view p JOIN pg_class c ON c.oid = p.relation JOIN pg_class v ON v.oid = p.view
                 WHERE c.relnamespace = 'long_names'::regnamespace AND octet_length(c.relname::text) <= 58 $$,
              ARRAY['short_view', repeat('a', 58) || '_view', repeat('ä', 29) || '_view', repeat('b', 58) || '_view']::name[], 'a name that fits is not cut');
SELECT is_empty($$ SELECT * FROM entitle.verify_protection() $$, 'and nothing is amiss');

SELECT * FROM finish();
ROLLBACK;
