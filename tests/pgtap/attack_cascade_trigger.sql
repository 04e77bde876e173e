-- A role that may refer to somebody's table by a foreign key has its own code run when rows there are changed. PostgreSQL runs the row
-- triggers of a cascade as the owner of the referring table, but, before 18, those AFTER it as whoever began, which is the table's
-- owner while a filtered view is written, and a superuser inside the extension's own functions: the code of a role that called
-- nothing gets no rights by that, nor by the settings that it leaves behind (S180).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_owner;
CREATE ROLE test_other;
CREATE ROLE test_deployer;
CREATE SCHEMA shop AUTHORIZATION test_owner;
CREATE SCHEMA other AUTHORIZATION test_other;
CREATE SCHEMA deployed AUTHORIZATION test_deployer;
GRANT USAGE ON SCHEMA shop, other, deployed TO PUBLIC;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO test_owner;
GRANT EXECUTE ON FUNCTION entitle.grant_access, entitle.revoke_access TO test_app;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a');
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'clerk'), (2, 'guest');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (1001, 1, 'everything');
INSERT INTO entitle.role_permission SELECT 1001, p.permission_key FROM entitle.permission p;
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (1, 1, 1001);
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (1, 2, 'L20');

CREATE TABLE ran (what text, by_role name);
GRANT INSERT ON ran TO PUBLIC;

SET LOCAL ROLE test_deployer;
CREATE FUNCTION deployed.audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.ran VALUES ('deployed', current_user);
    RETURN NULL;
END
$$;
SET LOCAL ROLE test_owner;
CREATE TABLE shop.orders (id integer PRIMARY KEY, customer_id bigint, price integer);
INSERT INTO shop.orders VALUES (1, 1, 10);
CREATE FUNCTION shop.note() RETURNS void LANGUAGE sql AS $$ INSERT INTO public.ran VALUES ('shop', current_user) $$;
-- Without a search_path of its own, as most are.
CREATE FUNCTION shop.audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM note(); RETURN NULL; END $$;
CREATE TRIGGER zz_audit AFTER UPDATE OR DELETE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.audit();
CREATE TRIGGER zz_deployed AFTER UPDATE OR DELETE ON shop.orders FOR EACH ROW EXECUTE FUNCTION deployed.audit();
GRANT SELECT, UPDATE, DELETE ON shop.orders TO test_app;
GRANT REFERENCES ON shop.orders TO test_other;
SELECT entitle.protect_table('shop.orders', 'customer_id', view_permission => 'customers.view', update_permission => 'customers.edit',
                             delete_permission => 'customers.edit', masked_columns => '{"price": 30}') \g /dev/null
RESET ROLE;
GRANT REFERENCES ON entitle.external_access TO test_other;

SET LOCAL ROLE test_other;
CREATE TABLE other.bills (id integer REFERENCES shop.orders ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE other.guests (customer_id bigint, user_id bigint, FOREIGN KEY (customer_id, user_id) REFERENCES entitle.external_access ON DELETE CASCADE);
INSERT INTO other.bills VALUES (1);
INSERT INTO other.guests VALUES (1, 2);
CREATE FUNCTION other.note() RETURNS void LANGUAGE sql AS $$ INSERT INTO public.ran VALUES ('other''s note', current_user) $$;
CREATE FUNCTION other.look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.ran VALUES ('other ' || lower(TG_WHEN), current_user);
    RETURN coalesce(NEW, OLD);
END
$$;
CREATE FUNCTION other.turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('search_path', 'other, pg_catalog', false);
    RETURN coalesce(NEW, OLD);
END
$$;
CREATE FUNCTION other.turn_back() RETURNS trigger LANGUAGE plpgsql SET search_path = other AS $$ BEGIN RETURN coalesce(NEW, OLD); END $$;
CREATE FUNCTION other.own() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO public.ran VALUES ('other''s own', current_user);
    RETURN NULL;
END
$$;
RESET ROLE;

-- What ran, and as whom, when the clerk runs a command beside such a trigger; or the error.
CREATE FUNCTION ran(trigger text, command text) RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    answer text;
BEGIN
    SET LOCAL ROLE test_other;
    EXECUTE trigger;
    RESET ROLE;
    PERFORM do_as('clerk', command);
    RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = coalesce((SELECT string_agg(format('%s as %s', what, by_role), ', ' ORDER BY what) FROM ran), 'nothing');
EXCEPTION
    WHEN SQLSTATE 'ZZ999' THEN RETURN SQLERRM;
    WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

SELECT is(ran('SELECT', command), 'deployed as test_owner, shop as test_owner', format('triggers of the table run as its owner, whosever the function: %s', command))
FROM unnest(ARRAY['UPDATE shop.orders_view SET id = 2', 'DELETE FROM shop.orders_view']) AS command;

SELECT current_setting('server_version_num')::integer >= 180000 AS has_own_triggers \gset
SELECT is(ran(format('CREATE TRIGGER look AFTER DELETE OR UPDATE ON other.bills FOR EACH %s EXECUTE FUNCTION other.look()', level), command),
          CASE WHEN :'has_own_triggers' THEN 'deployed as test_owner, other after as test_other, shop as test_owner'
          ELSE '55000 function other.look() belongs to "test_other" and would be used with the rights of "test_owner"' END,
          format('S180: AFTER triggers of a table that refers to it do not: FOR EACH %s, %s', level, command))
FROM unnest(ARRAY['UPDATE shop.orders_view SET id = 2', 'DELETE FROM shop.orders_view']) AS command, unnest(ARRAY['ROW', 'STATEMENT']) AS level;
SELECT is(ran('CREATE TRIGGER look BEFORE DELETE ON other.bills FOR EACH ROW EXECUTE FUNCTION other.look()', 'DELETE FROM shop.orders_view'),
          'deployed as test_owner, other before as test_other, shop as test_owner', 'S180: BEFORE triggers of that table run as its own owner');
SELECT is(ran('CREATE TRIGGER own AFTER DELETE ON other.bills FOR EACH ROW EXECUTE FUNCTION other.own()', 'DELETE FROM shop.orders_view'),
          'deployed as test_owner, other''s own as test_other, shop as test_owner', 'S180: so do AFTER triggers that are SECURITY DEFINER');
SELECT is(ran('CREATE TRIGGER turn BEFORE DELETE ON other.bills FOR EACH ROW EXECUTE FUNCTION other.turn()', 'DELETE FROM shop.orders_view'),
          '55000 code of "test_other" changed search_path while a row of "test_owner" was written', 'S180: a search_path that such code leaves behind is refused');
SELECT is(ran('CREATE TRIGGER turn BEFORE DELETE ON other.bills FOR EACH ROW EXECUTE FUNCTION other.turn_back()', 'DELETE FROM shop.orders_view'),
          'deployed as test_owner, shop as test_owner', 'S180: one that a function has for itself is not');
SELECT is(ran('CREATE TRIGGER look AFTER DELETE ON other.guests FOR EACH ROW EXECUTE FUNCTION other.look()', 'SELECT entitle.revoke_access(1, ''guest'')'),
          CASE WHEN :'has_own_triggers' THEN 'other after as test_other'
          ELSE '55000 function other.look() belongs to "test_other" and would be used with the rights of "' || current_user || '"' END,
          'S180: nor with a superuser''s, in the extension''s own functions');
SELECT is(ran('CREATE TRIGGER look AFTER DELETE ON other.guests FOR EACH ROW EXECUTE FUNCTION other.own()', 'SELECT entitle.revoke_access(1, ''guest'')'),
          'other''s own as test_other', 'S180: what runs as its own owner may');

SELECT * FROM finish();
ROLLBACK;
