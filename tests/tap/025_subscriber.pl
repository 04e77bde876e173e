# The model replicated logically: what takes a right away at the publisher holds at the subscriber for the next statement of
# sessions that were open before, and stands in its change log (R21, R46). Apply workers fire row triggers, no statement triggers.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The same on both sides: roles, then the model, then a protected table.
my $world = <<'SQL';
	CREATE EXTENSION entitle;
	CREATE ROLE app_role;
	GRANT EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_out TO app_role;
	INSERT INTO entitle.plan VALUES ('basic'), ('strict');
	INSERT INTO entitle.plan_denial VALUES ('strict', 'customers.edit');
	UPDATE entitle.brand SET plan_key = 'basic';
	INSERT INTO entitle.module VALUES ('extra');
	INSERT INTO entitle.organization (organization_id, name) VALUES (2, 'other');
	INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (2, 2, 'other');
	INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'ann'), (2, 'staff'), (3, 'boss'), (4, 'owner');
	INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id, is_owner)
		SELECT 1, 2, 1, role_id, false FROM entitle.role WHERE organization_id = 1 AND name = 'sales manager'
		UNION ALL VALUES (2, 3, 1, NULL::bigint, true);
	INSERT INTO entitle.role_metric SELECT role_id, 'revenue' FROM entitle.role WHERE name = 'sales manager';
	INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('app_role', 'boss');
	INSERT INTO entitle.customer (customer_id, customer_uuid, customer_code, legal_name, trade_name, tax_id)
		SELECT n, md5(n::text)::uuid, 'c' || n, 'x', 'x', 'x' FROM generate_series(1, 20) AS n;
	INSERT INTO entitle.external_access (customer_id, user_id, role, days_back)
		SELECT n, 1, 'L30', NULL FROM generate_series(1, 10) AS n;
	INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (20, 4, 'L90', NULL);
	INSERT INTO entitle.client_metric (metric_id, name) VALUES (1, 'payments');
	INSERT INTO entitle.customer_metric VALUES (1, 1, 50);
	INSERT INTO entitle.integration_link VALUES (1, 'freshbooks', '1');
	CREATE TABLE orders AS SELECT n AS order_id, (1 + n % 20)::bigint AS customer_id, 'c' || 1 + n % 20 AS code FROM generate_series(1, 200) AS n;
	CREATE TABLE orders_by_code AS TABLE orders;
	SELECT entitle.protect_table('orders', 'customer_id', view_permission => 'customers.view'), entitle.protect_table('orders_by_code', 'code');
	GRANT SELECT ON orders, orders_by_code TO app_role;
	CREATE FUNCTION signs_in(login text) RETURNS text LANGUAGE plpgsql
		AS 'BEGIN RETURN entitle.sign_in(login, true); EXCEPTION WHEN insufficient_privilege THEN RETURN ''refused''; END';
SQL

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
$publisher->start;
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init;
$subscriber->start;
$_->safe_psql('postgres', $world) for ($publisher, $subscriber);

# Every table of the model, the log and what tells shipped rows apart aside.
my @tables = split /\n/, $publisher->safe_psql('postgres', q{
	SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
	WHERE t.tgname ~ '^entitle_log_' ORDER BY 1});
$publisher->safe_psql('postgres', 'CREATE PUBLICATION model FOR TABLE ' . join(', ', map { "entitle.$_" } @tables));
$subscriber->safe_psql('postgres',
	"CREATE SUBSCRIPTION model CONNECTION '" . $publisher->connstr . " dbname=postgres' PUBLICATION model WITH (copy_data = false)");
$subscriber->poll_query_until('postgres', "SELECT count(*) > 0 AND bool_and(srsubstate = 'r') FROM pg_subscription_rel")
	or die 'the subscription does not start';

my $session = $subscriber->background_psql('postgres');
sub ask
{
	my ($sql) = @_;
	return $session->query_safe("$sql;");
}

sub publisher_does
{
	my ($sql) = @_;
	$publisher->safe_psql('postgres', $sql);
	$publisher->wait_for_catchup('model');
	return;
}

my $log = q{SELECT concat_ws(' ', relation::regclass, action, row_key, old_row - 'db_role_oid', new_row - 'db_role_oid')
	FROM entitle.change_log ORDER BY change_id};
my $forget = 'TRUNCATE entitle.change_log';

