# The web shop of docs/adopting.md, adopted and enforced, with filtered views first in its search_path, is run by Django and by
# node-postgres, whose models and statements say nothing of entitle: rows and errors by user (R3, R64). So do Active
# Record and SQLAlchemy, with their upserts on the views and on the tables. The programs are in tests/clients/lamps.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use File::Basename;
use Test::More;

my $tree = dirname(__FILE__) . '/../..';
my $node = PostgreSQL::Test::Cluster->new('lamps');
$node->init;
$node->start;
$node->safe_psql('postgres', slurp_file("$tree/demo/lamps.sql") . 'CREATE EXTENSION entitle;');
my $adoption = slurp_file("$tree/demo/adopt.sql");
$adoption =~ s/^\\(?:echo|set|pset).*\n//mg;
$adoption =~ s!\\g /dev/null$!;!mg;
$node->safe_psql('postgres', $adoption);

# What each program finds.
my $reset = <<'SQL';
	DELETE FROM lamps.purchase WHERE id > 9;
	DELETE FROM lamps.account WHERE company = 'Elm Inn';
	UPDATE lamps.purchase SET total = 20 * id;
SQL

my $shop = <<'LINES';
iris
  accounts: Birch Hotels Cedar Books
  filtered: 4 7
  joined: 9=Birch Hotels 7=Cedar Books
  lines: Reed*10
  page 2 of all: 4 6 of 6
  sum: 600.00
  by account: Birch Hotels=3 Cedar Books=3
  locked: 3
  got 3: 60.00
omar
  accounts: Dune Studio
  filtered: none
  joined: 8=Dune Studio 5=Dune Studio
  lines: Reed*9
  page 2 of all: 8 of 3
  sum: 300.00
  by account: Dune Studio=3
  locked: 1
  got 3: does not exist
ken
  accounts: none
  filtered: none
  joined: none
  lines: none
  page 2 of all: none of 0
  sum: none
  by account: none
  locked: 0
  got 3: does not exist
ada
  accounts: Birch Hotels
  filtered: none
  joined: 9=Birch Hotels 6=Birch Hotels
  lines: Reed*10
  page 2 of all: 9 of 3
  sum: 360.00
  by account: Birch Hotels=3
  locked: 2
  got 3: 60.00
cleo
  accounts: Cedar Books
  filtered: 4 7
  joined: 7=Cedar Books 4=Cedar Books
  lines: none
  page 2 of all: 7 of 3
  sum: 240.00
  by account: Cedar Books=3
  locked: 1
  got 3: does not exist
nobody
  accounts: none
  filtered: none
  joined: none
  lines: none
  page 2 of all: none of 0
  sum: none
  by account: none
  locked: 0
  got 3: does not exist
  created: 42501
cleo writes
  created: 99
  saved, new: done
  several: 2
  several, one not allowed: 42501
  for another company: 42501
  changed: 42501
  deleted: 42501
  deleted where it is another's: 0
  get_or_create, there: False
  get_or_create, new: True
  get_or_create, another's: 23505
  update_or_create, new: True
  update_or_create, there: 42501
  DO NOTHING without a key, new: 1
  DO NOTHING without a key, there: 23505
  DO NOTHING on the table, one there, one new, one another's: 3
  has now: 8
omar writes
  changed: done
  all changed: 3
  update_or_create, there: False
  update_or_create, new: True
  update_or_create, another's: 23505
  account changed: 1
  account and its order created: 1
  has now: 2=43.00 5=101.00 8=161.00 120=44.00 121=5.00
undone
  without roles from the next statement on: 0
  nobody is left: 0
  no order is left: 0
  an unknown login: 42501
LINES

my $upserts = <<'LINES';
the view
  SQLAlchemy, there: 0A000
    hint: Write the table itself, lamps.purchase, where the same rules hold; or use MERGE, which takes the view from PostgreSQL 17 on.
  SQLAlchemy, new: 0A000
  SQLAlchemy, another's: 0A000
  SQLAlchemy, nothing, there: 0A000
  Prisma, there: 0A000
  Prisma, new: 0A000
the table
  SQLAlchemy, there: 1
    hint: None
  SQLAlchemy, new: 1
  SQLAlchemy, another's: 42501
  SQLAlchemy, nothing, there: 0
  Prisma, there: 1
  Prisma, new: 1
