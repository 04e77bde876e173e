-- The last step of every explanation is the answer of the check it explains: 10,000 permissions and 2,500 capabilities and
-- metrics in 25 random worlds, the rows of three tables of every kind of key as SELECT shows them, and every masked cell of
-- documents and their lines as the filtered views show it.
\ir setup.psql
SELECT no_plan();
SELECT setseed(0.7) \g /dev/null

-- One of the numbers from 1 to n.
CREATE FUNCTION pick(n integer) RETURNS integer LANGUAGE sql VOLATILE AS $$ SELECT 1 + floor(random() * n)::integer $$;

-- A random world beside those made before: two organizations, brands of them and alone, modules and plans, permissions with
-- prerequisites, roles on and off, users with up to three places.
CREATE FUNCTION make_world(w integer) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    base CONSTANT bigint := w * 1000;
BEGIN
    INSERT INTO entitle.organization (organization_id, name) SELECT base + i, format('o%s.%s', w, i) FROM generate_series(1, 2) i;
    INSERT INTO entitle.plan SELECT format('p%s', w);
    INSERT INTO entitle.module (module_key) SELECT format('m%s.%s', w, i) FROM generate_series(1, 3) i;
    INSERT INTO entitle.permission (permission_key, is_active) SELECT format('k%s.%s', w, i), random() < 0.9 FROM generate_series(1, 8) i;
    INSERT INTO entitle.permission_module (permission_key, module_key)
    SELECT format('k%s.%s', w, i), format('m%s.%s', w, pick(3)) FROM generate_series(1, 8) i WHERE random() < 0.5;
    INSERT INTO entitle.permission_prerequisite (permission_key, requires_key)
    SELECT format('k%s.%s', w, i), format('k%s.%s', w, pick(i - 1)) FROM generate_series(2, 8) i WHERE random() < 0.4;
    INSERT INTO entitle.plan_denial SELECT format('p%s', w), format('k%s.%s', w, pick(8));
    INSERT INTO entitle.metric (metric_key) SELECT format('r%s.%s', w, i) FROM generate_series(1, 3) i;
    INSERT INTO entitle.metric_module (metric_key, module_key)
    SELECT format('r%s.%s', w, i), format('m%s.%s', w, pick(3)) FROM generate_series(1, 3) i WHERE random() < 0.5;
    INSERT INTO entitle.capability (capability_key) SELECT format('c%s.%s', w, i) FROM generate_series(1, 3) i;
    INSERT INTO entitle.capability_permission (capability_key, alternative, permission_key)
    SELECT format('c%s.%s', w, i), pick(2), format('k%s.%s', w, pick(8)) FROM generate_series(1, 3) i, generate_series(1, 3)
    ON CONFLICT DO NOTHING;
    INSERT INTO entitle.brand (brand_id, organization_id, name, plan_key)
    SELECT base + i, CASE WHEN i < 5 THEN base + 1 + i % 2 END, format('b%s.%s', w, i), CASE WHEN random() < 0.4 THEN format('p%s', w) END
    FROM generate_series(1, 6) i;
    INSERT INTO entitle.brand_module (brand_id, module_key, is_enabled)
    SELECT base + b, format('m%s.%s', w, m), random() < 0.8 FROM generate_series(1, 6) b, generate_series(1, 3) m WHERE random() < 0.9;
    INSERT INTO entitle.role (role_id, organization_id, name, is_active)
    SELECT base + i, base + 1 + i % 2, format('r%s', i), random() < 0.85 FROM generate_series(1, 6) i;
    INSERT INTO entitle.role_permission (role_id, permission_key)
    SELECT base + r, format('k%s.%s', w, k) FROM generate_series(1, 6) r, generate_series(1, 8) k WHERE random() < 0.5;
    INSERT INTO entitle.role_metric (role_id, metric_key)
    SELECT base + r, CASE WHEN random() < 0.2 THEN '*' ELSE format('r%s.%s', w, pick(3)) END FROM generate_series(1, 6) r WHERE random() < 0.7;
    INSERT INTO entitle.app_user (user_id, login, is_active) SELECT base + i, format('u%s.%s', w, i), random() < 0.9 FROM generate_series(1, 10) i;
    INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id, is_owner)
    SELECT p.user_id, CASE WHEN p.whole THEN b.organization_id END, CASE WHEN NOT p.whole OR b.organization_id IS NULL THEN b.brand_id END,
           CASE WHEN b.organization_id IS NOT NULL AND random() < 0.9
               THEN (SELECT r.role_id FROM entitle.role r WHERE r.organization_id = b.organization_id AND p.user_id > 0 ORDER BY random() LIMIT 1) END,
           b.organization_id IS NOT NULL AND p.whole AND random() < 0.2
    FROM (SELECT base + u AS user_id, base + pick(6) AS brand_id, random() < 0.4 AS whole
          FROM generate_series(1, 10) u, generate_series(1, 3) WHERE random() < 0.6) p
    JOIN entitle.brand b USING (brand_id)
    ON CONFLICT DO NOTHING;
