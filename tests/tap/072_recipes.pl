# The examples of docs/identity.md and docs/masks.md run as they are written there, on the demo's own company: an application behind
# a pooler, role switching, a personal login (R53), and filtered views under the tables' names, by which an application does not
# notice (R50).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use File::Basename;
use Test::More;

my $tree = dirname(__FILE__) . '/../..';
my $node = PostgreSQL::Test::Cluster->new('recipes');
$node->init;
$node->start;

# The first example of SQL below a heading.
sub example
{
	my ($file, $heading) = @_;
	my $text = slurp_file("$tree/docs/$file");
	$text =~ /^#+ \Q$heading\E\n.*?^```sql\n(.*?)^```\n/ms or die "docs/$file has no example below \"$heading\"";
	return $1;
}

sub demo
{
	my ($name) = @_;
	my $text = slurp_file("$tree/demo/$name.sql");
	$text =~ s/^\\echo.*\n//mg;
	$text =~ s/^\\g.*$/;/mg;
	$node->safe_psql('company', $text);
	return;
}

# What a statement's last row is, asked in a session as a role, which signs in as somebody before if it is the application's.
sub ask
{
	my ($role, $login, $statement) = @_;
	my $signing = $login ? "BEGIN; SELECT entitle.sign_in('$login');" : '';
	my ($status, $out, $err) = $node->psql('company', "$signing $statement", extra_params => [ '-U', $role ]);
	$out =~ s/.*\n//s;
	return $status == 0 ? $out : $err =~ /ERROR:\s+(.*)/ ? $1 : $err;
}

$node->safe_psql('postgres', 'CREATE DATABASE company');
$node->safe_psql('company', 'CREATE EXTENSION entitle');
demo('company');
demo('protect');
my $invoices = ask('shop_app', 'dora@harrow', 'SELECT count(*) FROM shop.invoices');
cmp_ok($invoices, '>', 0, 'dora has invoices in the demo');

# An application that should not notice, with the demo's table masked under its own name.
is(ask('shop_app', 'dora@harrow', 'SELECT count(*), count(price) FROM shop.orders'), '4|4', 'before there is no mask');
$node->safe_psql('company', example('masks.md', 'An application that should not notice'));
is(ask('shop_app', 'dora@harrow', 'SHOW search_path'), 'shop_app, shop', 'the role finds the views first');
is(ask('shop_app', 'dora@harrow', "SELECT 'orders'::regclass"), 'orders', 'by the bare name');
is( ask('shop_app', 'dora@harrow', 'SELECT orders.tableoid IS NULL FROM orders LIMIT 1'),
	'column orders.tableoid does not exist',
	'which is a view now');
is(ask('shop_app', 'dora@harrow', 'SELECT count(*), count(price) FROM orders'), '4|3', 'an L40 sees what she saw, masked where she is an L20');
is( ask('shop_app', 'tom@oldmill', 'SELECT count(*) > 0, count(price), count(discount) FROM orders'),
	't|0|0', 'and an L20 his rows, masked');
is(ask('shop_app', 'tom@oldmill', 'SELECT price FROM shop.orders'), 'permission denied for table orders', 'not in the table');
is( ask('shop_app', 'tom@oldmill', 'UPDATE orders SET quantity = quantity + 1 RETURNING price IS NULL'),
	't', 'what an ORM writes to the bare name arrives');
is( ask('shop_app', 'tom@oldmill', 'INSERT INTO orders (brand_id, customer_id, quantity) VALUES (1, 2, 1) RETURNING item'),
	'null value in column "price" of relation "orders" violates not-null constraint',
	'an insert tells what it lacks in the words of the table');
is(ask('shop_app', 'dora@harrow', 'SELECT count(*) FROM invoices'), $invoices, 'and tables without masks are found after them');
is($node->safe_psql('company', 'SELECT count(*) FROM entitle.verify_protection()'), '0', 'everything is as it was made');

# The roles of identity.md read orders_view, which the example above has under another name.
$node->safe_psql('company',
		"SELECT entitle.protect_table('shop.orders', 'customer_id', 'placed_on', 'brand_id', 20, 'orders.view', 'orders.create',"
	  . " 'orders.update', NULL, 20, NULL, '{\"price\": 30}'::jsonb, 'shop.orders_view')");

# An application behind a pooler. A superuser runs the examples, so that the lines "here only" work.
like($node->safe_psql('company', example('identity.md', 'A web application behind PgBouncer')), qr/^\d+\n$invoices$/, 'the application signs her in');

# Role switching, and the same role as a personal login.
is($node->safe_psql('company', example('identity.md', 'Role switching, as PostgREST does it')), "dora\@harrow|$invoices", 'a switched role is she');
is(ask('role_dora', undef, 'SELECT entitle.current_login(), count(*) FROM shop.invoices'), "dora\@harrow|$invoices", 'a personal login is she');
is(ask('role_dora', undef, 'SELECT count(*) > 0, count(price) > 0 FROM shop.orders_view'), 't|t', 'masked tables are read through their views');
is(ask('role_dora', undef, 'SELECT price FROM shop.orders'), 'permission denied for table orders', 'and not past them');
is(ask('app', undef, 'SELECT count(*) FROM shop.invoices'), '0', 'the application alone is nobody');
is(ask('app', undef, 'SET ROLE role_dora; SELECT count(*) FROM shop.invoices'), $invoices, 'and may become her without signing in');

$node->stop;
done_testing();
