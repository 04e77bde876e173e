# An image volume of CloudNativePG: the extension's files lie in a folder of their own, a server that has none of them installed is
# led there by two settings, and decides as ever; a masked view, too. What packaging/cloudnativepg/Dockerfile does in an image is
# done here by hand. It comes before 054_upgrade, which makes another version of what was built.
use strict;
use warnings;
use Cwd qw(abs_path);
use FindBin;
use lib $FindBin::RealBin;
use Installation;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $built = "$ENV{TESTDIR}/../built";
plan skip_all => 'the extension of a package is where the server looks for it' unless -d $built;
my ($bin) = run_command([ 'pg_config', '--bindir' ]);
my ($major) = (run_command([ 'pg_config', '--version' ]))[0] =~ /(\d+)/;
plan skip_all => "PostgreSQL $major has no extension_control_path" if $major < 18;

# The image.
my $image = abs_path(PostgreSQL::Test::Utils::tempdir) . '/image';
{
	local $ENV{PG_CONFIG} = "$bin/pg_config";
	command_ok([ 'packaging/cloudnativepg/layout', $image, '-C', $built, 'CXX=' . ($ENV{CXX} // 'g++') ], 'the image is laid out');
	my ($version) = slurp_file('entitle.control') =~ /^default_version = '(.*)'/m;
	my ($files) = run_command([ 'find', $image, '-type', 'f', '-printf', '%P\n' ]);
	my @released = map { m|([^/]+)$| } glob "$built/src/sql/released/entitle--*.sql";
	is_deeply([ sort split /\n/, $files ],
		[ sort 'lib/entitle.so', 'licenses/entitle/LICENSE', map { "share/extension/$_" } 'entitle.control', "entitle--$version.sql", @released ],
		'it holds files of the extension, and nothing else');
	command_fails([ 'packaging/cloudnativepg/layout', $image, '-C', $built ], 'what is there is not mixed with it');
}

# A server without the extension.
my @places = Installation::copy();
unlink "$places[1]/entitle.so", glob("$places[2]/extension/entitle*");
local $ENV{PATH} = "$places[0]:$ENV{PATH}";
my $node = PostgreSQL::Test::Cluster->new('image_volume');
$node->init;
$node->start;
my ($code, $output, $errors) = $node->psql('postgres', 'CREATE EXTENSION entitle');
like($errors, qr/extension "entitle" is not available/, 'the server has no such extension');

# What the operator sets for each image: the mounted folders, behind those of the server.
$node->append_conf('postgresql.conf', "extension_control_path = '\$system:$image/share'\ndynamic_library_path = '\$libdir:$image/lib'\n");
$node->reload;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION entitle;
CREATE ROLE shop_app LOGIN;
GRANT EXECUTE ON FUNCTION entitle.sign_in TO shop_app;
CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id bigint, price numeric);
INSERT INTO orders SELECT i, 1 + i % 2, 10 * i FROM generate_series(1, 10) i;
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'Birch', 'Birch', '1'), (2, 'Quay', 'Quay', '2');
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'yuki');
INSERT INTO entitle.external_access (customer_id, user_id, role) VALUES (1, 1, 'L20');
SELECT entitle.protect_table('orders', customer_column => 'customer_id', min_level => 20, masked_columns => '{"price": 30}');
GRANT SELECT ON orders_view TO shop_app;
SQL
is($node->safe_psql('postgres', <<'SQL'), "1\n5|\n20", 'a decision, rows, and a mask');
SET ROLE shop_app;
SELECT entitle.sign_in('yuki', true);
SELECT count(*), sum(price) FROM orders_view;
SELECT entitle.access_level(1);
SQL
is($node->safe_psql('postgres', 'SELECT count(*) FROM entitle.verify_protection()'), '0', 'verify_protection finds nothing');

# A pod that starts anew, with the library loaded before any session as the cluster's definition may ask for.
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'entitle'\n");
$node->restart;
is($node->safe_psql('postgres', "SET ROLE shop_app; SELECT count(*) FROM orders_view; SELECT entitle.sign_in('yuki', true); SELECT count(*) FROM orders_view"),
	"0\n1\n5", 'and after a restart, preloaded');

# A cluster from which the image is taken away denies.
$node->append_conf('postgresql.conf', "extension_control_path = '\$system'\ndynamic_library_path = '\$libdir'\nshared_preload_libraries = ''\n");
$node->restart;
($code, $output, $errors) = $node->psql('postgres', 'SET ROLE shop_app; SELECT count(*) FROM orders_view');
is($output, '', 'without the image no row shows');
like($errors, qr/could not access file/, 'and an error tells why');

$node->stop;
done_testing();
