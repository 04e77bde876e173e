# A recalculation of many customers tells its progress, and one that is cancelled, or whose backend is killed, at a random moment
# leaves every score as it was (R17; S101, S102). ENTITLE_RECALC_CUSTOMERS and ENTITLE_RECALC_TIMES make it smaller or larger.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $customers = $ENV{ENTITLE_RECALC_CUSTOMERS} // 30_000;
my $times = $ENV{ENTITLE_RECALC_TIMES} // 20;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf("postgresql.conf", "fsync = off\nmax_wal_size = 4GB\nrestart_after_crash = on");
$node->start;
$node->safe_psql('postgres', <<"SQL");
	CREATE EXTENSION entitle;
	INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id, status)
		SELECT g, 'c', 'c', 'c', CASE WHEN g % 10 = 0 THEN 'INAC' ELSE 'ACTV' END FROM generate_series(1, $customers) AS g;
	INSERT INTO entitle.client_metric (metric_id, name, multiplier) SELECT m, 'm' || m, m / 4.0 FROM generate_series(1, 12) AS m;
	INSERT INTO entitle.customer_metric
		SELECT g, m, (g * 7 + m * 13) % 101 FROM generate_series(1, $customers) AS g, generate_series(1, 12) AS m;
	TRUNCATE entitle.change_log;
	ANALYZE;
	CHECKPOINT;
SQL

my $state = 'SELECT md5(string_agg(customer_id || coalesce(client_score, -1)::text || coalesce(scored_at::text, \'\'), \',\' ORDER BY customer_id))
	|| (SELECT count(*) FROM entitle.change_log) FROM entitle.customer';
# How long a whole one takes, without what surrounds it.
my $whole = $node->safe_psql('postgres', <<'SQL');
	BEGIN;
	CREATE TEMP TABLE took AS SELECT clock_timestamp() AS began;
	DO $$ BEGIN PERFORM entitle.recalc_scores(); END $$;
	SELECT extract(epoch FROM clock_timestamp() - began) FROM took;
	ROLLBACK;
SQL
note("a whole recalculation takes $whole s");
my $was = $node->safe_psql('postgres', $state);

# Puts everything back after a recalculation that was faster.
sub put_back
{
	$node->safe_psql('postgres',
		'UPDATE entitle.customer SET client_score = NULL, scored_at = NULL WHERE scored_at IS NOT NULL; TRUNCATE entitle.change_log');
	return;
}

# Waits until the server takes connections again. Not poll_query_until: it writes to a psql that may have given up already.
sub await_server
{
	for (1 .. 2_000)
	{
		my ($out, $err) = ('', '');
		return if IPC::Run::run([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'SELECT true' ], '<', '/dev/null', '>', \$out, '2>', \$err);
		usleep(50_000);
	}
	die 'the server did not come back';
}

# Ends a running recalculation after a part of the time that a whole one takes.
sub end_one
{
	my ($how, $part) = @_;
	my ($in, $out, $err) = ("SELECT pg_backend_pid();\n", '', '');
	my $psql = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \$err);
	$psql->pump until $out =~ /^(\d+)\n/;
	my $pid = $1;
	$in .= "SELECT * FROM entitle.recalc_scores();\n\\q\n";
	# Not pump: it would wait for an answer.
	$psql->pump_nb while length $in;
	usleep(1_000_000 * $whole * $part);
	if ($how eq 'cancel')
	{
		$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
	}
	my $offset = -s $node->logfile;
	my $is_killed = $how eq 'kill' && kill 'KILL', $pid;
	my $asked = time;
	$psql->finish;
	# The server takes connections until it has noticed, and ends them then. A backend that was done already ends nothing.
	for (1 .. 200)
	{
		last if !$is_killed || PostgreSQL::Test::Utils::slurp_file($node->logfile, $offset) =~ /server processes terminated; reinit/;
		usleep(50_000);
	}
	note("$how after " . $whole * $part . " s");
	return ($err, $out, time - $asked);
}

# Held up for longer than two seconds by a lock.
{
	my $holder = $node->background_psql('postgres');
	$holder->query_safe('BEGIN; SELECT FROM entitle.customer WHERE customer_id = 1 FOR UPDATE;');
	my ($in, $out, $err) = ("BEGIN; SELECT * FROM entitle.recalc_scores(); ROLLBACK;\n", '', '');
	my $psql = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \$err);
	$psql->pump_nb while length $in;
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'}) or die 'nothing waits';
	usleep(2_100_000);
	$holder->query_safe('COMMIT;');
	$psql->finish;
	$holder->quit;
	my $all = $customers - int($customers / 10);
	like($err, qr/NOTICE:  recalculated 20000 of $all customers \(\d+ %\)/, 'past two seconds the progress is told');
	is($out, "$all|$all\n", 'and at the end how many there were');
}
is($node->safe_psql('postgres', $state), $was, 'undone, the scores are as before');

my ($ended, $slowest) = (0, 0);
foreach my $round (1 .. $times)
{
	my ($err, $out, $took) = end_one('cancel', 0.7 * rand);
	my $is_cancelled = $err =~ /canceling statement due to user request/;
	$ended++ if $is_cancelled;
	$slowest = $took if $is_cancelled && $took > $slowest;
	put_back() unless $is_cancelled;
	is($node->safe_psql('postgres', $state), $was, "cancelled $round: the scores are as before");
}
cmp_ok($ended, '>=', $times / 4, "many of them were cancelled while they ran ($ended of $times)");
cmp_ok($slowest, '<', 5, sprintf('a cancelled one ends at once (the slowest took %.2f s)', $slowest));

$ended = 0;
foreach my $round (1 .. $times)
{
	my ($err, $out) = end_one('kill', 0.7 * rand);
	my $is_killed = $out !~ /\|/;
	$ended++ if $is_killed;
	await_server();
	put_back() unless $is_killed;
	is($node->safe_psql('postgres', $state), $was, "killed $round: the scores are as before");
}
cmp_ok($ended, '>=', $times / 4, "many of them were killed while they ran ($ended of $times)");

$node->safe_psql('postgres', 'SELECT * FROM entitle.recalc_scores()');
is($node->safe_psql('postgres', <<'SQL'), '0', 'the one that is left in peace gives the formula');
	SELECT count(*) FROM entitle.customer c
	WHERE c.client_score IS DISTINCT FROM CASE WHEN c.status <> 'INAC' THEN
		(SELECT round(sum(v.value * m.multiplier) / nullif(sum(m.multiplier), 0), 2)
		 FROM entitle.customer_metric v JOIN entitle.client_metric m USING (metric_id) WHERE v.customer_id = c.customer_id) END
SQL

$node->stop;
done_testing();
