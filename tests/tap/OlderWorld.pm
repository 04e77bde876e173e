# For the TAP tests: what the people of older_world.sql may do and see, to be compared before and after a database moves.
package OlderWorld;
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

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
	my ($node, $database) = @_;
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

# Tests that nobody's answers became others, and that these are many.
sub are_the_same
{
	my ($now, $before) = @_;
	my %kept = map { join('|', (split /\|/)[0, 1]) => $_ } split /\n/, $before;
	my $sum = 0;
	my @other = grep { $sum += (split /\|/)[2]; ($kept{ join '|', (split /\|/)[0, 1] } // '') ne $_ } split /\n/, $now;
	is_deeply([ @other ], [], 'everybody may do and see the same');
	is(scalar(split /\n/, $now), scalar(keys %kept), 'nobody and nothing is left out');
	cmp_ok($sum, '>', 10_000, "in $sum answers");
}

# Of the extension's objects in two databases the lines that one has and the other has not.
sub object_difference
{
	my ($node, @databases) = @_;
	my ($one, $other) = map { { map { $_ => 1 } split /\n/, $node->safe_psql($_, slurp_file('tests/tap/extension_objects.sql')) } } @databases;
	return join "\n", sort((map { "- $_" } grep { !$other->{$_} } keys %$one), (map { "+ $_" } grep { !$one->{$_} } keys %$other));
}

1;
