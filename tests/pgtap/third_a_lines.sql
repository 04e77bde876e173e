-- Who owns lines writes them without being asked, by a policy of the own and without the trigger that refuses writes. Moving one from a
-- hidden document to another told whether the two have the same customer and date (S214).
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE ROLE test_owner;
CREATE SCHEMA shop AUTHORIZATION test_owner;
CREATE SCHEMA own AUTHORIZATION test_app;
GRANT USAGE ON SCHEMA shop TO test_app;
GRANT EXECUTE ON FUNCTION entitle.protect_table, entitle.unprotect_table, entitle.begin_migration TO test_owner, test_app;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a'), (2, 'b', 'b', 'b'), (3, 'c', 'c', 'c');
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'l20');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L20', NULL);
SET LOCAL ROLE test_owner;
CREATE TABLE shop.bills (id integer PRIMARY KEY, customer_id bigint, billed date);
INSERT INTO shop.bills VALUES (1, 1, '2020-01-01'), (2, 2, '2020-01-01'), (3, 2, '2020-01-01'), (4, 3, '2020-01-01'), (5, 2, '2021-01-01'), (6, 1, '2020-01-01');
SELECT entitle.protect_table('shop.bills', 'customer_id', 'billed', external_update_level => 20) \g /dev/null
GRANT SELECT, REFERENCES ON shop.bills TO test_app;
SET LOCAL ROLE test_app;
CREATE TABLE own.lines (bill_id integer REFERENCES shop.bills ON UPDATE CASCADE, line integer, PRIMARY KEY (line)) PARTITION BY RANGE (line);
CREATE TABLE own.lines_1 PARTITION OF own.lines FOR VALUES FROM (0) TO (10);
CREATE TABLE own.lines_2 (line integer NOT NULL, bill_id integer);
ALTER TABLE own.lines ATTACH PARTITION own.lines_2 FOR VALUES FROM (10) TO (20);
SELECT entitle.protect_table('own.lines', parent => 'shop.bills', external_update_level => 20) \g /dev/null
CREATE POLICY mine ON own.lines USING (true);
ALTER TABLE own.lines DISABLE TRIGGER entitle_update;
INSERT INTO own.lines SELECT b, b FROM generate_series(1, 6) b;
RESET ROLE;

CREATE FUNCTION moved(command text) RETURNS text LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = do_as('l20', command);
EXCEPTION
    WHEN SQLSTATE 'ZZ999' THEN RETURN SQLERRM;
    WHEN OTHERS THEN RETURN SQLSTATE;
END
$$;
SELECT is(ask('l20', 'SELECT count(*) || '' '' || (SELECT count(*) FROM shop.bills) FROM own.lines'), '6 2', 'all lines, and two documents, show');
SELECT is(moved(format('UPDATE own.lines SET bill_id = %s WHERE bill_id = %s', after, before)), expected, format('S214: from %s to %s, %s', before, after, what))
FROM (VALUES (2, 3, '42501', 'both hidden and alike'), (2, 4, '42501', 'of another customer'), (2, 5, '42501', 'of another date'),
             (1, 2, '42501', 'from what shows'), (1, 6, '1', 'both of which show')) AS m (before, after, expected, what);
SELECT is(moved('UPDATE own.lines SET bill_id = 3, line = line + 10 WHERE bill_id = 2'), '42501', 'S214: by way of another partition');
SELECT is(moved('UPDATE own.lines SET line = line + 1 WHERE bill_id = 6; UPDATE own.lines SET line = 9 WHERE bill_id = 2'), '1', 'lines are numbered anew');
SELECT is(moved('UPDATE own.lines SET line = line + 10'), '6', 'in another partition, too');
SET LOCAL ROLE test_owner;
SELECT entitle.begin_migration('{shop.bills}') \g /dev/null
UPDATE shop.bills SET id = id + 100;
RESET ROLE;
SELECT is((SELECT string_agg(bill_id::text, ' ' ORDER BY line) FROM own.lines), '101 102 103 104 105 106', 'and follow their documents');

SELECT * FROM finish();
ROLLBACK;
