-- A maintenance command, autovacuum's too, runs what a table's owner put into its indexes as that owner. Whoever gave the command lends
-- nothing to it: neither tables, to declare or to forget (S232), nor an identity, nor what an explanation tells (S233). As little does
-- whoever's write a foreign key carries on to such a table, a superuser's too (S237).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_owner;
CREATE ROLE test_hostile;
CREATE SCHEMA shop AUTHORIZATION test_owner;
CREATE SCHEMA bad AUTHORIZATION test_hostile;
GRANT USAGE ON SCHEMA shop, bad TO PUBLIC;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO test_owner;
GRANT EXECUTE ON FUNCTION entitle.grant_access, entitle.sign_in TO test_hostile;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a');
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (1, 'admin', current_user), (2, 'bad', NULL);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L90', NULL), (1, 2, 'L10', NULL);

CREATE TABLE bills (id integer PRIMARY KEY, customer_id bigint);
INSERT INTO bills VALUES (1, 1);
SELECT entitle.protect_table('bills', 'customer_id', view_name => 'bills_view') \g /dev/null
GRANT SELECT, INSERT ON bills_view TO test_hostile;
SET LOCAL ROLE test_owner;
CREATE TABLE shop.orders (id integer PRIMARY KEY, customer_id bigint, price integer);
INSERT INTO shop.orders VALUES (1, 1, 1);
SELECT entitle.protect_table('shop.orders', 'customer_id', masked_columns => '{"price": 30}') \g /dev/null
GRANT SELECT (id, customer_id) ON shop.orders TO test_hostile;
CREATE TABLE shop.countries (id integer PRIMARY KEY);
INSERT INTO shop.countries VALUES (1);
GRANT REFERENCES ON shop.countries TO test_hostile;
SET LOCAL ROLE test_hostile;
CREATE TABLE bad.told (nr serial, what text);
GRANT SELECT ON bad.told TO PUBLIC;
CREATE TABLE bad.commands (nr integer PRIMARY KEY, command text, kind text);
INSERT INTO bad.commands VALUES
    (1, 'SELECT count(*)::text FROM entitle_internal.forget_protection(''shop.orders'')', 'S232'),
    (2, 'SELECT count(*)::text FROM entitle_internal.forget_privileges(''shop.orders'')', 'S232'),
    (3, 'SELECT count(*)::text FROM entitle_internal.record_privileges(''shop.orders'')', 'S232'),
    (4, 'SELECT entitle_internal.claim_view(''shop.orders'')::text', 'S232'),
    (5, 'SELECT entitle_internal.record_view(''shop.orders'', ''shop.orders_view'', ''{}'')::text', 'S232'),
    (6, 'SELECT entitle_internal.record_protection(d)::text FROM entitle_internal.declaration(''shop.orders'') d', 'S232'),
    (7, 'SELECT entitle_internal.may_declare(''shop.orders'', ''entitle.unprotect_table(regclass)'')::text', 'S232'),
    (8, 'SELECT entitle.current_user_id()::text', 'S233'),
    (9, 'SELECT entitle.access_level(1)::text', 'S233'),
    (10, 'SELECT entitle.grant_access(1, ''bad'', ''L80'')::text', 'S233'),
    (11, 'SELECT entitle.sign_in(''admin'')::text', 'S233'),
    (12, 'SELECT string_agg(e.detail, '' '') FROM entitle.explain_row(''shop.orders'', ''1'') e', 'S233'),
    (13, 'SELECT count(*)::text FROM entitle.user_access(''admin'')', 'S237'),
    (14, 'SELECT entitle.grant_access(1, ''bad'', ''L80'')::text', 'S237'),
    (15, 'WITH w AS (INSERT INTO public.bills_view (id, customer_id) VALUES (2, 2) RETURNING id) SELECT count(*)::text FROM w', 'S237');