# A change of one table alone, whatever refers to it.
my $alone = 'SET session_replication_role = replica;';
my $manager = q{role_id = (SELECT role_id FROM entitle.role WHERE name = 'sales manager' AND organization_id = 1)};
my @cases = (
	# table, who asks what, before, what the publisher does, after
	[ 'permission', 'staff', 'EXECUTE see', '200', "UPDATE entitle.permission SET is_active = false WHERE permission_key = 'customers.view'", '0' ],
	[ 'permission', 'staff', 'EXECUTE see', '0', "UPDATE entitle.permission SET is_active = true WHERE permission_key = 'customers.view'", '200' ],
	[ 'permission_module', 'staff', 'EXECUTE see', '200', "INSERT INTO entitle.permission_module VALUES ('customers.view', 'extra')", '0' ],
	[ 'permission_module', 'staff', 'EXECUTE see', '0', "DELETE FROM entitle.permission_module WHERE module_key = 'extra'", '200' ],
	[ 'permission_prerequisite', 'staff', 'EXECUTE see', '200', "INSERT INTO entitle.permission_prerequisite VALUES ('customers.view', 'billing.cards.view')", '0' ],
	[ 'permission_prerequisite', 'staff', 'EXECUTE see', '0', "DELETE FROM entitle.permission_prerequisite WHERE permission_key = 'customers.view'", '200' ],
	[ 'brand_module', 'staff', 'EXECUTE see', '200', "UPDATE entitle.brand_module SET is_enabled = false WHERE module_key = 'customers'", '0' ],
	[ 'brand_module', 'staff', 'EXECUTE see', '0', "UPDATE entitle.brand_module SET is_enabled = true", '200' ],
	[ 'role', 'staff', 'EXECUTE see', '200', "UPDATE entitle.role SET is_active = false WHERE $manager", '0' ],
	[ 'role', 'staff', 'EXECUTE see', '0', "UPDATE entitle.role SET is_active = true WHERE $manager", '200' ],
	[ 'plan_denial', 'staff', "SELECT entitle.has_permission('customers.edit')", 't', "INSERT INTO entitle.plan_denial VALUES ('basic', 'customers.edit')", 'f' ],
	[ 'plan_denial', 'staff', "SELECT entitle.has_permission('customers.edit')", 'f', "DELETE FROM entitle.plan_denial WHERE plan_key = 'basic'", 't' ],
	[ 'brand', 'staff', "SELECT entitle.has_permission('customers.edit')", 't', "UPDATE entitle.brand SET plan_key = 'strict' WHERE brand_id = 1", 'f' ],
	[ 'brand', 'staff', "SELECT entitle.has_permission('customers.edit')", 'f', "UPDATE entitle.brand SET plan_key = 'basic' WHERE brand_id = 1", 't' ],
	[ 'role_metric', 'staff', "SELECT entitle.has_metric('revenue')", 't', "DELETE FROM entitle.role_metric WHERE $manager", 'f' ],
	[ 'role_metric', 'staff', "SELECT entitle.has_metric('revenue')", 'f', "INSERT INTO entitle.role_metric SELECT role_id, '*' FROM entitle.role WHERE $manager", 't' ],
	[ 'metric_module', 'staff', "SELECT entitle.has_metric('revenue')", 't', "INSERT INTO entitle.metric_module VALUES ('revenue', 'extra')", 'f' ],
	[ 'metric_module', 'staff', "SELECT entitle.has_metric('revenue')", 'f', "DELETE FROM entitle.metric_module WHERE module_key = 'extra'", 't' ],
	[ 'metric', 'staff', "SELECT entitle.has_metric('revenue')", 't', "$alone DELETE FROM entitle.metric WHERE metric_key = 'revenue'", 'f' ],
	[ 'capability', 'staff', "SELECT entitle.allowed_capabilities('reports')", '{customers_report}', "UPDATE entitle.capability SET section = 'other' WHERE capability_key = 'customers_report'", '{}' ],
	[ 'capability', 'staff', "SELECT entitle.allowed_capabilities('reports')", '{}', "UPDATE entitle.capability SET section = 'reports' WHERE capability_key = 'customers_report'", '{customers_report}' ],
	[ 'capability_permission', 'staff', "SELECT entitle.allowed_capabilities('reports')", '{customers_report}', "DELETE FROM entitle.capability_permission WHERE capability_key = 'customers_report'", '{}' ],
	[ 'role_permission', 'staff', 'EXECUTE see', '200', "DELETE FROM entitle.role_permission WHERE $manager AND permission_key = 'customers.view'", '0' ],
	[ 'role_permission', 'staff', 'EXECUTE see', '0', "INSERT INTO entitle.role_permission SELECT role_id, 'customers.view' FROM entitle.role WHERE $manager", '200' ],
	[ 'membership', 'staff', 'EXECUTE see', '200', 'DELETE FROM entitle.membership WHERE user_id = 2', '0' ],
	[ 'app_user', 'ann', 'EXECUTE see', '100', "UPDATE entitle.app_user SET is_active = false WHERE login = 'ann'", '0' ],
	[ 'app_user', 'staff', 'SELECT 1', '1', "UPDATE entitle.app_user SET is_active = true WHERE login = 'ann'", '1' ],
	[ 'external_access', 'ann', 'EXECUTE see', '100', 'DELETE FROM entitle.external_access WHERE user_id = 1 AND customer_id < 6', '50' ],
	[ 'customer', 'ann', 'EXECUTE see_by_code', '50', "UPDATE entitle.customer SET customer_code = 'd' || customer_id WHERE customer_id < 8", '30' ],
	[ 'sign_in_grant', 'ann', "SELECT signs_in('boss')", '3', 'DELETE FROM entitle.sign_in_grant', 'refused' ],
	# What no decision reads, or not from memory.
	[ 'pending_invitation', 'ann', 'SELECT 1', '1', "INSERT INTO entitle.pending_invitation (user_id, organization_id, expires) VALUES (1, 1, '2100-01-01')", '1' ],
	[ 'organization', 'ann', 'SELECT 1', '1', "UPDATE entitle.organization SET name = 'else' WHERE organization_id = 2", '1' ],
	[ 'module', 'ann', 'SELECT 1', '1', "DELETE FROM entitle.module WHERE module_key = 'extra'", '1' ],
	[ 'plan', 'ann', 'SELECT 1', '1', "INSERT INTO entitle.plan VALUES ('new')", '1' ],
	[ 'client_metric', 'ann', 'SELECT 1', '1', 'UPDATE entitle.client_metric SET multiplier = 2', '1' ],
	[ 'customer_metric', 'ann', 'SELECT 1', '1', 'DELETE FROM entitle.customer_metric', '1' ],
	[ 'integration_link', 'ann', 'SELECT 1', '1', "UPDATE entitle.integration_link SET external_id = '2'", '1' ],
);

