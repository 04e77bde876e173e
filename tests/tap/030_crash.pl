# A server process killed in the middle of granting, revoking or recalculating leaves whole transactions or nothing, and the
# checks after recovery say what the tables hold (R17, R46; S102).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;
$node->safe_psql('postgres', <<'SQL');
	CREATE EXTENSION entitle;
	INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT n, 'x', 'x', 'x' FROM generate_series(1, 500) AS n;
	INSERT INTO entitle.app_user (user_id, login) SELECT n, 'user' || n FROM generate_series(1, 10) AS n;
	INSERT INTO entitle.client_metric (metric_id, name) VALUES (1, 'payments');
	INSERT INTO entitle.customer_metric SELECT n, 1, n % 100 FROM generate_series(1, 500) AS n;
SQL

# Commits in tens, so that a number of grants that is no multiple of ten is half a transaction.
my %work = (
	granting => q{DO $$ BEGIN LOOP
		INSERT INTO entitle.external_access (customer_id, user_id, days_back)
			SELECT c, 1 + c % 10, NULL FROM (SELECT c FROM generate_series(1, 500) AS c
				WHERE NOT EXISTS (SELECT FROM entitle.external_access g WHERE g.customer_id = c) ORDER BY random() LIMIT 10) AS free;
		COMMIT;
	END LOOP; END $$},
	revoking => q{DO $$ BEGIN LOOP
		DELETE FROM entitle.external_access WHERE customer_id IN (SELECT customer_id FROM entitle.external_access ORDER BY random() LIMIT 10);
		INSERT INTO entitle.external_access (customer_id, user_id, days_back)
			SELECT c, 1 + c % 10, NULL FROM (SELECT c FROM generate_series(1, 500) AS c
				WHERE NOT EXISTS (SELECT FROM entitle.external_access g WHERE g.customer_id = c) ORDER BY random() LIMIT 20) AS free;
		COMMIT;
	END LOOP; END $$},
	recalculating => q{DO $$ BEGIN LOOP
		UPDATE entitle.customer_metric SET value = (value + 1) % 100;
		PERFORM entitle.recalc_scores();
		COMMIT;
	END LOOP; END $$});

for my $doing ('granting', 'revoking', 'recalculating', 'granting')
{
	my $worker = IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-c', $work{$doing} ], '>', \my $stdout, '2>', \my $stderr);
	my $find = q{SELECT pid FROM pg_stat_activity WHERE query LIKE 'DO $$ BEGIN LOOP%' AND pid <> pg_backend_pid()};
	$node->poll_query_until('postgres', "SELECT EXISTS ($find)") or die 'no worker';
	usleep(300_000);
	my $pid = $node->safe_psql('postgres', $find);
	kill 'KILL', $pid;
	IPC::Run::finish($worker);
	isnt($stderr, '', "$doing: the process was killed");
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server did not come back';

	is($node->safe_psql('postgres', 'SELECT count(*) % 10 FROM entitle.external_access'), '0', "$doing: whole transactions only");
	like( $node->safe_psql('postgres', q{
			SELECT format('%s of %s scored, %s wrong', count(client_score), count(*), count(*) FILTER (WHERE client_score <> round(value, 2)))
			FROM entitle.customer JOIN entitle.customer_metric USING (customer_id)}),
		qr/^(0 of 500|500 of 500) scored, 0 wrong$/, "$doing: every score fits its values, or there is none");
	is( $node->safe_psql('postgres', q{
			SELECT count(*) FROM entitle.app_user u WHERE (SELECT coalesce(array_agg(customer_id ORDER BY customer_id), '{}')
				FROM entitle.external_access g WHERE g.user_id = u.user_id)
				<> (SELECT entitle.accessible_customers() FROM entitle.sign_in(u.login))}),
		'0', "$doing: every check says what the tables hold");
	my $logged = slurp_file($node->logfile);
	unlike($logged, qr/PANIC|was terminated by signal (?!9)/, "$doing: nothing else died");
}
$node->stop;
done_testing();
