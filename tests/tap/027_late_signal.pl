# A transaction shows to others before it tells them of what it changed. A session that looks at another table of the model in
# between learns of the change all the same (R46; S243). COMMIT PREPARED is held in between: it removes the files of dropped
# tables, and waits there for a checkpointer that has no room for requests.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_buffers = 128kB\nmax_prepared_transactions = 2\nautovacuum = off");
$node->start;
$node->safe_psql('postgres', <<'SQL');
	CREATE EXTENSION entitle;
	INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'x', 'x', 'x'), (2, 'x', 'x', 'x');
	INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'ann');
	INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L30', NULL), (2, 1, 'L30', NULL);
	DO $$ BEGIN FOR i IN 1 .. 20 LOOP EXECUTE format('CREATE TABLE dropped_%s ()', i); END LOOP; END $$;
SQL

my ($in, $out) = ('', '');
my $reader = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out,
	IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));

sub customers
{
	my ($before) = @_;
	$out = '';
	$in .= "$before SELECT entitle.accessible_customers();\n";
	$reader->pump until $out =~ /^(\{.*\})\n/m;
	return $1;
}

is(customers("SELECT FROM entitle.sign_in('ann', session_wide => true);"), '{1,2}', 'two customers at first');

$node->safe_psql('postgres', <<'SQL');
	BEGIN;
	DO $$ BEGIN FOR i IN 1 .. 20 LOOP EXECUTE format('DROP TABLE dropped_%s', i); END LOOP; END $$;
	ALTER TABLE entitle.external_access DISABLE TRIGGER zz_entitle_signal;
	DELETE FROM entitle.external_access WHERE customer_id = 2;
	ALTER TABLE entitle.external_access ENABLE ALWAYS TRIGGER zz_entitle_signal;
	PREPARE TRANSACTION 'revoke';
SQL
my $checkpointer = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'");
kill 'STOP', $checkpointer;
my ($nothing, $told) = ('', '');
my $commit = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', "COMMIT PREPARED 'revoke'" ],
	'<', \$nothing, '>&', \$told, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
ok($node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM entitle.external_access'), 'the revoke shows');
ok($node->poll_query_until('postgres', "SELECT wait_event = 'RegisterSyncRequest' FROM pg_stat_activity WHERE query LIKE 'COMMIT PREPARED%'"),
	'and is not told yet');
$node->safe_psql('postgres', 'ANALYZE entitle.membership');
note('meanwhile: ' . customers(''));
kill 'CONT', $checkpointer;
$commit->finish;
is($told, '', 'the commit returns');
is(customers(''), '{1}', 'what was revoked is gone');

$in .= "\\q\n";
$reader->finish;
$node->stop;
done_testing();
