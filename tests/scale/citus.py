"""Citus: a coordinator and two workers; protected tables are distributed, the model is on every node by logical replication. Random
statements, asked by mapped role and by token, get the answers that one server gives."""
import os
import random
import re
import socket
import subprocess
import sys
import time

import psycopg

from history import ROLES, WORLD
from servers import servers, token
from table import write_table

CUSTOMERS = 40
TABLES = f"""
CREATE TABLE country (code text PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (customer_id bigint NOT NULL, order_id bigint NOT NULL, order_date date NOT NULL, country text NOT NULL,
                     amount numeric NOT NULL, PRIMARY KEY (customer_id, order_id));
CREATE TABLE invoices (customer_id bigint NOT NULL, invoice_id bigint NOT NULL, order_id bigint NOT NULL, total numeric NOT NULL,
                       PRIMARY KEY (customer_id, invoice_id));
CREATE TABLE notes (customer_id bigint NOT NULL, note_id bigint PRIMARY KEY, stars bigint NOT NULL);
"""
ROWS = f"""
INSERT INTO country SELECT 'c' || i, 'Country ' || i FROM generate_series(0, 6) AS i;
INSERT INTO orders SELECT 1 + i % {CUSTOMERS}, i, date '2026-01-01' + i % 300, 'c' || i % 7, i % 97 FROM generate_series(1, 4000) AS i;
INSERT INTO invoices SELECT 1 + i % {CUSTOMERS}, i, i, i % 89 FROM generate_series(1, 4000, 3) AS i;
INSERT INTO notes SELECT 1 + i % {CUSTOMERS}, i, i % 5 FROM generate_series(1, 400) AS i;
"""
# The notes stay a table of the coordinator.
DISTRIBUTE = """
SELECT create_reference_table('country');
SELECT create_distributed_table('orders', 'customer_id', shard_count => 8);
SELECT create_distributed_table('invoices', 'customer_id', colocate_with => 'orders');
"""
# Two users and one of staff by role, the others by token.
PEOPLE = f"""
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id)
SELECT i, 'c', 'c', 'c' FROM generate_series(17, {CUSTOMERS}) AS i;
INSERT INTO entitle.role_permission VALUES (101, 'customers.view');
UPDATE entitle.app_user SET db_role = 'staff' WHERE user_id = 101;
INSERT INTO entitle.external_access (user_id, customer_id, role, days_back)
SELECT u, c, (ARRAY['L10', 'L20', 'L30', 'L40', 'L80'])[1 + (u * c) % 5], NULL
FROM generate_series(1, 16) AS u, generate_series(1, {CUSTOMERS}) AS c WHERE (u * 7 + c * 3) % 5 < u % 4;
"""
PROTECT = """
SELECT entitle.protect_table('orders', 'customer_id', min_level => 20, view_permission => 'customers.view', external_insert_level => 40,
                             external_update_level => 40, external_delete_level => 80, update_permission => 'customers.view');
SELECT entitle.protect_table('invoices', 'customer_id', min_level => 40, view_permission => 'customers.view');
SELECT entitle.protect_table('notes', 'customer_id', min_level => 30, view_permission => 'customers.view');
GRANT SELECT ON country TO app, mapped1, mapped2, staff;
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO app, mapped1, mapped2, staff;
GRANT SELECT ON invoices, notes TO app, mapped1, mapped2, staff;
"""
# Citus asks for both when triggers are on distributed tables and when one transaction declares for several shards.
CITUS = ("SET citus.enable_unsafe_triggers = on", "SET citus.multi_shard_modify_mode = 'sequential'")
MODEL = "(SELECT string_agg(DISTINCT tgrelid::regclass::text, ', ') FROM pg_trigger WHERE tgname = 'entitle_log_update')"
ASKERS = [('mapped1', None), ('mapped2', None), ('staff', None)] + [('app', f'user{u}') for u in range(1, 17)] + [('app', 'staff2'), ('app', None)]


