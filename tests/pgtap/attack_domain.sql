-- Domains whose checks act are kept away where somebody else's code could name them while rights are lent (S124). Whoever owns one
-- protects tables and grants access all the same: the extension's own code names none (S183).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_owner;
CREATE SCHEMA shop AUTHORIZATION test_owner;
GRANT CREATE ON SCHEMA public TO test_owner;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table, entitle.alter_protected, entitle.grant_access, entitle.revoke_access TO test_owner;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a');
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (1, 'owner', 'test_owner'), (2, 'guest', NULL);
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (1, 1, 'L90');
SET LOCAL ROLE test_owner;
CREATE DOMAIN shop.past AS date CHECK (VALUE <= current_date);
CREATE FUNCTION shop.is_mail(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 ~ '@' $$;
CREATE DOMAIN shop.mail AS text CHECK (shop.is_mail(VALUE));
CREATE TABLE shop.orders (id integer PRIMARY KEY, customer_id bigint, placed shop.past, mail shop.mail, price integer);
RESET ROLE;

-- The error of a command of the owner's, undone again.
CREATE FUNCTION error_of(command text) RETURNS text LANGUAGE plpgsql
    AS $$
BEGIN
    SET LOCAL ROLE test_owner;
    EXECUTE command;
    RESET ROLE;
    RAISE EXCEPTION USING ERRCODE = 'ZZ999';
EXCEPTION
    WHEN SQLSTATE 'ZZ999' THEN RETURN 'none';
    WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
CREATE TEMP TABLE command AS
SELECT format('SELECT entitle.protect_table(''shop.orders'', ''customer_id'', ''placed'', masked_columns => ''{"price": 30}'')%s', more) AS command
FROM unnest(ARRAY['', '; SELECT entitle.alter_protected(''shop.orders'', ''ADD note text'')', '; SELECT entitle.unprotect_table(''shop.orders'')']) AS more
UNION ALL
SELECT 'SELECT entitle.grant_access(1, ''guest'', ''L20''); SELECT entitle.revoke_access(1, ''guest'')';
GRANT SELECT ON command TO test_owner;

SELECT is(error_of(command), 'none', format('S183: done: %s', command)) FROM command ORDER BY command;

-- Not where others' code runs along: a trigger of the model's, a column of it, a table that refers to it.
CREATE FUNCTION guarded(made text, command text) RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE made;
    answer := error_of(command);
    RAISE EXCEPTION USING ERRCODE = 'ZZ998', MESSAGE = answer;
EXCEPTION WHEN SQLSTATE 'ZZ998' THEN RETURN SQLERRM;
END
$$;
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE x shop.past := '2020-01-01'; BEGIN RETURN coalesce(NEW, OLD); END $$;
SELECT matches(guarded(made, command), '^55000 type shop\.[a-z]+ belongs to "test_owner"', format('S124: refused beside %s: %s', made, left(command, 40)))
FROM (VALUES ('CREATE TRIGGER look BEFORE INSERT ON entitle.protection FOR EACH ROW EXECUTE FUNCTION look()', 'protect'),
             ('CREATE TRIGGER look AFTER DELETE ON entitle.external_access FOR EACH STATEMENT EXECUTE FUNCTION look()', 'revoke'),
             ('ALTER TABLE entitle.external_access ADD since shop.past', 'revoke'),
             ('CREATE TABLE guests (customer_id bigint, user_id bigint, FOREIGN KEY (customer_id, user_id) REFERENCES entitle.external_access ON DELETE CASCADE)', 'revoke')) AS m (made, way)
JOIN command c ON c.command ~ m.way AND c.command !~ 'alter|unprotect';

SELECT * FROM finish();
ROLLBACK;
