-- What the ninth attack tried in vain on adopted tables (S442 to S445): triggers of those who may make some, odd names and odd calls,
-- places that are switched off, and managers who meet adopted rows.
\ir tried.psql
\ir error_in.psql
SELECT no_plan();

CREATE FUNCTION active(source regclass) RETURNS text LANGUAGE sql
    AS $$ SELECT string_agg(u.source_key || ' ' || u.login, ', ' ORDER BY u.source_key) FROM entitle.app_user u JOIN entitle.adoption a USING (adoption_id)
          WHERE a.source = active.source AND u.is_active $$;
CREATE ROLE app_owner;
CREATE ROLE app_writer;
GRANT CREATE ON SCHEMA public TO app_owner, app_writer;
DO $$ BEGIN EXECUTE (SELECT format('GRANT EXECUTE ON FUNCTION %s TO app_owner', string_agg(p.oid::regprocedure::text, ', '))
                     FROM pg_proc p WHERE p.pronamespace = 'entitle'::regnamespace AND p.proname ~ '^(adopt_|forget_adopted|sync_adopted|verify_adoption)'); END $$;

-- S442: who may make triggers makes more of the extension's own, deferred ones, and some that write the table again.
SET ROLE app_owner;
CREATE TABLE person (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, mail text, gone boolean NOT NULL DEFAULT false, note integer NOT NULL DEFAULT 0);
INSERT INTO person SELECT i, 'p' || i FROM generate_series(1, 4) i;
CREATE UNIQUE INDEX person_id ON person (id);
SELECT entitle.adopt_users('person', 'mail', active_when => 'NOT gone');
GRANT SELECT, INSERT, UPDATE, DELETE, TRIGGER ON person TO app_writer;
SET ROLE app_writer;
CREATE TRIGGER a_begin BEFORE INSERT OR UPDATE OR DELETE ON person FOR EACH STATEMENT EXECUTE FUNCTION entitle_internal.follow_source();
CREATE TRIGGER a_end AFTER INSERT OR UPDATE OR DELETE ON person FOR EACH STATEMENT EXECUTE FUNCTION entitle_internal.follow_source();
CREATE TRIGGER z_row AFTER INSERT OR UPDATE OR DELETE ON person FOR EACH ROW EXECUTE FUNCTION entitle_internal.follow_source();
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN
        IF NEW.note = 1 THEN
            BEGIN
                UPDATE person SET note = 2, gone = NOT gone WHERE id = NEW.id;
                RAISE division_by_zero;
            EXCEPTION WHEN division_by_zero THEN
                UPDATE person SET note = 3, mail = mail || '!' WHERE id = NEW.id;
            END;
        END IF;
        RETURN NULL;
    END $$;
CREATE TRIGGER entitle_a AFTER UPDATE ON person FOR EACH ROW EXECUTE FUNCTION again();
CREATE TRIGGER zz AFTER UPDATE ON person FOR EACH ROW EXECUTE FUNCTION again();
RESET ROLE;
SELECT is(error_in(command, 'app_writer'), 'none', 'S442: ' || command)
FROM (VALUES ('UPDATE person SET note = 1 WHERE id = 1'), ('UPDATE person SET gone = true WHERE id = 2'), ('UPDATE person SET note = 1, gone = true WHERE id = 3'),
             ('WITH d AS (DELETE FROM person WHERE id = 4 RETURNING *), u AS (UPDATE person SET note = 1 WHERE id = 2) INSERT INTO person SELECT 5, mail FROM d')) AS c (command);
SELECT is((SELECT string_agg(v.key || ' ' || v.problem, '; ') FROM entitle.verify_adoption() v), NULL, 'S442: the users are what the rows say');
SELECT isnt(active('person'), NULL, 'some are active');
SELECT matches(error_in('CREATE TRIGGER b BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION entitle_internal.follow_source(); INSERT INTO person VALUES (9, ''nine'')', 'app_writer'),
               '^0A000', 'S442: a trigger of the wrong kind stops the writer and nothing else');

-- S443: names with quotes, renamed, and the remedies that a superuser runs.
CREATE SCHEMA "a.b""c" AUTHORIZATION app_owner;
SET ROLE app_owner;
CREATE TABLE "a.b""c"."x'y ""z" ("i d" integer PRIMARY KEY, "ma'il" text, "go""ne" boolean NOT NULL DEFAULT false);
INSERT INTO "a.b""c"."x'y ""z" VALUES (1, 'q1'), (2, 'q2');
SELECT entitle.adopt_users('"a.b""c"."x''y ""z"', 'ma''il', active_when => 'NOT "go""ne"');
ALTER TABLE "a.b""c"."x'y ""z" RENAME COLUMN "go""ne" TO "it's ""off"" now";
UPDATE "a.b""c"."x'y ""z" SET "it's ""off"" now" = true WHERE "i d" = 1;
RESET ROLE;
SELECT is(active('"a.b""c"."x''y ""z"'), '2 q2', 'S443: odd names are followed');
ALTER TABLE "a.b""c"."x'y ""z" DISABLE TRIGGER USER;
UPDATE "a.b""c"."x'y ""z" SET "it's ""off"" now" = NOT "it's ""off"" now";
CREATE FUNCTION run_remedies() RETURNS text LANGUAGE plpgsql
    AS $$ DECLARE r text; BEGIN
        FOR r IN SELECT v.remedy FROM entitle.verify_adoption() v WHERE v.source = '"a.b""c"."x''y ""z"'::regclass LOOP EXECUTE r; END LOOP;
        RETURN active('"a.b""c"."x''y ""z"');
    END $$;
