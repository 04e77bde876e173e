-- Masks hold in every shape a statement can have (R36, S54, S57, S59, S76, S77): for every level, staff role and nobody, and every
-- masked column, each statement answers from the filtered view as it does from a plain table of what the user may see, which
-- is worked out here without entitle.
\ir setup.psql
SELECT no_plan();

CREATE TABLE orders (
    id integer PRIMARY KEY, customer_id bigint NOT NULL, brand_id bigint NOT NULL, placed_on date, item text NOT NULL,
    price numeric(10, 2), discount integer, note text COLLATE "C", paid_on date, extra jsonb);
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (2, 1, 'second');
INSERT INTO entitle.brand_module SELECT 2, module_key FROM entitle.module;
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id) SELECT i, 1 + i % 2, 'c', 'c', 'c' FROM generate_series(1, 6) i;
CREATE FUNCTION today() RETURNS date LANGUAGE sql AS $$ SELECT (statement_timestamp() AT TIME ZONE 'UTC')::date $$;
-- Among the rows: NULL under the mask, equal values, no date, infinite dates (S58).
INSERT INTO orders
SELECT i, 1 + i % 6, 1 + (1 + i % 6) % 2, CASE i % 10 WHEN 7 THEN NULL WHEN 8 THEN 'infinity' WHEN 9 THEN '-infinity' ELSE today() - i END,
       'item ' || i % 4, nullif(i % 7, 3) * 10, i % 5, nullif('note ' || i % 3, 'note 1'), today() - i, jsonb_build_object('a', i % 3)
FROM generate_series(1, 48) i;

-- One user a level; one of a level a customer; staff of every shipped role, of one brand, an owner; and nobody.
INSERT INTO entitle.app_user (user_id, login)
SELECT 100 + number, login FROM unnest(ARRAY['L10', 'L20', 'L30', 'L40', 'L80', 'L90', 'bookkeeper', 'stranger', 'reader', 'sales',
                                             'sales manager', 'brand clerk', 'owner', 'operations', 'customers only', 'conversions only',
                                             'reports']) WITH ORDINALITY AS u (login, number);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
SELECT c, 100 + l, 'L' || (ARRAY[10, 20, 30, 40, 80, 90])[l], CASE c % 3 WHEN 0 THEN 20 WHEN 1 THEN NULL ELSE 0 END
FROM generate_series(1, 5) c, generate_series(1, 6) l;
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
SELECT l, 107, 'L' || (ARRAY[10, 20, 30, 40, 80, 90])[l], 40 FROM generate_series(1, 6) l;
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (2, 112, 'L20'), (4, 112, 'L40');
INSERT INTO entitle.membership (user_id, organization_id, role_id, is_owner)
SELECT u.user_id, 1, r.role_id, u.login = 'owner'
FROM (VALUES ('reader', 'read-only'), ('sales', 'sales'), ('sales manager', 'sales manager'), ('owner', NULL), ('operations', 'operations user'),
             ('customers only', 'customers-only viewer'), ('conversions only', 'conversions-only viewer'), ('reports', 'reports reader')) AS m (login, role)
JOIN entitle.app_user u USING (login)
LEFT JOIN entitle.role r ON r.name = m.role AND r.organization_id = 1;
INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (112, 1, 7);

CREATE TABLE mask (column_name name, level integer);
INSERT INTO mask VALUES ('price', 30), ('discount', 30), ('note', 40), ('paid_on', 80), ('extra', 90);
GRANT SELECT ON orders TO test_app;

CREATE ROLE test_reader;
GRANT SELECT, UPDATE ON orders TO test_reader; -- UPDATE for the shapes that lock
SELECT entitle.protect_table('orders', 'customer_id', 'placed_on', 'brand_id', min_level => 20, view_permission => 'customers.view',
                             masked_columns => (SELECT jsonb_object_agg(column_name, level) FROM mask));

