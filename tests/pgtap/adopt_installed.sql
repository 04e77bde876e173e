-- Applications whose tenants have numbers, the first of them 1, or are called as what is installed: that stands in their way only where it
-- is used (R64), and nobody gets by the number what is the installed brand's (S402, S477).
\ir error_of.psql
SELECT no_plan();

CREATE ROLE app_owner;
GRANT CREATE ON SCHEMA public TO app_owner;
GRANT EXECUTE ON FUNCTION entitle.adopt_organizations, entitle.adopt_brands, entitle.protect_table TO app_owner;
CREATE TABLE tenant (id integer PRIMARY KEY, name text);
CREATE TABLE account (id integer PRIMARY KEY, tenant integer REFERENCES tenant, name text);
CREATE TABLE bill (id integer PRIMARY KEY, tenant integer REFERENCES tenant);
INSERT INTO tenant VALUES (1, 'main'), (2, 'second');
INSERT INTO account VALUES (11, 1, 'a'), (12, 2, 'b');
INSERT INTO bill VALUES (1, 1), (2, 2), (3, NULL);
ALTER TABLE tenant OWNER TO app_owner;
GRANT SELECT ON bill TO test_app;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'one'), (102, 'two'), (103, 'chief'), (104, 'boss');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (150, 1, 'reader');

-- Runs commands, and takes them back. Returns: what the last gives, or the error.
CREATE FUNCTION tried(VARIADIC commands text[]) RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    command text;
    given text;
BEGIN
    FOREACH command IN ARRAY commands LOOP
        IF command ~ '^SELECT' THEN
            EXECUTE command INTO given;
        ELSE
            EXECUTE command;
        END IF;
    END LOOP;
    RESET ROLE;
    RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = coalesce(given, 'NULL');
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'P0999' THEN SQLERRM ELSE SQLSTATE || ' ' || SQLERRM END;
END
$$;
CREATE FUNCTION brands() RETURNS text LANGUAGE sql
    AS $$ SELECT string_agg(format('%s %s %s', b.brand_id, b.name, CASE WHEN b.adoption_id IS NULL THEN 'made here' ELSE b.source_key END), ', ' ORDER BY b.brand_id) FROM entitle.brand b $$;

-- Where it is used it stays, and so it does for whoever is no superuser, and when rows come later.
SELECT is(tried(first, second, $$SELECT entitle.adopt_brands('tenant', 'id', 'name')$$),
          '23505 row of adopted table "public.tenant" cannot be followed: key "1" is that of another brand (rows with the keys 1)', 'S402: ' || concat_ws('; ', first, nullif(second, 'SELECT 1')))
FROM (VALUES
    ($$INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES ('a', 'a', 'a')$$, 'SELECT 1'),
    ($$INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (101, 1, 150)$$, 'SELECT 1'),
    ($$INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 150)$$, 'SELECT 1'),
    ($$INSERT INTO entitle.pending_invitation (user_id, inviter_id, brand_id, expires) VALUES (101, 102, 1, '2100-01-01')$$, 'SELECT 1'),
    ($$SELECT entitle.protect_table('bill', brand_column => 'tenant', view_permission => 'customers.view')$$, 'SELECT 1'),
    ($$UPDATE entitle.brand SET name = 'own' WHERE brand_id = 1$$, 'SELECT 1'),
    ($$UPDATE entitle.brand SET brand_code = 'own' WHERE brand_id = 1$$, 'SELECT 1')) AS c (first, second);
SELECT is(tried($$SELECT entitle.adopt_organizations('tenant', 'id', 'name')$$, 'SET ROLE app_owner', $$SELECT entitle.adopt_brands('tenant', 'id', 'name', 'id')$$),
          '23505 row of adopted table "public.tenant" cannot be followed: key "1" is that of another brand (rows with the keys 1)', 'S402: an owner gets no number of what is installed');
SELECT is(tried('DELETE FROM account', 'DELETE FROM bill', 'DELETE FROM tenant WHERE id = 1', $$SELECT entitle.adopt_brands('tenant', 'id', 'name')$$, $$INSERT INTO tenant VALUES (1, 'later')$$),
          '23505 row of adopted table "public.tenant" cannot be followed: key "1" is that of another brand', 'S402: nor does a row that comes when the table was adopted without it');
