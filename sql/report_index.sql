-- Reports of one customer or user find their rows by index, the past in the change log too: none reads a table whole.
-- Counters of the running transaction tell how each table was read.
-- A database of its own, where the rows' numbers are known.
SELECT current_database() AS home \gset
CREATE DATABASE regress_report;
\c regress_report
CREATE EXTENSION entitle;
INSERT INTO entitle.customer (legal_name, trade_name, tax_id) SELECT 'a', 'a', '1' FROM generate_series(1, 2000);
INSERT INTO entitle.app_user (login) SELECT 'u' || i FROM generate_series(1, 20000) AS i;
INSERT INTO entitle.external_access (customer_id, user_id)
SELECT c, 1 + (c * 7 + i) FROM generate_series(1, 2000) AS c, generate_series(1, 10) AS i;
UPDATE entitle.external_access SET role = 'L40' WHERE user_id % 3 = 0;
ANALYZE entitle.customer, entitle.app_user, entitle.external_access, entitle.change_log;
SELECT count(*) FROM entitle.change_log;

CREATE FUNCTION reads(report text) RETURNS TABLE (relation text, read_whole bigint, by_index boolean, found bigint)
    LANGUAGE plpgsql
    AS $$
DECLARE
    found_rows bigint;
BEGIN
    CREATE TEMP TABLE before ON COMMIT DROP AS SELECT relid, seq_scan, idx_scan FROM pg_stat_xact_all_tables WHERE schemaname = 'entitle';
    EXECUTE 'SELECT count(*) FROM entitle.' || report INTO found_rows;
    RETURN QUERY
        SELECT s.relname::text, s.seq_scan - b.seq_scan, s.idx_scan > b.idx_scan, found_rows
        FROM pg_stat_xact_all_tables s JOIN before b USING (relid)
        WHERE s.relname IN ('app_user', 'external_access', 'change_log') ORDER BY 1;
    DROP TABLE before;
END
$$;
SELECT * FROM reads('customer_access(7)');
SELECT * FROM reads('user_access(''u100'')');
SELECT * FROM reads('customer_access(7, clock_timestamp())');
SELECT * FROM reads('user_access(''u100'', clock_timestamp())');
SELECT * FROM reads('customer_access(7, ''2020-01-01'')');
\c :home
DROP DATABASE regress_report;
