-- The life of an identity in a session: statements, transactions, savepoints, resets, seals and cursors (R1, R47; S6, S7, S19,
-- S23 to S25).
CREATE ROLE app_role;
CREATE ROLE mapped_role;
GRANT EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_out TO app_role;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (1, 'ann', NULL), (2, 'bob', NULL), (3, 'mapped', 'mapped_role');
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'One', 'One', '1'), (2, 'Two', 'Two', '2');
INSERT INTO entitle.external_access (customer_id, user_id) VALUES (1, 1), (2, 2);
CREATE FUNCTION who() RETURNS text
    LANGUAGE sql
    AS $$ SELECT coalesce(entitle.current_login(), 'nobody') || ' ' || entitle.accessible_customers()::text $$;
SET ROLE app_role;

-- A sign-in lasts to the end of its transaction, which may be one statement (S24).
SELECT entitle.sign_in('ann');
SELECT who();
SELECT entitle.sign_in('ann') \; SELECT who();
SELECT who();
BEGIN;
SELECT entitle.sign_in('ann');
SELECT who();
COMMIT;
SELECT who();
BEGIN;
SELECT entitle.sign_in('ann');
ROLLBACK;
SELECT who();

-- A session-wide one lasts for the session, and one for the transaction lies above it.
SELECT entitle.sign_in('ann', session_wide => true);
SELECT who();
BEGIN;
SELECT entitle.sign_in('bob');
SELECT who();
COMMIT;
SELECT who();
BEGIN;
SELECT entitle.sign_in('bob', session_wide => true);
SELECT who();
ROLLBACK;
SELECT who();
BEGIN;
SELECT entitle.sign_out();
SELECT who();
ROLLBACK;
SELECT who();
SELECT entitle.sign_out();
SELECT who();

-- Savepoints and exception blocks take back what was signed in after them (S19).
BEGIN;
SELECT entitle.sign_in('ann');
SAVEPOINT here;
SELECT entitle.sign_in('bob');
SELECT who();
ROLLBACK TO here;
SELECT who();
DO $$
BEGIN
    PERFORM entitle.sign_in('bob');
    RAISE NOTICE '%', who();
    RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
    RAISE NOTICE '%', who();
END
$$;
SELECT who();
-- A sign-in that fails takes its statement with it, and never leaves whom it refused.
SAVEPOINT there;
SELECT entitle.sign_in('no such login');
ROLLBACK TO there;
SELECT who();
COMMIT;
SELECT who();

-- RESET ALL and DISCARD ALL sign out (S25).
SELECT entitle.sign_in('ann', session_wide => true);
RESET ALL;
SELECT who();
SELECT entitle.sign_in('ann', session_wide => true);
DISCARD ALL;
SELECT who(), current_user;
SET ROLE app_role;

-- Choices end with the transaction, and count only for the user who made them.
BEGIN;
SELECT entitle.sign_in('ann');
SELECT entitle.use_customer(1);
SELECT entitle.current_customer_id();
SELECT entitle.sign_in('bob');
SELECT entitle.current_customer_id(), who();
COMMIT;
SELECT entitle.current_customer_id();

-- A seal: who does not know it changes nothing (S23).
SELECT entitle.sign_in('ann', true, 'open sesame');
SELECT entitle.sign_in('bob');
SELECT entitle.sign_in('bob', true, 'open barley');
SELECT entitle.sign_in('bob', true, '');
SELECT entitle.sign_out();
SELECT entitle.sign_out('Open Sesame');
SELECT who();
SELECT entitle.sign_in('bob', true, 'open sesame');
SELECT who();
SELECT entitle.sign_out('open sesame');
SELECT who();
SELECT entitle.sign_out('open sesame');
-- A seal given inside a transaction goes with it.
BEGIN;
SELECT entitle.sign_in('ann', false, 'x');
SAVEPOINT here;
SELECT entitle.sign_in('bob');
ROLLBACK TO here;
SELECT who();
COMMIT;
SELECT entitle.sign_in('bob', true);
SELECT who();
SELECT entitle.sign_out();

-- An open cursor forbids a change of identity, a held one too (S6, S7).
BEGIN;
SELECT entitle.sign_in('ann');
DECLARE reading CURSOR FOR SELECT * FROM generate_series(1, 4);
FETCH 2 FROM reading;
SAVEPOINT here;
SELECT entitle.sign_in('bob');
ROLLBACK TO here;
SELECT entitle.sign_out();
ROLLBACK TO here;
FETCH 2 FROM reading;
CLOSE reading;
SELECT entitle.sign_in('bob');
SELECT who();
COMMIT;
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT 1;
COMMIT;
SELECT entitle.sign_in('bob');
CLOSE held;
SELECT entitle.sign_in('bob');
-- A loop over a query is a cursor.
DO $$
DECLARE
    number integer;
BEGIN
    FOR number IN SELECT * FROM generate_series(1, 2) LOOP
        PERFORM entitle.sign_in('bob');
    END LOOP;
END
$$;
SELECT who();

-- A database role mapped to a user is that user, until somebody signs in.
RESET ROLE;
SET ROLE mapped_role;
SELECT who();
SET ROLE app_role;
SELECT who();
RESET ROLE;
SELECT who();
SET SESSION AUTHORIZATION mapped_role;
SELECT who();
RESET SESSION AUTHORIZATION;
SELECT who();
BEGIN;
SELECT entitle.sign_in('ann');
SET LOCAL ROLE mapped_role;
SELECT who();
COMMIT;
BEGIN;
SET LOCAL ROLE mapped_role;
SELECT who();
COMMIT;
SELECT who();
BEGIN;
SET LOCAL SESSION AUTHORIZATION mapped_role;
SELECT who();
ROLLBACK;
SELECT who(), current_user;

DROP FUNCTION who;
DELETE FROM entitle.external_access;
DELETE FROM entitle.app_user;
DELETE FROM entitle.customer;
REVOKE EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_out FROM app_role;
DROP ROLE app_role, mapped_role;
