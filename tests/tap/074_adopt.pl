# The worked example of docs/adopting.md: what it runs is what demo/adopt runs, what stands below is what comes out, and afterwards the
# application's schema and data are dumped byte for byte as before (R64).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use File::Basename;
use Test::More;

my $tree = dirname(__FILE__) . '/../..';
my $node = PostgreSQL::Test::Cluster->new('lamps');
$node->init;
$node->start;

sub played
{
	my ($file, $role) = @_;
	my ($output, $errors) = run_command([ 'sh', '-c', "psql -X -q -d '" . $node->connstr('postgres') . "' -f '$tree/demo/$file' 2>&1" ]);
	$output =~ s/^psql:\S+ //mg;
	$output =~ s/[ \t]+$//mg;
	return "$output\n";
}
sub dumped
{
	my ($output, $errors) = run_command([ 'pg_dump', '-d', $node->connstr('postgres'), @_ ]);
	is($errors, '', 'a dump is made');
	# From PostgreSQL 17.6 on, and in minor releases of that time, each dump has a key of its own.
	return $output =~ s/^\\(un)?restrict .*$//mgr;
}

is(played('lamps.sql'), "\n", 'the application comes without errors');
my ($shape, $rows, $whole) = (dumped('-s', '-n', 'lamps'), dumped('-a', '-n', 'lamps'), dumped());
$node->safe_psql('postgres', 'CREATE EXTENSION entitle');
my $output = played('adopt.sql');
unlike($output, qr/ERROR/, 'it is adopted and protected without errors');
is($node->safe_psql('postgres', 'SELECT count(*) FROM entitle.verify_adoption()') . $node->safe_psql('postgres', 'SELECT count(*) FROM entitle.verify_protection()'), '00', 'and nothing is wrong');
$output .= played('adopted.sql');
is(() = $output =~ /^ERROR:/mg, 2, 'two writes are refused');

# The page.
my $page = slurp_file("$tree/docs/adopting.md");
my $example = $page =~ /^## From an application's schema to a protected one(.*?)^## /ms ? $1 : '';
my $played = join "\n", map { slurp_file("$tree/demo/$_") } 'adopt.sql', 'adopted.sql', 'retreat.sql';
my $plain = sub { my $text = shift; $text =~ s!\s*\\g /dev/null|;! !g; $text =~ s/\s+/ /g; $text =~ s/^ | $//g; $text };
my ($statements, $outputs) = (0, 0);
while ($example =~ /^```sql\n(.*?)^```$/msg)
{
	foreach my $statement (split /;\n/, $1)
	{
		$statements++;
		ok(index($plain->($played), $plain->($statement)) >= 0, 'the demo runs: ' . $plain->($statement));
	}
}
while ($example =~ /^```text\n(.*?)^```$/msg)
{
	$outputs++;
	ok(index($output, $1) >= 0, "this comes out:\n$1") or diag($output);
}
cmp_ok($statements, '>', 8, 'there are statements');
cmp_ok($outputs, '>', 3, 'and outputs');

my $left = played('retreat.sql');
unlike($left, qr/ERROR/, 'all is taken back without errors');
like($left, qr/^\s+0$/m, 'no trigger is left');
is(dumped('-s', '-n', 'lamps'), $shape, 'the schema is dumped as before');
is(dumped('-a', '-n', 'lamps'), $rows, 'and so are its rows');
$node->safe_psql('postgres', 'DROP EXTENSION entitle; DROP SCHEMA entitle');
is(dumped(), $whole, 'without the extension so is the whole database');
$node->stop;
done_testing();
