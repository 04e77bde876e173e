# Signed tokens on a hot standby, by entitle.token and by sign_in_token: the answers of the primary, in the session and in its
# parallel workers, without a write anywhere; what ends on the primary ends there after replay, what ends by the clock ends by
# itself, and keys are rotated where the standby reads them (R46, R49, R50; S103, S113, S116).
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

BEGIN
{
	eval { require Pooler; 1 } or plan skip_all => "no Pooler: $@";
}

my $primary = Pooler::start_server('primary');
$primary->safe_psql('postgres', <<'SQL');
	CREATE EXTENSION entitle;
	CREATE ROLE app LOGIN;
	GRANT EXECUTE ON FUNCTION entitle.sign_in_token, entitle.sign_out TO app;
	INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'ann'), (2, 'bob'), (3, 'staff');
	INSERT INTO entitle.membership (user_id, organization_id, role_id)
		SELECT 3, 1, role_id FROM entitle.role WHERE name = 'sales manager';
	INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT n, 'x', 'x', 'x' FROM generate_series(1, 20) AS n;
	INSERT INTO entitle.external_access (customer_id, user_id, days_back) SELECT n, 1 + n % 2, NULL FROM generate_series(1, 10) AS n;
	CREATE TABLE orders AS SELECT n AS order_id, (1 + n % 20)::bigint AS customer_id FROM generate_series(1, 20000) AS n;
	ANALYZE orders;
	SELECT entitle.protect_table('orders', 'customer_id', view_permission => 'customers.view');
	GRANT SELECT ON orders TO app;
SQL
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 't', 'the standby stands by');

my %seen = (ann => 5000, bob => 5000, staff => 20000);
my $see = "SELECT concat_ws(' ', coalesce(entitle.current_login(), 'nobody'), count(*), sum(order_id)) FROM orders;";
my $parallel = 'SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;'
  . ' SET min_parallel_table_scan_size = 0; SET enable_indexscan = off; SET enable_bitmapscan = off;';
# The setting has another name since PostgreSQL 16.
my $in_worker = q{DO 'BEGIN PERFORM set_config(name, $$on$$, false) FROM pg_settings}
  . q{ WHERE name IN ($$force_parallel_mode$$, $$debug_parallel_query$$); END';};

# What an ordinary role is answered after the commands.
sub answer
{
	my ($node, $commands) = @_;
	my ($code, $out, $err) = $node->psql('postgres', $commands, extra_params => [ '-U', 'app' ]);
	chomp $out;
	return $out =~ s/^\s+//r . ($err ? "$err" : '');
}

foreach my $login (sort keys %seen)
{
	my $token = Pooler::token($login);
	foreach my $way (
		[ 'entitle.token', "SET entitle.token = '$token';" ],
		[ 'entitle.token of a transaction', "BEGIN READ ONLY; SET LOCAL entitle.token = '$token';" ],
		[ 'sign_in_token', "BEGIN READ ONLY; SELECT FROM entitle.sign_in_token('$token');" ],
		[ 'sign_in_token for the session', "SELECT FROM entitle.sign_in_token('$token', true);" ])
	{
		my ($name, $enter) = @$way;
		my $expected = answer($primary, $enter . $see);
		like($expected, qr/^$login $seen{$login} /, "$name: $login on the primary");
		is(answer($standby, $enter . $see), $expected, "$name: $login on the standby");
		is(answer($standby, $parallel . $enter . $see), $expected, "$name: $login, in a parallel plan");
		is(answer($standby, $in_worker . $enter . 'SELECT entitle.current_login()'), $login, "$name: a worker knows $login");
		is(answer($primary, $enter . $see =~ s/;$//r . ' HAVING pg_current_xact_id_if_assigned() IS NULL'), $expected,
			"$name: takes no transaction number, so nothing is written");
	}
	# That the workers are really there.
	like(answer($standby, "$parallel SET entitle.token = '$token'; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT count(*) FROM orders"),
		qr/Workers Launched: [12].*Parallel Seq Scan/s, "$login: workers are launched");
}

my $bad = Pooler::token('ann') =~ s/.{5}$/AAAAA/r;
like(answer($standby, "SELECT entitle.sign_in_token('$bad')"), qr/the token does not verify/, 'a forged token is refused on the standby');
is(answer($standby, "SET entitle.token = '$bad'; $see"), 'nobody 0', 'and as entitle.token is nobody');
is(answer($standby, "SET entitle.token = '$bad'; $parallel $see"), 'nobody 0', 'in a parallel plan, too');

# One session that stays open.
my $session = $standby->background_psql('postgres', on_error_stop => 0);
sub ask { return $session->query("$_[0];"); }
ask('SET SESSION AUTHORIZATION app');
ask("SET entitle.token = '" . Pooler::token('ann') . "'");
is(ask('SELECT count(*) FROM orders'), '5000', 'ann shows a token on the standby');
$primary->safe_psql('postgres', 'DELETE FROM entitle.external_access WHERE user_id = 1 AND customer_id = 2');
$primary->wait_for_catchup($standby);
is(ask('SELECT count(*) FROM orders'), '4000', 'a revoke on the primary holds after replay');
$primary->safe_psql('postgres', "UPDATE entitle.app_user SET is_active = false WHERE login = 'ann'");
$primary->wait_for_catchup($standby);
is(ask('SELECT count(*) FROM orders'), '0', 'so does switching ann off');
like(answer($standby, "SELECT entitle.sign_in_token('" . Pooler::token('ann') . "')"), qr/the token does not verify/, 'who does not sign in any more');
$primary->safe_psql('postgres', "UPDATE entitle.app_user SET is_active = true WHERE login = 'ann'");
$primary->wait_for_catchup($standby);
is(ask('SELECT count(*) FROM orders'), '4000', 'until switched on');

ask("SET entitle.token = '" . Pooler::token('ann', 2) . "'");
is(ask('SELECT count(*) FROM orders'), '4000', 'a token that ends in two seconds is good');
usleep(2_200_000);
is(ask('SELECT count(*) FROM orders'), '0', 'and then no more, without anything that happens');

# The standby's own file and configuration count there.
ask("SET entitle.token = '" . Pooler::token('ann') . "'");
is(ask('SELECT count(*) FROM orders'), '4000', 'before the rotation');
my $keys = $standby->data_dir . '/token_keys.json';
my $was = PostgreSQL::Test::Utils::slurp_file($keys);
unlink $keys;
PostgreSQL::Test::Utils::append_to_file($keys, $was =~ s/"k":"../"k":"AA/r);
chmod 0600, $keys;
is(ask('SELECT count(*) FROM orders'), '4000', 'keys are read again at a reload, not before');
$standby->reload;
for (1 .. 500) { last if ask('SELECT count(*) FROM orders') eq '0'; usleep(10_000); }
is(ask('SELECT count(*) FROM orders'), '0', 'a key that is gone from the standby verifies nothing there');
like(answer($primary, "SET entitle.token = '" . Pooler::token('ann') . "'; $see"), qr/^ann 4000 /, 'and on the primary all the same');
$session->quit;

$standby->stop;
$primary->stop;
done_testing();
