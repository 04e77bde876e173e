-- Out again: protection first, then the adoptions, then what was made for them. The extension itself may stay or go.
\set QUIET on
\pset footer off
SELECT entitle.unprotect_all() AS tables;
DROP SCHEMA lamps_seen;
SELECT entitle.forget_adopted(s.source) FROM (SELECT DISTINCT source FROM entitle.adopted_tables) s \g /dev/null
ALTER ROLE lamps_web RESET search_path;
REVOKE EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_out FROM lamps_web;
SELECT count(*) AS triggers_of_ours FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'lamps'::regnamespace AND t.tgname LIKE 'entitle%';
