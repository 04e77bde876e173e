-- A table's owner who may execute protect_table is no friend: what PUBLIC may execute takes no SQL, no row type and no declaration on
-- trust (S130, S131, S132).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_owner;
CREATE ROLE test_victim;
GRANT CREATE ON SCHEMA public TO test_owner, test_victim;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO test_owner, test_victim;
SET LOCAL ROLE test_victim;
CREATE TABLE theirs (id integer PRIMARY KEY, customer_id bigint, price integer);
GRANT SELECT, REFERENCES ON theirs TO test_owner;
SELECT entitle.protect_table('theirs', 'customer_id', masked_columns => '{"price": 30}');
SET LOCAL ROLE test_owner;
CREATE TABLE mine (customer_id bigint, price bigint, id integer PRIMARY KEY, their_id integer REFERENCES theirs);
GRANT SELECT ON mine TO test_app;
SELECT entitle.protect_table('mine', 'customer_id', masked_columns => '{"price": 30}');
CREATE TABLE unprotected (customer_id bigint, id integer PRIMARY KEY);
CREATE VIEW own_view WITH (security_barrier) AS SELECT *, NULL::text[] AS masked_columns FROM mine;
RESET ROLE;

-- All that is recorded, and who is a superuser.
CREATE FUNCTION recorded() RETURNS text
    LANGUAGE sql
    AS $$
    SELECT concat_ws(E'\n', (SELECT string_agg(p::text, ' ' ORDER BY p.relation::oid) FROM entitle.protection p),
                     (SELECT string_agg(p::text, ' ' ORDER BY p.relation::oid) FROM entitle.protection_member p),
                     (SELECT string_agg(p::text, ' ' ORDER BY p.relation::oid) FROM entitle.protection_view p),
                     (SELECT string_agg(p::text, ' ' ORDER BY p.relation::oid, p.position) FROM entitle.protection_privilege p),
                     (SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolsuper))
    $$;
