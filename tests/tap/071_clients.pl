# The same people get the same answers from psql, libpq, psycopg 3, JDBC, ODBC and node-postgres, straight and through
# PgBouncer in each of its modes, signed in, by token and by the database role (R46, R50). The clients are in tests/clients.
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

my @people = qw(l10 l20 l30 l40 l80 l90 staff nobody);
my $node = Pooler::start_server('clients');
$node->safe_psql('postgres', <<'SQL');
	CREATE EXTENSION entitle;
	CREATE ROLE app LOGIN;
	GRANT EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_in_token, entitle.sign_out TO app;
	CREATE ROLE reader;
	INSERT INTO entitle.app_user (login) SELECT unnest(ARRAY['l10', 'l20', 'l30', 'l40', 'l80', 'l90', 'staff', 'nobody']);
	INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES ('a', 'a', 'a'), ('b', 'b', 'b');
	INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
		SELECT 1, user_id, upper(login), NULL FROM entitle.app_user WHERE login LIKE 'l%';
	INSERT INTO entitle.membership (user_id, organization_id, role_id)
		SELECT user_id, 1, 7 FROM entitle.app_user WHERE login = 'staff';
	CREATE TABLE orders (order_id integer PRIMARY KEY, customer_id bigint, price numeric);
	CREATE TABLE invoices (invoice_id integer PRIMARY KEY, customer_id bigint);
	INSERT INTO orders VALUES (1, 1, 10), (2, 1, 20), (3, 2, 30);
	INSERT INTO invoices VALUES (1, 1), (2, 2);
	GRANT SELECT ON orders, invoices TO app, reader;
	SELECT entitle.protect_table('orders', 'customer_id', min_level => 20, view_permission => 'customers.view', masked_columns => '{"price": 30}');
	SELECT entitle.protect_table('invoices', 'customer_id', min_level => 40, view_permission => 'customers.view');
SQL
for my $login (@people)
{
	$node->safe_psql('postgres', "CREATE ROLE role_$login LOGIN IN ROLE reader; UPDATE entitle.app_user SET db_role = 'role_$login' WHERE login = '$login'");
}

# Login, level, staff permission, orders, prices, invoices: by the rules R33 to R36.
my @expected = ('l10 10 f 0 0 0', 'l20 20 f 2 0 0', 'l30 30 f 2 2 0', 'l40 40 f 2 2 1', 'l80 80 f 2 2 1', 'l90 90 f 2 2 1', 'staff 0 t 3 3 2', 'nobody 0 f 0 0 0',
	'after: none 0 f 0 0 0', 'before the revoke: l30 30 f 2 2 0', 'after the revoke: l30 0 f 0 0 0');
my $folder = PostgreSQL::Test::Utils::tempdir;
PostgreSQL::Test::Utils::append_to_file("$folder/people", join '', map { "$_ " . Pooler::token($_) . "\n" } @people);

my $clients = "$FindBin::RealBin/../clients";
my ($jdbc) = grep { -e $_ } '/usr/share/java/postgresql.jar';
my ($odbc) = glob '/usr/lib/*/odbc/psqlodbcw.so';
my $node_modules = `npm root -g 2>/dev/null`;
chomp $node_modules;
sub works { return system(join(' ', @_) . ' >/dev/null 2>&1') == 0; }
my %client = (
	psql => [ 'bash', "$clients/psql" ],
	libpq => works("g++ -std=c++17 -I\$(pg_config --includedir) $clients/libpq.cpp -lpq -o $folder/libpq") ? ["$folder/libpq"] : undef,
	'psycopg 3' => works('/usr/bin/python3 -c "import psycopg"') ? [ '/usr/bin/python3', "$clients/psycopg_client.py" ] : undef,
	JDBC => $jdbc && works("javac -d $folder $clients/Jdbc.java") ? [ 'java', '-cp', "$folder:$jdbc", 'Jdbc' ] : undef,
	ODBC => $odbc && works('/usr/bin/python3 -c "import pyodbc"') ? [ '/usr/bin/python3', "$clients/odbc_client.py", $odbc ] : undef,
	'node-postgres' => works("NODE_PATH=$node_modules node -e \"require('pg')\"") ? [ 'env', "NODE_PATH=$node_modules", 'node', "$clients/node_postgres.js" ] : undef);

my @ways = ([ 'straight', $node->port, 'postgres', qw(sign_in token role) ]);
SKIP:
{
	skip 'no pgbouncer: tools/dependencies clients installs it', 1 unless Pooler::is_there();
	my $port = Pooler::start($node, 'app', map { "role_$_" } @people);
	# Statement mode knows no transactions: there the role says who is asking.
	push @ways, [ 'session mode', $port, 'session', qw(sign_in token role) ], [ 'transaction mode', $port, 'transaction', qw(sign_in token role) ],
		[ 'statement mode', $port, 'statement', 'role' ];
}

for my $name (sort keys %client)
{
  SKIP:
	{
		skip "no $name: tools/dependencies clients installs it", 1 unless $client{$name};
		for my $way (@ways)
		{
			my ($label, $port, $database, @identities) = @$way;
			for my $identity (@identities)
			{
				local %ENV = (%ENV, CLIENT_HOST => '127.0.0.1', CLIENT_PORT => $port, CLIENT_DATABASE => $database,
					CLIENT_IDENTITY => $identity, CLIENT_PEOPLE => "$folder/people", SERVER_PORT => $node->port);
				my ($out, $err) = run_command($client{$name});
				my @lines = split /\n/, $out;
				# A role has an identity as soon as it is connected, so there is no question without one.
				my @wanted = grep { $identity ne 'role' || !/^after: none/ } @expected;
				is_deeply(\@lines, \@wanted, "$name, $label, by $identity") or diag($err);
			}
		}
	}
}
Pooler::stop();
$node->stop;
done_testing();
