-- What the eleventh attack made explanations tell (S520).
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.organization (organization_id, name) VALUES (500, 'home'), (510, 'elsewhere');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (500, 500, 'home'), (501, 500, 'second'), (510, 510, 'elsewhere'), (511, 510, 'another');
INSERT INTO entitle.brand_module SELECT b.brand_id, m.module_key FROM entitle.module m, (VALUES (500), (501), (510), (511)) AS b (brand_id);
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (500, 500, 'all'), (501, 500, 'gate'), (510, 510, 'all'), (502, 500, 'none');
INSERT INTO entitle.role_permission SELECT r, permission_key FROM entitle.permission, (VALUES (500), (510)) AS v (r);
INSERT INTO entitle.role_permission VALUES (501, 'customers.view'), (501, 'external_access.manage'), (501, 'conversions.view');
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id, brand_id) VALUES (1, 'n', 'n', 't', 500);
INSERT INTO entitle.app_user (user_id, login) VALUES
    (500, 'l80'), (501, 'gate'), (510, 'nowhere'), (511, 'one'), (512, 'several'), (513, 'closed'), (514, 'owner'), (515, 'second'), (520, 'here'), (521, 'both');
INSERT INTO entitle.external_access (customer_id, user_id, role)
SELECT 1, user_id, CASE user_id WHEN 500 THEN 'L80' ELSE 'L10' END FROM entitle.app_user WHERE user_id BETWEEN 500 AND 521 AND user_id <> 501;
INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id, is_owner) VALUES
    (501, NULL, 500, 501, false), (511, NULL, 510, 510, false), (512, 510, NULL, 510, false), (514, 510, NULL, NULL, true), (515, NULL, 501, 500, false),
    (520, NULL, 500, 500, false), (521, NULL, 500, 500, false), (521, NULL, 510, 510, false);
INSERT INTO entitle.organization (organization_id, name) VALUES (520, 'off');
INSERT INTO entitle.membership (user_id, organization_id) VALUES (513, 520);
UPDATE entitle.organization SET is_active = false WHERE organization_id = 520;

CREATE TABLE plain (id integer PRIMARY KEY, customer_id bigint, price integer);
CREATE TABLE branded (id integer PRIMARY KEY, customer_id bigint, brand_id bigint, price integer);
CREATE TABLE line (id integer PRIMARY KEY, plain integer NOT NULL REFERENCES plain);
INSERT INTO plain VALUES (1, 1, 10);
INSERT INTO branded VALUES (1, 1, 500, 10), (2, 1, 510, 10);
INSERT INTO line VALUES (1, 1);
SELECT entitle.protect_table('plain', 'customer_id', view_permission => 'conversions.view', min_level => 20, update_permission => 'conversions.update'),
       entitle.protect_table('branded', 'customer_id', brand_column => 'brand_id', view_permission => 'conversions.view', min_level => 20,
                             masked_columns => '{"price": 30}'),
       entitle.protect_table('line', parent => 'plain') \g /dev/null
GRANT SELECT, UPDATE ON plain, line TO test_app;
GRANT SELECT ON branded_view TO test_app;

-- What the asker is told of somebody, by all doors.
CREATE FUNCTION told(asker text, about text, brand bigint DEFAULT NULL) RETURNS text LANGUAGE sql
    AS $$
    SELECT replace(ask(asker, format(
        $q$ SELECT string_agg(concat_ws(' ', n, gate, passed, detail), E'\n' ORDER BY n, step)
            FROM (SELECT 1 AS n, e.* FROM entitle.explain_row('plain', '1', %1$L) e
                  UNION ALL SELECT 2, e.* FROM entitle.explain_row('branded_view', '1', %1$L) e
                  UNION ALL SELECT 3, e.* FROM entitle.explain_row('branded_view', '2', %1$L) e
                  UNION ALL SELECT 4, e.* FROM entitle.explain_row('line', '1', %1$L) e
                  UNION ALL SELECT 5, e.* FROM entitle.explain_action('plain', '1', 'update', %1$L) e
                  UNION ALL SELECT 6, e.* FROM entitle.explain_new_row('plain', '{"id": 7, "customer_id": 1}', 'insert', %1$L) e) t $q$, about), brand),
        '"' || about || '"', 'he')
    $$;
-- By an L80 of the customer, who may give access to it to whomever he likes; and by staff who manage the external access of its brand.
SELECT is(told(asker, about), told(asker, 'nowhere'), format('S520: %s is told the same of %s as of a user without any place', asker, about))
FROM unnest('{l80,gate}'::text[]) AS asker, unnest('{one,several,closed,owner,second}'::text[]) AS about;
SELECT is(told(asker, 'both'), told(asker, 'here'), format('S520: %s is told what holds in the own brand, and nothing of another', asker))
FROM unnest('{l80,gate}'::text[]) AS asker;
SELECT matches(told(asker, 'here'), '1 decision t allowed', format('R62: %s is told what a user holds in the customer''s brand', asker))
FROM unnest('{l80,gate}'::text[]) AS asker;
SELECT matches(told('l80', 'nowhere'), '1 privilege t what the user holds in places that you do not manage is not told', 'and that there may be more');
SELECT matches((SELECT string_agg(detail, ' ') FROM entitle.explain_row('plain', '1', 'one')), 'a member of brand "elsewhere" \(510\)',
               'R62: superusers are told of all places');
-- Who manages both brands of the organization is told of both.
UPDATE entitle.membership SET brand_id = NULL, organization_id = 500, role_id = 500 WHERE user_id = 501;
SELECT matches(told('gate', 'second', 500), '1 membership t a member of brand \S+ \(501\)', 'R62: who manages the members of another brand is told of those there');
SELECT is(told('gate', about, 500), told('gate', 'nowhere', 500), format('S520: and nothing of %s elsewhere', about)) FROM unnest('{one,several,closed,owner}'::text[]) AS about;

SELECT * FROM finish();
ROLLBACK;
