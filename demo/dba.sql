-- One statement of the DBA in the tour, in a session of its own while the tour's stays open.
\setenv PGDATABASE :DBNAME
\setenv STATEMENT :statement
\echo 'DBA:' :statement
\! psql -X -q -A -t -U postgres -c "$STATEMENT"
