-- What the twelfth attack tried in vain: S532 and S533.
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error;

-- S532: a condition that tells what it is asked, in every place where views of documents and of their lines are joined, so that the
-- lines' view might leave its documents out.
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT i, 'n', 'n', 't' FROM generate_series(1, 50) AS i;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'all');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 101, 'L30', NULL), (2, 101, 'L40', NULL);
CREATE TABLE doc (id integer PRIMARY KEY, other integer NOT NULL, customer_id bigint, day date NOT NULL, state text);
CREATE TABLE line (id integer PRIMARY KEY, doc integer NOT NULL REFERENCES doc, quantity integer NOT NULL, price integer);
CREATE TABLE mine (n integer);
INSERT INTO mine SELECT generate_series(1, 30);
INSERT INTO doc SELECT i, i % 40, 1 + i % 50, current_date - i % 100, 's' || i % 4 FROM generate_series(1, 2000) AS i;
INSERT INTO line SELECT i, 1 + i * 7 % 2000, i % 10, i FROM generate_series(1, 5000) AS i WHERE i % 11 > 0;
CREATE INDEX ON line (doc);
ANALYZE doc, line, mine;
SELECT entitle.protect_table('doc', 'customer_id', date_column => 'day', min_level => 20, masked_columns => '{"state": 30}'),
       entitle.protect_table('line', parent => 'doc', masked_columns => '{"price": 30}') \g /dev/null
GRANT SELECT ON doc_view, line_view, mine TO test_app;
CREATE FUNCTION tells(line integer) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER COST 0.0001 AS $$
BEGIN
    IF EXISTS (SELECT FROM public.line l JOIN public.doc d ON d.id = l.doc WHERE l.id = line AND d.customer_id NOT IN (1, 2)) THEN
        RAISE EXCEPTION 'line % is told of', line;
    END IF;
    RETURN true;
END
$$;
CREATE FUNCTION tells2(line integer, other integer) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER COST 0.0001
    AS $$ BEGIN RETURN public.tells(line); END $$;
