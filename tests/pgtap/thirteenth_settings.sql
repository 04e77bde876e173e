-- What settings that anybody may make do to the log (S534), to a superuser's session (S535) and to what rows of adopted tables say (S536).
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE ROLE test_first;
CREATE SCHEMA shop;
GRANT USAGE, CREATE ON SCHEMA shop TO test_first;
GRANT USAGE ON SCHEMA entitle, shop TO test_first, test_app;
GRANT EXECUTE ON FUNCTION entitle.adopt_users, entitle.adopt_customers, entitle.adopt_access, entitle.verify_adoption TO test_first;
SET LOCAL ROLE test_first;
CREATE TABLE shop.person (id integer PRIMARY KEY, login text);
CREATE TABLE shop.client (id integer PRIMARY KEY, name text);
CREATE TABLE shop.access (id integer PRIMARY KEY, client integer REFERENCES shop.client, person integer REFERENCES shop.person, level text, mark bytea, span interval, ratio float8,
                          place point, note text);
INSERT INTO shop.person VALUES (1, 'mallory'), (2, 'bob');
INSERT INTO shop.client VALUES (1, 'one'), (2, 'two');
SELECT entitle.adopt_users('shop.person', 'login'), entitle.adopt_customers('shop.client', 'id', 'name'),
       entitle.adopt_access('shop.access', 'client', 'person', level_column => 'level') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO test_app;
RESET ROLE;

-- S534: whoever writes an adopted table has the settings with which dumps begin.
SELECT coalesce(max(change_id), 0) AS last FROM entitle.change_log \gset
SAVEPOINT dumped;
SET LOCAL ROLE test_app;
SET LOCAL check_function_bodies = off;
SET LOCAL row_security = off;
SELECT ok(NOT entitle_internal.restoring(), 'who is no superuser restores nothing');
INSERT INTO shop.access VALUES (1, 1, 1, 'L30');
UPDATE shop.access SET level = 'L40';
UPDATE shop.person SET login = 'robert' WHERE id = 2;
INSERT INTO shop.client VALUES (3, 'three');
DELETE FROM shop.client WHERE id = 3;
DELETE FROM shop.access;
RESET ROLE;
SET LOCAL check_function_bodies = on;
SET LOCAL row_security = on;
SELECT is((SELECT string_agg(format('%s %s by %s', relation::regclass, action, db_role), ', ' ORDER BY change_id) FROM entitle.change_log WHERE change_id > :last),
          'entitle.external_access grant by test_app, entitle.external_access update by test_app, entitle.app_user update by test_app, entitle.customer insert by test_app,'
          ' entitle.customer status change by test_app, entitle.external_access revoke by test_app', 'S534: all that it gave and took is in the log');
SELECT coalesce(max(change_id), 0) AS last FROM entitle.change_log \gset
SET LOCAL check_function_bodies = off;
SET LOCAL row_security = off;
INSERT INTO shop.access VALUES (1, 1, 1, 'L30');
SET LOCAL check_function_bodies = on;
SET LOCAL row_security = on;
SELECT is_empty('SELECT FROM entitle.change_log WHERE change_id > ' || :last, 'R53: what a superuser restores is history');
ROLLBACK TO dumped;

-- S535: a superuser's insert calls a function with its owner's rights, before which, and in the middle of which, it makes such settings.
SET LOCAL ROLE test_first;
CREATE FUNCTION shop.sets(off boolean) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
    SELECT concat(set_config('check_function_bodies', CASE WHEN off THEN 'off' ELSE 'on' END, false), set_config('row_security', CASE WHEN off THEN 'off' ELSE 'on' END, false)) $$;
RESET ROLE;
SAVEPOINT switched;
SELECT shop.sets(true) \g /dev/null
INSERT INTO entitle.plan SELECT 'restored' || shop.sets(false);
SELECT is(current_setting('session_replication_role'), 'origin', 'S535: foreign keys and triggers hold again after the statement');
ROLLBACK TO switched;
-- By a trigger's insert into the model they would hold too early.
CREATE FUNCTION shop.nests() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO entitle.plan VALUES ('nested ' || NEW.name);
    BEGIN
        INSERT INTO entitle.plan VALUES ('undone');
        RAISE EXCEPTION USING ERRCODE = 'P0042';
    EXCEPTION WHEN SQLSTATE 'P0042' THEN
        NULL;
    END;
    NEW.name := NEW.name || ' under ' || current_setting('session_replication_role');
    RETURN NEW;