END
$$;
SELECT make_world(w) FROM generate_series(1, 25) w \g /dev/null

-- One question to a check and to its explanation, asked by the user (and of a superuser about the user, when active).
CREATE FUNCTION differs(kind text, login text, key text, brand bigint) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
    is_active CONSTANT boolean := (SELECT u.is_active FROM entitle.app_user u WHERE u.login = differs.login);
    own boolean;
    told boolean;
    told_others boolean;
BEGIN
    EXECUTE format('SELECT passed FROM entitle.explain_%s($1, $2, $3) ORDER BY step DESC LIMIT 1', kind)
        INTO told_others USING key, login, brand;
    IF NOT is_active THEN
        RETURN told_others IS DISTINCT FROM false;
    END IF;
    PERFORM entitle.sign_in(login);
    EXECUTE format('SELECT entitle.has_%s($1%s)', kind, CASE WHEN brand IS NOT NULL THEN ', $2' ELSE '' END) INTO own USING key, brand;
    EXECUTE format('SELECT passed FROM entitle.explain_%s($1, brand_id => $2) ORDER BY step DESC LIMIT 1', kind) INTO told USING key, brand;
    PERFORM entitle.sign_out();
    RETURN (own, own) IS DISTINCT FROM (told, told_others);
END
$$;
CREATE FUNCTION compare(kind text, letter text, keys integer, questions integer) RETURNS text
    LANGUAGE sql
    AS $$
    SELECT format('%s asked, %s differ', count(*), count(*) FILTER (WHERE differs(kind, q.login, q.key, q.brand)))
    FROM (SELECT format('u%s.%s', w, pick(10)) AS login,
                 CASE WHEN random() < 0.02 THEN 'unknown' ELSE format('%s%s.%s', letter, w, pick(keys)) END AS key,
                 CASE WHEN random() < 0.7 THEN w * 1000 + pick(7) END AS brand
          FROM generate_series(1, 25) w, generate_series(1, questions) OFFSET 0) q
    $$;
SELECT is(compare('permission', 'k', 8, 400), '10000 asked, 0 differ', 'explain_permission ends with has_permission');
SELECT is(compare('capability', 'c', 3, 50), '1250 asked, 0 differ', 'explain_capability ends with has_capability');
SELECT is(compare('metric', 'r', 3, 50), '1250 asked, 0 differ', 'explain_metric ends with has_metric');

