# A dump that leaves tables out restores what is declared of all others, and verify_protection names those that did not come; each
# protects again in one call when it is there. Names of columns that were exchanged before the dump open nothing after it (R50; S104,
# S137, S141).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('partial_dump');
$node->init;
$node->start;
my $folder = PostgreSQL::Test::Utils::tempdir;

$node->safe_psql('postgres', 'CREATE ROLE app; CREATE DATABASE first');
$node->safe_psql('first', <<'SQL');
	CREATE EXTENSION entitle;
	INSERT INTO entitle.app_user (login) VALUES ('l20');
	INSERT INTO entitle.customer (legal_name, trade_name, tax_id) VALUES ('a', 'a', 'a');
	INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L20', NULL);
	CREATE SCHEMA shop;
	GRANT USAGE ON SCHEMA shop TO app;
	CREATE TABLE shop.orders (gone text, id integer PRIMARY KEY, customer_id bigint, note text, price text);
	ALTER TABLE shop.orders DROP COLUMN gone;
	CREATE TABLE shop.bills (id integer PRIMARY KEY, customer_id bigint, price text);
	CREATE TABLE public.visits (id integer PRIMARY KEY, customer_id bigint);
	CREATE TABLE public.lines (order_id integer REFERENCES shop.orders, line integer, price text, PRIMARY KEY (order_id, line));
	INSERT INTO shop.orders VALUES (1, 1, 'open', 'secret');
	INSERT INTO shop.bills VALUES (1, 1, 'secret');
	INSERT INTO public.lines VALUES (1, 1, 'secret');
	GRANT SELECT ON shop.orders, shop.bills, public.visits, public.lines TO app;
	SELECT entitle.protect_table('shop.orders', 'customer_id', masked_columns => '{"price": 30}');
	SELECT entitle.protect_table('shop.bills', 'customer_id', masked_columns => '{"price": 30}');
	SELECT entitle.protect_table('public.visits', 'customer_id');
	SELECT entitle.protect_table('public.lines', parent => 'shop.orders', masked_columns => '{"price": 30}');
	ALTER TABLE shop.bills RENAME TO invoices;
	ALTER TABLE shop.orders RENAME price TO x;
	ALTER TABLE shop.orders RENAME note TO price;
	ALTER TABLE shop.orders RENAME x TO note;
SQL
my $declared = q(SELECT string_agg(relation::text, ' ' ORDER BY relation::text) FROM entitle.protected_tables);
my $problems = q(SELECT DISTINCT problem FROM entitle.verify_protection() WHERE problem ~ 'did not come|bears' ORDER BY 1);
my @psql = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null');
# Runs the remedies, as often as there are any that work.
my $mend = <<'SQL';
	DO $$
	DECLARE
		remedy text;
	BEGIN
		FOR i IN 1 .. 5 LOOP
			FOREACH remedy IN ARRAY ARRAY(SELECT DISTINCT v.remedy FROM entitle.verify_protection() v) LOOP
				EXECUTE remedy;
			END LOOP;
		END LOOP;
	END $$;
SQL

sub restore
{
	my ($name, @options) = @_;
	$node->command_ok([ 'pg_dump', '-f', "$folder/$name.sql", @options, 'first' ], "$name: dumps");
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->command_ok([ @psql, '-d', $name, '-f', "$folder/$name.sql" ], "$name: restores without an error");
	return;
}
sub masked
{
	my ($name) = @_;
	return $node->safe_psql($name, <<'SQL');
	GRANT EXECUTE ON FUNCTION entitle.sign_in TO app;
	SET ROLE app;
	BEGIN; SELECT entitle.sign_in('l20') > 0; SELECT count(*) FROM shop.orders_view AS o WHERE o::text ~ 'secret'; COMMIT;
SQL
}

restore('whole');
is($node->safe_psql('whole', $declared), 'lines shop.invoices shop.orders visits', 'whole: all is declared');
$node->safe_psql('whole', $mend);
is($node->safe_psql('whole', 'SELECT problem FROM entitle.verify_protection()'), '', 'whole: and mended');
is(masked('whole'), "t\n0", 'S137: columns exchanged before a dump stay masked after it');
is($node->safe_psql('whole', q(SELECT masked_columns FROM entitle.protected_tables WHERE relation = 'shop.orders'::regclass)),
	'{"note": 30, "price": 30}', 'S137: both');

restore('less', '-T', 'shop.invoices', '-T', 'shop.orders_view*', '-T', 'shop.bills_view');
is($node->safe_psql('less', $declared), 'lines shop.orders visits', 'S141: -T one table: the others are declared');
is($node->safe_psql('less', $problems), 'protected table shop.invoices did not come when a dump was restored', 'S141: and that one is named');
like($node->safe_psql('less', 'SELECT finding FROM entitle.lint()'), qr/shop\.invoices did not come/, 'S141: by lint, too');

# A second dump still knows it; and the table, when it comes, protects again in one call.
$node->command_ok([ 'pg_dump', '-f', "$folder/again.sql", 'less' ], 'again: dumps');
$node->safe_psql('postgres', 'CREATE DATABASE again');
$node->command_ok([ @psql, '-d', 'again', '-f', "$folder/again.sql" ], 'again: restores');
is($node->safe_psql('again', $problems), 'protected table shop.invoices did not come when a dump was restored', 'S141: a second dump knows it still');
$node->safe_psql('again', 'CREATE TABLE shop.invoices (id integer PRIMARY KEY, customer_id bigint, price text)');
is($node->safe_psql('again', $problems), 'protected table shop.invoices is gone, and another one bears its name, unprotected', 'S141: what came later is named');
$node->safe_psql('again', $mend);
is($node->safe_psql('again', 'SELECT problem FROM entitle.verify_protection()'), '', 'S141: and protected by the remedy');
is($node->safe_psql('again', q(SELECT masked_columns FROM entitle.protected_tables WHERE relation = 'shop.invoices'::regclass)), '{"price": 30}',
	'S141: as it was declared');
$node->safe_psql('less', $mend);
is($node->safe_psql('less', 'SELECT problem FROM entitle.verify_protection()'), '', 'S141: what does not come is forgotten by the remedy');

restore('schema', '-N', 'shop', '-T', 'public.lines', '-T', 'public.lines_view');
is($node->safe_psql('schema', $declared), 'visits', 'S141: -N: what is not of the schema is declared');
is($node->safe_psql('schema', $problems), join("\n", map { "protected table $_ did not come when a dump was restored" } qw(public.lines shop.invoices shop.orders)),
	'S141: and the rest is named');

# One table of a dump, into the database where it was dropped.
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$folder/one.dump", '-t', 'shop.orders', 'whole' ], 'one table is dumped');
$node->safe_psql('whole', 'DROP TABLE shop.orders CASCADE');
$node->command_ok([ 'pg_restore', '-e', '-d', 'whole', "$folder/one.dump" ], 'and restored');
is($node->safe_psql('whole', $problems), 'protected table shop.orders is gone, and another one bears its name, unprotected', 'R50: which is told');
$node->safe_psql('whole', q(SELECT entitle.protect_table('shop.orders', 'customer_id', masked_columns => '{"price": 30, "note": 30}')));
is($node->safe_psql('whole', $problems), '', 'R50: and mended in one call');
$node->safe_psql('whole', 'GRANT SELECT ON shop.orders_view TO app');
is(masked('whole'), "t\n0", 'R50: with its masks');

done_testing();
