-- Whoever owns a SECURITY DEFINER function is told by explanations what a SELECT of the function's would: the privileges of its caller are
-- not lent to it (S253).
\ir setup.psql
SELECT no_plan();

CREATE ROLE test_spy;
CREATE SCHEMA hers AUTHORIZATION test_spy;
GRANT USAGE ON SCHEMA hers TO test_app;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'n', 'n', 't');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'odile'), (102, 'l20');
INSERT INTO entitle.membership (user_id, organization_id, role_id, is_owner) VALUES (101, 1, 7, true);
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 102, 'L20', NULL);
CREATE TABLE secret (id integer PRIMARY KEY, customer_id bigint, day date, price integer);
CREATE TABLE lines (id integer REFERENCES secret, n integer PRIMARY KEY);
INSERT INTO secret VALUES (1, 1, current_date, 7);
INSERT INTO lines VALUES (1, 1);
SELECT entitle.protect_table('secret', 'customer_id', 'day', min_level => 20, view_permission => 'customers.view', masked_columns => '{"price": 30}'),
       entitle.protect_table('lines', parent => 'secret') \g /dev/null
GRANT SELECT (id, customer_id, day) ON secret TO test_app;
GRANT SELECT ON secret_view, lines, lines_view TO test_app;

CREATE FUNCTION hers.answer(question text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE question INTO answer;
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
ALTER FUNCTION hers.answer(text) OWNER TO test_spy;
CREATE TABLE questions AS SELECT r.relation, format('SELECT string_agg(e.detail, ''; '') FROM entitle.%s e', format(q, r.relation)) AS question
FROM unnest('{secret,secret_view,lines,lines_view}'::text[]) AS r (relation), unnest(ARRAY['explain_row(%L, ''1'')', 'explain_action(%L, ''1'', ''update'')', 'explain_new_row(%L, ''{"id": 1}'')']) q;
GRANT SELECT ON questions TO test_app;
SELECT matches(ask(login, question), 'table public|customer|document|row', login || ' is told: ' || question) FROM questions, unnest('{odile,l20}'::text[]) AS login;
SELECT alike(ask(login, format('SELECT hers.answer(%L)', question)), '42501 permission denied for % ' || relation, 'S253: the function''s owner is not: ' || question)
FROM questions, unnest('{odile,l20}'::text[]) AS login;
SELECT alike(hers.answer(question), '42501 permission denied for % ' || relation, 'S253: nor by a superuser: ' || question) FROM questions;

-- What the owner reads of the key alone.
GRANT SELECT (id) ON secret TO test_spy;
SELECT unalike(ask('odile', format('SELECT hers.answer(%L)', question)), '%customer 1%', 'S253: nor of columns that the owner does not read: ' || question)
FROM questions WHERE relation = 'secret';
GRANT SELECT (customer_id, day) ON secret TO test_spy;
SELECT is(ask('odile', format('SELECT hers.answer(%L)', question)), ask('odile', question), 'what both read is told: ' || question) FROM questions WHERE relation = 'secret' AND question NOT LIKE '%new_row%';

SELECT * FROM finish();
ROLLBACK;
