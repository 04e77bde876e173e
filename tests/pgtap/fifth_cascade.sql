-- Foreign keys lead rows, and fire others' triggers, in the name of the referring table's owner. No row that does not show gets another
-- date or brand by them, with which it shows to somebody else (S249); whoever began the cascade is the one whose rights the statement
-- had, whatever session it runs in (S250); and no pool signs anybody of weight in there, or by other rights that it is lent (S251).
\ir error_of.psql
SELECT no_plan();

INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (2, 1, 'two');
INSERT INTO entitle.brand_module SELECT b, m.module_key FROM entitle.module m, unnest('{1,2}'::bigint[]) b ON CONFLICT DO NOTHING;
INSERT INTO entitle.customer (customer_id, customer_code, legal_name, trade_name, tax_id) VALUES
    (101, 'one', 'a', 'a', 'a'), (102, 'two', 'b', 'b', 'b'), (103, 'three', 'c', 'c', 'c');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'l20'), (102, 'writer'), (103, 'viewer'), (104, 'odile');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, 'L20', 30), (102, 101, 'L20', NULL);
INSERT INTO entitle.role (role_id, organization_id, name) OVERRIDING SYSTEM VALUE VALUES (150, 1, 'writer'), (151, 1, 'viewer');
INSERT INTO entitle.role_permission SELECT 150, k FROM unnest('{conversions.view,conversions.update}'::text[]) k;
INSERT INTO entitle.role_permission VALUES (151, 'customers.view');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (102, 2, 150), (103, 2, 151);
INSERT INTO entitle.membership (user_id, organization_id, role_id, is_owner) VALUES (104, 1, 7, true);

-- S249
CREATE TABLE days (id integer, day date, PRIMARY KEY (id, day));
CREATE TABLE dated (id integer PRIMARY KEY, at integer, day date, customer_id bigint, FOREIGN KEY (at, day) REFERENCES days ON UPDATE CASCADE ON DELETE SET NULL);
CREATE TABLE brands (id integer, brand_id bigint, PRIMARY KEY (id, brand_id));
CREATE TABLE branded (id integer PRIMARY KEY, of integer, brand_id bigint, FOREIGN KEY (of, brand_id) REFERENCES brands ON UPDATE CASCADE ON DELETE SET NULL);
INSERT INTO days VALUES (1, current_date - 100), (2, current_date), (3, current_date - 90);
INSERT INTO dated VALUES (1, 1, current_date - 100, 101), (2, 2, current_date, 101), (3, 3, current_date - 90, 102);
INSERT INTO brands VALUES (1, 1), (2, 2);
INSERT INTO branded VALUES (1, 1, 1), (2, 2, 2);
SELECT entitle.protect_table('dated', 'customer_id', 'day'),
       entitle.protect_table('branded', brand_column => 'brand_id', view_permission => 'customers.view', update_permission => 'conversions.update') \g /dev/null
GRANT SELECT, UPDATE, DELETE ON days, brands TO test_app;
GRANT SELECT ON dated, branded TO test_app;
SELECT is(error_of(login, command), told, format('S249: %s: %s', coalesce(login, 'nobody'), command))
FROM (VALUES
    (NULL, 'UPDATE days SET day = current_date WHERE id = 1', '42501 permission denied to move this row of table "dated"'),
    ('viewer', 'UPDATE days SET day = current_date WHERE id = 1', '42501 permission denied to move this row of table "dated"'),
    ('l20', 'UPDATE days SET day = current_date WHERE id = 1', '42501 permission denied to move this row of table "dated"'),
    ('viewer', 'MERGE INTO days d USING (VALUES (1)) v (i) ON d.id = v.i WHEN MATCHED THEN UPDATE SET day = current_date', '42501 permission denied to move this row of table "dated"'),
    ('writer', 'UPDATE brands SET brand_id = 2 WHERE id = 1', '42501 permission denied to move this row of table "branded"'),
    -- What shows, and what shows to fewer people than before.
    ('l20', 'UPDATE days SET day = current_date WHERE id = 3', '1'),
    ('l20', 'UPDATE days SET day = current_date - 7 WHERE id = 2', '1'),
    (NULL, 'UPDATE days SET day = current_date - 200 WHERE id = 1', '1'),
    (NULL, 'UPDATE days SET id = 10 WHERE id = 1', '1'),
    (NULL, 'DELETE FROM days WHERE id = 1', '1')) AS v (login, command, told);

