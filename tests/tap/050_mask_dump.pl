# A dump brings filtered views back as they were: the view, its privileges, its trigger, the lines' policies, what was found and
# what verify_protection thinks of it; and unprotect_table undoes there what protect_table did here (R50, S104).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('mask_dump');
$node->init;
$node->start;
my $folder = PostgreSQL::Test::Utils::tempdir;

$node->safe_psql('postgres', 'CREATE ROLE app; CREATE ROLE clerk; CREATE DATABASE first');
$node->safe_psql('first', <<'SQL');
	CREATE EXTENSION entitle;
	GRANT EXECUTE ON FUNCTION entitle.sign_in TO app;
	INSERT INTO entitle.app_user (login) VALUES ('l20'), ('l30'), ('staff');
	INSERT INTO entitle.membership (user_id, organization_id, role_id) VALUES (3, 1, 5);
	INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES ('a', 'a', 'a'), ('b', 'b', 'b');
	INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L20', NULL), (1, 2, 'L30', NULL);
	CREATE SCHEMA report;
	GRANT USAGE ON SCHEMA report TO app;
	CREATE TABLE public.orders (id bigint PRIMARY KEY, gone text, customer_id bigint, price numeric(8,2) DEFAULT 1);
	ALTER TABLE public.orders DROP COLUMN gone;
	CREATE TABLE public.lines (order_id bigint REFERENCES public.orders, line integer, price numeric, PRIMARY KEY (order_id, line));
	INSERT INTO public.orders VALUES (1, 1, 10), (2, 2, 20);
	INSERT INTO public.lines VALUES (1, 1, 5), (2, 1, 6);
	GRANT SELECT, UPDATE ON public.orders TO app;
	GRANT SELECT (id, price) ON public.orders TO clerk;
	GRANT SELECT ON public.lines TO app;
	SELECT entitle.protect_table('public.orders', 'customer_id', view_permission => 'customers.view', external_update_level => 20,
		masked_columns => '{"price": 30}', view_name => 'report.order_list');
	SELECT entitle.protect_table('public.lines', parent => 'public.orders', masked_columns => '{"price": 30}');
	CREATE VIEW report.totals WITH (security_invoker) AS SELECT sum(price) AS total FROM report.order_list;
	GRANT SELECT ON report.totals TO app;
SQL

# What a user sees, what privileges there are, and what is wrong.
my $state = <<'SQL';
	SELECT 'acl', c.relname, p.column_name, p.grantor, p.grantee, p.privilege, p.is_grantable
		FROM pg_class c, entitle_internal.table_privileges(c.oid) p
		WHERE c.relname IN ('orders', 'lines', 'order_list', 'lines_view') ORDER BY 2, 3, 4, 5, 6;
	SELECT 'problem', * FROM entitle.verify_protection();
	SELECT 'found', relation, column_name, grantee, privilege FROM entitle.protection_privilege ORDER BY relation::text, position;
	SET ROLE app;
	BEGIN; SELECT entitle.sign_in('l20'); SELECT * FROM report.order_list; SELECT * FROM public.lines_view; SELECT * FROM report.totals;
	UPDATE report.order_list SET id = id RETURNING *; COMMIT;
	BEGIN; SELECT entitle.sign_in('l30'); SELECT * FROM report.order_list; SELECT * FROM public.lines_view; COMMIT;
	BEGIN; SELECT entitle.sign_in('staff'); SELECT * FROM report.order_list; SELECT * FROM public.lines_view; SELECT * FROM report.totals; COMMIT;
	RESET ROLE;
SQL
my $undo = <<'SQL';
	DROP VIEW report.totals;
	SELECT entitle.unprotect_table('public.lines'), entitle.unprotect_table('public.orders');
	SELECT c.relname, p.column_name, p.grantor, p.grantee, p.privilege, p.is_grantable
		FROM pg_class c, entitle_internal.table_privileges(c.oid) p WHERE c.relname IN ('orders', 'lines') ORDER BY 1, 2, 3, 4, 5;
	SELECT count(*) FROM pg_class WHERE relname IN ('order_list', 'lines_view');
SQL
my $first = $node->safe_psql('first', $state);
like($first, qr/^1\|1\|\|\{price\}$/m, 'the first database masks');
unlike($first, qr/^problem/m, 'and is well');

for my $format ('plain', 'custom', 'directory')
{
	my $dump = "$folder/$format";
	$node->command_ok([ 'pg_dump', "-F$format", '-f', $dump, 'first' ], "$format: dumps");
	$node->safe_psql('postgres', "CREATE DATABASE copy_$format");
	my @restore = $format eq 'plain'
		? ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', "copy_$format", '-f', $dump)
		: ('pg_restore', '-e', '-j2', '-d', "copy_$format", $dump);
	$node->command_ok(\@restore, "$format: restores without an error");
	is($node->safe_psql("copy_$format", $state), $first, "$format: shows, masks, grants and finds the same");
}
my $undone = $node->safe_psql('first', $undo);
like($undone, qr/^orders\|\|postgres\|app\|SELECT\|f$/m, 'the privileges are put back');
is($node->safe_psql("copy_$_", $undo), $undone, "$_: unprotect_table undoes the same") for 'plain', 'custom', 'directory';

done_testing();
