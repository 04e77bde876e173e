# Adopted tables (R64) where no session of their own writes: a dump brings back what is declared and what it gave, in every format,
# after columns were renamed too, and the restored tables are followed; so are changes that a subscription brings.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('adopted');
$node->init(allows_streaming => 'logical');
$node->start;
my $folder = PostgreSQL::Test::Utils::tempdir;

my $tables = <<'SQL';
	CREATE TABLE person (spare text, id uuid PRIMARY KEY, mail text, name text, gone boolean NOT NULL DEFAULT false);
	ALTER TABLE person DROP COLUMN spare;
	CREATE TABLE shop (id integer PRIMARY KEY, name text);
	CREATE TABLE branch (id uuid PRIMARY KEY, shop integer REFERENCES shop, name text);
	CREATE TABLE account (id integer PRIMARY KEY, title text, state text, shop integer REFERENCES shop);
	CREATE TABLE seat (account integer REFERENCES account ON DELETE CASCADE, who uuid, what text, PRIMARY KEY (account, who));
SQL
my $rows = <<'SQL';
	INSERT INTO person (id, mail, name) SELECT md5(i::text)::uuid, 'p' || i, 'P' FROM generate_series(1, 20) i;
	INSERT INTO shop VALUES (1, 'main'), (2, 'second');
	INSERT INTO branch SELECT md5('b' || i)::uuid, i, 'branch' FROM generate_series(1, 2) i;
	INSERT INTO account SELECT i, 'a' || i, CASE WHEN i % 5 = 0 THEN 'closed' ELSE 'open' END, 1 + i % 2 FROM generate_series(1, 20) i;
	INSERT INTO seat SELECT i, md5(i::text)::uuid, 'view' FROM generate_series(1, 20) i;
SQL
my $adoption = <<'SQL';
	SELECT entitle.adopt_users('person', 'mail', name_column => 'name', active_when => 'NOT gone');
	SELECT entitle.adopt_organizations('shop', 'id', 'name');
	SELECT entitle.adopt_brands('shop', 'id', 'name', 'id');
	SELECT entitle.adopt_brands('branch', 'id', 'name', 'shop');
	SELECT entitle.adopt_customers('account', 'id', 'title', 'shop', active_when => 'state = ''open''');
	SELECT entitle.adopt_access('seat', 'account', 'who', level_column => 'what', levels => '{"view": "L10"}');
SQL

# What is given, in one text.
my $given = q{SELECT string_agg(r, E'\n' ORDER BY r) FROM (
	SELECT format('user %s %s %s', source_key, login, is_active) AS r FROM entitle.app_user WHERE is_active
	UNION ALL SELECT format('customer %s %s %s', customer_id, status, brand_id) FROM entitle.customer
	UNION ALL SELECT format('brand %s %s %s %s %s', b.source_key, brand_id, brand_uuid, b.name, o.name) FROM entitle.brand b JOIN entitle.organization o USING (organization_id)
	UNION ALL SELECT format('organization %s %s', source_key, name) FROM entitle.organization
	UNION ALL SELECT format('modules %s %s', brand_id, count(*)) FROM entitle.brand_module GROUP BY brand_id
	UNION ALL SELECT format('grant %s %s %s', source_key, customer_id, role) FROM entitle.external_access) g};
my $problems = q{SELECT string_agg(v::text, E'\n') FROM entitle.verify_adoption() v};
my $change = <<'SQL';
	UPDATE person SET mail = upper(mail) || 'x' WHERE id = md5('1')::uuid;
	DELETE FROM person WHERE id = md5('2')::uuid;
	UPDATE account SET state = 'closed' WHERE id = 3;
	DELETE FROM account WHERE id = 4;
	INSERT INTO person (id, mail) VALUES (md5('21')::uuid, 'p21');
	INSERT INTO seat VALUES (1, md5('21')::uuid, 'view');
SQL