-- What a command of the owner's is told, and whether anything is recorded otherwise afterwards.
CREATE FUNCTION told(command text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    was CONSTANT text := recorded();
    answer text := 'done';
BEGIN
    BEGIN
        SET LOCAL ROLE test_owner;
        EXECUTE command;
        RESET ROLE;
        IF recorded() IS DISTINCT FROM was THEN
            answer := 'recorded';
        END IF;
        RAISE EXCEPTION 'undone' USING ERRCODE = 'ZZ999';
    EXCEPTION WHEN OTHERS THEN
        IF SQLSTATE <> 'ZZ999' THEN
            answer := SQLSTATE;
        END IF;
    END;
    RESET ROLE;
    RETURN answer;
END
$$;

-- S130: no text becomes SQL.
SELECT is(told(format('SELECT entitle_internal.%s', call)), '22023', format('S130: refused: %s', call))
FROM (VALUES ('grant_privilege(''mine'', ''SELECT ON mine TO PUBLIC; ALTER ROLE test_owner SUPERUSER; --'', NULL, ''test_app'', false)'),
             ('grant_privilege(''mine'', NULL, NULL, ''test_app'', false)'),
             ('grant_privilege(''mine'', ''ALL'', NULL, ''test_app'', false)'),
             ('revoke_privilege(''mine'', ''SELECT ON mine FROM PUBLIC; ALTER ROLE test_owner SUPERUSER; --'', ''test_app'')'),
             ('revoke_privilege(''mine'', ''select'', ''test_app'')')) AS c (call);
SELECT throws_ok(format($$ INSERT INTO entitle.protection_privilege (relation, position, grantor, grantee, privilege, is_grantable)
                           VALUES ('mine', 99, 'test_owner', 'public', %L, false) $$, privilege), '23514', NULL,
                 format('S130: no privilege is recorded that is called "%s"', privilege))
FROM (VALUES ('SELECT ON mine FROM PUBLIC; ALTER ROLE test_owner SUPERUSER; --'), ('select'), ('ALL'), ('')) AS p (privilege);

-- S131: SECURITY DEFINER functions that PUBLIC may execute, complete. Each looks at its caller itself, and none takes more from him
-- than keys, names and declarations that it checks.
SELECT set_eq($$ SELECT p.oid::regprocedure::text FROM pg_proc p
                 WHERE p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND p.prosecdef AND has_function_privilege('test_app', p.oid, 'EXECUTE') $$,
              ARRAY[
                  -- take a declaration: record_protection checks it as protect_table does, remaining_masks reads its names only
                  'entitle_internal.record_protection(entitle.protection)', 'entitle_internal.remaining_masks(entitle.protection)',
                  'entitle_internal.record_report(entitle.protection)',
                  -- take relations, which must be the caller's
                  'entitle_internal.claim_view(regclass)', 'entitle_internal.forget_privileges(regclass)', 'entitle_internal.forget_protection(regclass)',
                  'entitle_internal.record_privileges(regclass)', 'entitle_internal.record_view(regclass,regclass,jsonb)', 'entitle_internal.record_part(regclass)',
                  -- take an adoption or its table, which must be the caller's, or rows of the trigger's own table
                  'entitle_internal.record_adoption(entitle.adoption)', 'entitle_internal.end_adoption(regclass)', 'entitle_internal.renew_adoptions(regclass)',
                  'entitle_internal.end_dropped_adoptions()', 'entitle_internal.follow_altered(regclass)', 'entitle_internal.follow_source()',
                  -- take schemas and tables, which must be the caller's; or nothing
                  'entitle_internal.record_guard(name)', 'entitle_internal.forget_guard(name)', 'entitle_internal.record_exception(regclass,text)',
                  'entitle_internal.note_closing(regclass)', 'entitle_internal.note_closed(regclass)', 'entitle_internal.note_privileges(regclass)',
                  'entitle_internal.note_part(regclass)', 'entitle_internal.rename_guards()', 'entitle_internal.forget_report(regclass)',
                  -- tell what row-level security, triggers and privileges tell everyone
                  'entitle_internal.guarded_schemas()', 'entitle_internal.unnoted_tables()', 'entitle_internal.reopened_tables()',
                  'entitle_internal.is_closing(regclass)', 'entitle_internal.exception_of(regclass)', 'entitle_internal.declared_tables()',
                  'entitle_internal.closed_parts(regclass)', 'entitle_internal.customer_keys()', 'entitle_internal.brand_keys()',
                  -- tell what triggers tell everyone, and what policies will
                  'entitle_internal.reported_declaration(regclass)', 'entitle_internal.reported_tables()', 'entitle_internal.reported_lines(regclass)',
                  -- tell what policies and views tell everyone
                  'entitle_internal.declaration(regclass)', 'entitle_internal.find_view(regclass)', 'entitle_internal.has_default_name(regclass)',
                  'entitle_internal.lines_of(regclass)', 'entitle_internal.view_relation(regclass)', 'entitle_internal.told_masks(regclass)',
                  'entitle_internal.unheld_policies(regclass)', 'entitle_internal.traced_columns(regclass)', 'entitle_internal.open_parts(regclass)',
                  -- tell what the model shows to the signed-in user
                  'entitle.customer_access(bigint)', 'entitle.customer_access(bigint,timestamp with time zone)',
                  'entitle.customer_allowed(bigint,text)', 'entitle.log_shows(regclass,jsonb,jsonb)', 'entitle.knows_author(regclass,text)',
                  'entitle.compare_roles(bigint,bigint)', 'entitle.explain_sign_in(text,name)',
                  'entitle.own_roles()', 'entitle.permission_matrix(bigint,bigint)', 'entitle.user_access(text)',
                  'entitle_internal.told_rights(bigint[])',
                  'entitle.user_access(text,timestamp with time zone)', 'entitle.recalc_scores()'],
              'S131: what PUBLIC may execute with other rights');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p
                   WHERE p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND p.prosecdef AND p.prosrc ~ 'EXECUTE (format)?\('
                     AND has_function_privilege('test_app', p.oid, 'EXECUTE') AND p.proname <> 'claim_view' $$,
                'S131: none makes statements, claim_view apart, which is given a table');

-- Declarations that check_protection would refuse, or that are not the caller's.
SELECT isnt(told(format($$ SELECT entitle_internal.record_protection(jsonb_populate_record(NULL::entitle.protection,
                jsonb_build_object('relation', 'mine'::regclass::text, 'customer_column', 'customer_id', 'min_level', 10, 'masked_columns', '{}'::jsonb) || %L)) $$, change)),
            'recorded', format('S131: not recorded: %s', change))