-- S250, S251: a role that owns functions, and a table that refers to a superuser's.
CREATE ROLE test_pool;
CREATE ROLE test_big;
CREATE SCHEMA hers AUTHORIZATION test_pool;
GRANT EXECUTE ON FUNCTION entitle.sign_in TO test_pool, test_big;
GRANT SELECT, UPDATE ON days, dated TO test_pool;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (105, 'pool', 'test_pool');
INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('test_big', 'odile');
CREATE TABLE keys (k integer PRIMARY KEY);
INSERT INTO keys VALUES (1);
CREATE TABLE hers.refs (k integer REFERENCES keys ON UPDATE CASCADE, told text);
INSERT INTO hers.refs VALUES (1);
ALTER TABLE hers.refs OWNER TO test_pool;
CREATE FUNCTION hers.obey(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE command INTO answer;
    RETURN current_user || ': ' || coalesce(answer, 'done');
EXCEPTION WHEN OTHERS THEN
    RETURN current_user || ': ' || SQLSTATE || ' ' || SQLERRM;
END
$$;
CREATE FUNCTION hers.lent(command text) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT hers.obey(command)';
CREATE FUNCTION hers.fired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.told := hers.obey(TG_ARGV[0]); RETURN NEW; END $$;
ALTER FUNCTION hers.obey(text) OWNER TO test_pool;
ALTER FUNCTION hers.lent(text) OWNER TO test_pool;
ALTER FUNCTION hers.fired() OWNER TO test_pool;

-- Has it done in a cascade. Returns: what came of it.
CREATE FUNCTION cascaded(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('CREATE TRIGGER fired BEFORE UPDATE ON hers.refs FOR EACH ROW EXECUTE FUNCTION hers.fired(%L)', command);
    UPDATE keys SET k = k + 1;
    DROP TRIGGER fired ON hers.refs;
    SELECT told INTO answer FROM hers.refs;
    RETURN answer;
END
$$;
CREATE FUNCTION lent_to(role name, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    PERFORM set_config('role', role, true);
    answer := hers.lent(command);
    PERFORM set_config('role', 'none', true);
    RETURN answer;
END
$$;
GRANT USAGE ON SCHEMA hers TO test_big;
SELECT is(hers.lent('UPDATE days SET day = current_date WHERE id = 1 RETURNING id'), 'test_pool: 42501 permission denied to move this row of table "dated"', 'S250: a superuser calls the function that begins a cascade');
SELECT is(cascaded('UPDATE days SET day = current_date WHERE id = 1 RETURNING id'), 'test_pool: 42501 permission denied to move this row of table "dated"', 'S250: or fires the trigger that does');
UPDATE days SET day = current_date WHERE id = 1;
SELECT is((SELECT day FROM dated WHERE id = 1), current_date, 'S250: what a superuser begins is a superuser''s');

-- S251
SELECT is(cascaded('SELECT entitle.sign_in(''odile'')'), 'test_pool: 42501 this login may not sign in', 'S251: a superuser''s foreign key fires it');
SELECT is(cascaded('SELECT hers.lent(''SELECT entitle.sign_in(''''odile'''')'')'), 'test_pool: test_pool: 42501 this login may not sign in', 'S251: with a function of the pool''s own');
SELECT is(lent_to('test_big', 'SELECT entitle.sign_in(''odile'')'), 'test_pool: 42501 this login may not sign in', 'S251: a pool that has the login on its list calls it');
SELECT is(cascaded('SELECT entitle.sign_in(''l20'')'), 'test_pool: 101', 'S251: whom any pool may sign in, it may there');
CREATE TABLE hers.written (id integer PRIMARY KEY, customer_id bigint, told text);
SELECT entitle.protect_table('hers.written', 'customer_id', view_name => 'hers.written_view', external_insert_level => 20, min_level => 20) \g /dev/null
CREATE TRIGGER fired BEFORE INSERT ON hers.written FOR EACH ROW EXECUTE FUNCTION hers.fired('SELECT entitle.sign_in(''odile'')');
ALTER TABLE hers.written OWNER TO test_pool;
SELECT entitle_internal.claim_view('hers.written') \g /dev/null
GRANT INSERT ON hers.written_view TO test_big;
CREATE FUNCTION written_by(role name) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM entitle.sign_in('l20'), set_config('role', role, true);
    INSERT INTO hers.written_view (id, customer_id) VALUES (1, 101);
    PERFORM set_config('role', 'none', true);
    RETURN (SELECT told FROM hers.written);
END
$$;
SELECT is(written_by('test_big'), 'test_pool: 42501 this login may not sign in', 'S251: or writes through the view of the pool''s table');
SELECT entitle.sign_out() \g /dev/null
INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('test_pool', 'odile');
SELECT is(lent_to('test_big', 'SELECT entitle.sign_in(''odile'')'), 'test_pool: 104', 'S251: and whom both have on their lists');
DELETE FROM entitle.sign_in_grant WHERE db_role = 'test_pool';
ALTER FUNCTION hers.lent(text) OWNER TO postgres;
SELECT is(lent_to('test_big', 'SELECT entitle.sign_in(''odile'')'), 'postgres: 104', 'S251: a superuser''s function signs in whom the pool may');
SELECT is(lent_to('test_app', 'SELECT entitle.sign_in(''odile'')'), 'postgres: 42501 this login may not sign in', 'S251: and nobody else');

SELECT * FROM finish();
ROLLBACK;