END
$$;
CREATE TRIGGER nests BEFORE INSERT ON entitle.organization FOR EACH ROW EXECUTE FUNCTION shop.nests();
ALTER TABLE entitle.organization ENABLE ALWAYS TRIGGER nests;
SELECT shop.sets(true) \g /dev/null
INSERT INTO entitle.organization (name) VALUES ('one'), ('two');
SELECT is(current_setting('session_replication_role'), 'origin', 'S535: they hold again after it');
SELECT is((SELECT string_agg(name, ', ' ORDER BY name) FROM entitle.organization WHERE name ~ 'under'), 'one under replica, two under replica', 'S535: and not before');
-- Nobody but begin_restore takes it back.
SET LOCAL session_replication_role = replica;
SET LOCAL entitle_restore.switched = 'on';
INSERT INTO entitle.plan VALUES ('by hand');
SELECT is(current_setting('session_replication_role'), 'replica', 'S535: who chose the role keeps it');
ROLLBACK TO switched;

-- S536: the condition looks at the text of a value that PostgreSQL prints as settings say.
CREATE FUNCTION granted_by(condition text, settings text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL ROLE test_first;
    EXECUTE format('SELECT entitle.forget_adopted(''shop.access''), entitle.adopt_access(''shop.access'', ''client'', ''person'', level_column => ''level'', active_when => %L)', condition);
    SET LOCAL ROLE test_app;
    EXECUTE settings;
    INSERT INTO shop.access VALUES (1, 1, 1, 'L30', '\x01', '1 day 02:00', 0.1::float8 + 0.2::float8, point(0.1::float8 + 0.2::float8, 1));
    UPDATE shop.access SET note = 'noted';
    RESET ROLE;
    RETURN (SELECT count(*) FROM entitle.external_access WHERE user_id = (SELECT user_id FROM entitle.app_user WHERE login = 'mallory'));
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
GRANT EXECUTE ON FUNCTION entitle.forget_adopted TO test_first;
CREATE FUNCTION tried(condition text, settings text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    answer := public.granted_by(condition, settings);
    RAISE EXCEPTION USING ERRCODE = 'P0042', MESSAGE = answer;
EXCEPTION WHEN SQLSTATE 'P0042' THEN
    RETURN SQLERRM;
END
$$;
SELECT is(tried(c, settings), wanted, format('S536: %s; %s', c, settings))
FROM (VALUES ('mark::text = ''\x01''', 'SET LOCAL bytea_output = escape'),
             ('ratio::text = ''0.30000000000000004''', 'SET LOCAL extra_float_digits = 0'),
             ('place::text = ''(0.30000000000000004,1)''', 'SET LOCAL extra_float_digits = -3')) AS v (condition, made),
     LATERAL (VALUES (condition, 'SET LOCAL bytea_output = hex', '1'), (condition, made, '1'), (format('NOT (%s)', condition), made, '0')) AS t (c, settings, wanted);
SELECT matches(tried('span::text = ''1 day 02:00:00''', 'SET LOCAL IntervalStyle = iso_8601'), '^22023 .* not immutable', 'S536: that of an interval is none at all');
ALTER TABLE shop.access ADD COLUMN seen timestamptz, ADD COLUMN zone text;
SELECT matches(tried(format('(seen AT TIME ZONE %s)::date IS NULL', zone), 'SET LOCAL timezone_abbreviations = ''Australia'''), wanted, 'S536: time zone ' || zone)
FROM (VALUES ('''EST''', '^22023 .* names a time zone otherwise'), ('''est''', '^22023'), ('zone', '^22023'), ('''E'' || ''ST''', '^22023'), ('NULL::text', '^22023'),
             ('''Europe/Paris''', '^1$'), ('''UTC''', '^1$')) AS v (zone, wanted);

SELECT * FROM finish();
ROLLBACK;