$node->safe_psql('postgres', 'CREATE DATABASE first');
$node->safe_psql('first', "CREATE EXTENSION entitle; $tables $rows $adoption");
foreach my $renamed (0, 1)
{
	if ($renamed)
	{
		$node->safe_psql('first', 'ALTER TABLE person RENAME COLUMN mail TO "E-Mail"; ALTER TABLE person RENAME COLUMN gone TO away;'
			. ' ALTER TABLE account RENAME COLUMN id TO no; ALTER TABLE account RENAME COLUMN state TO "select"; ALTER TABLE person ADD COLUMN mail text;'
			. ' ALTER TABLE seat RENAME TO place; ALTER TABLE place RENAME COLUMN who TO person; ALTER TABLE account DROP COLUMN title CASCADE;'
			. q{ SELECT entitle.adopt_customers('account', 'no', brand_column => 'shop', active_when => '"select" = ''open''')});
	}
	my $expected = $node->safe_psql('first', $given);
	foreach my $format ('plain', 'custom', 'directory')
	{
		my $file = "$folder/$format$renamed";
		$node->command_ok([ 'pg_dump', '-d', $node->connstr('first'), '-F', $format, '-f', $file, $format eq 'directory' ? ('-j', '2') : () ], "$format: dumped");
		$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS second');
		$node->safe_psql('postgres', 'CREATE DATABASE second');
		$node->command_ok($format eq 'plain'
			? [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('second'), '-f', $file ]
			: [ 'pg_restore', '-d', $node->connstr('second'), '-j', '2', $file ], "$format: restored");
		is($node->safe_psql('second', $given), $expected, "$format: what was given is there");
		is($node->safe_psql('second', $problems), '', "$format: and nothing is wrong");
		next if $format ne 'custom';
		my $now = $change;
		if ($renamed)
		{
			my %called = (mail => '"E-Mail"', state => '"select"', seat => 'place');
			$now =~ s/\b(mail|state|seat)\b/$called{$1}/g;
			$now =~ s/(account .*)WHERE id/$1WHERE no/g;
		}
		$node->safe_psql('second', $now);
		is($node->safe_psql('second', $problems), '', 'the restored tables are followed');
		is($node->safe_psql('second', q{SELECT login || ' ' || is_active FROM entitle.app_user WHERE source_key = md5('1')::uuid::text}), 'p1x true', 'row by row');
		is($node->safe_psql('second', q{SELECT count(*) FROM entitle.external_access WHERE customer_id = 4}), '0', 'cascades among them');
	}
}

# A subscription writes the tables: a worker fires row triggers, no statement triggers (R46, R64).
$node->safe_psql('postgres', 'CREATE DATABASE publisher');
$node->safe_psql('publisher', "$tables CREATE PUBLICATION application FOR ALL TABLES");
my $subscriber = PostgreSQL::Test::Cluster->new('follower');
$subscriber->init;
$subscriber->start;
$subscriber->safe_psql('postgres', "CREATE EXTENSION entitle; $tables $adoption");
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION application CONNECTION '" . $node->connstr . " dbname=publisher' PUBLICATION application");
$subscriber->poll_query_until('postgres', "SELECT count(*) > 0 AND bool_and(srsubstate = 'r') FROM pg_subscription_rel")
	or die 'the subscription does not start';
foreach my $statements ($rows, $change, 'TRUNCATE seat', 'BEGIN; INSERT INTO seat VALUES (5, md5(\'5\')::uuid, \'view\'); DELETE FROM person; COMMIT')
{
	$node->safe_psql('publisher', $statements);
	$node->wait_for_catchup('application');
	is($subscriber->safe_psql('postgres', $problems), '', 'what a subscription brings is followed');
}
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM entitle.app_user WHERE is_active'), '0', 'to the last row');
is($subscriber->safe_psql('postgres', q{SELECT count(*) > 20 FROM entitle.change_log WHERE reason = 'applied by subscription "application"'}), 't', 'and logged');

done_testing();
