# The examples of README.md run as they are written there, one after the other in one session, and give the output that stands below
# them (R50).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use File::Basename;
use Test::More;

my $text = slurp_file(dirname(__FILE__) . '/../../README.md');
# From there on the examples are the demo's.
$text =~ s/^### Why does this row not show.*//ms or die 'README.md has lost a heading';
my (@examples, @outputs);
while ($text =~ /^```sql\n(.*?)^```\n(?:```text\n(.*?)^```\n|\n[^\n]*:?\n*```text\n(.*?)^```\n)?/msg)
{
	push @examples, $1;
	push @outputs, $2 // $3;
}
cmp_ok(scalar(@examples), '>', 5, 'there are examples');

my $node = PostgreSQL::Test::Cluster->new('readme');
$node->init;
$node->start;
my $file = PostgreSQL::Test::Utils::tempdir . '/examples.sql';
append_to_file($file, join '', map { "$_\\echo === end\n" } @examples);
my ($output, $errors) = run_command([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', $file ]);
is($errors =~ s/^psql:\S+ (NOTICE|HINT|WARNING):.*\n?//mgr, '', 'all examples run');
my @found = split /=== end\n?/, $output;
for my $number (0 .. $#examples)
{
	next unless defined $outputs[$number];
	# An editor leaves no blank at the end of a line.
	my ($is, $wanted) = map { s/[ \t]+$//mgr =~ s/\s+\z//r } ($found[$number] // '', $outputs[$number]);
	is($is, $wanted, 'the output of example ' . ($number + 1));
}
$node->stop;
done_testing();
