-- The tour: what each kind of user gets from one and the same statement, and why. It connects as the application does, and
-- stops with an error as soon as anything differs from what it expects.
\connect - shop_app
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.expect(what text, seen text, expected text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF seen IS DISTINCT FROM expected THEN
        RAISE EXCEPTION '%: got "%", expected "%"', what, seen, expected;
    END IF;
END
$$;

-- Runs a statement that may be denied, and tells what came of it.
CREATE FUNCTION pg_temp.try(statement text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    rows_written bigint;
    hint text;
BEGIN
    EXECUTE statement;
    GET DIAGNOSTICS rows_written = ROW_COUNT;
    RETURN format('done, %s row(s)', rows_written);
EXCEPTION
    WHEN insufficient_privilege THEN
        GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
        RETURN format('ERROR %s: %s', SQLSTATE, concat_ws(E'\n       ', SQLERRM, nullif(hint, '')));
END
$$;

-- Prepared once: every user below executes the same statement in the same connection.
PREPARE what_i_see AS
    SELECT (SELECT count(*) FROM entitle.customer_profile) AS customers,
           count(*) AS orders,
           coalesce(sum(amount), 0) AS amount,
           coalesce(current_date - min(placed_on) || ' d', '-') AS oldest,
           (SELECT count(*) FROM shop.invoices) AS invoices
    FROM shop.orders;

-- The reason, from the checks an application has. Own grants show to each user in entitle.external_access.
PREPARE why AS
    SELECT coalesce(
        (SELECT string_agg(
             format('access_level %s on %s, days_back_filter %s',
                    entitle.access_level(g.customer_id),
                    coalesce(p.trade_name, 'customer ' || g.customer_id),
                    (SELECT string_agg(format('%sd:%s', d,
                                              left(entitle.days_back_filter(g.customer_id, current_date - d)::text, 1)),
                                       ' ' ORDER BY d)
                     FROM unnest(ARRAY[5, 21, 48, 113, 243]) AS d)),
             E'\n    ' ORDER BY entitle.access_level(g.customer_id) DESC)
         FROM entitle.external_access g
         LEFT JOIN entitle.customer_profile p USING (customer_id)
         WHERE g.user_id = entitle.current_user_id()),
        (SELECT string_agg(
             format('%s: %s', k,
                    coalesce((SELECT string_agg(b.name, '+' ORDER BY b.brand_id)
                              FROM entitle.brand b
                              WHERE b.brand_id = ANY (entitle.permitted_brands(k))), 'no')), ', ' ORDER BY n)
         FROM unnest(ARRAY['customers.view', 'orders.view', 'invoices.view']) WITH ORDINALITY AS w (k, n))) AS reason;

\echo 'Who sees what. One prepared statement, one connection (shop_app, an ordinary role):'
\echo '    SELECT (SELECT count(*) FROM entitle.customer_profile), count(*), sum(amount),'
\echo '           current_date - min(placed_on), (SELECT count(*) FROM shop.invoices)'
\echo '    FROM shop.orders'
\echo

SELECT format('%-41s %9s %6s %9s %6s %8s', 'user', 'customers', 'orders', 'amount', 'oldest', 'invoices');

\set login odile
\set title 'owner of Tidewater (Tea, Tools)'
\set expected '10 50 40'
\ir visit.sql
\set login mara
\set title 'sales manager'
\set expected '10 50 40'
\ir visit.sql
\set login sven
\set title 'sales, in Tea only'
\set expected '6 30 0'
\ir visit.sql
\set login petra
\set title 'operations user'
\set expected '0 50 0'
\ir visit.sql
\set login rui
\set title 'reports reader'
\set expected '10 50 40'
\ir visit.sql
\set login clara
\set title 'conversions-only viewer'
\set expected '0 0 0'
\ir visit.sql
\set login kofi
\set title 'customers-only viewer'
\set expected '10 0 0'
\ir visit.sql
\set login ruth
\set title 'read-only, in Tools only'
\set expected '4 0 0'
\ir visit.sql
\set login lars
\set title 'member of Books, no role'
\set expected '2 10 8'
\ir visit.sql

\set login ines@birch
\set title 'L10 Basic, 30 days'
\set expected '1 0 0'
\ir visit.sql
\set login tom@oldmill
\set title 'L20 Orders, 7 days'
\set expected '1 1 0'
\ir visit.sql
\set login yuki@bluefin
\set title 'L30 Prices, 30 days'
\set expected '1 2 0'
\ir visit.sql
\set login dora@harrow
\set title 'L40 Billing, 90 days; L20, 7'
\set expected '2 4 2'
\ir visit.sql
\set login hugo@stonebridge
\set title 'L80 Admin, 180 days'
\set expected '1 4 3'
\ir visit.sql
\set login oona@apex
\set title 'L90 Owner, unlimited'
\set expected '1 5 4'
\ir visit.sql
\set login emil@fen
\set title 'L40, ended ten days ago'
\set expected '0 0 0'
\ir visit.sql

EXECUTE what_i_see \gset
SELECT format('%-41s %9s %6s %9s %6s %8s', 'nobody signed in', :'customers', :'orders', :'amount', :'oldest', :'invoices');
SELECT pg_temp.expect('nobody', concat_ws(' ', :'customers', :'orders', :'invoices'), '0 0 0') \g /dev/null
\set expected 'ERROR 42501: this login may not sign in'
SELECT pg_temp.try($$SELECT entitle.sign_in('nils@birch')$$) AS answer \gset
\echo nils@birch, switched off
\echo '    sign_in:' :answer
SELECT pg_temp.expect('an inactive user', left(:'answer', length(:'expected')), :'expected') \g /dev/null

\echo
\echo '--- Why does a user not see a row? Superusers and those who manage the customer ask in one statement ...'
\set statement 'SELECT gate, passed, detail FROM entitle.explain_row(\'shop.orders\', \'38\', \'tom@oldmill\')'
\ir dba.sql
\echo '... and Tom himself learns no more of it than of a row that does not exist.'
BEGIN;
SELECT entitle.sign_in('tom@oldmill') \gset
SELECT string_agg(detail, '; ' ORDER BY step) AS hidden FROM entitle.explain_row('shop.orders', '38') \gset
SELECT string_agg(detail, '; ' ORDER BY step) AS missing FROM entitle.explain_row('shop.orders', '999999') \gset
SELECT pg_temp.expect('a hidden row', :'hidden', :'missing') \g /dev/null
SELECT '    ' || detail FROM entitle.explain_row('shop.orders', '38') WHERE gate = 'row';
COMMIT;

\echo
\echo '--- Writes. A row that shows may refuse a write with an error; a hidden one is simply not there.'
\set order 'INSERT INTO shop.orders (brand_id, customer_id, quantity, price) VALUES '
\set login sven
\set statement :order '(1, 1, 2, 46)'
\set expected 'done, 1 row(s)'
\ir attempt.sql
\set statement 'UPDATE shop.orders SET quantity = 99 WHERE customer_id = 1'
\set expected 'ERROR 42501: permission denied to update this row of table "orders"'
\ir attempt.sql
\set statement 'UPDATE shop.orders SET quantity = 99 WHERE customer_id = 7'
\set expected 'done, 0 row(s)'
\ir attempt.sql
\set login tom@oldmill
\set statement :order '(1, 2, 2, 46)'
\set expected 'done, 1 row(s)'
\ir attempt.sql
\set statement :order '(1, 1, 2, 46)'
\set expected 'ERROR 42501: new row violates row-level security policy for table "orders"'
\ir attempt.sql
\set login lars
\set statement :order '(3, 11, 2, 46)'
\echo 'Members of a standalone brand need no role, but its plan "starter" denies orders.create:'
\ir attempt.sql

\echo
\echo '--- A revoke holds at the next statement, even in an open REPEATABLE READ transaction.'
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT entitle.sign_in('yuki@bluefin') \gset
SELECT count(*) AS before FROM shop.orders \gset
\echo 'yuki@bluefin: SELECT count(*) FROM shop.orders:' :before
\set statement 'DELETE FROM entitle.external_access WHERE customer_id = 3'
\ir dba.sql
SELECT count(*) AS after FROM shop.orders \gset
\echo 'yuki@bluefin: SELECT count(*) FROM shop.orders:' :after
SELECT pg_temp.expect('orders before and after the revoke', concat_ws(' ', :'before', :'after'), '2 0') \g /dev/null
\set statement 'INSERT INTO entitle.external_access (customer_id, user_id) VALUES (3, 12)'
\ir dba.sql
SELECT count(*) AS after FROM shop.orders \gset
\echo 'yuki@bluefin: SELECT count(*) FROM shop.orders:' :after
SELECT pg_temp.expect('orders after the new grant', :'after', '2') \g /dev/null
COMMIT;

\echo
\echo '--- A module switched off for one brand stops its permissions there: the owner\'s too.'
\set statement 'UPDATE entitle.brand_module SET is_enabled = false WHERE (brand_id, module_key) = (2, \'orders\')'
\ir dba.sql
\set login odile
\set title 'owner of Tidewater (Tea, Tools)'
\set expected '10 30 40'
\ir visit.sql
\set statement 'UPDATE entitle.brand_module SET is_enabled = true WHERE (brand_id, module_key) = (2, \'orders\')'
\ir dba.sql
\set expected '10 50 40'
\ir visit.sql

\echo
\echo '--- Scores change by recalculation only: the sales manager\'s, for the brands of Tidewater.'
\set login sven
\set statement 'SELECT entitle.recalc_scores()'
\set expected 'ERROR 42501: permission denied to recalculate scores'
\ir attempt.sql
BEGIN;
SELECT entitle.sign_in('mara') \gset
SELECT recalculated, changed FROM entitle.recalc_scores() \gset
\echo mara: :statement
\echo '    recalculated' :recalculated', changed' :changed
SELECT pg_temp.expect('customers recalculated', :'recalculated', '9') \g /dev/null
SELECT format('    %-16s %s  %6s', trade_name, status, coalesce(client_score::text, 'none'))
FROM entitle.customer
WHERE brand_id = 1
ORDER BY client_score DESC NULLS LAST, customer_id;
COMMIT;

\echo
\echo '--- Filtered views. The DBA masks what L20 may not see; shop_app, which read the table, now reads the view.'
\set statement 'SELECT entitle.protect_table(\'shop.orders\', customer_column => \'customer_id\', date_column => \'placed_on\', brand_column => \'brand_id\', min_level => 20, view_permission => \'orders.view\', update_permission => \'orders.update\', external_insert_level => 20, external_update_level => 20, masked_columns => \'{"price": 30, "discount": 30, "amount": 30}\')'
\ir dba.sql
SELECT format('%-41s %3s %-16s %8s %8s %8s  %s', 'user', 'qty', 'item', 'price', 'discount', 'amount', 'masked_columns');
\set login tom@oldmill
\set title 'L20 Orders'
\set expected '{price,discount,amount}'
\ir view.sql
\set login yuki@bluefin
\set title 'L30 Prices'
\set expected '{}'
\ir view.sql
\set login mara
\set title 'sales manager'
\set expected '{}'
\ir view.sql
\set login tom@oldmill
\set statement 'UPDATE shop.orders_view SET quantity = 3'
\set expected 'done, 1 row(s)'
\ir attempt.sql
\set statement 'UPDATE shop.orders_view SET price = 1'
\set expected 'ERROR 42501: permission denied to update column "price"'
\ir attempt.sql
\set statement 'SELECT sum(amount) FROM shop.orders'
\set expected 'ERROR 42501: permission denied for table orders'
\ir attempt.sql
