# A dump that PostgreSQL 15 made comes back on a later major as it was: nothing to find for verify_protection, and every decision and
# row of every user the same (R50). On 15 the dump and its answers are compared with what older_world.sql gives;
# `tests/run --accept tap/053_older_dump` writes both anew there.
use strict;
use warnings;
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

# What everybody may do and see, a line each: how many answers, and all of them in one number.
my @topics = (
	[ permissions => q{FROM generate_series(1, 10) b CROSS JOIN sales.keys p}, q{entitle.has_permission(p.key, b::bigint)}, 'b, p.key COLLATE "C"' ],
	[ levels => q{FROM generate_series(1, 50) c}, q{entitle.access_level(c::bigint)}, 'c' ],
	# Columns that nobody has to be let see, in an order that no collation decides.
	map({ [ $_->[0] => "FROM $_->[0] t", @$_[1, 2] ] }
		[ 'sales.orders' => 'order_id', 'order_id' ],
		[ 'sales.order_list' => 't', 'order_id' ],
		[ 'sales.lines' => '(order_id, line)', 'order_id, line' ],
		[ 'sales.lines_view' => 't', 'order_id, line' ],
		[ '"Shop ""x"."Visits ""y"' => '"Visit"', '"Visit"' ],
		[ '"Shop ""x"."Visits ""y_view"' => 't', '"Visit"' ],
		[ 'sales.tickets' => 't', 'ticket_id' ],
		[ 'sales.totals' => 't', 'customer_id' ]));

sub answers
{
	my $database = shift;
	my $query = "SET ROLE older_app; SET timezone = 'UTC';\n";
	for my $user (grep { $_ % 10 } 101 .. 140) # the others are inactive
	{
		$query .= "BEGIN; SELECT entitle.sign_in('user $user') \\g /dev/null\n";
		for my $topic (@topics)
		{
			my ($name, $from, $value, $order) = @$topic;
			$query .= "SELECT $user, \$t\$$name\$t\$, count(*), md5(string_agg(a, ',' ORDER BY n)) FROM "
				. "(SELECT ($value)::text AS a, row_number() OVER (ORDER BY $order) AS n $from) s;\n";
		}
		$query .= "COMMIT;\n";
	}
	my $file = PostgreSQL::Test::Utils::tempdir . '/query.sql';
	append_to_file($file, $query);
	my ($answers, $errors) = run_command([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-f', $file ]);
	is($errors, '', 'everybody can ask');
	return "$answers\n";
}

$node->safe_psql('postgres', 'CREATE ROLE older_app');
if ($major == 15)
{
	$node->safe_psql('postgres', 'CREATE DATABASE world');
	$node->safe_psql('world', slurp_file('tests/tap/older_world.sql'));
	is($node->safe_psql('world', 'SELECT * FROM entitle.verify_protection()'), '', 'what is to be dumped is well');
	my $answers = answers('world');
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
my $answers = answers('later');
my %kept = map { join('|', (split /\|/)[0, 1]) => $_ } split /\n/, slurp_file($kept_answers);
my $sum = 0;
my @other = grep { $sum += (split /\|/)[2]; $kept{ join '|', (split /\|/)[0, 1] } ne $_ } split /\n/, $answers;
is_deeply([ @other ], [], 'everybody may do and see the same');
cmp_ok($sum, '>', 10_000, "in $sum answers");
is($node->safe_psql('later', q{SELECT entitle.protect_table('sales.tickets', 'customer', 'opened') IS NULL; SELECT count(*) FROM entitle.verify_protection()}), "f\n0",
	'a table is protected again');

done_testing();
