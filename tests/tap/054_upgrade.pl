# A database of an older version: its library and its objects go together or answer nothing (S74), and an update leaves the
# same objects and the same decisions as a new database has. With a version that is made up here, and with each released one.
use strict;
use warnings;
use File::Copy;
use FindBin;
use lib $FindBin::RealBin;
use Installation;
use OlderWorld;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $built = "$ENV{TESTDIR}/../built";
plan skip_all => 'the extension of a package has no second version' unless -d $built;

my ($now) = slurp_file('entitle.control') =~ /^default_version = '(.*)'/m;
my $next = '99.0';

sub write_file
{
	my ($path, $text) = @_;
	unlink $path;
	append_to_file($path, $text);
}

# An installation of its own, in which the library can be exchanged.
my ($bin) = run_command([ 'pg_config', '--bindir' ]);
my @places = Installation::copy();
local $ENV{PG_CONFIG} = "$bin/pg_config";
local $ENV{PATH} = "$places[0]:$ENV{PATH}";
my $node = PostgreSQL::Test::Cluster->new('upgrade');
$node->init;
$node->start;

sub difference { return OlderWorld::object_difference($node, @_); }

sub decisions
{
	my $database = shift;
	return $node->safe_psql($database, <<'SQL');
SET ROLE older_app;
DO $$
DECLARE
    answer text := '';
BEGIN
    FOR i IN 101 .. 140 LOOP
        CONTINUE WHEN i % 10 = 0;
        PERFORM entitle.sign_in('user ' || i);
        answer := md5(answer
            || (SELECT string_agg(entitle.has_permission(k.key, b)::text, '' ORDER BY b, k.key COLLATE "C") FROM generate_series(1, 10) b CROSS JOIN sales.keys k)
            || (SELECT string_agg(entitle.access_level(c::bigint)::text, '' ORDER BY c) FROM generate_series(1, 50) c)
            || (SELECT count(*) FROM sales.orders) || (SELECT count(*) FROM sales.lines_view) || (SELECT coalesce(sum(price), 0) FROM sales.order_list));
    END LOOP;
    RAISE EXCEPTION USING MESSAGE = answer, ERRCODE = 'ENT01';
EXCEPTION
    WHEN SQLSTATE 'ENT01' THEN
        PERFORM set_config('test.answer', SQLERRM, false);
END
$$;
SELECT current_setting('test.answer');
SQL
}

my $asks = q{SELECT entitle.has_permission('customers.view') IS NOT NULL};
my $signs_in = q{SELECT entitle.sign_in('user 101', true) > 0};

$node->safe_psql('postgres', 'CREATE ROLE older_app LOGIN');
$node->safe_psql('postgres', 'CREATE DATABASE world');
$node->safe_psql('world', slurp_file('tests/tap/older_world.sql'));
my $before = decisions('world');
my $open = $node->background_psql('world', on_error_stop => 0, extra_params => [ '-U', 'older_app' ]) if $node->can('background_psql');
SKIP:
{
	skip 'this major has no sessions in the background', 1 unless $open;
	is($open->query($signs_in), 't', 'a session is open');
}

# The next version: a function, a column, another body, and what the update does for them.
my $new_function = <<'SQL';
CREATE FUNCTION entitle.made_up() RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 1';
COMMENT ON FUNCTION entitle.made_up() IS 'One';
REVOKE ALL ON FUNCTION entitle.made_up() FROM PUBLIC;
SQL
my $new_column = "ALTER TABLE entitle.plan ADD COLUMN made_up text;\n";
system_or_bail('tools/release', $next);
append_to_file('src/sql/inventory.sql', $new_function . $new_column);
my $step = "src/sql/released/entitle--$now--$next.sql";
my $head = slurp_file($step);
append_to_file($step, $new_function . $new_column);
command_ok([ 'tools/check-version' ], 'the version is said everywhere');

