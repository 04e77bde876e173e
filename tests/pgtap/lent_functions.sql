-- The extension's SECURITY DEFINER functions run as its owner, a superuser, and fire the triggers that the DBA put on tables of the
-- model: nothing of the caller's runs with those rights, in none of them (R56; S123 to S126).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_owner;
CREATE SCHEMA shop AUTHORIZATION test_owner;
GRANT CREATE ON SCHEMA public TO test_app;
CREATE FUNCTION as_role(role name, commands text) RETURNS void LANGUAGE plpgsql
    AS $$ BEGIN EXECUTE format('SET LOCAL ROLE %I', role); EXECUTE commands; RESET ROLE; END $$;

INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'manager'), (2, 'bob'), (3, 'dora'), (4, 'erin');
SELECT setval(pg_get_serial_sequence('entitle.app_user', 'user_id'), 100) \g /dev/null
INSERT INTO entitle.role (role_id, organization_id, name) OVERRIDING SYSTEM VALUE VALUES (1000, 1, 'everything'), (1001, 1, 'helper'), (1002, 1, 'spare');
INSERT INTO entitle.role_permission SELECT 1000, permission_key FROM entitle.permission WHERE is_active;
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (1, 1, 1000);
INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id) OVERRIDING SYSTEM VALUE VALUES (5000, 3, 1, 1001);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id, status) VALUES (1, 'a', 'a', '1', 'ACTV');
INSERT INTO entitle.client_metric (metric_id, name) OVERRIDING SYSTEM VALUE VALUES (1, 'payments');
GRANT EXECUTE ON FUNCTION entitle.grant_access, entitle.revoke_access, entitle.deactivate_customer, entitle.reactivate_customer,
    entitle.set_metric_value, entitle.recalc_scores TO test_app;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO test_owner;
INSERT INTO entitle.pending_invitation (invitation_id, user_id, inviter_id, organization_id, role_id, expires) OVERRIDING SYSTEM VALUE
VALUES (7000, 4, 1, 1, 1001, current_date + 9), (7001, 4, 1, 1, 1001, current_date + 9);
GRANT EXECUTE ON FUNCTION entitle.create_role, entitle.set_role, entitle.drop_role, entitle.add_user, entitle.deactivate_user,
    entitle.reactivate_user, entitle.add_member, entitle.remove_member, entitle.invite_user, entitle.accept_invitation,
    entitle.withdraw_invitation TO test_app;
CREATE TABLE shop.orders (order_id integer PRIMARY KEY, customer_id bigint, price numeric);
ALTER TABLE shop.orders OWNER TO test_owner;
CREATE TABLE shop.people (login text PRIMARY KEY);
ALTER TABLE shop.people OWNER TO test_owner;
INSERT INTO shop.people VALUES ('people');
GRANT EXECUTE ON FUNCTION entitle.adopt_users, entitle.forget_adopted, entitle.guard_schema, entitle.unguard_schema, entitle.except_table TO test_owner;

-- The calls, in an order in which each has something to write.
CREATE TABLE calls (number integer, command text, relation text, role name DEFAULT 'test_app', login text DEFAULT 'manager');
INSERT INTO calls (number, command, relation) VALUES
    (1, 'SELECT entitle.grant_access(1, ''bob'', ''L20'')', 'external_access'),
    (2, 'SELECT entitle.revoke_access(1, ''bob'')', 'external_access'),
    (3, 'SELECT entitle.set_metric_value(1, ''payments'', 50)', 'customer_metric'),
    (4, 'SELECT entitle.recalc_scores()', 'customer'),
    (5, 'SELECT entitle.deactivate_customer(1)', 'customer'),
    (6, 'SELECT entitle.reactivate_customer(1)', 'customer'),
    (9, 'SELECT entitle.create_role(''new'', ''{customers.view}'', organization_id => 1)', 'role'),
    (10, 'SELECT entitle.set_role(1001, ''{customers.view}'', ''{}'')', 'role_permission'),
    (11, 'SELECT entitle.drop_role(1002)', 'role'),
    (12, 'SELECT entitle.add_user(''carol'')', 'app_user'),
    (13, 'SELECT entitle.deactivate_user(''dora'')', 'app_user'),
    (14, 'SELECT entitle.reactivate_user(''dora'')', 'app_user'),
    (15, 'SELECT entitle.add_member(''bob'', ''helper'', 1)', 'membership'),
    (16, 'SELECT entitle.remove_member(5000)', 'membership'),
    (17, 'SELECT entitle.invite_user(''frank'', ''helper'', 1)', 'pending_invitation'),
    (18, 'SELECT entitle.withdraw_invitation(7000)', 'pending_invitation');
