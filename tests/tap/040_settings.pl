# No identity comes from a setting: not from connection options, role, database or configuration file, nor from a placeholder
# set before the library is loaded, whether it is preloaded or not (R49; S21, S22, S98).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('settings');
$node->init;
$node->start;
$node->safe_psql('postgres', <<'SQL');
	CREATE EXTENSION entitle;
	CREATE ROLE app_role LOGIN;
	CREATE ROLE dba LOGIN SUPERUSER;
	INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'ann');
	INSERT INTO entitle.membership (user_id, organization_id, is_owner) VALUES (1, 1, true);
	INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'x', 'x', 'x');
	INSERT INTO entitle.external_access (customer_id, user_id) VALUES (1, 1);
SQL
my $who = "SELECT concat_ws(' ', coalesce(entitle.current_login(), 'nobody'), entitle.access_level(1), entitle.has_permission('customers.view'))";

# What a fresh connection answers; the last line, whatever was said before it.
sub answer
{
	my ($role, $options, $sql) = @_;
	local $ENV{PGOPTIONS} = $options;
	my ($code, $stdout, $stderr) = $node->psql('postgres', $sql // $who, extra_params => [ '-U', $role ], on_error_stop => 0);
	return ($stdout =~ /([^\n]*)\z/)[0] . ($code == 2 ? 'refused' : '');
}

sub nobody_everywhere
{
	my ($label, $role) = @_;
	$role //= 'app_role';
	is(answer($role, ''), 'nobody 0 f', "$label: nobody to begin with");
	like(answer($role, '-c entitle.identity=1'), qr/^(nobody 0 f|refused)$/, "$label: connection options");
	like(answer($role, '-c entitle.choice=1::1 -c entitle.identity=1:'), qr/^(nobody 0 f|refused)$/, "$label: several of them");
	is(answer($role, '', "SET entitle.identity = '1'; $who"), 'nobody 0 f', "$label: SET before the library is loaded") unless $role eq 'dba';
	is(answer($role, '', "SELECT set_config('entitle.identity', '1', false); $who"), 'nobody 0 f', "$label: set_config") unless $role eq 'dba';
	like(answer($role, '', "BEGIN; SET LOCAL entitle.identity = '1'; $who"), qr/^(nobody 0 f)?$/, "$label: SET LOCAL") unless $role eq 'dba';
	return;
}

nobody_everywhere('loaded by the first question');
nobody_everywhere('the same for a superuser', 'dba');

# Settings of roles, databases and the configuration file, as placeholders of sessions that know no library.
for my $way ('ALTER ROLE app_role', 'ALTER DATABASE postgres', 'ALTER ROLE app_role IN DATABASE postgres', 'ALTER ROLE ALL', 'ALTER ROLE dba')
{
	my ($code, $stdout, $stderr) = $node->psql('postgres', "$way SET entitle.identity = '1'");
	is(answer('app_role', ''), 'nobody 0 f', "$way SET " . ($code ? 'is refused' : 'counts for nothing'));
	is(answer('dba', ''), 'nobody 0 f', "$way SET: for a superuser neither");
	is(answer('app_role', '', "LOAD 'entitle'; RESET ALL; $who"), 'nobody 0 f', "$way SET: nor after RESET ALL");
	is(answer('app_role', '', "DISCARD ALL; $who"), 'nobody 0 f', "$way SET: nor after DISCARD ALL");
	$node->safe_psql('postgres', "$way RESET entitle.identity");
}
$node->append_conf('postgresql.conf', "entitle.identity = '1'");
$node->restart;
is(answer('app_role', ''), 'nobody 0 f', 'a line in the configuration file counts for nothing');
is(answer('dba', ''), 'nobody 0 f', 'nor for a superuser');
isnt($node->psql('postgres', "LOAD 'entitle'; ALTER SYSTEM SET entitle.identity = '1'"), 0, 'ALTER SYSTEM is refused');

# Preloaded, the settings are reserved from the first moment.
for my $preload ('session_preload_libraries', 'shared_preload_libraries')
{
	$node->adjust_conf('postgresql.conf', 'entitle.identity', undef);
	$node->append_conf('postgresql.conf', "$preload = 'entitle'");
	$node->restart;
	nobody_everywhere($preload);
	nobody_everywhere("$preload, a superuser", 'dba');
	is(answer('app_role', '', "SET entitle.nonsense = '1'; SHOW entitle.nonsense"), '', "$preload: no setting of our name can be invented");
	isnt($node->psql('postgres', "ALTER ROLE app_role SET entitle.identity = '1'"), 0, "$preload: ALTER ROLE SET is refused");
	$node->append_conf('postgresql.conf', "entitle.identity = '1'");
	$node->reload;
	is(answer('app_role', ''), 'nobody 0 f', "$preload: a reloaded configuration file counts for nothing");
	$node->adjust_conf('postgresql.conf', 'entitle.identity', undef);
	$node->adjust_conf('postgresql.conf', $preload, undef);
}

# The business time zone is the server's to set, and a reload reaches sessions that are open: a date is in the window or not
# by the day of Kiritimati, which Pago Pago, 25 hours behind, has not begun.
$node->append_conf('postgresql.conf', "session_preload_libraries = 'entitle'\nentitle.time_zone = 'Pacific/Kiritimati'");
$node->restart;
$node->safe_psql('postgres', 'UPDATE entitle.external_access SET days_back = 0; GRANT EXECUTE ON FUNCTION entitle.sign_in TO app_role;
	INSERT INTO entitle.sign_in_grant (db_role, login) VALUES (\'app_role\', \'ann\')');
my $session = $node->background_psql('postgres', extra_params => [ '-U', 'app_role' ]);
$session->query_safe("SELECT FROM entitle.sign_in('ann', true);");
my $yesterday = "SELECT entitle.days_back_filter(1, (clock_timestamp() AT TIME ZONE 'Pacific/Pago_Pago')::date);";
is($session->query_safe($yesterday), 'f', 'the window ends with the business day');
$node->adjust_conf('postgresql.conf', 'entitle.time_zone', "'Pacific/Pago_Pago'");
$node->reload;
$node->poll_query_until('postgres', "SELECT current_setting('entitle.time_zone') = 'Pacific/Pago_Pago'");
is($session->query_safe($yesterday), 't', 'a change of the zone in the configuration counts for open sessions');
$session->quit;
$node->stop;
done_testing();