ask('SET plan_cache_mode = force_generic_plan');
ask('SET ROLE app_role');
ask('PREPARE see AS SELECT count(*) FROM orders');
ask('PREPARE see_by_code AS SELECT count(*) FROM orders_by_code');
my %tested;
for my $case (@cases)
{
	my ($table, $login, $question, $before, $change, $after) = @$case;
	$tested{$table} = 1;
	$_->safe_psql('postgres', $forget) for ($publisher, $subscriber);
	ask("SELECT FROM entitle.sign_in('$login', true)");
	my $was = $session->query("$question;");
	ask("SELECT FROM entitle.sign_in('$login', true)");
	publisher_does($change);
	is("$was then " . $session->query("$question;"), "$before then $after", "$table: $change (S161)");
	my $published = $publisher->safe_psql('postgres', $log);
	like($published, qr/^entitle\.$table /m, "$table: the publisher logs it");
	is($subscriber->safe_psql('postgres', $log), $published, "$table: the subscriber's log tells the same (S162)");
}
is(join(' ', grep { !$tested{$_} } @tables), '', 'every table of the model is among them');
is($subscriber->safe_psql('postgres', q{SELECT DISTINCT coalesce(actor_login, 'nobody') || ' ' || reason FROM entitle.change_log}),
	'nobody applied by subscription "model"', 'the log says where the changes came from');

# What is not row by row: a TRUNCATE fires statement triggers there, too.
ask("SELECT FROM entitle.sign_in('ann', true)");
is(ask('EXECUTE see'), '50', 'before a TRUNCATE');
$_->safe_psql('postgres', $forget) for ($publisher, $subscriber);
publisher_does(q{SELECT entitle.force_revoke_owner(20, 'owner', 'has left')});
is($subscriber->safe_psql('postgres', $log), $publisher->safe_psql('postgres', $log), 'an owner\'s grant that was taken away by force goes here as well (R43, S163)');
publisher_does('TRUNCATE entitle.external_access');
is(ask('EXECUTE see'), '0', 'after it');
is($subscriber->safe_psql('postgres', "SELECT action FROM entitle.change_log ORDER BY change_id DESC LIMIT 1"), 'truncate', 'which is in the log');