FROM (VALUES ('{"masked_columns": []}'), ('{"masked_columns": "x"}'), ('{"masked_columns": null}'), ('{"masked_columns": {"price": "x"}}'),
             ('{"masked_columns": {"price": 99999999999}}'), ('{"masked_columns": {"price": null}}'), ('{"masked_columns": {"price": 31}}'),
             ('{"masked_columns": {"id": 30}}'), ('{"masked_columns": {"none": 30}}'), ('{"min_level": 15}'), ('{"min_level": null}'),
             ('{"customer_column": "none"}'), ('{"date_column": "customer_id"}'), ('{"brand_column": ""}'), ('{"external_insert_level": 1}'),
             ('{"view_permission": "no such key"}'), ('{"view_name": ""}'), ('{"view_name": "a.b.c"}'), ('{"view_name": "\"x"}'),
             ('{"parent": "mine"}'), ('{"parent": "pg_class"}'), ('{"parent": "unprotected"}'), ('{"parent": "1"}'),
             ('{"relation": "theirs"}'), ('{"relation": "pg_class"}'), ('{"relation": "entitle.customer"}'), ('{"relation": null}'), ('{"relation": "1"}')) AS c (change);
SELECT is(told('SELECT entitle_internal.record_protection(NULL)'), '42501', 'S131: nor is none');

-- S132: a view is recorded only as protect_table makes it.
SELECT is(told('SELECT entitle_internal.record_view(''mine'', ''mine_view'', (entitle_internal.declaration(''mine'')).masked_columns)'), 'done', 'what is recorded already stays so');
SELECT is(told(format($$
    CREATE TRIGGER w INSTEAD OF INSERT OR UPDATE OR DELETE ON own_view FOR EACH ROW EXECUTE FUNCTION entitle_internal.write_view();
    %s; SELECT entitle_internal.record_view('mine', 'own_view', '{}') $$, change)), '55000', format('S132: another view is not recorded: %s', change))
FROM (VALUES (''), ('ALTER VIEW own_view SET (security_barrier = true)')) AS c (change);
SELECT is(told(format('%s; SELECT entitle_internal.record_view(''mine'', ''mine_view'', ''{}'')', change)), '55000', format('S132: nor the view itself after %s', change))
FROM (VALUES ('CREATE OR REPLACE VIEW mine_view WITH (security_barrier) AS SELECT *, NULL::text[] AS masked_columns FROM mine'),
             ('ALTER VIEW mine_view SET (security_barrier = false)'), ('ALTER VIEW mine_view SET (security_invoker = true)'),
             ('ALTER VIEW mine_view RENAME COLUMN price TO other'), ('DROP TRIGGER entitle_write ON mine_view')) AS c (change);
