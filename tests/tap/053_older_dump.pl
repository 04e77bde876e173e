# A dump that PostgreSQL 15 made comes back on a later major as it was: nothing to find for verify_protection, and every decision and
# row of every user the same (R50). On 15 the dump and its answers are compared with what older_world.sql gives;
# `tests/run --accept tap/053_older_dump` writes both anew there.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use OlderWorld;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('older_dump');
$node->init;
$node->start;
my $major = int($node->safe_psql('postgres', 'SHOW server_version_num') / 10000);
my $kept_dump = 'tests/tap/older.dump';
my $kept_answers = 'tests/tap/older_answers.txt';

# What changes from one minor, and one run, to the next.
sub without_version { return join '', grep { !/^(--|\\(un)?restrict|$)/ } split /(?<=\n)/, $_[0]; }

# Nor are the numbers of objects the same in two databases.
sub without_numbers { return $_[0] =~ s/(?<=\t)[0-9]{5,}(?=\t)/number/gr; }

$node->safe_psql('postgres', 'CREATE ROLE older_app');
if ($major == 15)
{
	$node->safe_psql('postgres', 'CREATE DATABASE world');
	$node->safe_psql('world', slurp_file('tests/tap/older_world.sql'));
	is($node->safe_psql('world', 'SELECT * FROM entitle.verify_protection()'), '', 'what is to be dumped is well');
	my $answers = OlderWorld::answers($node, 'world');
	my ($dump, $errors) = run_command([ 'pg_dump', '-d', $node->connstr('world') ]);
	is($errors, '', 'it is dumped');
	if ($ENV{ENTITLE_ACCEPT})
	{
		unlink $kept_answers, $kept_dump;
		append_to_file($kept_answers, $answers);
		append_to_file($kept_dump, without_version("$dump\n"));
	}
	is($answers, slurp_file($kept_answers), 'the answers are the kept ones');
	is(without_numbers(without_version("$dump\n")), without_numbers(slurp_file($kept_dump)), 'and so is the dump');
}

$node->safe_psql('postgres', 'CREATE DATABASE later');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $node->connstr('later'), '-f', $kept_dump ],
	'the dump is restored without an error');
is($node->safe_psql('later', 'SELECT relation, problem FROM entitle.verify_protection()'), '', 'verify_protection finds nothing');
my $answers = OlderWorld::answers($node, 'later');
OlderWorld::are_the_same($answers, slurp_file($kept_answers));
is($node->safe_psql('later', q{SELECT entitle.protect_table('sales.tickets', 'customer', 'opened') IS NULL; SELECT count(*) FROM entitle.verify_protection()}), "f\n0",
	'a table is protected again');

done_testing();
