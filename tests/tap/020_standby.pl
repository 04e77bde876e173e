# A hot standby answers every check as the primary does, a revoke on the primary holds there once it is replayed, for sessions
# and transactions that were open before it, and a promoted standby goes on alone (R46, R47, R50; S103).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->safe_psql('postgres', <<'SQL');
	CREATE EXTENSION entitle;
	CREATE ROLE app_role;
	GRANT EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_out TO app_role;
	INSERT INTO entitle.customer (customer_id, customer_code, legal_name, trade_name, tax_id)
		SELECT n, 'c' || n, 'x', 'x', 'x' FROM generate_series(1, 20) AS n;
	INSERT INTO entitle.app_user (user_id, login, db_role)
		VALUES (1, 'ann', NULL), (2, 'bob', NULL), (3, 'staff', NULL), (4, 'mapped', 'app_role');
	INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
		SELECT n, 1 + n % 2, (ARRAY['L10', 'L20', 'L30', 'L40'])[1 + n % 4], NULL::integer FROM generate_series(1, 10) AS n
		UNION ALL VALUES (20, 4, 'L30', NULL::integer);
	INSERT INTO entitle.membership (user_id, organization_id, role_id)
		SELECT 3, 1, role_id FROM entitle.role WHERE organization_id = 1 AND name = 'sales manager';
	CREATE TABLE orders AS SELECT n AS order_id, (1 + n % 20)::bigint AS customer_id, 'c' || 1 + n % 20 AS code FROM generate_series(1, 200) AS n;
	CREATE TABLE orders_by_code AS TABLE orders;
	SELECT entitle.protect_table('orders', 'customer_id', min_level => 20, view_permission => 'customers.view'),
		entitle.protect_table('orders_by_code', 'code');
	GRANT SELECT ON orders, orders_by_code TO app_role;
SQL
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

# All that a user can learn, asked as an ordinary role.
my $questions = <<'SQL';
SELECT concat_ws(' ', coalesce(entitle.current_login(), 'nobody'), entitle.accessible_customers(), entitle.accessible_customers(40),
	entitle.access_level('c3'::text), entitle.has_permission('customers.edit'), entitle.permitted_brands('customers.view'),
	entitle.allowed_capabilities('reports'), entitle.can_score(1),
	(SELECT format('%s/%s', count(*), sum(order_id)) FROM orders), (SELECT count(*) FROM orders_by_code),
	(SELECT count(*) FROM entitle.customer_profile));
SQL
$primary->safe_psql('postgres', 'GRANT SELECT ON entitle.customer_profile TO app_role');

sub answers
{
	my ($node) = @_;
	return join "\n", map {
		$node->safe_psql('postgres', "SET ROLE app_role; BEGIN; " . ($_ ? "SELECT FROM entitle.sign_in('$_');" : '') . $questions . 'COMMIT')
	} ('ann', 'bob', 'staff', '');
}

sub agree
{
	my ($label) = @_;
	$primary->wait_for_catchup($standby);
	my $expected = answers($primary);
	is(answers($standby), $expected, "the standby answers as the primary: $label");
	return $expected;
}

my $at_first = agree('at first');
like($at_first, qr/^ann \{2,4,6,8,10\}.*\nbob .*\nstaff .* t \{1\}.*\nmapped \{20\}/s, 'and each user something else');

# A session on the standby that stays open, with prepared statements.
my $session = $standby->background_psql('postgres');

sub ask
{
	my ($sql) = @_;
	return $session->query_safe("$sql;");
}

# Runs a command on the primary and waits until the standby has replayed it.
sub primary_does
{
	my ($sql) = @_;
	$primary->safe_psql('postgres', $sql);
	$primary->wait_for_catchup($standby);
	return;
}

