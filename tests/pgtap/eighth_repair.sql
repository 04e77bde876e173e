-- The eighth attack, on repair(): what a hostile owner of one table does to whoever mends all (S383).
\ir setup.psql
SELECT no_plan();

CREATE ROLE app_owner;
CREATE ROLE hostile;
CREATE SCHEMA app AUTHORIZATION app_owner;
CREATE SCHEMA a_hostile AUTHORIZATION hostile;
CREATE SCHEMA shown AUTHORIZATION hostile;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table TO app_owner, hostile;
SET ROLE hostile;
CREATE TABLE a_hostile.one (id integer PRIMARY KEY, customer_id integer, price numeric);
CREATE TABLE a_hostile.two (id integer PRIMARY KEY, customer_id integer, price numeric);
SELECT entitle.protect_table('a_hostile.one', 'customer_id', masked_columns => '{"price": 30}', view_name => 'shown.one');
SELECT entitle.protect_table('a_hostile.two', 'customer_id', masked_columns => '{"price": 30}', view_name => 'shown.two');
DROP SCHEMA shown CASCADE;
ALTER TABLE a_hostile.two DROP COLUMN customer_id CASCADE;
SET ROLE app_owner;
CREATE TABLE app.orders (id integer PRIMARY KEY, customer_id integer, price numeric);
SELECT entitle.protect_table('app.orders', 'customer_id', masked_columns => '{"price": 30}');
DROP VIEW app.orders_view;
RESET ROLE;
SELECT cmp_ok((SELECT count(DISTINCT v.relation) FROM entitle.verify_protection() v WHERE v.relation::text LIKE 'a\_hostile%'), '>=', 2::bigint, 'there is much to mend');
SELECT lives_ok('CREATE TEMP TABLE ran AS SELECT * FROM entitle.repair()', 'S383: what cannot be mended stops nobody');
SELECT is((SELECT count(*) FROM entitle.verify_protection() v WHERE v.relation = 'app.orders'::regclass), 0::bigint, 'S383: who mends all tables mends the others');
SELECT is((SELECT string_agg(DISTINCT relation::text, ',') FROM ran WHERE relation = 'app.orders'::regclass), 'app.orders', 'and repair tells what it ran');
SELECT is((SELECT count(*) FROM ran WHERE relation::text LIKE 'a\_hostile.one%'), 0::bigint, 'not what failed');
SET ROLE hostile;
SELECT throws_ok('SELECT * FROM entitle.repair()', '42501', NULL, 'it is nobody''s to run unless it is granted');

SELECT * FROM finish();
ROLLBACK;