-- What the rules say of a row, in plain SQL.
CREATE FUNCTION naive_rows(who text) RETURNS TABLE (LIKE orders_view)
    LANGUAGE sql
    AS $$
    SELECT o.id, o.customer_id, o.brand_id, o.placed_on, o.item,
           CASE WHEN m.level >= 30 THEN o.price END, CASE WHEN m.level >= 30 THEN o.discount END,
           CASE WHEN m.level >= 40 THEN o.note END, CASE WHEN m.level >= 80 THEN o.paid_on END,
           CASE WHEN m.level >= 90 THEN o.extra END,
           ARRAY(SELECT k.column_name::text FROM mask k WHERE k.level > m.level
                 ORDER BY array_position(ARRAY['price', 'discount', 'note', 'paid_on', 'extra'], k.column_name::text))
    FROM orders o
    LEFT JOIN LATERAL (SELECT substr(g.role, 2)::integer AS level, g.days_back
                       FROM entitle.external_access g JOIN entitle.app_user u USING (user_id)
                       WHERE u.login = who AND g.customer_id = o.customer_id) g ON true
    CROSS JOIN LATERAL (SELECT who IN ('reader', 'sales', 'sales manager', 'owner', 'customers only', 'reports') OR who = 'brand clerk' AND o.brand_id = 1 AS shows) p
    CROSS JOIN LATERAL (SELECT CASE WHEN p.shows THEN 90 ELSE g.level END AS level) m
    WHERE p.shows OR g.level >= 20 AND (g.days_back IS NULL OR o.placed_on >= today() - g.days_back)
    $$;
CREATE TABLE naive (LIKE orders_view);
GRANT SELECT, UPDATE ON naive TO PUBLIC;

-- What a leaky function sees, as cheap as can be so that it is tried first (S54).
CREATE FUNCTION leak(value text) RETURNS boolean
    LANGUAGE plpgsql COST 0.0000001
    AS $$ BEGIN PERFORM set_config('test.seen', current_setting('test.seen', true) || '<' || coalesce(value, 'NULL') || '>', false); RETURN true; END $$;
CREATE FUNCTION leak_compare(a text, b text) RETURNS boolean
    LANGUAGE plpgsql COST 0.0000001
    AS $$ BEGIN PERFORM leak(a); RETURN a = b; END $$;
CREATE OPERATOR <=?=> (PROCEDURE = leak_compare, LEFTARG = text, RIGHTARG = text, RESTRICT = eqsel);

