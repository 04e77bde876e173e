# PgBouncer with 64 clients over 4 server connections (R50; S8, S24): every answer is checked against who asked. No answer is
# another user's, nothing shows after sign_out, and nothing on a reused connection where nobody signed in; in every mode, by
# sign_in and by token. ENTITLE_POOL_SECONDS says how long in transaction mode.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Test::More;

BEGIN
{
	eval { require Pooler; 1 } or plan skip_all => "no Pooler: $@";
}
plan skip_all => 'no pgbouncer: tools/dependencies clients installs it' unless Pooler::is_there();

my $seconds = $ENV{ENTITLE_POOL_SECONDS} || 8;
my $node = Pooler::start_server('pool');
$node->safe_psql('postgres', <<'SQL');
	CREATE EXTENSION entitle;
	CREATE ROLE app LOGIN;
	GRANT EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_in_token, entitle.sign_out TO app;
	INSERT INTO entitle.app_user (user_id, login) SELECT n, 'user' || n FROM generate_series(1, 64) AS n;
	INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) SELECT n, 'x', 'x', 'x' FROM generate_series(1, 640) AS n;
	INSERT INTO entitle.external_access (customer_id, user_id, days_back)
		SELECT c, u, NULL FROM generate_series(1, 640) AS c, generate_series(1, 64) AS u WHERE c % 64 = u % 64;
	CREATE TABLE orders AS SELECT n AS order_id, n::bigint AS customer_id FROM generate_series(1, 640) AS n;
	CREATE INDEX ON orders (customer_id);
	ANALYZE orders;
	SELECT entitle.protect_table('orders', 'customer_id');
	CREATE TABLE token (user_id integer PRIMARY KEY, token text);
	GRANT SELECT ON orders, token TO app;
SQL
$node->safe_psql('postgres', join '', map { sprintf "INSERT INTO token VALUES (%d, '%s');", $_, Pooler::token("user$_") } 1 .. 64);
my $port = Pooler::start($node, 'app');
my $folder = PostgreSQL::Test::Utils::tempdir;

# What a user sees: who is asking, orders in all, and orders of others. Ten customers are everybody's own.
my $see = <<'SQL';
SELECT (coalesce(entitle.current_login(), 'nobody') = 'user' || :u)::integer AS is_me, count(*) AS seen, count(*) FILTER (WHERE customer_id % 64 <> :u % 64) AS foreign_rows FROM orders \gset
\if :is_me <> 1 or :seen <> 10 or :foreign_rows <> 0
SELECT 'wrong answer'::integer;
\endif
SQL
my $nobody = <<'SQL';
SELECT (entitle.current_login() IS NULL)::integer AS is_nobody, count(*) AS seen FROM orders \gset
\if :is_nobody <> 1 or :seen <> 0
SELECT 'left over'::integer;
\endif
SQL

# Runs 64 clients, each with new people all the time.
sub crowd
{
	my ($mode, $label, $time, $script) = @_;
	my $file = "$folder/" . ($label =~ s/\W/_/gr) . '.sql';
	PostgreSQL::Test::Utils::append_to_file($file, "\\set u random(1, 64)\n$script");
	my ($out, $err) = run_command([ 'pgbench', '-n', '-c', 64, '-j', 2, '-T', $time, '-f', $file, '-h', '127.0.0.1',
		'-p', $port, '-U', 'app', $mode ]);
	my ($count) = $out =~ /actually processed: (\d+)/;
	ok($count && $out =~ /failed transactions: 0 / && $err !~ /ERROR|aborted/, "$label: every answer is the asker's")
		or diag($err =~ s/^(.{2000}).*/$1/sr);
	note(($count // 0) . " transactions in $time s");
	cmp_ok($count // 0, '>', 64, "$label: everybody had a turn");
	return;
}

crowd('transaction', 'transaction mode, sign_in', $seconds, <<"SQL" . $nobody);
BEGIN;
SELECT entitle.sign_in('user' || :u);
${see}SELECT entitle.sign_out();
${nobody}SELECT entitle.sign_in('user' || :u);
${see}COMMIT;
SQL
crowd('transaction', 'transaction mode, token', 3, <<"SQL" . $nobody);
BEGIN;
SELECT set_config('entitle.token', token, true) FROM token WHERE user_id = :u;
${see}COMMIT;
SQL
crowd('transaction', 'transaction mode, rolled back', 3, <<"SQL" . $nobody);
BEGIN;
SELECT entitle.sign_in('user' || :u);
${see}ROLLBACK;
SQL
# One string of statements is one transaction: that is how statement mode carries an identity.
crowd('statement', 'statement mode, sign_in', 3, "SELECT entitle.sign_in('user' || :u) \\; $see$nobody");

is($node->safe_psql('postgres', q{SELECT count(*) <= 12 FROM pg_stat_activity WHERE usename = 'app'}), 't', 'over four connections for each mode');

# In session mode a client keeps its connection; DISCARD ALL hands it over, seals and all (S8, S25).
sub session { return run_command([ 'psql', '-XAtq', '-h', '127.0.0.1', '-p', $port, '-U', 'app', '-d', 'session', '-c', $_[0] ]); }
for my $turn (1 .. 12)
{
	my ($out, $err) = session(qq{
		SELECT coalesce(entitle.current_login(), 'nobody') || ' ' || count(*) FROM orders;
		SELECT entitle.sign_in('user$turn', true, 'seal$turn');
		CREATE TEMP TABLE mine AS SELECT * FROM orders;});
	is("$out$err", "nobody 0\n$turn", "session mode: client $turn finds nobody, no seal and no table, and signs in");
}

Pooler::stop();
$node->stop;
done_testing();
