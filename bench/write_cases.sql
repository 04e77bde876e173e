-- Writes, measured against the same without entitle: recalculation against a hand-written UPDATE, grant_access against the bare
-- INSERT, COPY of grants against COPY without triggers. Prints ratios (entitle / by hand), medians of interleaved pairs.
--
--   tools/server run -d bench -c max_wal_size=8GB -- psql -X -f bench/write_cases.sql
--   ... -v customers=500000 -v rounds=5 -v grants=1000000
\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\if :{?customers} \else \set customers 500000 \endif
\if :{?rounds}    \else \set rounds 3 \endif
\if :{?grants}    \else \set grants 1000000 \endif

CREATE TABLE public.measured (name text, by_hand numeric, ours numeric);

-- Runs a command and tells the seconds it took.
CREATE FUNCTION public.seconds(command text) RETURNS numeric LANGUAGE plpgsql
    AS $$
DECLARE
    began CONSTANT timestamptz := clock_timestamp();
BEGIN
    EXECUTE command;
    RETURN extract(epoch FROM clock_timestamp() - began);
END
$$;
-- One side in a transaction that is undone, so that both sides meet the same tables.
CREATE PROCEDURE public.measure(name text, prepare text, by_hand text, ours text, rounds integer) LANGUAGE plpgsql
    AS $$
DECLARE
    took numeric[];
    side integer;
BEGIN
    FOR round IN 0 .. rounds LOOP
        took := '{0,0}';
        FOR turn IN 1 .. 2 LOOP
            side := CASE WHEN round % 2 = 0 THEN turn ELSE 3 - turn END;
            EXECUTE prepare;
            COMMIT;
            took[side] := public.seconds(CASE side WHEN 1 THEN by_hand ELSE ours END);
            ROLLBACK;
        END LOOP;
        -- The first pair warms up.
        IF round > 0 THEN
            INSERT INTO public.measured VALUES (name, took[1], took[2]);
            COMMIT;
        END IF;
    END LOOP;
END
$$;

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id, status, country, address, contact_email)
    SELECT g, 'customer ' || g, 'trade ' || g, g, 'ACTV', 'NO', 'street ' || g, 'c' || g || '@example.org' FROM generate_series(1, :customers) AS g;
INSERT INTO entitle.client_metric (metric_id, name, multiplier) SELECT m, 'metric ' || m, m / 4.0 FROM generate_series(1, 12) AS m;
INSERT INTO entitle.customer_metric SELECT g, m, (g * 7 + m * 13) % 101 FROM generate_series(1, :customers) AS g, generate_series(1, 12) AS m;
-- The same rows with no trigger, for what is written by hand.
CREATE TABLE public.plain (LIKE entitle.customer INCLUDING ALL);
INSERT INTO public.plain SELECT * FROM entitle.customer;
TRUNCATE entitle.change_log;
VACUUM ANALYZE;

\set score 'SELECT v.customer_id, round(sum(v.value * m.multiplier) / nullif(sum(m.multiplier), 0), 2) AS score FROM entitle.customer_metric v JOIN entitle.client_metric m ON m.metric_id = v.metric_id AND m.is_active GROUP BY v.customer_id'
\set by_hand 'UPDATE entitle.customer c SET client_score = s.score, scored_at = now() FROM (' :score ') s WHERE c.customer_id = s.customer_id AND c.status <> ''INAC'''
\set plain_by_hand 'UPDATE public.plain c SET client_score = s.score, scored_at = now() FROM (' :score ') s WHERE c.customer_id = s.customer_id AND c.status <> ''INAC'''

-- All scores change: each side begins where nobody has a score, and is undone.
CALL public.measure('control: by hand against by hand', 'SELECT', :'by_hand', :'by_hand', :rounds);
CALL public.measure('recalc, all change, same table', 'SELECT', :'by_hand', 'SELECT entitle.recalc_scores()', :rounds);
CALL public.measure('recalc, all change, by hand without triggers', 'SELECT', :'plain_by_hand', 'SELECT entitle.recalc_scores()', :rounds);

-- 1 % change: everybody has the right score, but for every hundredth.
SELECT entitle.recalc_scores() \g /dev/null
UPDATE public.plain p SET client_score = c.client_score, scored_at = c.scored_at FROM entitle.customer c WHERE c.customer_id = p.customer_id;
UPDATE entitle.customer SET client_score = 0 WHERE customer_id % 100 = 0;
UPDATE public.plain SET client_score = 0 WHERE customer_id % 100 = 0;
TRUNCATE entitle.change_log;
VACUUM FULL ANALYZE entitle.customer;
VACUUM FULL ANALYZE public.plain;
CALL public.measure('recalc, 1 % change, same table', 'SELECT', :'by_hand', 'SELECT entitle.recalc_scores()', :rounds);
CALL public.measure('recalc, 1 % change, by hand without triggers', 'SELECT', :'plain_by_hand', 'SELECT entitle.recalc_scores()', :rounds);

-- Grants.
INSERT INTO entitle.app_user (user_id, login) SELECT g, 'user ' || g FROM generate_series(1, 1000) AS g;
CREATE TABLE public.wanted AS
    SELECT DISTINCT ON (1, 2) 1 + (g / 20) % :customers AS customer_id, 1 + (g * 7 + g / 20) % 1000 AS user_id FROM generate_series(0, :grants - 1) AS g;
COPY (SELECT customer_id, user_id, 'L30', 30 FROM public.wanted) TO '/tmp/entitle_bench_grants.tsv';
ANALYZE;
CALL public.measure('grant_access, a call (1000 in a row)', 'SELECT',
    $$ DO $d$ BEGIN FOR i IN 1 .. 1000 LOOP EXECUTE 'INSERT INTO entitle.external_access (customer_id, user_id) VALUES ($1, $2)' USING i, i; END LOOP; END $d$ $$,
    $$ DO $d$ BEGIN FOR i IN 1 .. 1000 LOOP EXECUTE 'SELECT entitle.grant_access($1, $2)' USING i::bigint, 'user ' || i; END LOOP; END $d$ $$, 10);
CREATE TABLE public.grants (LIKE entitle.external_access INCLUDING ALL,
    FOREIGN KEY (customer_id) REFERENCES entitle.customer, FOREIGN KEY (user_id) REFERENCES entitle.app_user);
CREATE TABLE public.bare_grants (LIKE entitle.external_access INCLUDING ALL);
CALL public.measure('COPY of grants, against COPY with the foreign keys', 'SELECT',
    $$ COPY public.grants (customer_id, user_id, role, days_back) FROM '/tmp/entitle_bench_grants.tsv' $$,
    $$ COPY entitle.external_access (customer_id, user_id, role, days_back) FROM '/tmp/entitle_bench_grants.tsv' $$, :rounds);
CALL public.measure('COPY of grants, against COPY without foreign keys, too', 'SELECT',
    $$ COPY public.bare_grants (customer_id, user_id, role, days_back) FROM '/tmp/entitle_bench_grants.tsv' $$,
    $$ COPY entitle.external_access (customer_id, user_id, role, days_back) FROM '/tmp/entitle_bench_grants.tsv' $$, :rounds);

SELECT name AS "case", count(*) AS pairs, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY by_hand)::numeric, 3) AS by_hand_s,
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ours)::numeric, 3) AS entitle_s,
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ours / by_hand)::numeric, 2) AS ratio
FROM public.measured GROUP BY name ORDER BY min(ctid);
