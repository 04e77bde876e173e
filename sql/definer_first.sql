-- The first statement of a session loads the library. Whose SECURITY DEFINER function was in charge by then is known all the same
-- (R53; S34).
-- A database of its own: what a session leaves behind others would meet.
CREATE ROLE regress_definer;
SELECT current_database() AS home \gset
CREATE DATABASE regress_definer;
\c regress_definer
CREATE EXTENSION entitle;
CREATE FUNCTION run_stranger(command text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
    AS $$ DECLARE answer text; BEGIN EXECUTE command INTO answer; RETURN answer; END $$;
ALTER FUNCTION run_stranger(text) OWNER TO regress_definer;
CREATE FUNCTION run_own(command text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
    AS $$ DECLARE answer text; BEGIN EXECUTE command INTO answer; RETURN answer; END $$;
GRANT EXECUTE ON FUNCTION entitle.grant_access TO regress_definer;
INSERT INTO entitle.app_user (login) VALUES ('ann');
INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES ('a', 'a', '1');

\c -
SELECT run_stranger('SELECT entitle.grant_access(1, ''ann'', ''L40'')');
\c -
SELECT run_stranger('SELECT entitle.acting_superuser()');
SELECT entitle.acting_superuser();
\c -
SELECT run_own('SELECT run_stranger(''SELECT entitle.grant_access(1, $q$ann$q$)'')');
SELECT entitle.acting_superuser();
\c -
SELECT run_stranger('SELECT run_own(''SELECT entitle.acting_superuser()'')');
\c -
SELECT entitle.grant_access(1, 'ann', 'L40');
\c -
SELECT run_own('SELECT entitle.revoke_access(1, ''ann'')');

\c :home
DROP DATABASE regress_definer;
DROP ROLE regress_definer;