# An owner whom only the subscriber knows stays, and replication waits.
$subscriber->safe_psql('postgres', "INSERT INTO entitle.external_access VALUES (20, 4, 'L90', NULL)");
my $offset = -s $subscriber->logfile;
$publisher->safe_psql('postgres', 'TRUNCATE entitle.external_access');
$subscriber->wait_for_log(qr/cannot be truncated while it has the grant of an owner/, $offset);
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM entitle.external_access'), '1', 'a TRUNCATE does not take an owner\'s grant of the subscriber\'s own');
$subscriber->safe_psql('postgres', "SELECT entitle.force_revoke_owner(20, 'owner', 'to go on')");
$publisher->wait_for_catchup('model');

# A change of the user's row leaves the mapping to the role it had: one made anew under the same name inherits nothing (S28).
publisher_does("CREATE ROLE worker; INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (9, 'worker', 'worker')");
$subscriber->safe_psql('postgres', 'CREATE ROLE worker');
publisher_does("UPDATE entitle.app_user SET db_role = 'worker' WHERE user_id = 9");
is($subscriber->safe_psql('postgres', 'SET ROLE worker; SELECT entitle.current_login()'), '', 'a mapping is bound when it is written, not by an update that leaves it (S28)');
$session->quit;

# Users of an adopted table: what it gives, changes and takes at the publisher arrives, though no source of theirs is here (R64).
my $adopted = q{SELECT string_agg(login || CASE WHEN is_active THEN '' ELSE ' gone' END, ', ' ORDER BY login) FROM entitle.app_user WHERE adoption_id IS NOT NULL};
publisher_does(q{SELECT setval(pg_get_serial_sequence('entitle.app_user', 'user_id'), 100);
	CREATE TABLE person (person_id int PRIMARY KEY, mail text NOT NULL); INSERT INTO person VALUES (1, 'eva'), (2, 'tom');
	SELECT entitle.adopt_users('person', 'mail')});
is($subscriber->safe_psql('postgres', $adopted), 'eva, tom', 'adopted users arrive');
publisher_does(q{UPDATE person SET mail = 'eve' WHERE person_id = 1; DELETE FROM person WHERE person_id = 2});
is($subscriber->safe_psql('postgres', $adopted), $publisher->safe_psql('postgres', $adopted), 'and change as they do there');
like($subscriber->safe_psql('postgres', $adopted), qr/eve/, 'which is a change');
isnt($subscriber->psql('postgres', q{UPDATE entitle.app_user SET login = 'x' WHERE login = 'eve'}), 0, 'and which nobody else makes here');

# The log published along: it comes with the changes, by its own numbers, and nothing is logged twice.
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION model');
$publisher->safe_psql('postgres', 'CREATE PUBLICATION everything FOR TABLE ' . join(', ', map { "entitle.$_" } @tables, 'change_log'));
my $copy = PostgreSQL::Test::Cluster->new('copy');
$copy->init;
$copy->append_conf('postgresql.conf', join "\n", 'wal_retrieve_retry_interval = 100ms', 'max_sync_workers_per_subscription = 4', 'max_logical_replication_workers = 8',
	'max_worker_processes = 16');
$copy->start;
$copy->safe_psql('postgres', 'CREATE EXTENSION entitle; CREATE ROLE app_role; CREATE ROLE worker');
# What is shipped comes from the publisher.
$copy->safe_psql('postgres', 'TRUNCATE ' . join(', ', map { "entitle.$_" } @tables));
$copy->safe_psql('postgres', 'TRUNCATE entitle.change_log');
$copy->safe_psql('postgres', "CREATE SUBSCRIPTION everything CONNECTION '" . $publisher->connstr . " dbname=postgres' PUBLICATION everything");
$copy->wait_for_subscription_sync($publisher, 'everything');
my $whole_log = 'SELECT change_id, actor_login, relation::regclass, action, row_key, new_row FROM entitle.change_log ORDER BY change_id';
is($copy->safe_psql('postgres', $whole_log), $publisher->safe_psql('postgres', $whole_log), 'a published log is copied as it is');
$publisher->safe_psql('postgres', q{INSERT INTO entitle.membership (user_id, brand_id, role_id) SELECT 2, 1, role_id FROM entitle.role WHERE name = 'sales';
	DELETE FROM entitle.permission_module WHERE permission_key = 'reports.view'; UPDATE entitle.client_metric SET multiplier = 3});
$publisher->wait_for_catchup('everything');
is($copy->safe_psql('postgres', $whole_log), $publisher->safe_psql('postgres', $whole_log), 'and goes on so');
is($copy->safe_psql('postgres', 'TABLE entitle.membership ORDER BY 1'), $publisher->safe_psql('postgres', 'TABLE entitle.membership ORDER BY 1'),
	'memberships arrive whole, whatever comes first');
$_->stop for ($copy, $subscriber, $publisher);
done_testing();
