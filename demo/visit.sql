-- One user's turn in the tour, for login, title and expected (customers, orders, invoices): signed in until COMMIT.
BEGIN;
SELECT entitle.sign_in(:'login') \gset
EXECUTE what_i_see \gset
EXECUTE why \gset
COMMIT;
SELECT format('%-41s %9s %6s %9s %6s %8s', :'login' || ', ' || :'title', :'customers', :'orders', :'amount', :'oldest', :'invoices');
\echo '   ' :reason
SELECT pg_temp.expect(:'login', concat_ws(' ', :'customers', :'orders', :'invoices'), :'expected') \g /dev/null
