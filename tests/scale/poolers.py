"""Poolers in transaction mode: sixteen clients of all users share four connections, with prepared statements where the pooler has them."""
import contextlib
import os
import re
import shutil
import subprocess
import sys
import time

import psycopg

from history import PROTECT, ROLES, SETUP, WORLD, run_history
from servers import run, servers
from table import write_table


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def await_port(folder, port):
    begun = time.monotonic()
    while True:
        try:
            psycopg.connect(host=folder, port=port, user='app', dbname='postgres').close()
            return
        except psycopg.OperationalError:
            if time.monotonic() - begun > 20:
                raise
            time.sleep(0.1)


@contextlib.contextmanager
def pgbouncer(server, folder):
    """Returns: the pooler's name with its version, and how to connect."""
    program = shutil.which('pgbouncer', path=f"{os.environ['PATH']}:/usr/sbin")
    version = re.search(r'[0-9]+\.[0-9]+', run(program, '--version')).group()
    has_prepared = tuple(map(int, version.split('.'))) >= (1, 21)
    port = free_port()
    with open(f'{folder}/users', 'w', encoding='utf-8') as file:
        file.write(''.join(f'"{user}" ""\n' for user in ('app', 'mapped1', 'mapped2')))
    with open(f'{folder}/ini', 'w', encoding='utf-8') as file:
        file.write(f'[databases]\npostgres = host={server.socket} dbname=postgres pool_mode=transaction\n[pgbouncer]\n'
                   f'listen_port = {port}\nunix_socket_dir = {folder}\nauth_type = trust\nauth_file = {folder}/users\n'
                   f'default_pool_size = 4\nmax_client_conn = 100\nlogfile = {folder}/log\npidfile = {folder}/pid\n'
                   + ('max_prepared_statements = 50\n' if has_prepared else ''))
    with subprocess.Popen([program, '-q', f'{folder}/ini'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            await_port(folder, port)

            def connect(user='app', threshold=None):
                connection = psycopg.connect(host=folder, port=port, user=user, dbname='postgres', autocommit=True)
                connection.prepare_threshold = threshold if has_prepared and psycopg.pq.version() >= 170000 else None
                return connection
            prepares = 'prepared' if has_prepared and psycopg.pq.version() >= 170000 else 'not prepared'
            yield f'PgBouncer {version}, {prepares}', connect
        finally:
            process.terminate()


seconds, seed = float(sys.argv[1]), int(sys.argv[2])
if shutil.which('pgbouncer', path=f"{os.environ['PATH']}:/usr/sbin") is None:
    print('# skip poolers: no PgBouncer')
    sys.exit(0)
with servers() as make:
    server = make('server').init().start()
    for text in (ROLES, SETUP, WORLD, PROTECT):
        server.execute(text)
    folder = os.path.dirname(server.data) + '/pool'
    os.mkdir(folder, 0o700)
    with pgbouncer(server, folder) as (name, connect):
        rows = run_history(server.connect, [(name, connect), (name + ' again', connect), ('direct', server.connect)], seconds, seed)

        # Whoever leaves a sign-in behind leaves nothing to the next client of the connection.
        server.execute('UPDATE entitle.app_user SET is_active = true')
        left = 0
        for turn in range(50):
            with connect('app') as one:
                with one.transaction():
                    one.execute('SELECT entitle.sign_in(%s)', (f'user{3 + turn % 10}',))
            with connect('app') as other:
                left += other.execute('SELECT entitle.current_login() IS NOT NULL').fetchone()[0]
    assert left == 0, 'a client met the identity of another'
    write_table('poolers', seed, rows, {'identities left to the next client': left})