SELECT is(tried('ALTER TABLE tenant ADD COLUMN code text', 'UPDATE tenant SET code = id', 'ALTER TABLE tenant ALTER COLUMN code SET NOT NULL, ADD UNIQUE (code)', $$SELECT entitle.adopt_brands('tenant', 'code', 'name')$$, 'SELECT split_part(brands(), '','', 1)'),
          '1 main made here', 'a code is no number');

SELECT is(tried(first, 'SELECT 1', $$SELECT entitle.adopt_organizations('tenant', 'id', 'name')$$),
          '23505 row of adopted table "public.tenant" cannot be followed: name "main" is taken (rows with the keys 1)', 'S479: the organization keeps its name where it is used')
FROM unnest(ARRAY[$$INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (101, 1, 150)$$,
                  $$INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 150)$$]) AS first;

-- An empty table: its rows come later, whoever writes them.
SELECT is(tried('DELETE FROM account', 'DELETE FROM bill', 'DELETE FROM tenant', $$SELECT entitle.adopt_brands('tenant', 'id', 'name')$$, 'SET ROLE app_owner', $$INSERT INTO tenant VALUES (1, 'first')$$,
                'RESET ROLE', 'SELECT brands()'), '1 first 1', 'an application that begins has a first tenant');

-- Its name and its number.
SELECT entitle.adopt_organizations('tenant', 'id', 'name');
SELECT is((SELECT string_agg(name, ', ' ORDER BY name COLLATE "C") FROM entitle.organization), 'main, main (installed), second', 'the installed organization takes another name');
SELECT entitle.adopt_brands('tenant', 'id', 'name', 'id');
SELECT is(brands(), '1 main 1, 2 second 2', 'the installed brand, which nobody uses, goes');
SELECT is((SELECT string_agg(v::text, '; ') FROM entitle.verify_adoption() v), NULL, 'all is in step');
SELECT is(entitle.sync_adopted(), 0::bigint, 'and nothing is to be mended');
INSERT INTO entitle.membership (user_id, organization_id, is_owner) SELECT 100 + b.brand_id, b.organization_id, true FROM entitle.brand b;
INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES (103, 1, true);
SELECT entitle.protect_table('bill', brand_column => 'tenant', view_permission => 'customers.view');
SELECT is(ask(login, 'SELECT coalesce(string_agg(id::text, '' ''), ''none'') FROM bill'), seen, 'R52: ' || login || ' sees the own tenant''s rows')
FROM (VALUES ('one', '1'), ('two', '2'), ('chief', 'none'), ('boss', 'none')) AS c (login, seen);

-- S477: customers whose brand is not said are nobody's, not the tenant's that has the number of the installed brand.
SELECT is(tried($$SELECT entitle.adopt_customers('account', 'id', 'name')$$),
          '23505 row of adopted table "public.account" cannot be followed: it names no brand, and the installed one is gone (rows with the keys 11, 12)', 'S477: they are refused');
SELECT is(tried($$SELECT entitle.adopt_customers('account', 'id', 'name', on_conflict => 'report')$$, 'SELECT count(*) FROM entitle.customer'), '0', 'S477: or told');
SELECT is(tried($$SELECT entitle.adopt_customers('account', 'id', 'name', 'tenant')$$, 'SELECT string_agg(customer_id || '' '' || brand_id, '', '' ORDER BY 1) FROM entitle.customer'), '11 1, 12 2', 'those that say it have it');

-- Forgotten, the tenants give nothing, and nothing takes their numbers.
SELECT entitle.unprotect_all(), entitle.forget_adopted('tenant');
SELECT is(held('one', '{customers.view}', NULL) || ' ' || (SELECT count(*) FROM entitle.brand WHERE is_active), 'none 0', 'R64: nothing is left of them in force');
SELECT entitle.adopt_organizations('tenant', 'id', 'name'), entitle.adopt_brands('tenant', 'id', 'name', 'id');
SELECT is(brands() || ' ' || entitle.sync_adopted(), '1 main 1, 2 second 2 0', 'adopted again, they are there again');

SELECT * FROM finish();
ROLLBACK;