-- Rows
INSERT INTO entitle.role_permission (role_id, permission_key)
SELECT r.role_id, k FROM entitle.role r, unnest(ARRAY['customers.view', 'conversions.view']) k WHERE r.role_id > 1000 AND random() < 0.4;
INSERT INTO entitle.brand_module (brand_id, module_key)
SELECT b.brand_id, m FROM entitle.brand b, unnest(ARRAY['customers', 'conversions']) m WHERE b.brand_id > 1000 AND random() < 0.8;
INSERT INTO entitle.customer (customer_id, customer_code, brand_id, legal_name, trade_name, tax_id)
SELECT b.brand_id, 'c' || b.brand_id, b.brand_id, 'a', 'a', '1' FROM entitle.brand b WHERE b.brand_id BETWEEN 1000 AND 2999;
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back, valid_from, valid_until)
SELECT c.customer_id, u.user_id, (ARRAY['L10', 'L20', 'L30', 'L40', 'L80'])[pick(5)], CASE WHEN random() < 0.7 THEN pick(60) - 1 END,
       CASE WHEN u.user_id % 2 = 0 AND random() < 0.3 THEN current_date + pick(3) - 2 END,
       CASE WHEN u.user_id % 2 = 1 AND random() < 0.3 THEN current_date + pick(3) - 2 END
FROM entitle.customer c
JOIN entitle.app_user u ON u.user_id / 1000 = c.customer_id / 1000
WHERE random() < 0.6;
CREATE TABLE by_id AS
    SELECT n AS row_id, c.customer_id, CASE WHEN random() < 0.9 THEN c.brand_id END AS brand_id,
           CASE WHEN random() < 0.9 THEN current_date + 5 - pick(70) END AS on_date
    FROM entitle.customer c, generate_series(1, 4) n WHERE random() < 0.9;
UPDATE by_id SET customer_id = NULL WHERE random() < 0.05;
CREATE TABLE by_code AS
    SELECT n AS row_id, c.customer_code, now() + interval '5 days' - pick(70) * interval '23 hours' AS at FROM entitle.customer c, generate_series(1, 4) n;
CREATE TABLE by_uuid AS SELECT n AS row_id, c.customer_uuid FROM entitle.customer c, generate_series(1, 4) n;
DO $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY['by_id', 'by_code', 'by_uuid'] LOOP
        EXECUTE format('CREATE SEQUENCE %1$I_ids; UPDATE %1$I SET row_id = nextval(''%1$I_ids''); ALTER TABLE %1$I ADD PRIMARY KEY (row_id);'
                       'GRANT SELECT ON %1$I TO test_app', relation);
    END LOOP;
    PERFORM entitle.protect_table('by_id', 'customer_id', 'on_date', 'brand_id', min_level => 20, view_permission => 'customers.view'),
            entitle.protect_table('by_code', 'customer_code', 'at', min_level => 30, view_permission => 'conversions.view'),
            entitle.protect_table('by_uuid', 'customer_uuid', min_level => 40);
END
$$;
GRANT EXECUTE ON FUNCTION entitle.use_customer TO test_app;
-- How many rows an explanation (one's own, and a superuser's about the user) tells otherwise than SELECT shows them.
CREATE FUNCTION compare_rows(relation regclass, login text, OUT asked integer, OUT visible integer, OUT wrong integer)
    LANGUAGE plpgsql
    AS $$
DECLARE
    all_rows text[];
    shown text[];
    own text[];
    others text[];
BEGIN
    EXECUTE format('SELECT array_agg(row_id::text ORDER BY row_id) || ''0''::text FROM %s', relation) INTO all_rows;
    PERFORM entitle.sign_in(login);
    SET LOCAL ROLE test_app;
    EXECUTE format('SELECT coalesce(array_agg(row_id::text ORDER BY row_id), ''{}'') FROM %s', relation) INTO shown;
    SELECT coalesce(array_agg(k ORDER BY k::integer), '{}') INTO own
    FROM unnest(all_rows) k WHERE (SELECT e.passed FROM entitle.explain_row(relation, k) e ORDER BY e.step DESC LIMIT 1);
    RESET ROLE;
    PERFORM entitle.sign_out();
    SELECT coalesce(array_agg(k ORDER BY k::integer), '{}') INTO others
    FROM unnest(all_rows) k WHERE (SELECT e.passed FROM entitle.explain_row(relation, k, login) e ORDER BY e.step DESC LIMIT 1);
    asked := cardinality(all_rows);
    visible := cardinality(shown);
    wrong := (shown <> own OR shown <> others)::integer;
