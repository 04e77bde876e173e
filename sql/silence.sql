-- What would otherwise come to nothing, or tell something, in silence speaks up: an identity or a choice that ended before
-- anybody asked for it; RETURNING of a row that does not show to its writer; protection that tells masked values by what it
-- refuses (S168).
\set SHOW_CONTEXT never
CREATE ROLE silence_app;
GRANT EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_out TO silence_app;
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'ann'), (2, 'bob');
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (2, 1, 6);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'One', 'One', '1');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L10', NULL);
CREATE FUNCTION signed_in(login text) RETURNS text
    LANGUAGE plpgsql
    AS $$ BEGIN PERFORM entitle.sign_in(login); RETURN entitle.current_login(); END $$;
CREATE TABLE notes (id integer PRIMARY KEY, customer_id bigint, price integer DEFAULT 7);
SELECT entitle.protect_table('notes', customer_column => 'customer_id', min_level => 20, external_insert_level => 10, view_name => 'notes_view');
GRANT SELECT, INSERT ON notes, notes_view TO silence_app;
SET ROLE silence_app;

-- Alone, it warns as SET LOCAL does.
SELECT entitle.sign_in('ann');
SET LOCAL work_mem = '8MB';
DO $$ BEGIN PERFORM entitle.sign_in('ann'); END $$;
-- Not where somebody asked in the same transaction, nor in a block, nor for the session, nor after an error or a sign-out.
SELECT signed_in('ann');
SELECT entitle.sign_in('ann') \; SELECT entitle.current_login();
SELECT entitle.sign_in('ann') \; SELECT 1;
DO $$ BEGIN PERFORM entitle.sign_in('ann'); PERFORM count(*) FROM notes; END $$;
BEGIN;
SELECT entitle.sign_in('ann');
COMMIT;
SELECT entitle.sign_in('ann'), 1 / 0;
SELECT 1;
SELECT entitle.sign_in('ann', session_wide => true);
SELECT entitle.use_customer(1);
SELECT entitle.use_customer(NULL);
SELECT entitle.sign_in('bob', session_wide => true);
SELECT entitle.use_brand(1);
BEGIN;
SELECT entitle.use_brand(1);
COMMIT;
SELECT entitle.sign_in('ann') FROM (SELECT) one;
SELECT entitle.sign_out();

-- A row that may be inserted and not be seen
BEGIN;
SELECT entitle.sign_in('ann');
SAVEPOINT before;
INSERT INTO notes (id, customer_id) VALUES (1, 1);
INSERT INTO notes_view (id, customer_id) VALUES (2, 1);
INSERT INTO notes (id, customer_id) VALUES (3, 1) RETURNING id;
ROLLBACK TO before;
INSERT INTO notes_view (id, customer_id) VALUES (4, 1) RETURNING id;
ROLLBACK TO before;
WITH made AS (INSERT INTO notes_view (id, customer_id) VALUES (5, 1) RETURNING id) SELECT FROM made;
ROLLBACK TO before;
INSERT INTO notes (id, customer_id) VALUES (6, 2);
ROLLBACK TO before;
SELECT gate, passed, detail FROM entitle.explain_new_row('notes', '{"id": 7, "customer_id": 1}') WHERE gate IN ('row', 'decision');
ROLLBACK;
RESET ROLE;

-- A constraint that tells a masked value
ALTER TABLE notes ADD CONSTRAINT cheap CHECK (price < id * 1000);
SELECT entitle.protect_table('notes', customer_column => 'customer_id', external_update_level => 20, masked_columns => '{"price": 30}');
SELECT entitle.protect_table('notes', customer_column => 'customer_id', external_update_level => 30, masked_columns => '{"price": 30}');

SELECT entitle.unprotect_table('notes');
DROP TABLE notes;
DROP FUNCTION signed_in;
DELETE FROM entitle.customer;
DELETE FROM entitle.app_user;
DROP OWNED BY silence_app;
DROP ROLE silence_app;
