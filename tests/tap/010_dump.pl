# A dump brings back the model exactly: own rows, shipped rows that were changed, switched off, renamed or removed, owners,
# declarations of protected tables and sequences; in every format of pg_dump, and whatever the order of the tables (R50, R53,
# S104).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
$node->start;
my $folder = PostgreSQL::Test::Utils::tempdir;

# Every row of every table of the extension, and where its sequences stand.
my $contents = <<'SQL';
SELECT string_agg(format('%s %s', c.relname, r.row), E'\n' ORDER BY c.relname, r.row)
FROM pg_class c
CROSS JOIN LATERAL (
    SELECT unnest(xpath('//row/text()', query_to_xml(
        CASE c.relkind
            WHEN 'S' THEN format('SELECT last_value || '' '' || is_called AS row FROM entitle.%I', c.relname)
            ELSE format('SELECT t::text AS row FROM entitle.%I t', c.relname)
        END, true, false, '')))::text AS row) r
WHERE c.relnamespace = 'entitle'::regnamespace AND c.relkind IN ('r', 'S')
SQL
$contents =~ s/\n/ /g;

# Makes a database with the extension and what the SQL adds.
sub make_source
{
	my ($name, $changes) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, "CREATE EXTENSION entitle; $changes");
	return $node->safe_psql($name, $contents);
}

# Restores with the command into a new database and compares.
sub restored_is
{
	my ($expected, $name, $command, $label, $before) = @_;
	$node->safe_psql('postgres', "DROP DATABASE IF EXISTS $name");
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, $before) if $before;
	$node->command_ok([ @$command ], "$label: restores without an error");
	my %was = map { $_ => 1 } split /\n/, $expected;
	my %is = map { $_ => 1 } split /\n/, $node->safe_psql($name, $contents);
	my @missing = map { "missing: $_" } grep { !$is{$_} } sort keys %was;
	my @more = map { "more: $_" } grep { !$was{$_} } sort keys %is;
	is_deeply([ @missing, @more ], [], "$label: leaves the same rows");
	return;
}

$node->safe_psql('postgres', 'CREATE ROLE clerk; CREATE ROLE gone');

my $first = make_source('first', <<'SQL');
	-- The application's own.
	INSERT INTO entitle.app_user (login, db_role) VALUES ('ann', 'clerk'), ('owner', NULL), ('lost', 'gone');
	INSERT INTO entitle.organization (name) VALUES ('group');
	INSERT INTO entitle.plan VALUES ('basic');
	INSERT INTO entitle.plan_denial VALUES ('basic', 'conversions.create');
	INSERT INTO entitle.brand (organization_id, name, plan_key, brand_uuid, brand_code) VALUES (2, 'shop', 'basic', md5('shop')::uuid, 'shop'), (NULL, 'alone', NULL, NULL, NULL);
	INSERT INTO entitle.brand_module VALUES (2, 'customers');
	INSERT INTO entitle.permission (permission_key) VALUES ('orders.view');
	INSERT INTO entitle.permission_prerequisite VALUES ('orders.view', 'customers.view');
	INSERT INTO entitle.role (organization_id, name) VALUES (2, 'clerk');
	INSERT INTO entitle.role_permission VALUES (8, 'orders.view'), (5, 'orders.view');
	INSERT INTO entitle.role_metric VALUES (8, '*'), (5, 'roas');
	INSERT INTO entitle.membership (user_id, organization_id, role_id, is_owner) VALUES (1, 2, 8, true), (2, 1, 5, false);
	INSERT INTO entitle.membership (user_id, brand_id, role_id) VALUES (2, 2, 8), (2, 3, NULL);
	INSERT INTO entitle.customer (customer_code, brand_id, legal_name, trade_name, tax_id, status, client_score, scored_at)
		VALUES ('A', 1, 'a', 'a', '1', 'ACTV', 12.34, '2026-01-01'), (NULL, 2, 'b', 'b', '2', 'INAC', NULL, NULL);
	INSERT INTO entitle.client_metric (name, multiplier) VALUES ('pays', 2.5);
	INSERT INTO entitle.customer_metric VALUES (1, 1, 99.5);
	INSERT INTO entitle.integration_link VALUES (2, 'freshbooks', 'f2');
	INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 2, 'L90', NULL), (2, 2, 'L10', 0);
	INSERT INTO entitle.change_log (relation, action, row_key) VALUES ('entitle.role', 'INSERT', '{"role_id": 8}');

	-- Shipped rows: switched off, changed, renamed, removed, added again, removed after a change.
	UPDATE entitle.permission SET is_active = false WHERE permission_key = 'reports.view';
	UPDATE entitle.brand_module SET is_enabled = false WHERE module_key = 'affiliates';
	UPDATE entitle.role SET name = 'viewers' WHERE role_id = 2;
	INSERT INTO entitle.role (organization_id, name) VALUES (1, 'customers-only viewer');
	DELETE FROM entitle.role WHERE role_id = 1;
	INSERT INTO entitle.role (organization_id, name) VALUES (1, 'conversions-only viewer');
	DELETE FROM entitle.role_permission WHERE role_id = 5 AND permission_key = 'customers.edit';
	DELETE FROM entitle.role_permission WHERE role_id = 7;
	INSERT INTO entitle.role_permission VALUES (7, 'customers.view');
	UPDATE entitle.role_permission SET role_id = role_id WHERE role_id = 4;
	DELETE FROM entitle.role_permission WHERE role_id = 4 AND permission_key = 'conversions.update';
	DELETE FROM entitle.permission_prerequisite WHERE permission_key = 'customers.edit';
	INSERT INTO entitle.permission_prerequisite VALUES ('customers.view', 'customers.edit');
	UPDATE entitle.metric_module SET module_key = 'reports' WHERE metric_key = 'aov';
	DELETE FROM entitle.capability WHERE capability_key = 'billing';

	-- A protected table with partitions.
	CREATE TABLE public.orders (customer_id bigint, on_date date) PARTITION BY RANGE (on_date);
	CREATE TABLE public.orders_2026 PARTITION OF public.orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
	ALTER TABLE public.orders_2026 ENABLE ROW LEVEL SECURITY;
	SELECT entitle.protect_table('public.orders', 'customer_id', 'on_date', view_permission => 'orders.view');
	CREATE TABLE public.dropped (customer_id bigint);
	SELECT entitle.protect_table('public.dropped', 'customer_id');
	DROP TABLE public.dropped;

	-- A guarded schema: a table that was there before, closed ones, and one that is excepted.
	CREATE TABLE public.old (id integer);
	SELECT entitle.guard_schema('public');
	CREATE TABLE public.closed AS SELECT 1 AS id;
	CREATE MATERIALIZED VIEW public.seen AS SELECT 1 AS id;
	CREATE TABLE public.excepted (id integer);
	SELECT entitle.except_table('public.excepted', 'for everybody');