END
$$;
CREATE TEMP TABLE reader AS
    SELECT r AS relation, u.login
    FROM unnest(ARRAY['by_id', 'by_code', 'by_uuid']::regclass[]) r,
         LATERAL (SELECT login FROM entitle.app_user WHERE is_active AND user_id / 1000 BETWEEN 1 AND 2 AND r IS NOT NULL ORDER BY random() LIMIT 17) u;
CREATE TEMP TABLE answer AS SELECT c.* FROM reader r, compare_rows(r.relation, r.login) c;
SELECT diag(format('%s rows asked about, %s shown', sum(asked), sum(visible))) FROM answer;
SELECT is((SELECT sum(wrong) FROM answer), 0::bigint, 'explain_row ends with what SELECT shows, to oneself and to a superuser');
SELECT ok((SELECT sum(asked) >= 2000 AND sum(visible) BETWEEN sum(asked) / 20 AND sum(asked) / 2 FROM answer),
          'that was asked of 2,000 rows and more, many shown and many hidden');

-- Masked cells: documents, lines and lines of lines, through the filtered views. No stored cell is NULL, so that a NULL is a
-- masked one.
CREATE TABLE paper (paper_id integer PRIMARY KEY, customer_code text, brand_id bigint, on_date date, price numeric NOT NULL,
                    discount numeric NOT NULL, note text NOT NULL, bank text NOT NULL);
CREATE TABLE paper_line (paper_id integer REFERENCES paper, line integer, amount numeric NOT NULL, margin numeric NOT NULL,
                         PRIMARY KEY (paper_id, line));
CREATE TABLE line_part (part_id uuid PRIMARY KEY, paper_id integer, line integer, made_in text NOT NULL,
                        FOREIGN KEY (paper_id, line) REFERENCES paper_line);
INSERT INTO paper SELECT row_number() OVER (), c.customer_code, i.brand_id, i.on_date + 20 - pick(40), 1, 1, 'n', 'b'
FROM generate_series(1, 5), by_id i LEFT JOIN entitle.customer c USING (customer_id);
INSERT INTO paper_line SELECT paper_id, n, n, n FROM paper, generate_series(1, 2) n;
INSERT INTO line_part SELECT md5(concat(paper_id, ' ', line))::uuid, paper_id, line, 'x' FROM paper_line WHERE random() < 0.8;
UPDATE line_part SET line = NULL WHERE random() < 0.05;
SELECT entitle.protect_table('paper', 'customer_code', 'on_date', 'brand_id', min_level => 10, view_permission => 'customers.view',
                             masked_columns => '{"price": 30, "discount": 30, "note": 20, "bank": 40}'),
       entitle.protect_table('paper_line', parent => 'paper', masked_columns => '{"amount": 20, "margin": 80}'),
       entitle.protect_table('line_part', parent => 'paper_line', masked_columns => '{"made_in": 40}') \g /dev/null
GRANT SELECT ON paper_view, paper_line_view, line_part_view TO test_app;
GRANT SELECT (paper_id) ON paper TO test_app;
GRANT EXECUTE ON FUNCTION entitle.use_brand TO test_app;
-- A row that shows, as its key and its masked columns; NULL for one that does not.
CREATE FUNCTION told_masks(relation regclass, key text, login text) RETURNS text
    LANGUAGE sql
    AS $$
    SELECT CASE WHEN bool_or(passed) FILTER (WHERE gate = 'decision')
                THEN concat_ws('|', key, string_agg(substring(detail FROM '"(.*?)"'), '|' ORDER BY step) FILTER (WHERE gate = 'mask' AND NOT passed)) END
    FROM entitle.explain_row(relation, key, login)
    $$;
-- How a filtered view shows every row to a user who chose a brand and a customer: its NULL cells, and what it names as masked;
-- and how explanations tell it, to the user and to a superuser.
CREATE FUNCTION compare_masks(relation regclass, key text, columns text[], login text, brand bigint, customer bigint,
                              OUT asked integer, OUT visible integer, OUT masked integer, OUT wrong text[])
    LANGUAGE plpgsql
    AS $$