def port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def statement(dice):
    """A random statement, and its kind."""
    k, day, most = dice.randint(1, CUSTOMERS), dice.randint(1, 300), dice.randint(1, 97)
    one = f'{dice.choice(["customer_id", "o.customer_id"])} = {k}' if dice.random() < 0.5 else f'o.amount < {most}'
    late = f"o.order_date > date '2026-01-01' + {day}"
    reads = {
        'fan-out': [f'SELECT count(*), sum(amount) FROM orders o WHERE {late}',
                    f'SELECT country, count(*), max(amount) FROM orders o WHERE {one} GROUP BY country',
                    f'SELECT customer_id, order_id FROM orders o WHERE {late} ORDER BY order_id LIMIT {most}',
                    f'SELECT customer_id, rank() OVER (PARTITION BY customer_id ORDER BY order_id) FROM orders o WHERE {one}',
                    f'SELECT count(DISTINCT customer_id) FROM orders o WHERE {one} OR {late}'],
        'single shard': [f'SELECT * FROM orders o WHERE customer_id = {k} AND {late}',
                         f'SELECT count(*) FROM orders WHERE customer_id = {k} AND order_id IN (SELECT order_id FROM invoices WHERE customer_id = {k})'],
        'joins': [f'SELECT o.order_id, i.total FROM orders o JOIN invoices i USING (customer_id, order_id) WHERE o.amount < {most}',
                  f'SELECT c.name, count(*) FROM orders o JOIN country c ON c.code = o.country WHERE {one} GROUP BY c.name',
                  f'SELECT o.order_id, i.invoice_id FROM orders o LEFT JOIN invoices i ON i.customer_id = o.customer_id AND i.order_id = o.order_id'
                  f' WHERE {late}',
                  f'SELECT count(*) FROM orders o WHERE NOT EXISTS (SELECT FROM invoices i WHERE i.customer_id = o.customer_id AND i.order_id = o.order_id)'],
        'repartition': [f'SELECT count(*), sum(i.total) FROM orders o JOIN invoices i ON i.invoice_id = o.order_id WHERE {late}'],
        'with a local table': [f'SELECT o.order_id, n.note_id FROM orders o JOIN notes n USING (customer_id) WHERE o.amount < {most} AND n.stars > 2',
                               f'SELECT count(*) FROM notes n WHERE n.customer_id IN (SELECT customer_id FROM invoices WHERE total > {most})',
                               f'SELECT n.note_id, (SELECT count(*) FROM orders o WHERE o.customer_id = n.customer_id) FROM notes n WHERE n.stars = 1',
                               f'SELECT count(*), sum(stars) FROM notes WHERE customer_id <> {k}'],
        'subqueries': [f'WITH own AS MATERIALIZED (SELECT customer_id, sum(amount) AS s FROM orders GROUP BY 1) SELECT count(*), max(s) FROM own WHERE s > {most}',
                       f'SELECT count(*) FROM orders o WHERE customer_id IN (SELECT customer_id FROM invoices WHERE total > {most})',
                       f'SELECT count(*) FROM (SELECT DISTINCT country FROM orders o WHERE {late} LIMIT 3) AS d'],
    }
    writes = [f"INSERT INTO orders VALUES ({k}, {5000 + most}, '2026-11-01', 'c1', {most})", f'UPDATE orders SET amount = {most} WHERE customer_id = {k}',
              f'UPDATE orders o SET amount = amount + 1 WHERE {late}', f'DELETE FROM orders o WHERE customer_id = {k} AND {late}',
              f'INSERT INTO orders SELECT customer_id, order_id + 10000, order_date, country, amount FROM orders o WHERE customer_id = {k} AND {late}',
              f'INSERT INTO orders SELECT customer_id, order_id + 10000, order_date, country, amount FROM orders o WHERE {late}',
              f'DELETE FROM orders WHERE customer_id = {k} RETURNING order_id', f'COPY:{k}']
    kind = dice.choice(list(reads) + ['writes'])
    return kind, dice.choice(writes if kind == 'writes' else reads[kind])


def answer(connection, login, text):
    """Rows and how many, or the SQLSTATE; whatever is written is undone."""
    try:
        with connection.transaction(force_rollback=True):
            if login is not None:
                connection.execute('SET LOCAL entitle.token = ' + psycopg.sql.quote(token(login)))
            if text.startswith('COPY:'):
                with connection.cursor().copy('COPY orders FROM STDIN') as copy:
                    for row in range(20):
                        copy.write_row((int(text[5:]), 20000 + row, '2026-11-02', 'c2', 1))
                return connection.execute('SELECT count(*) FROM orders').fetchall()
            cursor = connection.execute(text)
            rows = sorted(map(str, cursor.fetchall())) if cursor.description else []
            seen = connection.execute('SELECT count(*), sum(amount) FROM orders').fetchall() if not text.startswith(('SELECT', 'WITH')) else None
            return rows, cursor.rowcount, seen
    except psycopg.Error as error:
        return error.sqlstate, str(error).splitlines()[0]


def await_value(ask, wanted):
    begun = time.monotonic()
    while ask() != wanted:
        if time.monotonic() - begun > 60:
            raise RuntimeError(f'still not {wanted} after 60 seconds')
        time.sleep(0.002)
    return time.monotonic() - begun


seconds, seed = float(sys.argv[1]), int(sys.argv[2])
found = subprocess.run(['pg_config', '--pkglibdir'], capture_output=True, text=True, check=True).stdout.strip()
if not os.path.exists(f'{found}/citus.so'):
    print('# skip citus: it is not installed; docs/scaling.md tells how to name one')
    sys.exit(0)
