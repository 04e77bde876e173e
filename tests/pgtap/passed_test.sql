-- What a member of staff passes by permission is left out of a query, and of a line's test nothing is left but a foreign key (S281). Kept
-- plans follow when that key, a privilege or the permission goes.
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT i, 'n', 'n', 't' FROM generate_series(1, 20) AS i;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'staff'), (102, 'outsider');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (101, 1, 'all');
INSERT INTO entitle.role_permission SELECT 101, permission_key FROM entitle.permission;
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 101);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 102, 'L20', NULL);
CREATE SCHEMA shop;
CREATE TABLE shop.document (document_id integer PRIMARY KEY, customer_id bigint, price integer);
INSERT INTO shop.document SELECT i, i, i FROM generate_series(1, 20) AS i;
CREATE TABLE shop.line (line_id integer PRIMARY KEY, document_id integer REFERENCES shop.document ON DELETE CASCADE, price integer);
INSERT INTO shop.line SELECT i, CASE WHEN i <= 40 THEN (i + 1) / 2 END, i FROM generate_series(1, 41) AS i;
CREATE TABLE shop.part (part_id integer PRIMARY KEY, line_id integer NOT NULL REFERENCES shop.line ON DELETE CASCADE);
INSERT INTO shop.part SELECT line_id, line_id FROM shop.line;
SELECT entitle.protect_table('shop.document', customer_column => 'customer_id', min_level => 20, view_permission => 'conversions.view',
                             masked_columns => '{"price": 30}'),
       entitle.protect_table('shop.line', parent => 'shop.document', masked_columns => '{"price": 30}'),
       entitle.protect_table('shop.part', parent => 'shop.line') \g /dev/null
GRANT USAGE ON SCHEMA shop TO test_app;
GRANT SELECT ON shop.document_view, shop.line_view, shop.part TO test_app;
GRANT SELECT (document_id, customer_id) ON shop.document TO test_app;
GRANT SELECT (line_id, document_id) ON shop.line TO test_app;
GRANT EXECUTE ON FUNCTION entitle.sign_in(text, boolean, text) TO test_app;
INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('test_app', 'staff'), ('test_app', 'outsider');

PREPARE lines AS SELECT count(*)::integer FROM shop.line;
PREPARE line_view AS SELECT count(*)::integer FROM shop.line_view;
PREPARE parts AS SELECT count(*)::integer FROM shop.part;
CREATE FUNCTION pg_temp.counted(login text, plan text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    SET LOCAL ROLE test_app;
    PERFORM entitle.sign_in(login);
    EXECUTE 'EXECUTE ' || plan INTO answer;
    RESET ROLE;
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    RESET ROLE;
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
-- Whether the plan for staff reads the documents.
CREATE FUNCTION pg_temp.reads_documents(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    line text;
    found boolean := false;
BEGIN
    SET LOCAL ROLE test_app;
    PERFORM entitle.sign_in('staff');
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        found := found OR line ~ ' on document';
    END LOOP;
    RESET ROLE;
    RETURN found;
END
$$;

SET LOCAL plan_cache_mode = force_generic_plan;
SELECT is(pg_temp.counted('staff', 'lines'), '40', 'R51: staff see the lines that have a document');
SELECT is(pg_temp.counted('staff', 'line_view'), '40', 'R51: in the view, too');
SELECT is(pg_temp.counted('staff', 'parts'), '40', 'R51: and the lines of those');
SELECT ok(NOT pg_temp.reads_documents('SELECT line_id FROM shop.line'), 'no document is looked for');
SELECT ok(NOT pg_temp.reads_documents('SELECT * FROM shop.line_view'), 'nor by the view');
SELECT ok(pg_temp.reads_documents('SELECT part_id FROM shop.part'), 'a line that may have no document is asked for its own');
SELECT is(pg_temp.counted('outsider', 'lines'), '2', 'S281: the kept plan shows an outsider the own lines');
SELECT is(pg_temp.counted('outsider', 'line_view'), '2', 'S281: the view''s, too');
SELECT is(pg_temp.counted('outsider', 'parts'), '2', 'S281: and the lines of those');

-- The documents are not read any more; the right to read them is asked for as before.
REVOKE SELECT (customer_id) ON shop.document FROM test_app;
SELECT is(pg_temp.counted('staff', 'lines'), '42501 permission denied for table document', 'S281: privileges on documents are still asked');
SELECT is(pg_temp.counted('staff', 'parts'), '42501 permission denied for table document', 'S281: of lines of lines, too');
SELECT is(pg_temp.counted('staff', 'line_view'), '40', 'the view reads with its owner''s');
GRANT SELECT (customer_id) ON shop.document TO test_app;
SELECT is(pg_temp.counted('staff', 'lines'), '40', 'and given back');

-- The permission.
UPDATE entitle.role SET is_active = false WHERE role_id = 101;
SELECT is(pg_temp.counted('staff', 'lines'), '0', 'R46: without the permission the kept plan shows nothing');
SELECT is(pg_temp.counted('staff', 'line_view'), '0', 'R46: nor the view''s');
UPDATE entitle.role SET is_active = true WHERE role_id = 101;
SELECT is(pg_temp.counted('staff', 'lines'), '40', 'R46: with it, everything again');

-- Tables that inherit are not checked by the key of the table above.
SAVEPOINT heirs;
CREATE TABLE shop.heir (FOREIGN KEY (document_id) REFERENCES shop.document ON DELETE CASCADE) INHERITS (shop.line);
INSERT INTO shop.heir VALUES (100, 1, 1);
SELECT ok(pg_temp.reads_documents('SELECT line_id FROM shop.line'), 'S281: with heirs, documents are looked for');
SELECT ok(NOT pg_temp.reads_documents('SELECT line_id FROM ONLY shop.line'), 'but not for the table alone');
ROLLBACK TO heirs;

-- The key goes, and with it what it promised.
ALTER TABLE shop.line DROP CONSTRAINT line_document_id_fkey;
INSERT INTO shop.line VALUES (50, 1000, 1);
SELECT is(pg_temp.counted('staff', 'lines'), '40', 'S281: without the key a line without document is hidden');
SELECT is(pg_temp.counted('staff', 'line_view'), '40', 'S281: in the view, too');
ALTER TABLE shop.line ADD CONSTRAINT line_document_id_fkey FOREIGN KEY (document_id) REFERENCES shop.document NOT VALID;
SELECT is(pg_temp.counted('staff', 'lines'), '40', 'S281: as with a key that nobody has checked');
SELECT ok(pg_temp.reads_documents('SELECT * FROM shop.line_view'), 'documents are looked for');
DELETE FROM shop.line WHERE line_id = 50;
ALTER TABLE shop.line VALIDATE CONSTRAINT line_document_id_fkey;
SELECT ok(NOT pg_temp.reads_documents('SELECT * FROM shop.line_view'), 'until it has been checked');

SELECT * FROM finish();
ROLLBACK;