-- T is the view or the plain table, C the masked column.
CREATE TABLE shape (number integer GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO shape (statement) VALUES
    ('SELECT * FROM T'), ('SELECT C FROM T'), ('SELECT T FROM T'), ('SELECT (T).C FROM T'), ('SELECT (T).* FROM T'),
    ('SELECT row_to_json(T) FROM T'), ('SELECT to_jsonb(T) - ''id'' FROM T'), ('SELECT T::text FROM T'), ('SELECT C::text || ''x'' FROM T'),
    ('SELECT coalesce(C::text, ''none'') FROM T'), ('SELECT id FROM T WHERE C IS NULL'), ('SELECT id FROM T WHERE C IS NOT NULL'),
    ('SELECT id FROM T WHERE C::text > ''2'''), ('SELECT id FROM T WHERE C::text LIKE ''%1%'''), ('SELECT id FROM T WHERE C = (SELECT C FROM T WHERE id = 12)'),
    ('SELECT id FROM T WHERE C IN (SELECT C FROM T WHERE id < 20)'), ('SELECT id FROM T WHERE C NOT IN (SELECT C FROM T WHERE C IS NOT NULL AND id < 9)'),
    ('SELECT id FROM T WHERE C = ANY (ARRAY(SELECT C FROM T))'), ('SELECT id FROM T WHERE C IS DISTINCT FROM (SELECT max(C::text) FROM T)::text::pg_temp_type'),
    ('SELECT a.id, b.id FROM T a JOIN T b ON a.C = b.C AND a.id < b.id'), ('SELECT a.id, b.C FROM T a LEFT JOIN T b ON a.C = b.C AND b.id = a.id + 6'),
    ('SELECT a.id, b.id FROM T a FULL JOIN (SELECT * FROM T WHERE id > 24) b USING (C)'), ('SELECT a.id FROM T a NATURAL JOIN T b'),
    ('SELECT id FROM T a WHERE EXISTS (SELECT FROM T b WHERE b.C = a.C AND b.id <> a.id)'),
    ('SELECT a.id, l.C FROM T a, LATERAL (SELECT b.C FROM T b WHERE b.id >= a.id ORDER BY b.id LIMIT 2) l'),
    ('SELECT id, row_number() OVER (ORDER BY C, id) FROM T'), ('SELECT array_agg(id ORDER BY C, id) FROM T'), ('SELECT array_agg(id ORDER BY C DESC NULLS LAST, id) FROM T'),
    ('SELECT id FROM T ORDER BY C NULLS FIRST, id LIMIT 5'), ('SELECT C, id FROM T ORDER BY 1, 2 OFFSET 3'), ('SELECT id FROM (SELECT * FROM T ORDER BY C, id FETCH FIRST 4 ROWS WITH TIES) x'),
    ('SELECT C, count(*) FROM T GROUP BY C'), ('SELECT count(*) FROM T GROUP BY C HAVING C IS NOT NULL'), ('SELECT count(*) FROM T HAVING max(C::text) > ''1'''),
    ('SELECT C, item, count(*) FROM T GROUP BY ROLLUP (C, item)'), ('SELECT C, item, grouping(C) FROM T GROUP BY CUBE (C, item)'),
    ('SELECT C, customer_id, count(*) FROM T GROUP BY GROUPING SETS ((C), (customer_id), ())'),
    ('SELECT DISTINCT C FROM T'), ('SELECT DISTINCT ON (C) C, id FROM T ORDER BY C, id'), ('SELECT count(DISTINCT C) FROM T'), ('SELECT count(C) FROM T'),
    ('SELECT min(C::text), max(C::text) FROM T'), ('SELECT string_agg(C::text, '','' ORDER BY id) FROM T'), ('SELECT json_agg(C ORDER BY id) FROM T'),
    ('SELECT json_object_agg(id, C ORDER BY id) FROM T'), ('SELECT count(*) FILTER (WHERE C IS NULL) FROM T'), ('SELECT bool_and(C IS NULL) FROM T'),
    ('SELECT mode() WITHIN GROUP (ORDER BY C::text) FROM T'), ('SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY C::text) FROM T'),
    ('SELECT id, lag(C) OVER (ORDER BY id), first_value(C) OVER (PARTITION BY item ORDER BY id) FROM T'), ('SELECT id, rank() OVER (PARTITION BY item ORDER BY C) FROM T'),
    ('SELECT id, count(*) OVER (PARTITION BY C) FROM T'), ('SELECT id, dense_rank() OVER w FROM T WINDOW w AS (ORDER BY C::text)'),
    ('SELECT C FROM T UNION SELECT C FROM T'), ('SELECT C FROM T EXCEPT SELECT C FROM T WHERE id > 9'), ('SELECT C FROM T INTERSECT ALL SELECT C FROM T WHERE id > 9'), ('SELECT C FROM T UNION ALL TABLE only_c'),
    ('WITH w AS (SELECT * FROM T) SELECT C FROM w WHERE C IS NOT NULL'), ('WITH w AS MATERIALIZED (SELECT C, id FROM T) SELECT * FROM w'),
    ('WITH RECURSIVE w AS (SELECT id, C FROM T WHERE id = 12 UNION ALL SELECT t.id, t.C FROM T t JOIN w ON t.id = w.id + 6) SELECT * FROM w'),
    ('SELECT CASE WHEN C IS NULL THEN 0 ELSE id END FROM T'), ('SELECT CASE C::text WHEN ''10.00'' THEN id END FROM T'), ('SELECT (C IS NOT NULL)::int * id FROM T'),
    ('SELECT greatest(C, C), least(C, C), nullif(C, C) FROM T'), ('SELECT md5(C::text), length(C::text) FROM T'), ('SELECT ROW(C, id) FROM T'), ('SELECT ROW(C) = ROW(C) FROM T'),
    ('SELECT ARRAY[C] FROM T'), ('SELECT unnest(ARRAY[C, C]), id FROM T'), ('SELECT (SELECT x.C FROM T x WHERE x.id = T.id) FROM T'), ('SELECT id, masked_columns FROM T'),
    ('SELECT id FROM T WHERE ''C'' = ANY (masked_columns)'), ('SELECT id, 1 / (coalesce(length(C::text), 0) - 3) FROM T WHERE coalesce(length(C::text), 0) <> 3'),
    ('SELECT x.* FROM T, jsonb_each_text(to_jsonb(T)) x'), ('SELECT * FROM (SELECT id, C AS hidden FROM T) s WHERE hidden IS NOT NULL'), ('SELECT id FROM T WHERE (C, id) > (C, 12)'),
    ('SELECT id FROM T WHERE C BETWEEN C AND C'), ('SELECT xmlforest(C::text AS c)::text FROM T'), ('SELECT format(''%s %L'', C, C) FROM T'), ('SELECT pg_typeof(C), pg_column_size(C) FROM T'),
    ('SELECT id FROM T WHERE leak(C::text)'), ('SELECT id FROM T WHERE C::text <=?=> ''10.00'''), ('SELECT leak(C::text) AND leak(item) FROM T'), ('SELECT id FROM T WHERE leak(item) AND leak(T::text)'),
    ('SELECT id, C FROM (SELECT * FROM T FOR UPDATE SKIP LOCKED) l'), ('SELECT id, C FROM (SELECT * FROM T ORDER BY C, id LIMIT 4 FOR NO KEY UPDATE NOWAIT) l'),
    ('SELECT id FROM (SELECT * FROM T WHERE C IS NOT NULL FOR SHARE) l'), ('SELECT a.id, b.C FROM (SELECT * FROM T FOR KEY SHARE SKIP LOCKED) a JOIN T b USING (C)'),
    ('SELECT id, C FROM (SELECT * FROM T WHERE leak(C::text) FOR UPDATE SKIP LOCKED) l');
UPDATE shape SET statement = 'SELECT id FROM T WHERE C::text IS DISTINCT FROM (SELECT max(C::text) FROM T)' WHERE statement ~ 'pg_temp_type';
UPDATE shape SET statement = 'SELECT C FROM T UNION ALL SELECT C FROM T' WHERE statement ~ 'only_c';

-- Runs a statement and tells its rows, what the leaky functions saw, and its error if it had one.
CREATE FUNCTION outcome(statement text, way text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    whole CONSTANT text := format('SELECT string_agg(r::text, E''\n'' ORDER BY r::text) FROM (%s) r', statement);
    answer text;
    line record;
BEGIN
    PERFORM set_config('test.seen', '', false);
    CASE way
        WHEN 'direct' THEN
            EXECUTE whole INTO answer;
        WHEN 'prepared' THEN
            EXECUTE 'PREPARE shaped AS ' || whole;
            EXECUTE 'EXECUTE shaped' INTO answer;
            DEALLOCATE shaped;
        WHEN 'copied' THEN
            EXECUTE 'CREATE TEMP TABLE copied AS ' || statement;
            SELECT string_agg(r::text, E'\n' ORDER BY r::text) INTO answer FROM copied r;
            DROP TABLE copied;
        WHEN 'looped' THEN
            FOR line IN EXECUTE 'SELECT r::text AS row FROM (' || statement || ') r ORDER BY 1' LOOP
                answer := concat_ws(E'\n', answer, line.row);
            END LOOP;
    END CASE;
    RETURN coalesce(answer, 'no rows') || E'\nseen ' || coalesce((
        SELECT string_agg(DISTINCT s, '<' ORDER BY s) FROM regexp_split_to_table(current_setting('test.seen', true), '<') s), '');
EXCEPTION WHEN OTHERS THEN
    -- Text of another relation's name is no difference.
    RETURN SQLSTATE;
END
$$;

CREATE FUNCTION differences(who text) RETURNS TABLE (statement text, way text, seen text, expected text)
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM naive;
    INSERT INTO naive SELECT * FROM naive_rows(who);
    IF who IS NOT NULL THEN
        PERFORM entitle.sign_in(who);
    END IF;
    SET LOCAL ROLE test_reader;
    RETURN QUERY
        SELECT d.* FROM (
            SELECT q.statement, q.way, outcome(replace(q.statement, '@', 'orders_view'), q.way) AS seen,
                   outcome(replace(q.statement, '@', 'naive'), q.way) AS expected
            FROM (SELECT regexp_replace(regexp_replace(s.statement, '\mC\M', m.column_name, 'g'), '\mT\M', '@', 'g') AS statement, w.way
                  FROM shape s, mask m, unnest(ARRAY['direct', 'prepared', 'copied', 'looped']) WITH ORDINALITY AS w (way, number)
                  WHERE w.number = 1 OR s.number % 7 = w.number) q) d
        WHERE replace(d.seen, 'orders_view', 'naive') IS DISTINCT FROM d.expected
          -- A cheap function may see fewer rows in one plan than in another, never more than show.
          AND NOT (d.statement ~ 'leak|<=.=>' AND split_part(d.seen, E'\nseen', 1) = split_part(d.expected, E'\nseen', 1)
                   AND string_to_array(split_part(d.seen, E'\nseen ', 2), '<') <@ string_to_array(split_part(d.expected, E'\nseen ', 2), '<'));
    RESET ROLE;
    PERFORM entitle.sign_out();
END
$$;
GRANT SELECT ON shape, mask TO test_reader;
GRANT TEMPORARY ON DATABASE pgtap TO test_reader;

CREATE TEMP TABLE who AS SELECT login FROM entitle.app_user WHERE user_id > 100 UNION ALL SELECT NULL;
SELECT cmp_ok((SELECT count(*) FROM shape)::integer, '>=', 60, 'there are at least sixty shapes of statements');
SELECT is((SELECT count(*) FROM entitle.role r WHERE r.organization_id = 1 AND NOT EXISTS (SELECT FROM entitle.membership m WHERE m.role_id = r.role_id)), 0::bigint,
          'somebody has each of the shipped roles');
SELECT is((SELECT string_agg(format('%s %s', coalesce(login, 'nobody'), (SELECT count(*) FROM naive_rows(login))), ', ' ORDER BY login) FROM who WHERE login ~ '^[Lbscr]'),
          (SELECT string_agg(format('%s %s', login, ask(login, 'SELECT count(*) FROM orders_view')), ', ' ORDER BY login) FROM who WHERE login ~ '^[Lbscr]'),
          'the view has as many rows as the naive model');
SELECT is_empty(format('SELECT * FROM differences(%L)', login),
                format('R36: %s gets from every statement what the naive model gives', coalesce(login, 'nobody')))
FROM who;
-- A statement that fails compares nothing.
CREATE FUNCTION answered(who text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    shapes bigint;
BEGIN
    DELETE FROM naive;
    INSERT INTO naive SELECT * FROM naive_rows(who);
    SELECT count(*) INTO shapes
    FROM (SELECT s.number
          FROM shape s, mask m
          GROUP BY s.number
          HAVING bool_and(outcome(regexp_replace(regexp_replace(s.statement, '\mC\M', m.column_name, 'g'), '\mT\M', 'naive', 'g'), 'direct') !~ '^[0-9A-Z]{5}$')) a;
    RETURN shapes;
END
$$;
SELECT cmp_ok(answered(login), '>=', (SELECT count(*) FROM shape WHERE statement !~ 'xml'), -- not every server can do XML
              format('%s gets an answer from every shape, whatever the masked column', login))
FROM unnest(ARRAY['L20', 'bookkeeper', 'reader']) AS login;
-- The comparison notices: one cell more is a difference.
CREATE FUNCTION spoiled() RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    seen bigint;
BEGIN
    UPDATE mask SET level = 20 WHERE column_name = 'price';
    CREATE OR REPLACE FUNCTION naive_rows(who text) RETURNS TABLE (LIKE orders_view) LANGUAGE sql AS
        'SELECT o.*, ''{}''::text[] FROM orders o WHERE o.id < 9';
    SELECT count(*) INTO seen FROM differences('L20');
    RETURN seen;
END
$$;
SELECT cmp_ok(spoiled(), '>', 100::bigint, 'a model that shows another cell differs in most statements');

-- S76: what the planner expects does not tell masked values.
CREATE FUNCTION expected_rows(condition text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) SELECT id FROM orders_view WHERE ' || condition INTO plan;
    RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END
$$;
ANALYZE orders;
-- For an L20 the price is NULL from the start; for the bookkeeper it is asked of each row.
SELECT is(ask(login, format('SELECT count(DISTINCT expected_rows(c)) FROM unnest(%L::text[]) AS c', conditions)), '1',
          format('S76: the rows expected of a masked column are the same for every bound: %s, %s', login, conditions))
FROM unnest(ARRAY['L20', 'bookkeeper']) AS login,
     (VALUES ('{price < 1,price < 30,price < 1e6}'), ('{discount < 1,discount < 3,discount < 100}'), ('{price = 10,price = 11}'),
             ('{paid_on < ''2000-01-01'',paid_on < ''2100-01-01''}')) AS c (conditions);
SELECT is(ask('L20', $$ SELECT count(*) FROM pg_stats WHERE tablename IN ('orders', 'orders_view') $$), '0', 'S56: and pg_stats shows nothing');

SELECT * FROM finish();
ROLLBACK;
