# A cluster that pg_upgrade took over answers everybody as it did, verify_protection finds nothing in it, and it has the objects
# that a new database of its major has (R50). From the installation whose pg_config is ENTITLE_OLDER (tools/upgrade); without one
# from the same major to itself, which moves all objects by the same way.
use strict;
use warnings;
use File::Basename;
use FindBin;
use lib $FindBin::RealBin;
use OlderWorld;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $newer_bin = (run_command([ 'pg_config', '--bindir' ]))[0];
my $older_bin = $ENV{ENTITLE_OLDER} ? dirname($ENV{ENTITLE_OLDER}) : $newer_bin;
my ($from, $to) = map { (run_command([ "$_/pg_config", '--version' ]))[0] =~ /^PostgreSQL ((\d+)\S*)/; $1 } $older_bin, $newer_bin;
note("from $from to $to");

my $older = PostgreSQL::Test::Cluster->new('older', $older_bin eq $newer_bin ? () : (install_path => dirname($older_bin)));
# 18 and later have checksums unless told otherwise, and both must agree.
my $has_checksums = $from =~ /^(\d+)/ && $1 >= 18;
my @extra = $has_checksums || $to !~ /^(?:1[89]|[2-9]\d)/ ? () : (extra => ['--no-data-checksums']);
$older->init;
$older->start;
$older->safe_psql('postgres', 'CREATE ROLE older_app; CREATE DATABASE world');
$older->safe_psql('world', slurp_file('tests/tap/older_world.sql'));
my $before = OlderWorld::answers($older, 'world');
is($older->safe_psql('world', 'SHOW server_version') =~ /^([^ ]+)/ ? $1 : '', $from, "PostgreSQL $from has answered");
$older->stop;

my $newer = PostgreSQL::Test::Cluster->new('newer');
$newer->init(@extra);
my $is_done = $newer->command_ok([ 'pg_upgrade', '-d', $older->data_dir, '-D', $newer->data_dir, '-b', $older_bin, '-B', $newer_bin,
		'-s', $newer->host, '-p', $older->port, '-P', $newer->port ],
	"pg_upgrade takes the cluster over to $to");
# Why not stands in files of its own.
diag(grep { /ERROR|error:|HINT|DETAIL/ } map { split /(?<=\n)/, slurp_file($_) } glob $newer->data_dir . '/pg_upgrade_output.d/*/log/*.log') unless $is_done;
$newer->start;

is($newer->safe_psql('world', 'SELECT relation, problem FROM entitle.verify_protection()'), '', 'verify_protection finds nothing');
OlderWorld::are_the_same(OlderWorld::answers($newer, 'world'), $before);
$newer->safe_psql('postgres', 'CREATE DATABASE fresh');
$newer->safe_psql('fresh', 'CREATE EXTENSION entitle; GRANT EXECUTE ON FUNCTION entitle.sign_in TO older_app');
is(OlderWorld::object_difference($newer, 'world', 'fresh'), '', 'its objects are those of a new database');

# Signals and writes go on.
my $level = q{SET ROLE older_app; SELECT entitle.sign_in('user 115', true) \g /dev/null
SELECT count(*) FROM generate_series(1, 50) c WHERE entitle.access_level(c::bigint) > 0};
my $levels = $newer->safe_psql('world', $level);
$newer->safe_psql('world', q{DELETE FROM entitle.external_access WHERE user_id = 115 AND role <> 'L90'});
cmp_ok($newer->safe_psql('world', $level), '<', $levels, 'a revoke holds');
is($newer->safe_psql('world', q{SELECT entitle.protect_table('sales.tickets', 'customer', 'opened') IS NULL; SELECT count(*) FROM entitle.verify_protection()}), "f\n0",
	'a table is protected again');

$newer->stop;
done_testing();