INSERT INTO calls VALUES
    (19, 'SELECT entitle.accept_invitation(7001)', 'membership', 'test_app', 'erin');
INSERT INTO calls VALUES
    (7, 'SELECT entitle.protect_table(''shop.orders'', ''customer_id'', masked_columns => ''{"price": 30}'')', 'protection', 'test_owner'),
    (8, 'SELECT entitle.unprotect_table(''shop.orders'')', 'protection', 'test_owner'),
    (20, 'SELECT entitle.adopt_users(''shop.people'', ''login'')', 'app_user', 'test_owner'),
    (21, 'SELECT entitle.forget_adopted(''shop.people'')', 'app_user', 'test_owner'),
    (22, 'SELECT entitle.guard_schema(''shop'')', 'guarded_table', 'test_owner'),
    (23, 'SELECT entitle.except_table(''shop.people'', ''open'')', 'guarded_table', 'test_owner'),
    (24, 'SELECT entitle.unguard_schema(''shop'')', 'guarded_table', 'test_owner');
-- Who adds a function adds it above, or where it is said why not.
SELECT set_eq(
    $$ SELECT p.proname FROM pg_proc p
       WHERE p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND p.prosecdef AND p.provolatile = 'v' AND p.prorettype <> 'trigger'::regtype
         AND p.proname NOT IN ('record_view', 'record_privileges', 'forget_privileges', 'record_protection', 'forget_protection', 'claim_view', -- called by protect_table and unprotect_table
                               'record_report', 'forget_report', -- the same, in report mode
                               'protection_report', -- writes without SQL
                               'record_part', -- called when a table gets a part
                               'record_adoption', 'end_adoption', 'end_dropped_adoptions', -- called by adopt_users and forget_adopted
                               'sync_adopted', 'verify_adoption', 'demand_free', -- as adopt_users; the last two write nothing
                               'renew_adoptions', 'follow_altered', -- called when an adopted table is altered; the first writes declarations alone
                               'record_guard', 'forget_guard', 'record_exception', 'rename_guards', 'note_closing', 'note_closed', 'note_privileges', 'note_part',
                               -- called by guard_schema, unguard_schema, except_table and when tables are made
                               'take_invitation', -- called by accept_invitation
                               'require_scoring', 'find_grantee', 'apply_removals', 'record_removal') $$,
    $$ SELECT substring(command FROM 'entitle\.(\w+)')::name FROM calls WHERE number NOT IN (7, 8) AND number < 20 $$, 'every function that writes is among the calls');

CREATE SEQUENCE ran;
GRANT ALL ON SEQUENCE ran TO PUBLIC;
CREATE FUNCTION note_rights() RETURNS boolean LANGUAGE plpgsql
    AS $$ BEGIN IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN PERFORM nextval('public.ran'); END IF; RETURN true; END $$;

CREATE FUNCTION error_of(command text, role name, login text) RETURNS text LANGUAGE plpgsql
    AS $$
BEGIN
    -- In a subtransaction that is rolled back whatever happens, so that the next way meets the same state.
    BEGIN
        IF role = 'test_app' THEN
            PERFORM entitle.sign_in(login);
        END IF;
        PERFORM as_role(role, command);
        RAISE EXCEPTION 'none' USING ERRCODE = 'ZZ000';
    EXCEPTION
        WHEN SQLSTATE 'ZZ000' THEN RETURN 'none';
        WHEN OTHERS THEN RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, 'pg_temp_\d+', 'pg_temp');
    END;
