# Report mode over transactions (R66): what a transaction counted is kept when it commits, in READ ONLY ones and prepared ones too; one
# that is rolled back, and a standby, leave lines in the log alone. A failure to keep it is a warning, and never the user's failure.
# The declarations come with a dump, the counts stay.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "max_prepared_transactions = 2\nlog_min_messages = log\nmax_parallel_workers_per_gather = 2\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION entitle;
CREATE ROLE app LOGIN;
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'staff'), (102, 'few');
INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (101, 1, 7);
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', '1'), (102, 'b', 'b', '2');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 102, 'L30', NULL);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, title text) PARTITION BY RANGE (id);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (100);
CREATE TABLE orders_2 PARTITION OF orders FOR VALUES FROM (100) TO (1000);
INSERT INTO orders SELECT i, 101 + i % 2, 'o' || i FROM generate_series(1, 10) i;
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO app;
SELECT entitle.protect_table('orders', 'customer_id', view_permission => 'customers.view', insert_permission => 'customers.edit',
                             update_permission => 'customers.edit', external_update_level => 30, mode => 'report');
SQL

# Signed in for the transaction, as an application does it. Returns: what it gave.
sub as
{
	my ($login, $commands, $end, $begin) = @_;
	return $node->safe_psql('postgres', sprintf(q{SELECT entitle.sign_in('%s', true) \g /dev/null
SET ROLE app;
%s;
%s;
%s;}, $login, $begin // 'BEGIN', $commands, $end // 'COMMIT'));
}
my $told = q{SELECT string_agg(concat_ws(' ', relation, login, action, gate, rows), ', ' ORDER BY relation::text, login, action, gate) FROM entitle.protection_report()};
sub told
{
	my $was = $node->safe_psql('postgres', $told);
	$node->safe_psql('postgres', 'DELETE FROM entitle.reported_rows');
	return $was;
}
my $log = -s $node->logfile;
sub logged
{
	my $text = slurp_file($node->logfile, $log);
	$log = -s $node->logfile;
	return join ', ', map { s/.*report mode: //r } grep { /report mode: / } split /\n/, $text;
}

is(as('few', 'SELECT count(*) FROM orders'), '10', 'a few may see five, and see ten');
is(told(), 'orders few select customer 5', 'what they should not see is told once it is committed');
is(logged(), 'table "orders", login "few", action select, gate customer: 5 rows', 'and the log has a line of the statement');
as('few', 'SELECT count(*) FROM orders', 'ROLLBACK');
is(told(), '', 'a transaction that is rolled back tells nothing');
is(logged(), 'table "orders", login "few", action select, gate customer: 5 rows', 'but in the log');
as('staff', 'SELECT count(*) FROM orders');
is(told(), '', 'staff meet nothing');

as('few', 'SELECT count(*) FROM orders', 'COMMIT', 'BEGIN READ ONLY');
is(told(), 'orders few select customer 5', 'READ ONLY is of the user');
logged();
as('few', 'SELECT count(*) FROM orders', 'COMMIT', 'BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE');
is(told(), '', 'a serializable one writes nothing');
is(logged(), 'table "orders", login "few", action select, gate customer: 5 rows', 'and is in the log');
as('few', 'SELECT count(*) FROM orders', 'COMMIT', 'BEGIN ISOLATION LEVEL SERIALIZABLE');
is(told(), 'orders few select customer 5', 'others do');
as('few', 'SELECT count(*) FROM orders', q{PREPARE TRANSACTION 'x'});
is(told(), '', 'a prepared one waits');
$node->safe_psql('postgres', q{COMMIT PREPARED 'x'});
is(told(), 'orders few select customer 5', 'for its commit');

as('few', q{SAVEPOINT s; SELECT count(*) FROM orders WHERE id < 3; ROLLBACK TO s; SELECT count(*) FROM orders WHERE id > 8});
is(told(), 'orders few select customer 2', 'rows that a savepoint showed were shown');
as('few', q{INSERT INTO orders VALUES (11, 101, 'x'); UPDATE orders SET title = 'y' WHERE id IN (1, 2, 11); DELETE FROM orders WHERE id = 11});
is(told(), 'orders few delete permission 1, orders few insert membership 1, orders few update customer 1', 'writes are told: hidden rows, and refused ones');
as('few', q{UPDATE orders SET id = id + 200 WHERE id IN (1, 2); UPDATE orders SET id = id - 200 WHERE id > 200});
is(told(), 'orders few update customer 4', 'a row that goes to another partition is updated');
as('few', q{INSERT INTO orders VALUES (1, 101, 'z'), (2, 102, 'z') ON CONFLICT (id) DO UPDATE SET title = 'z'});
is(told(), 'orders few update customer 1', 'and ON CONFLICT does what it does');
as('few', q{MERGE INTO orders o USING (VALUES (2), (4), (12)) v (id) ON o.id = v.id WHEN MATCHED AND o.id = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET title = 'm' WHEN NOT MATCHED THEN INSERT VALUES (v.id, 102, 'm')});
is(told(), 'orders few delete permission 1, orders few insert membership 1', 'MERGE too');

# Looking up the rows of an index-only scan leaves the index as it is.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE hot (id integer PRIMARY KEY, customer_id bigint, n integer) WITH (fillfactor = 50, autovacuum_enabled = off);
INSERT INTO hot SELECT i, 101 + i % 2, 0 FROM generate_series(1, 100) i;
UPDATE hot SET n = 1;
GRANT SELECT ON hot TO app;
SELECT entitle.protect_table('hot', 'customer_id', mode => 'report');
SQL
my $by_index = 'SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SELECT count(id) FROM hot WHERE id > 0';
is(as('few', $by_index), '100', 'S494: an index-only scan of updated rows') for 1 .. 3;
is(told(), 'hot few select customer 150', 'S494: is judged by its rows');
is($node->safe_psql('postgres', "BEGIN; $by_index; COMMIT"), '100', 'S494: and no entry of the index is taken for dead');
is($node->safe_psql('postgres', 'VACUUM hot; SELECT 1'), '1', 'once all rows are visible to all');
is(as('few', $by_index), '100', 'S494: it reads the table no more');
is(told(), 'hot few select customer 50', 'S494: and is judged by its rows still');
$node->safe_psql('postgres', q{SELECT entitle.unprotect_table('hot')});

# Whoever calls nothing of entitle loads its library first.
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET session_preload_libraries = entitle');
is($node->safe_psql('postgres', 'SET ROLE app; SELECT count(*) FROM orders WHERE id < 4'), '2', 'nobody reads');
is(told(), 'orders select identity 2', 'and is reported');
is($node->safe_psql('postgres', q{SELECT count(*) FROM entitle.lint() WHERE finding ~ 'load its library'}), '0', 'lint is content');
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('postgres', 'ALTER DATABASE fresh SET session_preload_libraries = entitle');
is($node->safe_psql('fresh', <<'SQL'), "1\norders|1", 'a session that was there before the extension knows');
CREATE TABLE orders (id integer, customer_id bigint); INSERT INTO orders VALUES (1, 1); GRANT SELECT ON orders TO app; SELECT 1 \g /dev/null
CREATE EXTENSION entitle; SELECT entitle.protect_table('orders', 'customer_id', mode => 'report') \g /dev/null
SET ROLE app; SELECT count(*) FROM orders; RESET ROLE; SELECT relation, rows FROM entitle.protection_report();
SQL

# A failure to keep the counts.
$node->safe_psql('postgres', 'ALTER TABLE entitle.reported_rows RENAME COLUMN gate TO other');
my ($code, $out, $err) = $node->psql('postgres', q{SELECT entitle.sign_in('few', true) \g /dev/null
SET ROLE app; UPDATE orders SET title = 'kept' WHERE id = 6; SELECT count(*) FROM orders});
is($code, 0, 'S493: the statement does what it would');
like($err, qr/WARNING:.*what report mode has seen is not kept/, 'S493: with a warning');
$node->safe_psql('postgres', 'ALTER TABLE entitle.reported_rows RENAME COLUMN other TO gate');
is($node->safe_psql('postgres', 'SELECT title FROM orders WHERE id = 6'), 'kept', 'S493: and is committed');
is($node->safe_psql('postgres', q{CREATE INDEX ON entitle.reported_rows (login) WHERE rows > 0; SELECT 1}), '1', 'a DBA may index the counts');
as('few', 'SELECT count(*) FROM orders WHERE id < 9');
is($node->safe_psql('postgres', q{SET enable_seqscan = off; SELECT count(*) FROM entitle.reported_rows WHERE login = 'few' AND rows > 0}), '1', 'and finds them');
told();

# What cannot be judged any more stands in nobody's way.
$node->safe_psql('postgres', 'ALTER TABLE orders RENAME COLUMN customer_id TO other');
is(as('few', q{SELECT count(*) FROM orders; UPDATE orders SET title = 'r' WHERE id = 6}), $node->safe_psql('postgres', 'SELECT count(*) FROM orders'), 'a renamed column fails no statement');
is($node->safe_psql('postgres', 'SELECT problem FROM entitle.verify_protection()'), 'is in report mode, and reports nothing: no column customer_id', 'and is told');
$node->safe_psql('postgres', 'ALTER TABLE orders RENAME COLUMN other TO customer_id');

# New partitions are in report mode with the table; instrumented plans count, and plans that are only shown do not.
told();
$node->safe_psql('postgres', q{CREATE TABLE orders_3 PARTITION OF orders FOR VALUES FROM (1000) TO (2000); INSERT INTO orders VALUES (1000, 102, 'p')});
as('few', 'SELECT count(*) FROM orders WHERE id >= 1000');
is(told(), 'orders few select customer 1', 'a new partition is seen');
like(as('few', 'EXPLAIN ANALYZE SELECT * FROM orders WHERE id >= 1000'), qr/rows=1(\.00)? /, 'EXPLAIN ANALYZE runs');
is(told(), 'orders few select customer 1', 'and counts');
as('few', 'EXPLAIN SELECT * FROM orders WHERE id >= 1000');
is(told(), '', 'EXPLAIN does not');

# A standby cannot keep anything.
$node->backup('b');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'b', has_streaming => 1);
$standby->start;
$node->wait_for_catchup('standby', 'replay', $node->lsn('insert'));
is($standby->safe_psql('postgres', q{SELECT entitle.sign_in('few', true) \g /dev/null
SET ROLE app; SELECT count(*) FROM orders WHERE id >= 1000}), '1', 'a standby answers');
like(slurp_file($standby->logfile), qr/report mode: table "orders", login "few", action select, gate customer: 1 rows/, 'and tells its log');
$standby->stop;

# A dump takes the mode along, and leaves the counts.
as('few', 'SELECT count(*) FROM orders WHERE id >= 1000');
my $file = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $file, '-d', $node->connstr('postgres') ], 'the database is dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d', $node->connstr('restored') ], 'and restored');
is($node->safe_psql('restored', 'SELECT relation, mode FROM entitle.protected_tables'), 'orders|report', 'in report mode');
is($node->safe_psql('restored', 'SELECT count(*) FROM entitle.verify_protection()'), '0', 'as declared');
is($node->safe_psql('restored', 'SELECT count(*) FROM entitle.reported_rows'), '0', 'nothing is counted yet');
is($node->safe_psql('restored', q{SELECT entitle.sign_in('few', true) \g /dev/null
SET ROLE app; SELECT count(*) FROM orders WHERE id >= 1000; RESET ROLE; SELECT gate, rows FROM entitle.protection_report()}), "1\ncustomer|1", 'and counts again');

# One call enforces.
$node->safe_psql('postgres', q{SELECT entitle.protect_table('orders', 'customer_id', view_permission => 'customers.view')});
is(as('few', 'SELECT count(*) FROM orders WHERE id >= 1000'), '0', 'and now it is enforced');
is($node->safe_psql('postgres', q{DROP EXTENSION entitle CASCADE; SELECT count(*) FROM orders WHERE id >= 1000}), '1', 'the extension goes');
done_testing();