CREATE FUNCTION bad.try(nr integer) RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    told text;
BEGIN
    EXECUTE (SELECT c.command FROM bad.commands c WHERE c.nr = try.nr) INTO told;
    RETURN coalesce(told, 'NULL');
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
-- A function that says it is immutable may well call others.
CREATE FUNCTION bad.note(nr integer) RETURNS void LANGUAGE sql AS $$ INSERT INTO bad.told (what) VALUES (bad.try(nr)) $$;
CREATE FUNCTION bad.key(nr integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE
    AS $$
BEGIN
    IF session_user <> current_user AND current_setting('role') <> current_user THEN
        PERFORM bad.note(nr);
    END IF;
    RETURN nr;
END
$$;
CREATE TABLE bad.place (nr integer);
CREATE TABLE bad.branches (nr integer REFERENCES shop.countries ON UPDATE CASCADE, what integer);
CREATE FUNCTION bad.carried() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM bad.note(OLD.what); RETURN NEW; END $$;
CREATE TRIGGER carried BEFORE UPDATE ON bad.branches FOR EACH ROW EXECUTE FUNCTION bad.carried();
RESET ROLE;

-- What the code of the hostile owner was told, whatever it did undone.
CREATE FUNCTION told(nr integer, command text) RETURNS text LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('INSERT INTO bad.place VALUES (%s); INSERT INTO bad.branches VALUES (1, %1$s)', nr);
    EXECUTE command;
    RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = coalesce((SELECT t.what FROM bad.told t ORDER BY t.nr DESC LIMIT 1), 'nothing ran');
EXCEPTION WHEN SQLSTATE 'ZZ999' THEN
    RETURN SQLERRM;
END
$$;
SELECT matches(told(c.nr, m), CASE WHEN c.nr IN (7, 8, 9) THEN '^(false|NULL|0)$' WHEN c.nr = 12 THEN 'no row with this key, or none that you may see' ELSE '^42501 ' END,
               format('%s: %s by %s', c.kind, c.command, m))
FROM bad.commands c, unnest(ARRAY['CREATE INDEX ON bad.place (bad.key(nr))']) AS m
WHERE c.kind <> 'S237'
ORDER BY c.nr;
SELECT is(told(c.nr, 'UPDATE shop.countries SET id = 2'), CASE c.nr WHEN 7 THEN 'false' ELSE '42501 permission denied to ' || CASE WHEN c.nr IN (1, 2) THEN 'un' ELSE '' END || 'protect table "shop.orders"' END,
          format('S232: %s by a foreign key', c.command))
FROM bad.commands c
WHERE c.kind = 'S232'
ORDER BY c.nr;
-- Whoever gives the command, the owner of what is maintained asks.
SELECT is(entitle.access_level(1), 90, 'S233: and the session is itself again');
UPDATE entitle.app_user SET db_role = NULL WHERE user_id = 1;
-- The superuser who changes the key is none for them: neither before the extension's functions, nor before a superuser's filtered view (S237).
SELECT is(told(c.nr, 'UPDATE shop.countries SET id = 2'), CASE c.nr WHEN 14 THEN '42501 permission denied to manage external access of this customer' WHEN 15 THEN '42501 permission denied to insert this row of "public.bills_view"' ELSE '0' END,
          format('S237: %s by a foreign key', c.command))
FROM bad.commands c
WHERE c.kind = 'S237'
ORDER BY c.nr;
SELECT lives_ok('DELETE FROM entitle.app_user WHERE user_id = 2', 'who deletes a user with a grant, is one');
UPDATE entitle.app_user SET db_role = 'test_hostile' WHERE user_id = 1;
SET LOCAL ROLE test_hostile;
CREATE MATERIALIZED VIEW bad.own AS SELECT entitle.access_level(1) AS level;
SELECT is((SELECT level FROM bad.own), 90, 'S233: an owner''s own maintenance has the owner''s identity');
RESET ROLE;
UPDATE entitle.app_user SET db_role = current_user WHERE user_id = 1;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (3, 'low', 'test_hostile');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (1, 3, 'L10');
REFRESH MATERIALIZED VIEW bad.own;
SELECT is((SELECT level FROM bad.own), 10, 'S233: and so has it in somebody else''s');

SELECT * FROM finish();
ROLLBACK;