END
$$;
-- The ways a caller's thing comes in: what the DBA's trigger says, and what the caller put there.
CREATE TABLE ways (way text, body text, made text, dropped text, object text);
INSERT INTO ways VALUES
    ('a temporary table with a trigger', 'INSERT INTO seen VALUES (1)',
     'CREATE TEMP TABLE seen (a integer);
      CREATE FUNCTION pg_temp.evil() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN PERFORM public.note_rights(); RETURN NEW; END'';
      CREATE TRIGGER evil BEFORE INSERT ON seen FOR EACH ROW EXECUTE FUNCTION pg_temp.evil()',
     'DROP TABLE pg_temp.seen; DROP FUNCTION pg_temp.evil()', 'relation pg_temp.seen'),
    ('a temporary view', 'PERFORM * FROM seen', 'CREATE TEMP VIEW seen AS SELECT public.note_rights()', 'DROP VIEW pg_temp.seen', 'relation pg_temp.seen'),
    ('a temporary domain', 'DECLARE a seen := 1; BEGIN END', 'CREATE DOMAIN pg_temp.seen AS integer CHECK (public.note_rights())', 'DROP DOMAIN pg_temp.seen', 'type pg_temp.seen'),
    ('a function in an expression', 'IF public.theirs() THEN NULL; END IF',
     'CREATE FUNCTION public.theirs() RETURNS boolean LANGUAGE plpgsql AS ''BEGIN RETURN public.note_rights(); END''', 'DROP FUNCTION public.theirs()', 'function public.theirs()'),
    ('an inlined function in an expression', 'IF public.theirs() THEN NULL; END IF',
     'CREATE FUNCTION public.theirs() RETURNS boolean LANGUAGE sql AS ''SELECT public.note_rights()''', 'DROP FUNCTION public.theirs()', 'function public.theirs()'),
    ('an error that is caught', 'BEGIN INSERT INTO seen VALUES (1); EXCEPTION WHEN OTHERS THEN NULL; END; PERFORM * FROM seen',
     'CREATE TEMP VIEW seen AS SELECT public.note_rights()', 'DROP VIEW pg_temp.seen', 'relation pg_temp.seen');

CREATE FUNCTION test_calls() RETURNS SETOF text LANGUAGE plpgsql
    AS $$
DECLARE
    call calls;
    way ways;
BEGIN
    EXECUTE 'CREATE FUNCTION public.dba() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''';
    FOREACH call IN ARRAY ARRAY(SELECT c FROM calls c ORDER BY c.number) LOOP
        GRANT CREATE ON SCHEMA public TO test_owner;
        EXECUTE format('CREATE TRIGGER dba AFTER INSERT OR UPDATE OR DELETE ON entitle.%I FOR EACH ROW EXECUTE FUNCTION public.dba()', call.relation);
        FOREACH way IN ARRAY ARRAY(SELECT w FROM ways w) LOOP
            PERFORM setval('public.ran', 1, false);
            PERFORM as_role(call.role, way.made);
            EXECUTE format('CREATE OR REPLACE FUNCTION public.dba() RETURNS trigger LANGUAGE plpgsql AS %L', 'BEGIN ' || way.body || '; RETURN NULL; END');
            RETURN NEXT is(error_of(call.command, call.role, call.login) || CASE WHEN (SELECT is_called FROM public.ran) THEN ', and it ran' ELSE '' END,
                           format('55000 %s belongs to "%s" and would be used with the rights of "postgres"', way.object, call.role),
                           format('%s meets %s', substring(call.command FROM 'entitle\.(\w+)'), way.way));
            PERFORM as_role(call.role, way.dropped);
        END LOOP;
        CREATE OR REPLACE FUNCTION public.dba() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM public.note_rights(); RETURN NULL; END';
        PERFORM as_role(call.role, 'CREATE TEMP TABLE mine (a integer)');
        IF call.role = 'test_app' THEN
            PERFORM entitle.sign_in(call.login);
        END IF;
        PERFORM setval('public.ran', 1, false);
        RETURN NEXT lives_ok(format('SELECT as_role(%L, %L)', call.role, call.command),
                             format('beside a temporary table %s works', substring(call.command FROM 'entitle\.(\w+)')));
        RETURN NEXT ok((SELECT is_called FROM public.ran), 'and fires the DBA''s trigger');
        PERFORM entitle.sign_out();
        DROP TABLE pg_temp.mine;
        EXECUTE format('DROP TRIGGER dba ON entitle.%I', call.relation);
    END LOOP;
END
$$;
SELECT * FROM test_calls();

-- A superuser's temporary tables are his own.
CREATE FUNCTION public.own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO seen VALUES (1); RETURN NULL; END';
CREATE TRIGGER own AFTER INSERT ON entitle.external_access FOR EACH ROW EXECUTE FUNCTION own();
CREATE TEMP TABLE seen (a integer);
SELECT lives_ok($$ SELECT entitle.grant_access(1, 'bob', 'L20') $$, 'a superuser lends nothing to himself');
SELECT is((SELECT count(*) FROM pg_temp.seen), 1::bigint, 'and uses what is his');

SELECT finish();
ROLLBACK;
