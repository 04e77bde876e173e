-- Who is asking, in every place a question can be asked from (R1, R49, R50; S9, S21, S26 to S28, S31, S33). The life of an
-- identity in a session is told in sql/identity.sql.
\ir setup.psql
SELECT no_plan();

CREATE ROLE mapped_a;
CREATE ROLE mapped_b;
GRANT mapped_b TO mapped_a;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (401, 'a', 'mapped_a'), (402, 'b', 'mapped_b'), (403, 'signed in', NULL);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (401, 'x', 'x', 'x'), (402, 'x', 'x', 'x'), (403, 'x', 'x', 'x');
INSERT INTO entitle.external_access (customer_id, user_id) VALUES (401, 401), (402, 402), (403, 403);
CREATE TABLE orders AS SELECT n AS order_id, n::bigint AS customer_id FROM generate_series(401, 403) AS n;
SELECT entitle.protect_table('orders', 'customer_id', external_insert_level => 10) \g /dev/null
GRANT SELECT, INSERT ON orders TO mapped_a, mapped_b, test_app;

-- Places to ask from. Each tells the asker and the orders that show there; those owned by mapped_b run with its rights.
CREATE FUNCTION who() RETURNS text LANGUAGE sql AS
    $$ SELECT coalesce(entitle.current_login(), 'nobody') || ' ' || coalesce((SELECT string_agg(order_id::text, ',') FROM orders), 'nothing') $$;
CREATE FUNCTION who_definer() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN who(); END';
ALTER FUNCTION who_definer() OWNER TO mapped_b;
CREATE VIEW who_view AS SELECT coalesce(entitle.current_login(), 'nobody') || ' ' || coalesce((SELECT string_agg(order_id::text, ',') FROM orders), 'nothing') AS who;
ALTER VIEW who_view OWNER TO mapped_b;
CREATE VIEW who_invoker_view WITH (security_invoker) AS SELECT who() AS who;
ALTER VIEW who_invoker_view OWNER TO mapped_b;
CREATE TABLE note (who text);
CREATE FUNCTION note_who() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.who := who(); RETURN NEW; END';
CREATE FUNCTION note_who_definer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN NEW.who := who(); RETURN NEW; END';
ALTER FUNCTION note_who_definer() OWNER TO mapped_b;
CREATE TABLE note_definer (LIKE note);
CREATE TRIGGER note_who BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION note_who();
CREATE TRIGGER note_who BEFORE INSERT ON note_definer FOR EACH ROW EXECUTE FUNCTION note_who_definer();
CREATE FUNCTION who_trigger() RETURNS text LANGUAGE plpgsql AS
    $$ DECLARE told text; BEGIN INSERT INTO note DEFAULT VALUES RETURNING who INTO told; RETURN told; END $$;
CREATE FUNCTION who_definer_trigger() RETURNS text LANGUAGE plpgsql AS
    $$ DECLARE told text; BEGIN INSERT INTO note_definer DEFAULT VALUES RETURNING who INTO told; RETURN told; END $$;
CREATE TABLE told (who text);
ALTER TABLE told ENABLE ROW LEVEL SECURITY;
CREATE POLICY told ON told USING (who = (SELECT who()));
INSERT INTO told VALUES ('a 401'), ('b 402'), ('signed in 403'), ('nobody nothing');
GRANT SELECT, INSERT ON note, note_definer, told, who_view, who_invoker_view TO mapped_a, mapped_b, test_app;

CREATE TEMP TABLE place (name, question) AS VALUES
    ('a query', 'who()'), ('a SECURITY DEFINER function', 'who_definer()'), ('a view', '(SELECT who FROM who_view)'),
    ('a security invoker view', '(SELECT who FROM who_invoker_view)'), ('a trigger', 'who_trigger()'),
    ('a SECURITY DEFINER trigger', 'who_definer_trigger()'), ('a policy', '(SELECT string_agg(who, '' '') FROM told)');