SQL

# The same database, dumped and restored every way pg_dump has.
my $sql = "$folder/first.sql";
my $inserts = "$folder/first_inserts.sql";
my $archive = "$folder/first.dump";
my $parts = "$folder/first.dir";
$node->command_ok([ 'pg_dump', '-f', $sql, 'first' ], 'dumps as text');
$node->command_ok([ 'pg_dump', '--inserts', '-f', $inserts, 'first' ], 'dumps as INSERTs');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $archive, 'first' ], 'dumps as an archive');
$node->command_ok([ 'pg_dump', '-Fd', '-j2', '-f', $parts, 'first' ], 'dumps in parallel');

# Declarations of dropped tables are not dumped, and a role that is gone is not mapped.
$node->safe_psql('first', <<'SQL');
	DELETE FROM entitle.protection WHERE relation NOT IN (SELECT oid FROM pg_class);
SQL
$first = $node->safe_psql('first', $contents);

my @psql = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null');
restored_is($first, 'copy_1', [ @psql, '-d', 'copy_1', '-f', $sql ], 'text');
restored_is($first, 'copy_2', [ @psql, '-1', '-d', 'copy_2', '-f', $inserts ], 'INSERTs in one transaction');
restored_is($first, 'copy_3', [ 'pg_restore', '-e', '-d', 'copy_3', $archive ], 'archive');
restored_is($first, 'copy_4', [ 'pg_restore', '-e', '-j2', '-d', 'copy_4', $parts ], 'parallel');
restored_is(
	$first, 'copy_5',
	[ 'pg_restore', '-e', '-a', '-d', 'copy_5', $archive ],
	'data only, into a database made beforehand',
	'CREATE EXTENSION entitle;
	 CREATE TABLE public.orders (customer_id bigint, on_date date) PARTITION BY RANGE (on_date);
	 CREATE TABLE public.orders_2026 PARTITION OF public.orders FOR VALUES FROM (\'2026-01-01\') TO (\'2027-01-01\');
	 CREATE TABLE public.old (id integer); CREATE TABLE public.closed (id integer); CREATE TABLE public.excepted (id integer);
	 CREATE MATERIALIZED VIEW public.seen AS SELECT 1 AS id');

# The removed rows first, then last.
my ($list, $stderr) = run_command([ 'pg_restore', '-l', $archive ]);
my ($removal) = $list =~ /^(.*TABLE DATA entitle shipped_removal.*)$/m;
ok($removal, 'removed shipped rows are dumped');
(my $rest = $list) =~ s/^\Q$removal\E\n//m;
(my $last = $rest) =~ s/(^.*SEQUENCE SET)/$removal\n$1/m;
(my $early = $rest) =~ s/(^.*TABLE DATA)/$removal\n$1/m;
PostgreSQL::Test::Utils::append_to_file("$folder/last", $last);
PostgreSQL::Test::Utils::append_to_file("$folder/early", $early);
restored_is($first, 'copy_6', [ 'pg_restore', '-e', '-L', "$folder/last", '-d', 'copy_6', $archive ], 'removals last');
restored_is($first, 'copy_7', [ 'pg_restore', '-e', '-L', "$folder/early", '-d', 'copy_7', $archive ], 'removals first');

# A restored database dumps as the first one did.
$node->command_ok([ 'pg_dump', '-f', "$folder/again.sql", 'copy_1' ], 'dumps the restored database');
restored_is($first, 'copy_8', [ @psql, '-d', 'copy_8', '-f', "$folder/again.sql" ], 'restored twice');

# The policies and flags of protected tables come back with the tables.
my $flags = "SELECT string_agg(relname || relrowsecurity || relforcerowsecurity, ' ' ORDER BY relname) FROM pg_class
	WHERE relname LIKE 'orders%'";
is($node->safe_psql('copy_1', $flags), 'orderstruetrue orders_2026truetrue', 'protected tables stay protected');
is( $node->safe_psql(
		'copy_1', "SELECT string_agg(concat_ws(' ', relation, state, entitle_internal.is_closed(relation)), ', ' ORDER BY relation::text)
			FROM entitle.guarded_tables"),
	'closed closed t, excepted excepted f, old before f, seen closed t', 'and a guarded schema stays guarded (R67)');
$node->safe_psql('copy_1', "SELECT entitle.unguard_schema('public')");
is($node->safe_psql('copy_1', "SELECT relrowsecurity FROM pg_class WHERE relname = 'closed'"), 'f', 'until it is guarded no more');
$node->safe_psql('copy_1', "SELECT entitle.unprotect_table('public.orders')");
is($node->safe_psql('copy_1', $flags), 'ordersfalsefalse orders_2026truefalse',
	'unprotect_table puts back what was found before the dump');

# A mapping is bound to the role that exists, and is never believed from a dump.
$node->safe_psql('postgres', 'DROP ROLE gone');
restored_is(
	$first =~ s/^(app_user \(3,lost,,gone,t,)\d+(,,\))$/$1$2/mr,
	'copy_9', [ @psql, '-d', 'copy_9', '-f', $sql ], 'without a mapped role');

# Shipped rows that everything else hangs on: the first organization is left, removed, and its name taken by another.
my $second = make_source('second', <<'SQL');
	INSERT INTO entitle.organization (organization_id, name) VALUES (5, 'group');
	UPDATE entitle.brand SET organization_id = 5;
	DELETE FROM entitle.role;
	DELETE FROM entitle.organization WHERE organization_id = 1;
	INSERT INTO entitle.organization (name) VALUES ('main');
	INSERT INTO entitle.role (organization_id, name) VALUES (2, 'sales');
	INSERT INTO entitle.role_permission VALUES (8, 'customers.view');
	TRUNCATE entitle.metric_module;
SQL
for my $option (qw(--rows-per-insert=100 --inserts --column-inserts))
{
	$node->command_ok([ 'pg_dump', $option, '-f', "$folder/second.sql", 'second' ], "dumps with $option");
	restored_is($second, 'copy_10', [ @psql, '-d', 'copy_10', '-f', "$folder/second.sql" ], "first organization removed, $option");
}
$node->command_ok([ 'pg_dump', '-Fd', '-f', "$folder/second.dir", 'second' ], 'dumps as a folder');
restored_is($second, 'copy_11', [ 'pg_restore', '-e', '-j2', '-d', 'copy_11', "$folder/second.dir" ],
	'first organization removed, in parallel');

# A clean install is dumped without a row of the catalogue.
make_source('third', '');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$folder/third.dump", 'third' ], 'dumps a clean install');
my ($clean) = run_command([ 'pg_restore', '-a', '-f', '-', "$folder/third.dump" ]);
unlike($clean, qr/customers\.view/, 'a clean install dumps no shipped row');

# An ordinary superuser's INSERT is not taken for a restore.
my ($status, $out, $err) =
  $node->psql('third', "INSERT INTO entitle.role (role_id, organization_id, name) VALUES (1, 1, 'mine')");
like($err, qr/role_pkey/, 'outside a restore a taken key is an error');

$node->stop;
done_testing();