SELECT isnt(ask('all', q), NULL, 'S532: ' || q)
FROM unnest(ARRAY[
    'SELECT count(*) FROM mine m LEFT JOIN (SELECT l.doc, tells(l.id) AS x FROM line_view l) s JOIN doc_view d ON s.doc = d.id ON m.n = s.doc WHERE s.x IS NOT FALSE',
    'SELECT count(x) FROM mine m LEFT JOIN (SELECT l.doc, tells(l.id) AS x FROM line_view l JOIN doc_view d ON l.doc = d.id) s ON m.n = s.doc',
    'SELECT count(x) FROM mine m LEFT JOIN (SELECT l.doc, COALESCE(tells(l.id),true) AS x FROM doc_view d JOIN line_view l ON l.doc = d.id) s ON m.n = s.doc',
    'SELECT count(*) FROM mine m JOIN (SELECT l.doc, l.id FROM line_view l JOIN doc_view d ON l.doc = d.id) s ON tells2(s.id, m.n)',
    'SELECT count(*) FROM mine m, (SELECT l.doc, l.id FROM line_view l JOIN doc_view d ON l.doc = d.id) s WHERE tells2(s.id, m.n)',
    'SELECT count(*) FROM mine m LEFT JOIN (SELECT l.doc, l.id FROM line_view l JOIN doc_view d ON l.doc = d.id) s ON tells2(s.id, m.n)',
    'SELECT count(*) FROM (SELECT l.doc, l.id FROM line_view l JOIN doc_view d ON l.doc = d.id) s LEFT JOIN mine m ON tells2(s.id, m.n)',
    'SELECT count(*) FROM (SELECT * FROM (SELECT l.doc, l.id FROM line_view l JOIN doc_view d ON l.doc = d.id) s) t WHERE tells(t.id)',
    'WITH s AS (SELECT l.doc, l.id FROM line_view l JOIN doc_view d ON l.doc = d.id) SELECT count(*) FROM s WHERE tells(s.id)',
    'WITH s AS (SELECT l.doc, l.id FROM line_view l) SELECT count(*) FROM s JOIN doc_view d ON s.doc = d.id WHERE tells(s.id)',
    'SELECT count(*) FROM doc_view d JOIN (SELECT l.doc, l.id FROM line_view l WHERE tells(l.id)) s ON s.doc = d.id',
    'SELECT count(*) FROM doc_view d JOIN (SELECT l.doc, tells(l.id) t FROM line_view l) s ON s.doc = d.id WHERE s.t',
    'SELECT count(*) FROM doc_view d JOIN LATERAL (SELECT tells(l.id) t FROM line_view l WHERE l.doc = d.id) s ON true',
    'SELECT count(*) FROM doc_view d JOIN LATERAL (SELECT count(*) FROM line_view l WHERE l.doc = d.id HAVING bool_or(tells(l.id))) s ON true',
    'SELECT count(*) FROM doc_view d WHERE d.id IN (SELECT l.doc FROM line_view l WHERE tells(l.id))',
    'SELECT count(*) FROM doc_view d WHERE EXISTS (SELECT FROM line_view l JOIN mine m ON tells2(l.id, m.n) WHERE l.doc = d.id)',
    'SELECT count(*) FROM doc_view d WHERE EXISTS (SELECT tells(l.id) FROM line_view l WHERE l.doc = d.id)',
    'SELECT count(*) FROM doc_view d LEFT JOIN line_view l ON l.doc = d.id LEFT JOIN mine m ON tells2(l.id,m.n)',
    'SELECT count(*) FROM (doc_view d LEFT JOIN line_view l ON l.doc = d.id) FULL JOIN mine m ON m.n = l.id AND tells(l.id)',
    'SELECT count(*) FROM doc_view d JOIN line_view l ON l.doc = d.id JOIN mine m ON m.n = CASE WHEN tells(l.id) THEN 1 END',
    'SELECT count(*) FROM (SELECT tells(l.id) FROM doc_view d JOIN line_view l ON l.doc = d.id UNION ALL SELECT true) s',
    'SELECT count(*) FROM (SELECT l.id, l.doc FROM line_view l OFFSET 0) s JOIN doc_view d ON s.doc = d.id WHERE tells(s.id)',
    'SELECT count(*) FROM line_view l JOIN doc_view d ON l.doc = d.id JOIN line_view k ON k.doc = d.id AND tells(k.id)',
    'SELECT count(*) FROM line_view l JOIN doc_view d ON l.doc = d.id JOIN line_view k ON k.doc = l.doc WHERE tells2(l.id, k.id)',
    'SELECT count(*) FROM line_view l JOIN line_view k ON k.doc = l.doc JOIN doc_view d ON k.doc = d.id WHERE tells(l.id)',
    'SELECT min(l.id) FROM line_view l JOIN doc_view d ON l.doc = d.id WHERE l.id > 0 AND (l.id)::text::integer = l.id AND tells(l.id)',
    'SELECT count(*) FROM mine m WHERE m.n = ANY (SELECT l.id FROM line_view l JOIN doc_view d ON l.doc = d.id WHERE tells2(l.id, m.n))',
    'SELECT count(*) FROM doc_view d, LATERAL (SELECT l.id FROM line_view l WHERE l.doc = d.id ORDER BY tells(l.id) LIMIT 1) s',
    'SELECT string_agg(ok::text, '''') FROM doc_view d, line_view l, LATERAL (SELECT tells(l.id) AS ok) s WHERE d.id = l.doc',
    'SELECT count(*) FROM doc_view d, line_view l, LATERAL (SELECT tells(l.id) AS ok OFFSET 0) s WHERE d.id = l.doc',
    'SELECT count(*) FROM doc_view d, line_view l, LATERAL generate_series(1, CASE WHEN tells(l.id) THEN 1 END) s WHERE d.id = l.doc',
    'SELECT count(*) FROM doc_view d NATURAL JOIN (SELECT doc AS id, id AS lid FROM line_view) l WHERE tells(lid)',
    'SELECT count(*) FROM doc_view d JOIN (SELECT doc AS id, id AS lid FROM line_view) l USING (id) WHERE tells(lid)',
    'SELECT count(*) FROM doc_view d LEFT JOIN (line_view l JOIN mine m ON tells2(l.id, m.n)) ON l.doc = d.id',
    'SELECT count(*) FROM (SELECT l.id FROM doc_view d JOIN line_view l ON l.doc = d.id UNION ALL SELECT NULL) s WHERE tells(id)',
    'SELECT count(*) FROM (SELECT l.id, l.doc FROM line_view l UNION ALL SELECT NULL, 8) s JOIN doc_view d ON s.doc = d.id WHERE tells(s.id)']) AS q;

-- S533: lists of users, of whom a statement that goes on asking finds all at once, while the role changes within that statement.
CREATE ROLE test_one;
CREATE ROLE test_two;
CREATE ROLE test_either;
GRANT test_one, test_two TO test_either;
INSERT INTO entitle.organization (organization_id, name) VALUES (701, 'one'), (702, 'two');
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (701, 701, 'all'), (702, 702, 'all');
INSERT INTO entitle.role_permission SELECT r, permission_key FROM entitle.permission, unnest('{701,702}'::bigint[]) AS r;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (701, 'one', 'test_one'), (702, 'two', 'test_two');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (701, 701, 701), (702, 702, 702);
INSERT INTO entitle.app_user (user_id, login) SELECT i, 'u' || i FROM generate_series(7000, 7999) AS i;
INSERT INTO entitle.membership (user_id, organization_id) SELECT i, CASE WHEN i < 7300 THEN 701 ELSE 702 END FROM generate_series(7000, 7998) AS i;
GRANT USAGE ON SCHEMA entitle TO test_one, test_two, test_either;
GRANT SELECT ON entitle.app_user TO test_one, test_two, test_either;
CREATE FUNCTION listed(who text, command text DEFAULT NULL) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF command IS NOT NULL THEN
        PERFORM set_config('role', 'none', true);
        EXECUTE command;
    END IF;
    PERFORM set_config('role', who, true);
    RETURN (SELECT count(*) FROM entitle.app_user);
END
$$;
CREATE FUNCTION undone() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    counted bigint;
BEGIN
    counted := listed('test_one', 'DELETE FROM entitle.membership WHERE user_id = 7001');
    RAISE EXCEPTION USING ERRCODE = 'P0042', MESSAGE = counted;
EXCEPTION WHEN SQLSTATE 'P0042' THEN
    RETURN SQLERRM;
END
$$;
SELECT is(concat_ws(' ', listed('test_one'), listed('test_two'), listed('test_either'), listed('test_one'), listed('test_two')), '301 700 0 301 700', 'S533: by roles in turns');
SELECT is(concat_ws(' ', listed('test_one'), listed('test_one', 'DELETE FROM entitle.membership WHERE user_id = 7000'), undone(), listed('test_one'),
                    listed('test_one', 'UPDATE entitle.app_user SET is_active = false WHERE user_id = 701'), listed('test_two')), '301 300 299 300 0 700',
          'S533: as memberships end, come back by a rollback, and users are switched off');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