SELECT is(run_remedies(), '1 q1', 'S443: and the remedies mend them');

-- S444: the helpers are called with nothing, with what is not there, and with what is no table.
SELECT isnt(left(error_in('SELECT entitle_internal.' || call), 2), 'XX', 'S444: ' || call)
FROM (VALUES ('follow(NULL, NULL)'), ('follow(-1, ''{a,NULL}'')'), ('follow(1, ''{{a,b},{c,d}}'')'), ('source_facts(NULL, NULL)'), ('source_facts(1, ''{NULL}'')'),
             ('current_expression(''pg_class'', ''relname'', ''{a,b}'', ''{1}'')'), ('current_expression(''pg_class'', ''a'', ''{a,b}'', ''{1,32767}'')'),
             ('check_expression(''entitle.adopted_tables'', ''kind = 1'', true)'), ('check_expression(''entitle.customer_gone_idx'', ''customer_id = 1'', true)'),
             ('renew_adoptions(NULL)'), ('renew_adoptions(0)'), ('follow_altered(0)'), ('follow_altered(NULL)'), ('alters_rows(NULL)'), ('end_adoption(NULL)'), ('end_adoption(''pg_class'')'),
             ('latest_family(NULL)'), ('latest_family(0)'), ('record_adoption(NULL)'), ('install_adoption(NULL)'), ('open_table(NULL)'), ('note_closing(NULL)'),
             ('install_adoption_triggers(NULL)'), ('adopted_key(NULL, NULL)'), ('key_type(0, ''x'')'), ('list_of(0, NULL, NULL, NULL)')) AS c (call);

-- S445: in an organization that is switched off nobody manages, and nobody is switched off by who manages another one; adopted rows are
-- nobody's to change but the source's.
SET ROLE app_owner;
CREATE TABLE tenant (id integer PRIMARY KEY, name text, closed boolean NOT NULL DEFAULT false);
CREATE TABLE staff (id integer PRIMARY KEY, person integer REFERENCES person (id), tenant integer REFERENCES tenant, boss boolean NOT NULL DEFAULT false);
INSERT INTO tenant VALUES (1, 'one'), (2, 'two');
INSERT INTO person VALUES (21, 'head1'), (22, 'head2'), (23, 'both');
INSERT INTO staff VALUES (1, 21, 1, true), (2, 22, 2, true), (3, 23, 1, false), (4, 23, 2, false);
SELECT entitle.adopt_organizations('tenant', 'id', 'name', active_when => 'NOT closed'), entitle.adopt_memberships('staff', 'person', 'tenant', owner_when => 'boss');
RESET ROLE;
GRANT SELECT, INSERT, UPDATE, DELETE ON entitle.membership, entitle.app_user, entitle.organization TO test_app;
GRANT EXECUTE ON FUNCTION entitle.add_member, entitle.remove_member, entitle.deactivate_user, entitle.invite_user, entitle.add_user, entitle.accept_invitation TO test_app;
INSERT INTO entitle.app_user (user_id, login) VALUES (9901, 'plain'), (9902, 'placed');
SELECT organization_id AS one FROM entitle.organization WHERE name = 'one' \gset
SELECT organization_id AS two FROM entitle.organization WHERE name = 'two' \gset
INSERT INTO entitle.membership (user_id, organization_id) VALUES (9902, :one), (9902, :two);
UPDATE tenant SET closed = true WHERE id = 2;
SELECT is(tried(login, command), expected, format('S445: %s: %s', login, command))
FROM (VALUES ('head1', $$SELECT entitle.deactivate_user('placed')$$, '42501'),
             ('head1', $$SELECT entitle.deactivate_user('both')$$, '42501'),
             ('head2', format($$SELECT entitle.add_member('plain', organization_id => %s)$$, :two), '42501'),
             ('head2', format('DELETE FROM entitle.membership WHERE user_id = 9902 AND organization_id = %s', :two), '0'),
             ('head2', format('UPDATE entitle.organization SET is_active = true WHERE organization_id = %s', :two), '0'),
             ('head2', $$SELECT entitle.add_user('more')$$, '42501'),
             ('head2', format($$SELECT entitle.invite_user('plain', organization_id => %s)$$, :two), '42501'),
             ('head1', $$SELECT entitle.remove_member(membership_id) FROM entitle.membership WHERE source_key = '3'$$, '42501'),
             ('both', $$SELECT entitle.remove_member(membership_id) FROM entitle.membership WHERE source_key = '3'$$, '42501'),
             ('head1', format($$INSERT INTO entitle.membership (user_id, organization_id, adoption_id, source_key) SELECT 9901, %s, adoption_id, 'x' FROM entitle.membership WHERE source_key = '1'$$, :one), '42501'),
             ('head1', format($$SELECT entitle.add_member('plain', organization_id => %s)$$, :one), '1')) AS t (login, command, expected);
UPDATE tenant SET closed = false WHERE id = 2;
SELECT is(tried('head2', format($$SELECT entitle.add_member('plain', organization_id => %s)$$, :two)), '1', 'and manages again when it comes back');

SELECT * FROM finish();
ROLLBACK;