DECLARE
    view CONSTANT regclass := relation || '_view';
    nulls CONSTANT text := (SELECT string_agg(format('CASE WHEN %I IS NULL THEN %L END', c, c), ', ' ORDER BY n)
                            FROM unnest(columns) WITH ORDINALITY AS u (c, n));
    all_rows text[];
    shown text[];
    named text[];
    own text[];
    others text[];
BEGIN
    EXECUTE format('SELECT array_agg(%s) FROM %s', key, relation) INTO all_rows;
    PERFORM entitle.sign_in(login);
    PERFORM entitle.use_brand(brand), entitle.use_customer(customer);
    SET LOCAL ROLE test_app;
    EXECUTE format($query$
        SELECT coalesce(array_agg(concat_ws('|', %1$s, %2$s)), '{}'),
               coalesce(array_agg(concat_ws('|', %1$s, nullif(array_to_string(masked_columns, '|'), ''))), '{}'),
               coalesce(sum(cardinality(masked_columns)), 0)
        FROM %3$s $query$, key, nulls, view)
        INTO shown, named, masked;
    own := ARRAY(SELECT t FROM unnest(all_rows) k, told_masks(view, k, NULL) t WHERE t IS NOT NULL);
    RESET ROLE;
    PERFORM entitle.use_brand(NULL), entitle.use_customer(NULL), entitle.sign_out();
    -- Nobody's choices count for another's question.
    others := CASE WHEN brand IS NOT NULL OR customer IS NOT NULL THEN own
                   ELSE ARRAY(SELECT t FROM unnest(all_rows) k, told_masks(relation, k, login) t WHERE t IS NOT NULL) END;
    asked := cardinality(all_rows);
    visible := cardinality(shown);
    wrong := ARRAY(SELECT format('%s to %s: %s', relation, login, w)
                   FROM unnest(shown || named || own || others) w
                   WHERE w <> ALL (shown) OR w <> ALL (named) OR w <> ALL (own) OR w <> ALL (others));
END
$$;
CREATE TEMP TABLE mask_answer AS
    SELECT c.*
    FROM (SELECT u.login, CASE WHEN random() < 0.3 THEN g.customer_id END AS customer, CASE WHEN random() < 0.3 THEN b.brand_id END AS brand
          FROM entitle.app_user u
          LEFT JOIN LATERAL (SELECT e.customer_id FROM entitle.external_access e
                             WHERE e.user_id = u.user_id AND entitle.user_access_level(e.user_id, e.customer_id) > 0 ORDER BY random() LIMIT 1) g ON true
          LEFT JOIN LATERAL (SELECT m.brand_id FROM entitle.membership m
                             WHERE m.user_id = u.user_id AND m.brand_id IS NOT NULL ORDER BY random() LIMIT 1) b ON true
          WHERE u.is_active AND u.user_id / 1000 BETWEEN 1 AND 2) r,
         (VALUES ('paper'::regclass, 'paper_id::text', '{price,discount,note,bank}'::text[]),
                 ('paper_line', 'jsonb_build_object(''line'', line, ''paper_id'', paper_id)::text', '{amount,margin}'),
                 ('line_part', 'part_id::text', '{made_in}')) AS v (relation, key, columns),
         compare_masks(v.relation, v.key, v.columns, r.login, r.brand, r.customer) c;
SELECT diag(format('%s rows asked about through filtered views, %s shown, %s cells of them masked', sum(asked), sum(visible), sum(masked))) FROM mask_answer;
SELECT is((SELECT coalesce(string_agg(w, E'\n'), '') FROM mask_answer, unnest(wrong) w), '',
          'explain_row tells every masked cell as the filtered view shows it, of documents, lines and lines of lines');
SELECT ok((SELECT sum(visible) >= 2000 AND sum(visible) <= sum(asked) * 2 / 3 AND sum(masked) >= 1000 FROM mask_answer),
          'that was compared for 2,000 shown rows and more with 1,000 masked cells and more, and for many hidden rows');

SELECT finish();
ROLLBACK;
