-- Customers live as R7 to R11 say, whoever writes and however: plain DML and the functions, as nobody, at each level of external
-- access, as each example role, as the table's owner and as a superuser (R53); links follow R19.
\ir setup.psql
SELECT no_plan();

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO test_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO test_app;

-- One user of each example role, and of two that have no view (R5).
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (81, 1, 'edit without view'), (82, 1, 'metrics without view');
INSERT INTO entitle.role_permission VALUES (81, 'customers.edit'), (82, 'customers.client_metrics'), (82, 'customers.edit');
INSERT INTO entitle.app_user (user_id, login) SELECT 100 + role_id, name FROM entitle.role;
INSERT INTO entitle.membership (user_id, organization_id, role_id) SELECT 100 + role_id, 1, role_id FROM entitle.role;
INSERT INTO entitle.app_user (user_id, login) VALUES (190, 'owner of another brand'), (191, 'organization''s owner');
INSERT INTO entitle.app_user (user_id, login) SELECT 200 + level, 'L' || level FROM unnest(ARRAY[10, 20, 30, 40, 80, 90]) AS level;
INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES (191, 1, true);
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (190, NULL, 'elsewhere');
INSERT INTO entitle.brand_module VALUES (190, 'customers');
INSERT INTO entitle.membership (user_id, brand_id) VALUES (190, 190);
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id, status, country, address, contact_email, status_before) VALUES
    (101, 1, 'a', 'a', '1', 'PAIN', NULL, NULL, NULL, NULL),
    (102, 1, 'b', 'b', '2', 'ACTV', 'c', 'a', 'e', NULL),
    (103, 1, 'c', 'c', '3', 'INAC', 'c', 'a', 'e', 'ACTV'),
    (104, 1, 'd', 'd', '4', 'INAC', NULL, NULL, NULL, 'PAIN'),
    (105, 190, 'e', 'e', '5', 'PAIN', NULL, NULL, NULL, NULL),
    (106, 1, 'f', 'f', '6', 'INAC', 'c', 'a', 'e', NULL);
INSERT INTO entitle.external_access (customer_id, user_id, role)
SELECT customer_id, user_id, login FROM entitle.customer, entitle.app_user WHERE login ~ '^L[0-9]+$';
INSERT INTO entitle.integration_link VALUES (102, 'invoices', 'i');