# Brings the tree to where the objects are, builds, and exchanges library and scripts.
sub install
{
	system_or_bail('cp', '-a', 'entitle.control', 'Makefile', $built);
	system_or_bail('cp', '-a', 'src/sql', "$built/src/");
	system_or_bail('make', '-s', '-C', $built, "PG_CONFIG=$ENV{PG_CONFIG}", 'CXX=' . ($ENV{CXX} // 'g++'));
	unlink "$places[1]/entitle.so", glob("$places[2]/extension/entitle*");
	copy("$built/entitle.so", "$places[1]/entitle.so") or die;
	system_or_bail('sh', '-c', "cp $built/entitle.control $built/entitle--$next.sql $built/src/sql/released/*.sql $places[2]/extension/");
}
install();

my ($code, $output, $errors) = $node->psql('world', "$signs_in; $asks", extra_params => [ '-U', 'older_app' ], on_error_stop => 0);
like($errors, qr/entitle's library has version $next and its objects in this database have version $now/, 'R1: a newer library denies (S74)');
like($errors, qr/HINT:  A superuser runs ALTER EXTENSION entitle UPDATE/, 'and says what to do');
is($output, '', 'nobody is signed in, nothing is answered');
($code, $output, $errors) = $node->psql('world', 'SELECT count(*) FROM sales.orders', extra_params => [ '-U', 'older_app' ]);
is($output, '', 'no row shows');
is($node->safe_psql('world', 'SELECT count(*) > 0 FROM sales.orders'), 't', 'but to a superuser');
SKIP:
{
	skip 'this major has no sessions in the background', 1 unless $open;
	is($open->query($asks), 't', 'a session of before goes on with what it has');
}

($code, $output, $errors) = $node->psql('world', 'ALTER EXTENSION entitle UPDATE');
is($errors, '', 'the update runs');
SKIP:
{
	skip 'this major has no sessions in the background', 2 unless $open;
	$open->query($asks);
	like($open->{stderr}, qr/entitle's library has version $now and its objects in this database have version $next/, 'an older library denies at the next statement (S74)');
	like($open->{stderr}, qr/HINT:  Connect again/, 'and says what to do');
	$open->quit;
}
is(decisions('world'), $before, 'after the update all is decided as before');
is($node->safe_psql('world', 'SELECT * FROM entitle.verify_protection()'), '', 'and protected as before');

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION entitle; GRANT EXECUTE ON FUNCTION entitle.sign_in TO older_app');
is(difference('world', 'fresh'), '', "an update from $now leaves what a new database has");
for my $script (glob 'src/sql/released/entitle--*.sql')
{
	my ($version) = $script =~ /entitle--([0-9.]+)\.sql$/ or next;
	next if $version eq $now;
	$node->safe_psql('postgres', 'CREATE DATABASE older');
	$node->safe_psql('older', "CREATE EXTENSION entitle VERSION '$version'; ALTER EXTENSION entitle UPDATE; GRANT EXECUTE ON FUNCTION entitle.sign_in TO older_app");
	is(difference('older', 'fresh'), '', "so does one from $version");
	$node->safe_psql('postgres', 'DROP DATABASE older');
}

# The comparison can fail: each thing that a step may forget.
for my $forgotten ([ 'a comment', qr/^COMMENT.*\n/m ], [ 'a privilege', qr/^REVOKE.*\n/m ], [ 'a column', qr/^ALTER TABLE.*\n/m ])
{
	my ($what, $statement) = @$forgotten;
	write_file("$places[2]/extension/entitle--$now--$next.sql", $head . ($new_function . $new_column) =~ s/$statement//r);
	$node->safe_psql('postgres', 'CREATE DATABASE forgetful');
	$node->safe_psql('forgetful', "CREATE EXTENSION entitle VERSION '$now'; ALTER EXTENSION entitle UPDATE; GRANT EXECUTE ON FUNCTION entitle.sign_in TO older_app");
	isnt(difference('forgetful', 'fresh'), '', "a step that forgets $what is seen");
	$node->safe_psql('postgres', 'DROP DATABASE forgetful');
}

# What is released does not change any more.
append_to_file("src/sql/released/entitle--$now.sql", "SELECT 1;\n");
command_fails([ 'tools/check-version' ], 'a released script that changed is found');

$node->stop;
done_testing();
