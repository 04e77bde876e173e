# A reporting client that knows nothing of entitle reads a filtered view over ODBC (psqlodbc, by unixODBC's isql): the driver's
# catalogue calls list the view and its columns like the table's, and three users read each what is theirs (R36).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($driver) = grep { -e $_ } glob('/usr/lib/*/odbc/psqlodbcw.so');
my ($isql) = grep { -x $_ } map { "$_/isql" } split /:/, $ENV{PATH};
plan skip_all => 'no psqlodbcw.so or no isql: tools/dependencies test installs them' if !$driver || !$isql;

my $node = PostgreSQL::Test::Cluster->new('mask_odbc');
$node->init;
$node->start;
$node->safe_psql('postgres', <<'SQL');
	CREATE EXTENSION entitle;
	CREATE ROLE orders_20 LOGIN; CREATE ROLE orders_30 LOGIN; CREATE ROLE staff LOGIN;
	CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint NOT NULL, item varchar(20), price numeric(10, 2), placed_on date);
	COMMENT ON COLUMN orders.price IS 'per piece';
	GRANT SELECT ON orders TO orders_20, orders_30, staff;
	INSERT INTO entitle.app_user (login, db_role) VALUES ('l20', 'orders_20'), ('l30', 'orders_30'), ('staff', 'staff');
	INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES ('a', 'a', 'a'), ('b', 'b', 'b');
	INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L20', NULL), (1, 2, 'L30', NULL);
	INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (3, 1, 7);
	INSERT INTO orders VALUES (1, 1, 'tea', 10.5, '2026-01-01'), (2, 1, 'cup', NULL, NULL), (3, 2, 'pot', 30, '2026-01-02');
	SELECT entitle.protect_table('orders', 'customer_id', min_level => 20, view_permission => 'customers.view',
		masked_columns => '{"price": 30}');
SQL

# What isql prints for its input, asked as a database role.
sub isql
{
	my ($role, $input) = @_;
	my ($out, $err) = ('', '');
	my $string = join ';', "Driver=$driver", 'Servername=' . $node->host, 'Port=' . $node->port, 'Database=postgres',
		"Username=$role", 'TextAsLongVarchar=0';
	IPC::Run::run([ $isql, '-b', '-d|', '-k', $string ], '<', \"$input\n", '>', \$out, '2>', \$err);
	is($err, '', "$role reads without an error");
	return $out;
}

# The fields of SQLColumns: name, type, type name, size, digits, nullable, remarks.
sub columns
{
	my ($relation) = @_;
	return map { my @f = split /\|/, $_, -1; join ' ', @f[ 3, 4, 5, 6, 8 ], $f[11] // '' } grep { /\|$relation\|/ } split /\n/, isql('orders_20', "help $relation");
}
my @table = columns('orders');
my @view = columns('orders_view');
is(scalar @table, 5, 'SQLColumns lists the columns of the table');
like($view[5], qr/^masked_columns /, 'the view has masked_columns last');
is_deeply([ @view[ 0 .. 4 ] ], \@table, 'and before it the columns of the table, with types, sizes and remarks');
like(isql('orders_20', 'help'), qr/\|orders_view\|VIEW\|/, 'SQLTables lists the view');

my $read = 'SELECT id, item, price, placed_on, masked_columns FROM orders_view ORDER BY id';
is(isql('orders_20', $read), "1|tea||2026-01-01|{price}\n2|cup|||{price}\n", 'an L20 reads orders without prices');
is(isql('orders_30', $read), "1|tea|10.50|2026-01-01|{}\n2|cup|||{}\n", 'an L30 with prices');
is(isql('staff', $read), "1|tea|10.50|2026-01-01|{}\n2|cup|||{}\n3|pot|30.00|2026-01-02|{}\n", 'staff read all');
is(isql('orders_20', 'SELECT count(*), sum(price), max(item) FROM orders_view'), "2||tea\n", 'a report adds up what shows');

done_testing();
