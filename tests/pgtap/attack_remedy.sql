-- What lint and verify_protection tell the DBA to run is one statement of the extension's, whatever names and settings a table's owner
-- chose: none of it is more than a name, not even in a comment (S170).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_owner;
CREATE SCHEMA hostile AUTHORIZATION test_owner;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO test_owner;
CREATE FUNCTION planted(number integer) RETURNS text LANGUAGE sql
    AS $q$ SELECT format(E't%s"\'$$;\n\rALTER ROLE test_owner SUPERUSER; --', number) $q$;

-- Everything of the owner's bears a name that would be a statement, were it read as one.
SET LOCAL ROLE test_owner;
DO $$
DECLARE
    orders text := format('hostile.%I', planted(1));
BEGIN
    EXECUTE format('CREATE TABLE %s (%I integer PRIMARY KEY, %I bigint, %I numeric, plain numeric, CHECK (%4$I + plain > 0))', orders, planted(2), planted(3), planted(4));
    EXECUTE format('CREATE TABLE hostile.%I (%I integer REFERENCES %s)', planted(5), planted(2), orders);
    EXECUTE format('CREATE VIEW hostile.%I WITH (security_invoker) AS SELECT %I FROM %s', planted(6), planted(4), orders);
    EXECUTE format('CREATE VIEW hostile.%I AS SELECT %I FROM %s', planted(7), planted(4), orders);
    EXECUTE format('CREATE MATERIALIZED VIEW hostile.%I AS SELECT %I FROM %s', planted(8), planted(4), orders);
    EXECUTE format('GRANT ALL ON hostile.%I, hostile.%I, hostile.%I TO PUBLIC', planted(6), planted(7), planted(8));
    EXECUTE format('CREATE FUNCTION hostile.%I() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NEW; END''', planted(9));
    EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION hostile.%1$I()', planted(9), orders);
    EXECUTE format('CREATE FUNCTION hostile.%I() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS %L', planted(10), 'SELECT count(*) FROM ' || orders);
    -- A path is kept as it stood, when it is taken over.
    PERFORM set_config('search_path', 'hostile;ALTER/**/ROLE/**/test_owner/**/SUPERUSER;--', true);
    CREATE FUNCTION hostile.pathless() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS 'BEGIN RETURN NEW; END';
    SET LOCAL search_path = public;
    CREATE FUNCTION hostile.listed() RETURNS trigger LANGUAGE plpgsql SET search_path = 'Some "where', hostile AS 'BEGIN RETURN NEW; END';
    EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION hostile.pathless()', planted(11), orders);
    EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION hostile.listed()', planted(12), orders);
    EXECUTE format('CREATE POLICY %I ON %s USING (true)', planted(13), orders);
    PERFORM entitle.protect_table(orders, planted(3), masked_columns => jsonb_build_object(planted(4), 30),
                                  view_name => format('hostile.%I', planted(14)), external_update_level => 20);
    EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', orders);
    EXECUTE format('DROP POLICY entitle_delete ON %s', orders);
    EXECUTE format('CREATE RULE %I AS ON DELETE TO hostile.%I DO ALSO NOTHING', planted(15), planted(14));
    EXECUTE format('GRANT SELECT (%I), TRIGGER ON %s TO test_app', planted(4), orders);
    EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', orders, planted(3), planted(16));
END
$$;
RESET ROLE;
-- A declaration that came with a dump, and its table did not.
INSERT INTO entitle.absent_relation VALUES (4026531841, format('hostile.%I', planted(17)));
INSERT INTO entitle.protection (relation, customer_column, min_level, masked_columns) VALUES (4026531841::oid, planted(3), 10, '{}');

CREATE TEMP TABLE told AS
SELECT 'lint' AS source, object, finding, remedy FROM entitle.lint() WHERE concat(object, finding, remedy) ~ 'hostile|test_owner'
UNION ALL SELECT 'verify', relation::text, problem, remedy FROM entitle.verify_protection();
SELECT cmp_ok((SELECT count(*) FROM told WHERE source = t), '>=', least, t || ' finds much to say of the owner''s')
FROM (VALUES ('lint', 8::bigint), ('verify', 5::bigint)) AS v (t, least);

-- As psql reads it: quotes and names hold what is in them, a comment ends with its line.
CREATE FUNCTION stripped(statement text) RETURNS text LANGUAGE sql
    AS $$ SELECT regexp_replace(statement, $re$('([^']|'')*'|"([^"]|"")*"|--[^\n\r]*)$re$, '', 'g') $$;
SELECT is(stripped(E'SELECT ''a''''b'' -- c\nd'), E'SELECT  \nd', 'what is stripped');
SELECT is_empty($$ SELECT source, object, remedy FROM told WHERE stripped(remedy) ~* 'ALTER(\s|/\*\*/)*ROLE' $$, 'no remedy runs what a name says (S170)');
SELECT set_eq($$ SELECT substring(remedy FROM 'search_path = (.*), pg_temp;') FROM told WHERE finding ~ 'rights than the writer' $$,
              ARRAY['hostile', '"Some ""where", hostile'], 'a path is told when it is a list of names, else the schema is');
-- And run.
CREATE FUNCTION run_remedies() RETURNS void LANGUAGE plpgsql
    AS $$
DECLARE
    found told;
BEGIN
    FOR found IN SELECT * FROM told LOOP
        BEGIN
            EXECUTE found.remedy;
        EXCEPTION WHEN OTHERS THEN
            NULL; -- what mends one may be in another's way
        END;
    END LOOP;
END
$$;
SELECT run_remedies();
SELECT is((SELECT rolsuper FROM pg_roles WHERE rolname = 'test_owner'), false, 'whoever runs them all makes no superuser');

SELECT finish();
ROLLBACK;
