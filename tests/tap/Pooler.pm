# For the TAP tests: a server that listens on loopback, PgBouncer before it in each of its modes, the people both are asked
# by, and tokens for them.
package Pooler;
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(encode_base64url);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(usleep);

our $secret = 'a secret of tests, 32 bytes long';
our @modes = qw(session transaction statement);

sub is_there { return (grep { -x $_ } '/usr/sbin/pgbouncer', map { "$_/pgbouncer" } split /:/, $ENV{PATH})[0]; }

# A token for the login, good for an hour, or for so many seconds.
sub token
{
	my ($login, $seconds) = @_;
	my $text = join '.', map { encode_base64url($_) } '{"alg":"HS256","kid":"1"}',
		sprintf '{"iss":"https://issuer.test","aud":"entitle","sub":"%s","exp":%d}', $login, time + ($seconds // 3600);
	return $text . '.' . encode_base64url(hmac_sha256($text, $secret));
}

# Starts a server that verifies tokens; drivers that know no Unix sockets reach it by loopback.
sub start_server
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(allows_streaming => 1);
	my $keys = $node->data_dir . '/token_keys.json';
	PostgreSQL::Test::Utils::append_to_file($keys,
		sprintf '{"keys":[{"kid":"1","kty":"oct","alg":"HS256","k":"%s"}]}', encode_base64url($secret));
	chmod 0600, $keys;
	$node->append_conf('postgresql.conf', <<"CONF");
		listen_addresses = '127.0.0.1'
		entitle.token_keys_file = 'token_keys.json'
		entitle.token_audience = 'entitle'
		entitle.token_issuer = 'https://issuer.test'
		max_connections = 60
CONF
	$node->append_conf('pg_hba.conf', "host all all 127.0.0.1/32 trust\n");
	$node->start;
	return $node;
}

# Starts PgBouncer: one database for each mode, with four server connections. Returns its port.
sub start
{
	my ($node, @roles) = @_;
	my $folder = PostgreSQL::Test::Utils::tempdir_short();
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $databases = join "\n", map { sprintf "%s = host=127.0.0.1 port=%d dbname=postgres pool_mode=%s", $_, $node->port, $_ } @modes;
	PostgreSQL::Test::Utils::append_to_file("$folder/users", join '', map { "\"$_\" \"\"\n" } @roles);
	PostgreSQL::Test::Utils::append_to_file("$folder/ini", <<"INI");
[databases]
$databases
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = trust
auth_file = $folder/users
default_pool_size = 4
max_client_conn = 200
server_reset_query = DISCARD ALL
ignore_startup_parameters = extra_float_digits
logfile = $folder/log
pidfile = $folder/pid
INI
	system(is_there(), '-q', '-d', "$folder/ini") == 0 or die 'PgBouncer does not start';
	for (1 .. 500) { last if -s "$folder/pid"; usleep(10_000); }
	our $pid = PostgreSQL::Test::Utils::slurp_file("$folder/pid") + 0;
	return $port;
}

sub stop { our $pid; kill 'TERM', $pid if $pid; $pid = 0; return; }
END { my $status = $?; stop(); $? = $status; }

1;
