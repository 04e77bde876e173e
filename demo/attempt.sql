-- One statement of one user in the tour, for login, statement and expected (how the answer begins); nothing of it stays.
BEGIN;
SELECT entitle.sign_in(:'login') \gset
SELECT pg_temp.try(:'statement') AS answer \gset
ROLLBACK;
\echo :login: :statement
\echo '   ' :answer
SELECT pg_temp.expect(:'login' || ': ' || :'statement', left(:'answer', length(:'expected')), :'expected') \g /dev/null