ask("SET plan_cache_mode = force_generic_plan");
ask("SET ROLE app_role");
ask("PREPARE see AS SELECT count(*) FROM orders");
ask("PREPARE see_by_code AS SELECT count(*) FROM orders_by_code");
is(ask("SELECT FROM entitle.sign_in('ann', true)"), '', 'a user signs in on the standby');
for my $level ('READ COMMITTED', 'REPEATABLE READ')
{
	ask("BEGIN ISOLATION LEVEL $level");
	is(ask('EXECUTE see') . ' ' . ask('EXECUTE see_by_code') . ' ' . ask('SELECT entitle.access_level(2)'), '30 50 30', "$level: before");
	primary_does('DELETE FROM entitle.external_access WHERE user_id = 1 AND customer_id = 2');
	is(ask('EXECUTE see') . ' ' . ask('EXECUTE see_by_code') . ' ' . ask('SELECT entitle.access_level(2)'), '20 40 0', "$level: a revoke holds after replay");
	primary_does("INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (2, 1, 'L30', NULL)");
	is(ask('EXECUTE see'), '30', "$level: a grant too");
	primary_does('BEGIN; DELETE FROM entitle.external_access WHERE user_id = 1; SAVEPOINT s; TRUNCATE entitle.external_access; ROLLBACK');
	is(ask('EXECUTE see'), '30', "$level: what was rolled back never arrives");
	primary_does("UPDATE entitle.app_user SET is_active = false WHERE login = 'ann'");
	is(ask('EXECUTE see') . ' ' . ask('SELECT entitle.access_level(2)'), '0 0', "$level: a user switched off is out");
	primary_does("UPDATE entitle.app_user SET is_active = true WHERE login = 'ann'");
	ask('COMMIT');
}
primary_does("UPDATE entitle.customer SET customer_code = 'd2' WHERE customer_id = 2");
is(ask('EXECUTE see_by_code'), '40', 'a customer\'s other key counts after replay');
primary_does("UPDATE entitle.customer SET customer_code = 'c2' WHERE customer_id = 2");

ask("SELECT FROM entitle.sign_in('staff', true)");
ask('BEGIN ISOLATION LEVEL REPEATABLE READ');
is(ask('EXECUTE see') . ' ' . ask("SELECT entitle.has_permission('customers.edit')"), '200 t', 'staff sees every order');
primary_does("DELETE FROM entitle.role_permission p USING entitle.role r WHERE r.role_id = p.role_id AND r.name = 'sales manager'");
is(ask("SELECT entitle.has_permission('customers.edit')"), 'f', 'until the role loses its permissions');
ask('ROLLBACK');
is(ask('EXECUTE see'), '0', 'then none');
ask("SELECT FROM entitle.sign_in('bob', true)");
ask('BEGIN ISOLATION LEVEL REPEATABLE READ');
ask('EXECUTE see');
primary_does('TRUNCATE entitle.external_access');
is(ask('SELECT entitle.accessible_customers()'), '{}', 'a TRUNCATE of the grants holds after replay');
ask('ROLLBACK');
agree('after all that');

# What writes is an error there, and reads go on.
primary_does(q{INSERT INTO entitle.client_metric (metric_id, name) VALUES (1, 'payments');
	INSERT INTO entitle.customer_metric (customer_id, metric_id, value) VALUES (1, 1, 50)});
my ($code, $stdout, $stderr) = $standby->psql('postgres', 'SELECT entitle.recalc_scores()', extra_params => [ '-v', 'VERBOSITY=verbose' ]);
like($stderr, qr/25006/, 'scores are not recalculated on a standby');
is($standby->psql('postgres', 'INSERT INTO entitle.app_user (login) VALUES (\'x\')'), 3, 'nor is the model written');

primary_does("INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 2, 'L30', NULL)");
is(ask('EXECUTE see'), '10', 'a grant before the end');
$primary->stop('immediate');
$standby->promote;
is(ask('EXECUTE see'), '10', 'a session that was open lives through the promotion');
$standby->safe_psql('postgres', 'DELETE FROM entitle.external_access');
is(ask('EXECUTE see'), '0', 'and a revoke on the new primary holds in it');
$standby->safe_psql('postgres', "INSERT INTO entitle.external_access (customer_id, user_id, days_back) VALUES (3, 2, NULL)");
is(ask('SELECT entitle.access_level(3)'), '30', 'as a grant does');
$session->quit;

# Without the extension's library nothing shows: a policy that cannot be asked is an error (R48).
$standby->safe_psql('postgres', q{UPDATE pg_proc SET probin = '$libdir/no_such_library' WHERE probin = '$libdir/entitle'});
($code, $stdout, $stderr) = $standby->psql('postgres', 'SET ROLE app_role; SELECT count(*) FROM orders');
is("$code$stdout", '3', 'a missing library is an error and shows nothing');
like($stderr, qr/could not access file/, 'which says why');
$standby->stop;
done_testing();