CREATE FUNCTION asked_as(role name, question text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    answer text;
BEGIN
    PERFORM set_config('role', role, true);
    EXECUTE 'SELECT ' || question INTO answer;
    RESET ROLE;
    RETURN answer;
END
$$;

SELECT is(asked_as('mapped_a', question), 'a 401', format('S26: from %s a mapped role is its user', name)) FROM place;
SELECT is(asked_as('mapped_b', question), 'b 402', format('S26: from %s so is another', name)) FROM place;
SELECT is(asked_as('test_app', question), 'nobody nothing', format('S26, R1: from %s a role that is mapped to nobody is nobody', name)) FROM place;
SELECT is(ask('signed in', 'SELECT ' || question), 'signed in 403', format('S26: from %s who signed in is that user', name)) FROM place;
SELECT entitle.sign_in('signed in') \g /dev/null
SELECT is(asked_as('mapped_a', question), 'signed in 403', format('S26: from %s a sign-in goes before the mapping', name)) FROM place;
SELECT entitle.sign_out() \g /dev/null

-- A function that sets its own role asks as that role inside, and nothing of it is left after.
CREATE FUNCTION level_as_b() RETURNS integer LANGUAGE plpgsql STABLE SET role = 'mapped_b' AS 'BEGIN RETURN entitle.access_level(402); END';
SELECT is(asked_as('mapped_a', '(SELECT string_agg(level_as_b() || '' '' || order_id, '','') FROM orders)'), '30 401',
          'S26: a SET role clause holds inside its function only');
SELECT is(asked_as('mapped_a', '(SELECT level_as_b() || '' '' || string_agg(order_id::text, '','') FROM orders)'), '30 401', 'S26: whichever comes first');

-- SET SESSION AUTHORIZATION, and its rollback (S27).
SET LOCAL SESSION AUTHORIZATION mapped_a;
SAVEPOINT before;
SELECT who() AS as_a \gset
SET LOCAL SESSION AUTHORIZATION mapped_b;
SELECT who() AS as_b \gset
ROLLBACK TO before;
SELECT who() AS as_a_again \gset
SET LOCAL ROLE mapped_b;
SELECT who() AS as_role_b \gset
SET LOCAL ROLE none;
SELECT who() AS as_role_none \gset
RESET SESSION AUTHORIZATION;
SELECT is(ARRAY[:'as_a', :'as_b', :'as_a_again', :'as_role_b', :'as_role_none', who()],
          ARRAY['a 401', 'b 402', 'a 401', 'b 402', 'a 401', 'nobody 401,402,403'], 'S27: SET SESSION AUTHORIZATION and its rollback are followed');

-- Roles that are renamed, swapped, dropped and made anew (S28).
SELECT lives_ok('ALTER ROLE mapped_b RENAME TO mapped_c', 'a mapped role is renamed');
SELECT is(asked_as('mapped_c', 'who()'), 'b 402', 'S28: a renamed role stays the user it was');
CREATE ROLE mapped_b;
GRANT SELECT ON orders TO mapped_b;
SELECT is(asked_as('mapped_b', 'who()'), 'nobody nothing', 'S28: a new role of the old name does not take over the mapping');
UPDATE entitle.app_user SET full_name = 'B' WHERE login = 'b';
SELECT is(asked_as('mapped_b', 'who()'), 'nobody nothing', 'S28: nor after another column of the user was changed');
UPDATE entitle.app_user SET db_role = 'mapped_b' WHERE login = 'b';
SELECT is(asked_as('mapped_b', 'who()'), 'b 402', 'S28: writing the mapping again gives it to the new role');
SELECT is(asked_as('mapped_c', 'who()'), 'nobody nothing', 'S28: and takes it from the old one');
ALTER ROLE mapped_a RENAME TO mapped_x;
ALTER ROLE mapped_b RENAME TO mapped_a;
ALTER ROLE mapped_x RENAME TO mapped_b;
SELECT is(asked_as('mapped_a', 'who()') || ', ' || asked_as('mapped_b', 'who()'), 'b 402, a 401', 'S28: roles that swapped their names stay who they were');
UPDATE entitle.app_user SET db_role = 'no_such_role' WHERE login = 'b';
UPDATE entitle.app_user SET db_role = 'mapped_b' WHERE login = 'a';
SELECT is(asked_as('mapped_b', 'who()'), 'a 401', 'S28: a mapping that was written is in force at once');
UPDATE entitle.app_user SET db_role = NULL WHERE login = 'a';
SELECT is(asked_as('mapped_b', 'who()'), 'nobody nothing', 'S28: and one that was taken away is gone at once');
CREATE ROLE no_such_role;
GRANT SELECT ON orders TO no_such_role;
SELECT is(asked_as('no_such_role', 'who()'), 'nobody nothing', 'S28: a mapping to a role that did not exist binds no later role');

-- A user who is deactivated or deleted in the middle of a session (S31).
SELECT entitle.sign_in('signed in') \g /dev/null
UPDATE entitle.app_user SET is_active = false WHERE login = 'signed in';
SELECT is(asked_as('test_app', 'entitle.access_level(403)'), '0', 'S31, R1: a user switched off has no access at the next question');
SELECT is(asked_as('test_app', '(SELECT count(*) FROM orders)'), '0', 'S31: and sees no row');
SELECT throws_ok('SELECT entitle.use_customer(403)', '42501', NULL, 'S31: and chooses nothing');
UPDATE entitle.app_user SET is_active = true WHERE login = 'signed in';
SELECT is(asked_as('test_app', 'entitle.access_level(403)'), '30', 'S31: switched on again, the access is there again');
DELETE FROM entitle.app_user WHERE login = 'signed in';
SELECT is(asked_as('test_app', 'who()'), 'nobody nothing', 'S31: a deleted user is nobody');
INSERT INTO entitle.app_user (user_id, login) VALUES (404, 'signed in');
SELECT is(asked_as('test_app', 'who()'), 'nobody nothing', 'S31: a new user of the same login is somebody else');
SELECT entitle.sign_out() \g /dev/null

-- Settings (R49; S22): no ordinary role sets one, and no grant of the parameter that goes around sign_in is shipped.
SELECT throws_ok(format('SELECT asked_as(''test_app'', %L)', format('set_config(%L, ''401'', %L)', name, local)), '42501', NULL,
                 format('R49, S22: an ordinary role cannot set %s', name))
FROM unnest(ARRAY['entitle.identity', 'entitle.choice', 'entitle.time_zone', 'entitle.full_record_fields']) AS name,
     unnest(ARRAY[true, false]) AS local;
SELECT is_empty($$SELECT * FROM pg_parameter_acl WHERE parname LIKE 'entitle.%'$$, 'S22: no setting is granted to anyone');
SELECT is_empty($$SELECT name FROM pg_settings WHERE name LIKE 'entitle.%' AND name <> 'entitle.token' AND context NOT IN ('superuser', 'sighup', 'postmaster')$$,
                'R49: every setting is a superuser''s, but for the token, which is worth nothing unless it verifies');

-- Nothing of an answer can be kept in an index or generated column, where it would outlive the asker (S9, S33).
SELECT throws_ok('CREATE INDEX ON orders (entitle.access_level(customer_id))', '42P17', NULL, 'S33: no index on an answer');
SELECT throws_ok('CREATE INDEX ON orders (order_id) WHERE entitle.row_allowed(NULL, 10, customer_id)', '42P17', NULL, 'S33: no partial index either');
SELECT throws_ok('ALTER TABLE orders ADD allowed boolean GENERATED ALWAYS AS (entitle.row_allowed(NULL, 10, customer_id)) STORED', '42P17', NULL,
                 'S9: no generated column');

SELECT * FROM finish();
ROLLBACK;