with servers() as make:
    single = make('single').init().start()
    nodes = []
    for name in ('coordinator', 'worker1', 'worker2'):
        node = make(name)
        node.port = port()
        node.init(f"listen_addresses = '127.0.0.1'\nport = {node.port}\nshared_preload_libraries = 'citus'\n"
                  "citus.node_conninfo = 'sslmode=disable'\nmax_connections = 200\nmax_prepared_transactions = 200\n").start()
        nodes.append(node)

    def connect(node, user='postgres'):
        connection = node.connect(user, None, port=getattr(node, 'port', 5432))
        if node is not single:
            connection.execute("SET citus.propagate_set_commands = 'local'")
            connection.execute('SET citus.enable_repartition_joins = on')
        return connection

    def run_all(node, *texts):
        with connect(node) as connection:
            for text in texts:
                connection.execute(text)

    coordinator, *workers = nodes
    for node in nodes:
        run_all(node, 'CREATE EXTENSION citus')
    run_all(coordinator, f"SELECT citus_set_coordinator_host('127.0.0.1', {coordinator.port})",
            *[f"SELECT citus_add_node('127.0.0.1', {worker.port})" for worker in workers])
    people = (ROLES + 'CREATE ROLE staff LOGIN;').strip().splitlines()
    run_all(single, *people, 'CREATE EXTENSION entitle', TABLES, ROWS, WORLD, PEOPLE, PROTECT)
    run_all(coordinator, *people, 'CREATE EXTENSION entitle', TABLES, DISTRIBUTE, ROWS, WORLD, PEOPLE)

    # The model goes to the workers before anything is protected there: until then nobody has rights.
    for worker in workers:
        run_all(worker, f"DO $$ BEGIN EXECUTE format('TRUNCATE %s', {MODEL}); END $$")
    run_all(coordinator, f"DO $$ BEGIN EXECUTE format('CREATE PUBLICATION model FOR TABLE %s', {MODEL}); END $$")
    for number, worker in enumerate(workers):
        run_all(worker, f"CREATE SUBSCRIPTION model{number} CONNECTION 'host={coordinator.socket} port={coordinator.port} user=postgres"
                        " dbname=postgres' PUBLICATION model")
    for worker in workers:
        with connect(worker) as connection:
            await_value(lambda c=connection: c.execute("SELECT count(*) > 0 AND bool_and(srsubstate = 'r') FROM pg_subscription_rel").fetchone()[0], True)
    run_all(coordinator, *CITUS, *PROTECT.strip().split(';\n'))

    # The same questions to both.
    dice = random.Random(seed)
    sessions = {user: (connect(single, user), connect(coordinator, user)) for user in {user for user, _ in ASKERS}}
    rows, wrong, refused = {}, [], {}
    until, least = time.monotonic() + seconds, 10000 if seconds >= 60 else 200
    asked = 0
    while asked < least or time.monotonic() < until:
        asked += 1
        user, login = dice.choice(ASKERS)
        kind, text = statement(dice)
        here, there = (answer(connection, login, text) for connection in sessions[user])
        row = rows.setdefault(kind, {'place': kind, 'answers': 0, 'wrong allows': 0, 'wrong denials': 0, 'refused by both': 0, 'not done by Citus': 0})
        row['answers'] += 1
        if here == there or (isinstance(here[0], str) and here[0] == there[0]):
            row['refused by both'] += isinstance(here[0], str)
        elif isinstance(there[0], str) and (there[0] in ('0A000', 'XX000') or (there[0] == '55000' and text.startswith('DELETE'))):
            row['not done by Citus'] += 1
            told = re.sub('_[0-9]+', '', there[1])
            refused[told] = refused.get(told, 0) + 1
        else:
            wrong.append((user, login, text, here, there))
            row['wrong denials' if isinstance(there[0], str) or len(str(there)) < len(str(here)) else 'wrong allows'] += 1
    for user, login, text, here, there in wrong[:5]:
        print(f'# {user} {login}: {text}\n#   one server: {str(here)[:300]}\n#   Citus: {str(there)[:300]}')
    for text, times in refused.items():
        print(f'# {times} times: {text}')

    # Nobody is asking: neither at the coordinator nor at a worker, by its own name or a shard's.
    nobody = 0
    for node in nodes:
        with connect(node, 'app') as connection:
            connection.execute("SET citus.override_table_visibility = off")
            names = [name for (name,) in connection.execute("SELECT oid::regclass::text FROM pg_class WHERE relname ~ '^(orders|invoices)' AND relkind = 'r'")]
            for name in names:
                try:
                    nobody += connection.execute(f'SELECT count(*) FROM {name}').fetchone()[0]
                except psycopg.Error:
                    pass

    # How long a change takes to hold on the workers.
    waits = []
    with connect(coordinator) as writer, connect(coordinator, 'mapped1') as reader:
        everything = reader.execute('SELECT count(*) FROM orders').fetchone()[0]
        for turn in range(100):
            writer.execute('UPDATE entitle.app_user SET is_active = %s WHERE user_id = 1', (turn % 2 == 1,))
            waits.append(await_value(lambda: reader.execute('SELECT count(*) FROM orders').fetchone()[0], everything if turn % 2 else 0))
    waits.sort()
    write_table('citus', seed, list(rows.values()), {
        'statements': asked, 'rows shown to nobody': nobody, 'changes awaited on the workers': len(waits),
        'median wait in ms': round(waits[50] * 1000, 1), 'longest in ms': round(waits[-1] * 1000, 1)})
    if nobody:
        sys.exit(1)