SELECT is(told(format('SELECT entitle_internal.record_view(%s, ''{}'')', arguments)), state, format('S132: refused: record_view(%s)', arguments))
FROM (VALUES ('''mine'', ''mine''', '55000'), ('''mine'', ''theirs_view''', '42501'), ('''theirs'', ''mine_view''', '42501'),
             ('''mine'', ''pg_class''', '42501'), ('''mine'', 1::regclass', '42501'), ('NULL, NULL', '42501'), ('''unprotected'', ''mine_view''', '55000')) AS a (arguments, state);

-- Every function that PUBLIC may execute, with arguments that are not the caller's or make no sense: nothing of others is recorded
-- otherwise, nobody becomes a superuser, and no error is one of ours or a crash.
CREATE TEMP TABLE odd AS
SELECT v.type::regtype AS type, v.value
FROM (VALUES
    ('regclass', $$'theirs'$$), ('regclass', $$'theirs_view'$$), ('regclass', $$'unprotected'$$), ('regclass', $$'own_view'$$),
    ('regclass', $$'pg_class'$$), ('regclass', '1'), ('regclass', '0'), ('regprocedure', '1'), ('regprocedure', $$'now()'$$), ('oid', '0'), ('oid', '1'),
    ('text', $$''$$), ('text', $$'x'$$), ('text', $$'; DROP TABLE theirs; --'$$), ('name', $$''$$), ('name', $$'price'$$), ('name', $$'a"b'$$),
    ('bigint', '0'), ('bigint', '-1'), ('bigint', '9223372036854775807'), ('integer', '0'), ('integer', '-1'), ('integer', '2147483647'),
    ('smallint', '0'), ('smallint', '(-1)'), ('smallint', '32767'), ('boolean', 'true'), ('uuid', $$'00000000-0000-0000-0000-000000000000'$$),
    ('date', $$'infinity'$$), ('date', $$'4713-01-01 BC'$$), ('timestamptz', $$'infinity'$$), ('timestamp', $$'-infinity'$$),
    ('jsonb', $$'[]'$$), ('jsonb', $$'{}'$$), ('jsonb', $$'1'$$), ('name[]', $$'{}'$$), ('name[]', $$'{NULL}'$$), ('text[]', $$'{}'$$), ('regtype[]', $$'{}'$$),
    ('anyelement', '1'), ('anyelement', 'NULL::integer'), ('anycompatible', '1'), ('"any"', '1'), ('"any"', 'NULL::text'),
    ('entitle.protection_privilege', $$ROW('theirs', 1, 'price', 'test_owner', 'test_app', 'SELECT', true, 0, 0)$$),
    ('entitle.protection', $$jsonb_populate_record(NULL::entitle.protection, '{"relation": "theirs", "min_level": 10, "masked_columns": []}')$$),
    ('entitle.protection', $$jsonb_populate_record(NULL::entitle.protection, '{"relation": "1", "parent": "2", "min_level": -1, "masked_columns": {"a": "b"}}')$$)
    ) AS v (type, value);
INSERT INTO odd SELECT DISTINCT o.type, 'NULL' FROM odd o WHERE o.type NOT IN ('"any"'::regtype, 'anyelement'::regtype, 'anycompatible'::regtype);
-- One of them, as an expression.
CREATE FUNCTION odd_value(wanted regtype, number integer) RETURNS text
    LANGUAGE sql
    AS $$
    SELECT o.value || CASE WHEN wanted IN ('"any"'::regtype, 'anyelement'::regtype, 'anycompatible'::regtype) THEN '' ELSE '::' || wanted::text END
    FROM (SELECT o.value, row_number() OVER (ORDER BY o.value COLLATE "C") - 1 AS number, count(*) OVER () AS count FROM odd o WHERE o.type = wanted) o
    WHERE o.number = odd_value.number % o.count
    $$;
SET LOCAL client_min_messages = error; -- of the grants that are not given
CREATE TEMP TABLE called AS
SELECT c.call, told(c.call) AS answer
FROM (SELECT format('SELECT %s.%I(%s)', p.pronamespace::regnamespace, p.proname,
                    (SELECT string_agg(odd_value(t.type, CASE WHEN t.position = 1 THEN n ELSE n * 7 / 3 + t.position::integer END), ', ' ORDER BY t.position)
                     FROM unnest(p.proargtypes::regtype[]) WITH ORDINALITY AS t (type, position))) AS call
      FROM pg_proc p, generate_series(0, 8) AS n
      WHERE p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype
        AND has_function_privilege('test_app', p.oid, 'EXECUTE') AND (p.pronargs > 0 OR n = 0)) c;
SET LOCAL client_min_messages = warning;
SELECT is_empty($$ SELECT call FROM called WHERE call IS NULL $$, 'every type of argument has odd values');
SELECT is_empty($$ SELECT call, answer FROM called WHERE answer IN ('recorded', 'XX000') $$, 'S131: no function changes what is not the caller''s, and none fails as ours');
SELECT cmp_ok((SELECT count(*) FROM called WHERE answer = 'done'), '>', 150::bigint, 'many of them answered');

-- What the owner may do is told of his own table alone, and undone by protect_table.
SELECT is(told($$ GRANT SELECT ON mine TO test_app; SELECT entitle_internal.record_privileges('mine') $$), 'recorded', 'an owner may write down what is granted on the own table');
SELECT is(told(format('SELECT entitle_internal.%s', call)), state, format('S131: refused: %s', call))
FROM (VALUES ('record_privileges(''theirs'')', '42501'), ('record_privileges(''unprotected'')', '42704'), ('record_privileges(''pg_class'')', '42501'),
             ('forget_privileges(''theirs'')', '42501'), ('forget_protection(''theirs'')', '42501'), ('claim_view(''theirs'')', '42501')) AS c (call, state);

-- S133: a document's owner is not kept from protecting it by what others let follow it, nor is what follows it left without one.
SELECT lives_ok($$ SET LOCAL ROLE test_owner; SELECT entitle.protect_table('mine', parent => 'theirs', masked_columns => '{"price": 30}'); RESET ROLE $$,
                'another''s line follows the document');
SET LOCAL client_min_messages = error;
SELECT lives_ok($$ SET LOCAL ROLE test_victim; SELECT entitle.protect_table('theirs', 'customer_id', min_level => 20, masked_columns => '{"price": 30}'); RESET ROLE $$,
                'S133: its owner protects it again');
SET LOCAL client_min_messages = warning;
SELECT is((SELECT string_agg(DISTINCT relation::text, ' ') FROM entitle.verify_protection()), 'mine', 'the line that is behind is named');
SELECT throws_ok($$ SET LOCAL ROLE test_victim; SELECT entitle_internal.forget_protection('theirs') $$, '2BP01', NULL, 'S133: what is followed is not forgotten');

SELECT * FROM finish();
ROLLBACK;
