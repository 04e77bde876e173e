# A disk that is full, for the change log as for the temporary files of a query: the write fails whole, nothing is granted or revoked
# without its entry in the log, and what is asked next is answered right (R46, R47). The disk is a limit of every file's size, which the
# server inherits; it is lifted at the end.
use strict;
use warnings;
# Before the modules below, which turn the output round.
BEGIN
{
	unless ($ENV{ENTITLE_FULL_DISK})
	{
		$ENV{ENTITLE_FULL_DISK} = 1;
		# In KiB; a segment of WAL is 16 MiB.
		exec 'bash', '-c', 'ulimit -S -f 24576 && exec "$@"', 'bash', $^X, (map { "-I$_" } @INC), $0;
	}
}
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('full');
$node->init;
$node->start;
$node->safe_psql('postgres', <<'SQL');
	CREATE EXTENSION entitle;
	INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT n, 'x', 'x', 'x' FROM generate_series(1, 2000) AS n;
	INSERT INTO entitle.app_user (user_id, login) SELECT n, 'user' || n FROM generate_series(1, 100) AS n;
	CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, note text);
	INSERT INTO orders SELECT n, 1 + n % 2000, repeat(n::text, 100) FROM generate_series(1, 40000) AS n;
	SELECT entitle.protect_table('orders', 'customer_id');
	CREATE ROLE reader;
	GRANT SELECT ON orders TO reader;
SQL

# Each user and customer, as the checks say and as the table does.
sub differences
{
	return $node->safe_psql('postgres', q{
		CREATE TEMP TABLE said (user_id bigint, customer_id bigint);
		DO $$ BEGIN FOR n IN 1..100 LOOP
			PERFORM entitle.sign_in('user' || n);
			INSERT INTO said SELECT n, c FROM unnest(entitle.accessible_customers(10)) AS c;
			PERFORM entitle.sign_out();
		END LOOP; END $$;
		SELECT count(*) FROM (
			(SELECT user_id, customer_id FROM said EXCEPT SELECT user_id, customer_id FROM entitle.external_access)
			UNION ALL (SELECT user_id, customer_id FROM entitle.external_access EXCEPT SELECT user_id, customer_id FROM said)) AS d});
}

# Grants and revokes in the log, less each other, are the grants that there are.
sub logged
{
	return $node->safe_psql('postgres', q{
		SELECT count(*) FILTER (WHERE old_row IS NULL) - count(*) FILTER (WHERE new_row IS NULL) = (SELECT count(*) FROM entitle.external_access)
		FROM entitle.change_log WHERE relation = 'entitle.external_access'::regclass});
}

my ($code, $stderr);
for my $user (1 .. 100)
{
	$code = $node->psql('postgres', "INSERT INTO entitle.external_access (customer_id, user_id, days_back) SELECT c, $user, NULL FROM generate_series(1, 2000) AS c",
		stderr => \$stderr, on_error_stop => 1);
	last if $code;
}
isnt($code, 0, 'the log is full');
like($stderr, qr/could not extend file/, 'which PostgreSQL says');
is($node->safe_psql('postgres', 'SELECT count(*) % 2000 FROM entitle.external_access'), '0', 'a grant is given whole or not at all');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM entitle.external_access'), '>', 2000, 'some were before');
is(logged(), 't', 'the log is complete');
is(differences(), '0', 'R46: the checks say what the table says');

$code = $node->psql('postgres', 'DELETE FROM entitle.external_access WHERE user_id <= 2', stderr => \$stderr);
isnt($code, 0, 'nor is anything revoked without an entry');
is(logged() . differences(), 't0', 'and it stays as it was');

# Temporary files.
my $sort = q{SELECT count(DISTINCT a.note || g) FROM orders a, generate_series(1, 40) AS g};
$code = $node->psql('postgres', "SELECT entitle.sign_in('user1', true); SET ROLE reader; SET work_mem = '64kB'; $sort", stderr => \$stderr, on_error_stop => 1);
isnt($code, 0, 'a query needs more room than there is');
like($stderr, qr/could not write to file|could not extend file/, 'which PostgreSQL says');
is( (split /\n/, $node->safe_psql('postgres', "SELECT entitle.sign_in('user1', true); SET ROLE reader; SET work_mem = '64kB'; DO \$\$ BEGIN PERFORM " . ($sort =~ s/^SELECT //r) . "; EXCEPTION WHEN OTHERS THEN NULL; END \$\$; SELECT count(*) FROM orders"))[-1],
	'40000', 'the same session goes on');
is((split /\n/, $node->safe_psql('postgres', "SELECT entitle.sign_in('user100', true); SET ROLE reader; SELECT count(*) FROM orders"))[-1], '0', 'and nobody sees more');

# Room again.
system_or_bail('prlimit', '--fsize=unlimited', '--pid', (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0]);
$node->safe_psql('postgres', 'DELETE FROM entitle.external_access WHERE user_id <= 2');
is(logged() . differences(), 't0', 'with room, a revoke holds and is logged');
is((split /\n/, $node->safe_psql('postgres', "SELECT entitle.sign_in('user1', true); SET ROLE reader; SELECT count(*) FROM orders"))[-1], '0', 'R46: for whom it was revoked');

$node->stop;
done_testing();
