# Four applications of different shape are adopted and protected in at most 25 lines of SQL each, their users get what is theirs, and when
# all is taken back their schemas and rows are dumped byte for byte as before (R64): uuid tenants with roles in an array and soft
# deletes; text keys with guests and link tables; integer keys with lines three levels deep; composite keys and partitions.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my %schemas = (
	# Tenants are organizations, each with one brand; roles are rows with lists, held by name in an array; sites are customers.
	tenants => {
		shape => <<'SQL',
CREATE TABLE tenant (id uuid PRIMARY KEY, name text NOT NULL, deleted_at timestamptz);
CREATE TABLE person (id uuid PRIMARY KEY, email text UNIQUE, given text, deleted_at timestamptz);
CREATE TABLE duty (word text, tenant_id uuid REFERENCES tenant, may text[] NOT NULL, PRIMARY KEY (word));
CREATE TABLE member (tenant_id uuid REFERENCES tenant, person_id uuid REFERENCES person, duties text[], is_head boolean NOT NULL DEFAULT false, PRIMARY KEY (tenant_id, person_id));
CREATE TABLE site (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenant, title text, deleted_at timestamptz);
CREATE TABLE site_user (site_id uuid REFERENCES site, person_id uuid REFERENCES person, PRIMARY KEY (site_id, person_id));
CREATE TABLE ticket (id uuid PRIMARY KEY, site_id uuid NOT NULL REFERENCES site, tenant_id uuid NOT NULL REFERENCES tenant, words text);
INSERT INTO tenant SELECT md5('t' || i)::uuid, 'tenant ' || i FROM generate_series(1, 2) i;
INSERT INTO person SELECT md5('p' || i)::uuid, 'P' || i || '@x', 'p' FROM generate_series(1, 4) i;
INSERT INTO duty VALUES ('clerk', md5('t1')::uuid, '{customers.view}'), ('driver', md5('t2')::uuid, '{customers.view,customers.edit}');
INSERT INTO member VALUES (md5('t1')::uuid, md5('p1')::uuid, '{clerk}', false), (md5('t2')::uuid, md5('p2')::uuid, '{driver}', false), (md5('t2')::uuid, md5('p3')::uuid, NULL, true);
INSERT INTO site SELECT md5('s' || i)::uuid, md5('t' || 1 + i % 2)::uuid, 'site ' || i, CASE WHEN i = 4 THEN now() END FROM generate_series(1, 4) i;
INSERT INTO site_user VALUES (md5('s1')::uuid, md5('p4')::uuid), (md5('s4')::uuid, md5('p4')::uuid);
INSERT INTO ticket SELECT md5('k' || i)::uuid, md5('s' || 1 + i % 4)::uuid, md5('t' || 1 + (1 + i % 4) % 2)::uuid, 'w' FROM generate_series(1, 8) i;
SQL
		adopt => <<'SQL',
SELECT entitle.adopt_users('person', 'email', active_when => 'deleted_at IS NULL');
SELECT entitle.adopt_organizations('tenant', 'id', 'name', active_when => 'deleted_at IS NULL');
SELECT entitle.adopt_brands('tenant', 'id', 'name', 'id');
SELECT entitle.adopt_roles('duty', 'word', 'word', 'tenant_id', 'may');
SELECT entitle.adopt_memberships('member', 'person_id', 'tenant_id', role_column => 'duties', owner_when => 'is_head');
SELECT entitle.adopt_customers('site', 'id', 'title', 'tenant_id', active_when => 'deleted_at IS NULL');
SELECT entitle.adopt_access('site_user', 'site_id', 'person_id', 'L10');
SELECT entitle.protect_table('site', 'id', external_update_level => 80);
SELECT entitle.protect_schema('{tenants}');
SQL
		asks => [
			# Not of the deleted site: the access to it waits until it comes back (R64).
			[ 'p4@x', 'SELECT count(*) FROM ticket', '2' ],
			[ 'p1@x', q{SELECT string_agg(name, ',' ORDER BY name) FROM entitle.brand WHERE entitle.has_permission('customers.view', brand_id)}, 'tenant 1' ],
			[ 'p2@x', q{SELECT string_agg(name, ',' ORDER BY name) FROM entitle.brand WHERE entitle.has_permission('customers.edit', brand_id)}, 'tenant 2' ],
			[ 'p3@x', q{SELECT count(*) FROM entitle.customer}, '2' ],
			# Staff of one tenant see its rows and no other's, and write where they may.
			[ 'p1@x', q{SELECT string_agg(DISTINCT t.name, ',') || ' ' || count(*) FROM ticket JOIN tenant t ON t.id = tenant_id}, 'tenant 1 4' ],
			[ 'p2@x', q{SELECT string_agg(DISTINCT t.name, ',') || ' ' || count(*) FROM ticket JOIN tenant t ON t.id = tenant_id}, 'tenant 2 4' ],
			[ 'p3@x', 'SELECT count(*) FROM ticket', '4' ],
			[ 'p1@x', q{WITH w AS (UPDATE ticket SET words = 'x' WHERE tenant_id = md5('t2')::uuid RETURNING 1) SELECT count(*) FROM w}, '0' ],
			[ 'p2@x', q{SELECT string_agg(e.passed::text, ',' ORDER BY t) FROM unnest('{t1,t2}'::text[]) t, entitle.explain_new_row('ticket', jsonb_build_object('tenant_id', md5(t)::uuid)) e WHERE e.gate = 'decision'}, 'false,true' ],
		],
		change => q{UPDATE tenant SET deleted_at = now() WHERE name = 'tenant 2'; DELETE FROM site_user WHERE site_id = md5('s1')::uuid},
		after => [ [ 'p3@x', 'SELECT count(*) FROM entitle.customer', '0' ], [ 'p2@x', 'SELECT count(*) FROM ticket', '0' ], [ 'p1@x', 'SELECT count(*) FROM ticket', '4' ], [ 'p4@x', 'SELECT count(*) FROM ticket', '0' ] ],
	},
	# Guests until a day; papers belong to accounts by a link table.
	texts => {
		shape => <<'SQL',
CREATE TABLE account (code varchar(20) PRIMARY KEY, label text);
CREATE TABLE login (name text PRIMARY KEY, enabled boolean NOT NULL DEFAULT true);
CREATE TABLE seat (account_code varchar(20) REFERENCES account ON UPDATE CASCADE, login_name text REFERENCES login ON UPDATE CASCADE, PRIMARY KEY (account_code, login_name));
CREATE TABLE guest (no integer PRIMARY KEY, account_code varchar(20) REFERENCES account ON UPDATE CASCADE, login_name text REFERENCES login ON UPDATE CASCADE, until date);
CREATE TABLE paper (id integer PRIMARY KEY, title text);
CREATE TABLE paper_account (paper_id integer REFERENCES paper, account_code varchar(20) REFERENCES account ON UPDATE CASCADE, PRIMARY KEY (paper_id, account_code));
CREATE TABLE bill (id integer PRIMARY KEY, account_code varchar(20) NOT NULL REFERENCES account ON UPDATE CASCADE, net numeric, made_on date NOT NULL);
INSERT INTO account VALUES ('NORTH', 'n'), ('SOUTH', 's');
INSERT INTO login VALUES ('ann', true), ('ben', true), ('cay', false);
INSERT INTO seat VALUES ('NORTH', 'ann'), ('SOUTH', 'cay');
INSERT INTO guest VALUES (1, 'SOUTH', 'ben', '2999-01-01'), (2, 'NORTH', 'ben', '2001-01-01');
INSERT INTO paper SELECT i, 'p' || i FROM generate_series(1, 4) i;
INSERT INTO paper_account SELECT i, CASE WHEN i < 4 THEN 'NORTH' ELSE 'SOUTH' END FROM generate_series(1, 4) i;
INSERT INTO bill SELECT i, CASE i % 2 WHEN 0 THEN 'NORTH' ELSE 'SOUTH' END, i, '2020-01-01' FROM generate_series(1, 6) i;
SQL
		adopt => <<'SQL',
SELECT entitle.adopt_users('login', 'name', active_when => 'enabled', fold_case => false);
SELECT entitle.adopt_customers('account', 'code', 'label');
SELECT entitle.adopt_access('seat', 'account_code', 'login_name', 'L40');
SELECT entitle.adopt_access('guest', 'account_code', 'login_name', 'L20', valid_until_column => 'until', on_conflict => 'report');
SELECT entitle.protect_table('account', 'code');
SELECT entitle.protect_table('paper_account', 'account_code');
SELECT entitle.protect_table('bill', 'account_code', 'made_on', masked_columns => '{"net": 40}');
SQL
		asks => [
			[ 'ann', q{SELECT string_agg(id || ' ' || coalesce(net::text, 'hidden'), ',' ORDER BY id) FROM bill_view}, '2 2,4 4,6 6' ],
			[ 'ben', q{SELECT string_agg(id || ' ' || coalesce(net::text, 'hidden'), ',' ORDER BY id) FROM bill_view}, '1 hidden,3 hidden,5 hidden' ],
			[ 'ann', 'SELECT count(*) FROM paper_account', '3' ],
		],
		change => q{UPDATE account SET code = 'WEST' WHERE code = 'SOUTH'; UPDATE login SET name = 'bee' WHERE name = 'ben'},
		after => [ [ 'bee', 'SELECT count(*) FROM bill_view', '3' ] ],
	},
	# Shops are brands, whose numbers the tables hold; documents, lines, parts, and what was done with them.
	integers => {
		shape => <<'SQL',
CREATE TABLE shop (id integer PRIMARY KEY, name text, shut boolean NOT NULL DEFAULT false);
CREATE TABLE staff (id serial PRIMARY KEY, mail text NOT NULL, shop_id integer REFERENCES shop, works_as text);
CREATE TABLE client (id integer PRIMARY KEY, shop_id integer NOT NULL REFERENCES shop, title text);
CREATE TABLE document (id integer PRIMARY KEY, client_id integer NOT NULL REFERENCES client, shop_id integer NOT NULL REFERENCES shop);
CREATE TABLE line (id integer PRIMARY KEY, document_id integer NOT NULL REFERENCES document);
CREATE TABLE part (id integer PRIMARY KEY, line_id integer NOT NULL REFERENCES line);
CREATE TABLE step (id integer PRIMARY KEY, part_id integer NOT NULL REFERENCES part, what text);
INSERT INTO shop VALUES (21, 'hill'), (22, 'lake');
INSERT INTO staff (mail, shop_id, works_as) VALUES ('hal', 21, 'sales'), ('lea', 22, 'read-only'), ('all', NULL, 'sales');
INSERT INTO client SELECT i, 21 + i % 2, 'client ' || i FROM generate_series(1, 6) i;
INSERT INTO document SELECT i, 1 + i % 6, 21 + (1 + i % 6) % 2 FROM generate_series(1, 12) i;
INSERT INTO line SELECT i, i FROM generate_series(1, 12) i;
INSERT INTO part SELECT i, i FROM generate_series(1, 12) i;
INSERT INTO step SELECT i, i, 'made' FROM generate_series(1, 12) i;
SQL
		adopt => <<'SQL',
SELECT entitle.adopt_brands('shop', 'id', 'name', active_when => 'NOT shut');
SELECT entitle.adopt_users('staff', 'mail');
SELECT entitle.adopt_memberships('staff', 'id', brand_column => 'shop_id', role_column => 'works_as');
SELECT entitle.adopt_customers('client', 'id', 'title', 'shop_id');
SELECT entitle.protect_schema('{integers}');
SQL
		asks => [
			[ 'hal', 'SELECT count(*) FROM step', '6' ], [ 'lea', 'SELECT count(*) FROM step', '6' ], [ 'all', 'SELECT count(*) FROM step', '0' ],
			[ 'hal', q{WITH w AS (UPDATE step SET what = 'sent' RETURNING 1) SELECT count(*) FROM w}, '6' ],
		],
		change => q{UPDATE step SET what = 'made'; UPDATE staff SET shop_id = 22 WHERE mail = 'hal'; UPDATE shop SET shut = true WHERE id = 22},
		after => [ [ 'hal', 'SELECT count(*) FROM step', '0' ], [ 'lea', 'SELECT count(*) FROM line', '0' ] ],
	},
	# Keys of two columns, and tables in parts.
	parts => {
		shape => <<'SQL',
CREATE TABLE house (id bigint, region text, label text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE house_a PARTITION OF house FOR VALUES IN ('a');
CREATE TABLE house_b PARTITION OF house FOR VALUES IN ('b');
CREATE TABLE owner (id bigint PRIMARY KEY, mail text);
CREATE TABLE holding (owner_id bigint REFERENCES owner, house_id bigint, since timestamptz, share integer, PRIMARY KEY (owner_id, house_id, since)) PARTITION BY HASH (owner_id);
CREATE TABLE holding_0 PARTITION OF holding FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE holding_1 PARTITION OF holding FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE visit (house_id bigint, day date, n integer, PRIMARY KEY (house_id, day, n)) PARTITION BY RANGE (day);
CREATE TABLE visit_old PARTITION OF visit FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE visit_new PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE TABLE visit_note (house_id bigint NOT NULL, day date NOT NULL, n integer NOT NULL, note text, FOREIGN KEY (house_id, day, n) REFERENCES visit ON UPDATE CASCADE);
INSERT INTO house SELECT 9000 + i, (ARRAY['a', 'b'])[1 + i % 2], 'house ' || i FROM generate_series(1, 4) i;
INSERT INTO owner SELECT i, 'o' || i FROM generate_series(1, 3) i;
INSERT INTO holding VALUES (1, 9001, '2020-01-01', 100), (2, 9002, '2020-01-01', 60), (3, 9002, '2021-01-01', 40);
INSERT INTO visit SELECT 9000 + i, '2025-12-30'::date + i, 1 FROM generate_series(1, 4) i;
INSERT INTO visit_note SELECT house_id, day, n, 'note' FROM visit;
SQL
		adopt => <<'SQL',
SELECT entitle.adopt_users('owner', 'mail');
SELECT entitle.adopt_customers('house', 'id', 'label');
SELECT entitle.adopt_access('holding', 'house_id', 'owner_id', 'L20', active_when => 'share > 0', valid_from_column => 'since');
SELECT entitle.protect_table('visit', 'house_id', 'day');
SELECT entitle.protect_table('visit_note', parent => 'visit');
SQL
		asks => [ [ 'o1', 'SELECT count(*) FROM visit', '1' ], [ 'o3', 'SELECT string_agg(house_id::text, $$,$$) FROM visit_note', '9002' ] ],
		change => q{UPDATE holding SET share = 0 WHERE owner_id = 1; UPDATE house SET region = 'b'},
		after => [ [ 'o1', 'SELECT count(*) FROM visit', '0' ], [ 'o2', 'SELECT count(*) FROM visit', '1' ] ],
	});