LINES
# Before PostgreSQL 17 no view is the target of MERGE.
my $can_merge = $node->safe_psql('postgres', 'SHOW server_version_num') >= 170000;
$upserts .= $can_merge ? <<'LINES' : <<'LINES';
MERGE into the view
  there: 1
  new: 1
  another's: 23505
Session.merge, on the view
  there: done
  new: done
  another's: 23505
has now: 2=63.00 5=100.00 8=160.00 201=52.00 203=59.00 204=61.00 205=64.00
LINES
MERGE into the view
  there: 0A000
  new: 0A000
  another's: 0A000
Session.merge, on the view
  there: done
  new: done
  another's: 23505
has now: 2=63.00 5=100.00 8=160.00 201=52.00 203=59.00 205=64.00
LINES

my $records = <<'LINES';
iris@lamps.example
  accounts: Birch Hotels Cedar Books
  joined: 9=Birch Hotels 7=Cedar Books
  sum: 580
  locked: 3
  got 3: 60
omar@lamps.example
  accounts: Dune Studio
  joined: 8=Dune Studio 5=Dune Studio
  sum: 300
  locked: 1
  got 3: does not exist
ken@lamps.example
  accounts: none
  joined: none
  sum: 0
  locked: 0
  got 3: does not exist
ada@birch.example
  accounts: Birch Hotels
  joined: 9=Birch Hotels 6=Birch Hotels
  sum: 360
  locked: 2
  got 3: 60
cleo@cedar.example
  accounts: Cedar Books
  joined: 7=Cedar Books 4=Cedar Books
  sum: 220
  locked: 1
  got 3: does not exist
omar writes
  created: 1
  changed: true
  deleted: 42501
  find_or_create_by, new: 2
  find_or_create_by, another's: 23505
  upsert_all on the view: No unique index found for id
  upsert_all on the table: 2
  upsert_all on the table, another's: 42501
  insert_all on the table: 1
  has now: 2=42 5=100 8=160 201=1 202=2 203=3 204=4
LINES

my $node_modules = `npm root -g 2>/dev/null`;
chomp $node_modules;
my $python = '/usr/bin/python3';
my @programs = (
	[ 'Django', [ $python, 'django_orm.py' ], [ $python, '-c', 'import django, psycopg2' ], $shop ],
	[ 'node-postgres', [ 'env', "NODE_PATH=$node_modules", 'node', 'node_orm.js' ], [ 'env', "NODE_PATH=$node_modules", 'node', '-e', 'require("pg")' ], $shop ],
	[ 'Active Record', [ qw(ruby -W0), 'rails_orm.rb' ], [ 'ruby', '-e', 'require "active_record"; require "pg"' ], $records ],
	[ 'SQLAlchemy', [ $python, 'sqlalchemy_upsert.py' ], [ $python, '-c', 'import sqlalchemy, psycopg2' ], $upserts ]);

for my $program (@programs)
{
	my ($name, $command, $try, $expected) = @$program;
  SKIP:
	{
		skip "no $name: tools/dependencies clients installs it", 2 unless eval { run_command($try); $? == 0 };
		$node->safe_psql('postgres', $reset);
		local %ENV = (%ENV, CLIENT_HOST => $node->host, CLIENT_PORT => $node->port, CLIENT_DATABASE => 'postgres');
		my ($out, $err) = run_command([ map { /^\w+\.(?:py|js|rb)$/ ? "$tree/tests/clients/lamps/$_" : $_ } @$command ]);
		is("$out\n", $expected, "$name finds and writes what it may");
		is($err, '', 'and nothing else is said');
	}
}
my (undef, undef, $untold) = $node->psql('postgres', 'INSERT INTO purchase (id) VALUES (1) ON CONFLICT (id) DO NOTHING', extra_params => [ '-U', 'lamps_web', '-v', 'VERBOSITY=sqlstate' ]);
like($untold, qr/42P10/, 'in a session that has not used the extension PostgreSQL has the word');
is($node->safe_psql('postgres', 'SELECT count(*) FROM entitle.verify_adoption()') . $node->safe_psql('postgres', 'SELECT count(*) FROM entitle.verify_protection()'), '00',
	'nothing is wrong afterwards');
$node->stop;
done_testing();