-- Runs a command as somebody and tells how it ended: rows, or the SQLSTATE, which comes with a hint. With undo it leaves
-- nothing behind.
CREATE FUNCTION tried(login text, command text, undo boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    touched text;
BEGIN
    touched := do_as(login, command);
    IF undo THEN
        RAISE EXCEPTION USING ERRCODE = 'P0042';
    END IF;
    RETURN touched;
EXCEPTION WHEN OTHERS THEN
    IF SQLSTATE = 'P0042' THEN
        RETURN touched;
    END IF;
    IF SQLSTATE IN ('42501', '23514', '22023') AND position('row-level security' IN SQLERRM) = 0 THEN
        DECLARE
            words text;
        BEGIN
            GET STACKED DIAGNOSTICS words = PG_EXCEPTION_HINT;
            IF words = '' THEN
                RETURN SQLSTATE || ' without a hint: ' || SQLERRM;
            END IF;
        END;
    END IF;
    RETURN SQLSTATE;
END
$$;
CREATE FUNCTION status_of(wanted bigint) RETURNS text LANGUAGE sql
    AS $$ SELECT status || coalesce('<' || status_before, '') FROM entitle.customer WHERE customer_id = wanted $$;

-- R5, R6, R7, R19: who may write at all; view alone writes nothing, and nothing goes without it. Who sees a row and may not write it is told so; for the others it is not there (R3).
CREATE TEMP TABLE writer (login, sees, may) AS
SELECT u.login, u.login IN ('customers-only viewer', 'read-only', 'reports reader') OR may, may
FROM (SELECT login FROM entitle.app_user WHERE login <> 'owner of another brand' UNION ALL VALUES (NULL)) AS u
CROSS JOIN LATERAL (SELECT coalesce(u.login IN ('sales', 'sales manager', 'organization''s owner'), false) AS may) m;
SELECT is((SELECT count(*) FROM writer), 17::bigint, 'nobody, six levels, seven example roles, two without view and an owner of the organization');
SELECT is(tried(login, command, undo => true), CASE WHEN may THEN '1' WHEN hides AND sees IS NOT TRUE THEN '0' ELSE '42501' END,
          format('R5, R6, %s: %s: %s', rule, coalesce(login, 'nobody'), what))
FROM writer
CROSS JOIN (VALUES
    ('R7', 'creating', false, 'INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES (''x'', ''x'', ''x'')'),
    ('R7', 'editing', true, 'UPDATE entitle.customer SET notes = ''x'' WHERE customer_id = 101'),
    ('R7', 'editing by ON CONFLICT', false,
     'INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, ''x'', ''x'', ''x'')
      ON CONFLICT (customer_id) DO UPDATE SET notes = ''x'''),
    ('R7', 'editing by MERGE', true,
     'MERGE INTO entitle.customer c USING (VALUES (101)) v (id) ON c.customer_id = v.id WHEN MATCHED THEN UPDATE SET notes = ''x'''),
    ('R9', 'completing', true, 'UPDATE entitle.customer SET country = ''c'', address = ''a'', contact_email = ''e'' WHERE customer_id = 101'),
    ('R10', 'deactivating', true, 'UPDATE entitle.customer SET status = ''INAC'' WHERE customer_id = 101'),
    ('R10', 'deactivating by the function', false, 'SELECT entitle.deactivate_customer(101)'),
    ('R10', 'reactivating', true, 'UPDATE entitle.customer SET status = ''ACTV'' WHERE customer_id = 103'),
    ('R10', 'reactivating by the function', false, 'SELECT entitle.reactivate_customer(103)'),
    ('R19', 'linking', false, 'INSERT INTO entitle.integration_link VALUES (102, ''freshbooks'', gen_random_uuid())'),
    ('R19', 'linking again', false,
     'INSERT INTO entitle.integration_link VALUES (102, ''invoices'', ''j'') ON CONFLICT (customer_id, provider) DO UPDATE SET external_id = excluded.external_id'),
    ('R19', 'changing a link', true, 'UPDATE entitle.integration_link SET external_id = ''j'' WHERE customer_id = 102'),
    ('R19', 'removing a link', true, 'DELETE FROM entitle.integration_link WHERE customer_id = 102')) AS c (rule, what, hides, command);
SELECT is(ask(login, 'SELECT coalesce(string_agg(DISTINCT status, '' '' ORDER BY status), ''none'') FROM entitle.customer'),
          CASE WHEN sees IS TRUE THEN 'ACTV INAC PAIN' ELSE 'none' END, format('R5, R6: %s reads customers', coalesce(login, 'nobody')))
FROM writer;
SELECT is(tried(login, command, undo => true), CASE WHEN sees IS TRUE OR command ~ '^(INSERT|SELECT)' THEN '42501' ELSE '0' END,
          format('R11, R17: %s: %s', coalesce(login, 'nobody'), command))
FROM writer, unnest(ARRAY[
    'UPDATE entitle.customer SET notes = ''x'' WHERE customer_id = 104', 'UPDATE entitle.customer SET client_score = 1 WHERE customer_id = 102',
    'UPDATE entitle.customer SET scored_at = now() WHERE customer_id = 102', 'SELECT entitle.deactivate_customer(103)',
    'INSERT INTO entitle.integration_link VALUES (103, ''freshbooks'', ''x'')', 'DELETE FROM entitle.customer WHERE customer_id = 106']) AS command;
SELECT is(tried('owner of another brand', 'INSERT INTO entitle.customer (brand_id, legal_name, trade_name, tax_id) VALUES (190, ''x'', ''x'', ''x'')'),
          '1', 'R25: a member of a standalone brand creates customers there');
SELECT is(tried('sales', 'DELETE FROM entitle.customer WHERE customer_id = 102'), '42501', 'customers are not deleted');

-- R8
SELECT is(tried('sales', format('INSERT INTO entitle.customer (legal_name, trade_name, tax_id, status) VALUES (''x'', ''x'', ''x'', %L)', status)),
          CASE status WHEN 'PAIN' THEN '1' ELSE '23514' END, format('R8: a customer created as %s', status))
FROM unnest(ARRAY['PAIN', 'ACTV', 'INAC', 'NONE', '']) AS status;
SELECT is(tried('sales', format('INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES (%L, %L, %L)', l, t, x)), '23514',
          format('R8: names %L, %L, %L', l, t, x))
FROM (VALUES ('', 'b', 'c'), ('a', E' \t', 'c'), ('a', 'b', E'\n')) AS v (l, t, x);
SELECT is(tried('sales', 'INSERT INTO entitle.customer (legal_name, trade_name, tax_id, client_score) VALUES (''x'', ''x'', ''x'', 1)'), '42501',
          'R17: a customer is not created with a score');
SELECT lives_ok('INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id, country, address, contact_email) VALUES (120, ''x'', ''x'', ''x'', ''c'', ''a'', ''e'')',
                'a complete customer is created');
SELECT is(status_of(120), 'PAIN', 'R9: a new customer is PAIN even when complete');

-- R9
SELECT is(tried('sales', 'UPDATE entitle.customer SET status = ''ACTV'' WHERE customer_id = 101'), '23514', 'R9: ACTV needs a full record');
SELECT is(tried('sales', 'UPDATE entitle.customer SET country = ''c'', address = ''a'', contact_email = '' '' WHERE customer_id = 101')
          || status_of(101), '1PAIN', 'R9: a blank field is not filled');
SELECT is(tried('sales', 'UPDATE entitle.customer SET contact_email = ''e'' WHERE customer_id = 101') || status_of(101), '1ACTV',
          'R9: a later save that leaves the record full activates');
SELECT is(tried('sales', 'UPDATE entitle.customer SET notes = ''n'' WHERE customer_id = 120') || status_of(120), '1ACTV',
          'R9: whatever that save writes');
SELECT is(tried('sales', 'UPDATE entitle.customer SET status = ''PAIN'' WHERE customer_id = 102'), '23514', 'R9: ACTV never falls back');
SELECT is(tried('sales', format('UPDATE entitle.customer SET %I = %L WHERE customer_id = 102', field, value)), '23514',
          format('R9: %s of an ACTV customer is not blanked with %L', field, value))
FROM unnest(ARRAY['country', 'address', 'contact_email']) AS field, unnest(ARRAY[NULL, '', ' ']) AS value;
SELECT is(tried('sales', 'UPDATE entitle.customer SET status = ''INAC'', country = NULL WHERE customer_id = 102'), '23514',
          'R9: not while it is deactivated, either');
SET LOCAL entitle.full_record_fields = 'notes';
SELECT is(tried('sales', 'UPDATE entitle.customer SET country = NULL WHERE customer_id = 102'), '1', 'R9: the setting says which fields');
SET LOCAL entitle.full_record_fields = 'nothing_of_it';
SELECT is(tried('sales', 'UPDATE entitle.customer SET country = ''c'' WHERE customer_id = 102'), '22023', 'R9: they must be columns');
RESET entitle.full_record_fields;

-- R10, R11
SELECT is(tried('sales', 'UPDATE entitle.customer SET status = ''INAC'' WHERE customer_id = 105'), '0', 'R3: a customer out of sight is not there');
SELECT is(tried('sales', format('SELECT entitle.%s(%s)', f, c)), '42501', format('R3: %s of a hidden customer and of none is the same', f))
FROM unnest(ARRAY['deactivate_customer', 'reactivate_customer']) AS f, unnest(ARRAY['105', '-1', 'NULL']) AS c;
SELECT is(tried('sales', command), ended, format('R11: %s', command))
FROM (VALUES
    ('UPDATE entitle.customer SET notes = ''x'' WHERE customer_id = 103', '42501'),
    ('UPDATE entitle.customer SET status = ''INAC'' WHERE customer_id = 103', '42501'),
    ('UPDATE entitle.customer SET status = ''ACTV'', notes = ''x'' WHERE customer_id = 103', '42501'),
    ('UPDATE entitle.customer SET brand_id = 190 WHERE customer_id = 103', '42501'),
    ('SELECT entitle.deactivate_customer(103)', '42501'),
    ('INSERT INTO entitle.integration_link VALUES (103, ''freshbooks'', ''x'')', '42501'),
    ('UPDATE entitle.customer SET status = ''PAIN'' WHERE customer_id = 103', '23514'),
    ('UPDATE entitle.customer SET status = ''ACTV'' WHERE customer_id = 104', '23514'),
    ('UPDATE entitle.customer SET status = ''ACTV'' WHERE customer_id = 106', '23514'),
    ('MERGE INTO entitle.customer c USING (VALUES (103)) v (id) ON c.customer_id = v.id WHEN MATCHED THEN UPDATE SET notes = ''x''', '42501'),
    ('INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (103, ''x'', ''x'', ''x'')
      ON CONFLICT (customer_id) DO UPDATE SET notes = ''x''', '42501')
) AS c (command, ended);
SELECT throws_matching($$ SELECT do_as('sales', 'UPDATE entitle.customer SET status = ''PAIN'' WHERE customer_id = 103') $$,
                       'restores the status ACTV, not PAIN', 'R10: the error names the right status');
SELECT is(tried('sales', 'UPDATE entitle.customer SET status = ''ACTV'' WHERE customer_id = 103') || status_of(103), '1ACTV', 'R10: back to ACTV');
SELECT is(tried('sales', 'UPDATE entitle.customer SET status = ''INAC'' WHERE customer_id = 103') || status_of(103), '1INAC<ACTV', 'R10: and again');
SELECT is(tried('sales', 'SELECT entitle.reactivate_customer(103)') || status_of(103), '1ACTV', 'R10: by the function');
SELECT is(tried('sales', 'SELECT entitle.reactivate_customer(103)'), '23514', 'R10: an ACTV customer is not reactivated');
SELECT is(tried('sales', 'SELECT entitle.reactivate_customer(104)') || status_of(104), '1PAIN', 'R10: back to PAIN');
SELECT is(tried('sales', 'SELECT entitle.deactivate_customer(104)') || status_of(104), '1INAC<PAIN', 'R10: PAIN to INAC');
SELECT is(tried('sales', 'SELECT entitle.reactivate_customer(106)') || status_of(106), '1PAIN', 'R10: one that came INAC begins again');
SELECT is(tried('sales', 'UPDATE entitle.customer SET status_before = ''ACTV'' WHERE customer_id = 104'), '42501',
          'R13: the status to restore is nobody''s to write');
SELECT is(tried('sales', 'UPDATE entitle.customer SET status = ''INAC'', status_before = ''ACTV'' WHERE customer_id = 106') || status_of(106),
          '1INAC<PAIN', 'R13: nor while deactivating');

-- R17
SELECT is(tried(login, 'UPDATE entitle.customer SET client_score = 1 WHERE customer_id = 102'), '42501', format('R17: %s writes no score', login))
FROM unnest(ARRAY['sales', 'sales manager']) AS login;
SELECT is(tried('sales', 'UPDATE entitle.customer SET client_score = client_score, notes = ''y'' WHERE customer_id = 102'), '1',
          'R17: an application that writes all columns may write the same score');

-- R19
SELECT is(tried('sales', 'INSERT INTO entitle.integration_link VALUES (102, ''freshbooks'', ''x'')'), '1', 'R19: a link is made');
SELECT is(tried('sales', format('INSERT INTO entitle.integration_link VALUES (102, %L, %L)', p, e)), '23514', format('R19: not %L, %L', p, e))
FROM (VALUES (' ', 'x'), ('other', '')) AS v (p, e);
SELECT is(tried('sales', 'UPDATE entitle.integration_link SET customer_id = 104 WHERE customer_id = 102'), '42501',
          'R19: not moved to an INAC customer');

-- The table's owner is bound, a superuser is not (R53).
CREATE ROLE test_owner;
GRANT USAGE ON SCHEMA entitle TO test_owner;
ALTER TABLE entitle.customer OWNER TO test_owner;
GRANT EXECUTE ON FUNCTION entitle.deactivate_customer, entitle.reactivate_customer TO test_owner;
ALTER TABLE entitle.integration_link OWNER TO test_owner;
GRANT SELECT ON ALL TABLES IN SCHEMA entitle TO test_owner;
INSERT INTO entitle.integration_link VALUES (103, 'invoices', 'i');
CREATE FUNCTION tried_as_owner(command text) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    SET LOCAL ROLE test_owner;
    EXECUTE command;
    RESET ROLE;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
SELECT is(tried_as_owner(command), '42501', format('the table''s owner, signed in as nobody: %s', command))
FROM unnest(ARRAY['INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES (''x'', ''x'', ''x'')',
                  'UPDATE entitle.customer SET notes = ''x''', 'DELETE FROM entitle.customer WHERE customer_id = 102',
                  'UPDATE entitle.customer SET client_score = 1', 'INSERT INTO entitle.integration_link VALUES (120, ''freshbooks'', ''x'')',
                  'UPDATE entitle.integration_link SET external_id = ''x''', 'DELETE FROM entitle.integration_link',
                  'SELECT entitle.deactivate_customer(102)', 'SELECT entitle.reactivate_customer(103)']) AS command;
SELECT lives_ok(command, format('R53: a superuser: %s', command))
FROM unnest(ARRAY['INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id, status, client_score) VALUES (130, ''x'', ''x'', ''x'', ''INAC'', 5)',
                  'UPDATE entitle.customer SET notes = ''x'' WHERE customer_id = 130', 'UPDATE entitle.customer SET status = ''ACTV'' WHERE customer_id = 130',
                  'UPDATE entitle.customer SET status = ''INAC'' WHERE customer_id = 130', 'INSERT INTO entitle.integration_link VALUES (130, ''freshbooks'', ''x'')',
                  'UPDATE entitle.integration_link SET external_id = ''x'' WHERE customer_id = 103', 'DELETE FROM entitle.integration_link WHERE customer_id = 103']) AS command;
SELECT is(status_of(130), 'INAC<ACTV', 'R10: what a superuser deactivates is remembered too');
SELECT throws_ok(command, '23514', NULL, format('R8: a superuser, too, is refused %s', command))
FROM unnest(ARRAY['UPDATE entitle.customer SET status = ''NONE'' WHERE customer_id = 130', 'UPDATE entitle.customer SET tax_id = '' '' WHERE customer_id = 130',
                  'UPDATE entitle.customer SET customer_code = '''' WHERE customer_id = 130']) AS command;
SET LOCAL session_replication_role = replica;
SELECT is(tried('sales', 'UPDATE entitle.customer SET notes = ''x'' WHERE customer_id = 104'), '42501', 'R11: under replica, too');
RESET session_replication_role;

SELECT * FROM finish();
ROLLBACK;
