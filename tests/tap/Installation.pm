# For the TAP tests: a copy of the installation that the suite runs with, to change what is installed.
package Installation;
use strict;
use warnings;
use PostgreSQL::Test::Utils;

# Returns: where the copy's programs, libraries and shared files are. A program finds its installation from where it lies.
sub copy
{
	my $folder = PostgreSQL::Test::Utils::tempdir;
	my @places;
	for my $kind ('--bindir', '--pkglibdir', '--sharedir')
	{
		my ($from) = run_command([ 'pg_config', $kind ]);
		(my $to = $from) =~ s|^\Q$ENV{ENTITLE_SERVER}\E|$folder|;
		system_or_bail('mkdir', '-p', $to);
		system_or_bail('cp', '-a', "$from/.", "$to/");
		push @places, $to;
	}
	return @places;
}

1;
