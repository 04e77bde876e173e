-- What each user gets from the application's own query, which names no schema and knows nothing of entitle; and what changes at once.
\set QUIET on
\set ON_ERROR_STOP off
\pset footer off
SET search_path = lamps_seen, lamps;

CREATE FUNCTION pg_temp.asks(login text) RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    answer text;
BEGIN
    PERFORM entitle.sign_in(login);
    SET LOCAL ROLE lamps_web;
    SELECT coalesce(string_agg(format('%s (%s)', s.company, s.purchases), ', ' ORDER BY s.company), 'nothing') INTO answer
    FROM (SELECT a.company, count(p.id) AS purchases FROM account a LEFT JOIN purchase p ON p.account_id = a.id GROUP BY a.company) s;
    RESET ROLE;
    PERFORM entitle.sign_out();
    RETURN answer;
EXCEPTION WHEN insufficient_privilege THEN
    RESET ROLE;
    RETURN SQLERRM;
END
$$;
CREATE FUNCTION pg_temp.ask_all() RETURNS TABLE (login text, accounts_and_purchases text) LANGUAGE sql
    AS $$ SELECT l, pg_temp.asks(l) FROM unnest('{iris@lamps.example,omar@lamps.example,ken@lamps.example,ada@birch.example,bo@birch.example,cleo@cedar.example}'::text[]) AS l $$;

\echo
\echo '--- 6. The same query, by everyone'
SELECT * FROM pg_temp.ask_all();

\echo '--- 7. The application goes on writing its own tables, and each next statement knows'
BEGIN;
UPDATE lamps.person SET deleted_at = now() WHERE email = 'ada@birch.example';
UPDATE lamps.person SET staff_roles = '{}' WHERE email = 'Iris@lamps.example';
UPDATE lamps.account_member SET account_id = md5('Dune Studio')::uuid WHERE person_id = md5('cleo@cedar.example')::uuid;
SELECT * FROM pg_temp.ask_all();
ROLLBACK;

\echo '--- 8. As a buyer: an order for the own company, and one for another'
SELECT entitle.sign_in('cleo@cedar.example', true) \g /dev/null
SET ROLE lamps_web;
INSERT INTO purchase VALUES (101, md5('Cedar Books')::uuid, md5('Kiel')::uuid, '2026-02-02 09:00+00', 99) RETURNING id, total;
INSERT INTO purchase VALUES (102, md5('Birch Hotels')::uuid, md5('Kiel')::uuid, '2026-02-02 09:00+00', 99);
RESET ROLE;
SELECT entitle.sign_out() \g /dev/null
DELETE FROM lamps.purchase WHERE id = 101;

\echo '--- 9. A word that is no role is an error of whoever writes it'
UPDATE lamps.person SET staff_roles = '{support,boss}' WHERE email = 'ken@lamps.example';

\echo '--- 10. A migration adds a column and a table; the last step of the migration tool is repair()'
BEGIN;
ALTER TABLE lamps.account ADD COLUMN country text;
ALTER TABLE lamps.person RENAME COLUMN email TO mail;
CREATE TABLE lamps.complaint (id integer PRIMARY KEY, purchase_id integer NOT NULL REFERENCES lamps.purchase, words text);
SELECT relation, done FROM entitle.repair();
SELECT p.relation, p.call FROM entitle.plan_protection('{lamps}') p WHERE p.call IS NOT NULL;
UPDATE lamps.person SET mail = 'ada@new.example' WHERE mail = 'ada@birch.example';
SELECT pg_temp.asks('ada@new.example') AS ada;
ROLLBACK;