my $node = PostgreSQL::Test::Cluster->new('schemas');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app');

sub dumped
{
	my ($database, @what) = @_;
	my ($output, $errors) = run_command([ 'pg_dump', '-d', $node->connstr($database), @what ]);
	is($errors, '', "$database: a dump is made");
	return $output =~ s/^\\(un)?restrict .*$//mgr;
}
sub ask
{
	my ($name, $login, $question, $expected) = @_;
	is($node->safe_psql($name, "SET client_min_messages = error; SELECT FROM entitle.sign_in('$login', true); SET ROLE app; $question"), $expected, "$name: $login: $question");
}

foreach my $name (sort keys %schemas)
{
	my %of = %{ $schemas{$name} };
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql('postgres', "ALTER DATABASE $name SET search_path = $name, public");
	$node->safe_psql($name, "CREATE SCHEMA $name; $of{shape} GRANT USAGE ON SCHEMA $name TO app; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA $name TO app");
	my @before = map { dumped($name, @$_) } [ '-s' ], ['-a'];
	$node->safe_psql($name, 'CREATE EXTENSION entitle; GRANT SELECT ON entitle.brand, entitle.customer TO app');
	my $lines = () = $of{adopt} =~ /\n/g;
	cmp_ok($lines, '<=', 25, "$name: adopted and protected in $lines lines");
	$node->safe_psql($name, "SET client_min_messages = error; $of{adopt}");
	is($node->safe_psql($name, "SELECT string_agg(v::text, '; ') FROM entitle.verify_adoption() v") . $node->safe_psql($name, "SELECT string_agg(v::text, '; ') FROM entitle.verify_protection() v"),
		'', "$name: nothing is wrong");
	ask($name, @$_) foreach @{ $of{asks} };
	my @as_adopted = dumped($name, '-a', '-n', $name);
	$node->safe_psql($name, $of{change});
	is($node->safe_psql($name, "SELECT string_agg(v::text, '; ') FROM entitle.verify_adoption() v"), '', "$name: what was written is followed");
	ask($name, @$_) foreach @{ $of{after} };
	my $rows = dumped($name, '-a', '-n', $name);
	$node->safe_psql($name, 'SELECT entitle.unprotect_all(); SELECT entitle.forget_adopted(source) FROM (SELECT DISTINCT source FROM entitle.adopted_tables) s');
	is(dumped($name, '-a', '-n', $name), $rows, "$name: forgotten and unprotected, its rows are dumped as before");
	$node->safe_psql($name, 'DROP EXTENSION entitle; DROP SCHEMA entitle');
	is(dumped($name, '-s'), $before[0], "$name: and so is its schema");
	is($as_adopted[0], $before[1], "$name: adopting and protecting left its rows as they were") if $name ne 'integers';
}
$node->stop;
done_testing();
