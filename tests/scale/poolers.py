"""Poolers: PgBouncer in transaction mode, where clients of all users share four connections, with prepared statements where it has
them; and pgpool-II, which hands a whole connection on to the next client."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import psycopg

from history import PROTECT, ROLES, SETUP, WORLD, run_history
from servers import run, servers, token
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


@contextlib.contextmanager
def pgpool(server, folder):
    """One process serves one client and keeps its connection for the next: RESET ALL and DISCARD ALL come between."""
    program = shutil.which('pgpool', path=f"{os.environ['PATH']}:/usr/sbin")
    version = re.search(r'[0-9]+\.[0-9]+', run(program, '--version')).group()
    sockets = 'socket_dir' if tuple(map(int, version.split('.'))) < (4, 4) else 'unix_socket_directories'
    port = free_port()
    with open(f'{folder}/conf', 'w', encoding='utf-8') as file:
        file.write(f"backend_clustering_mode = 'raw'\nlisten_addresses = ''\nport = {port}\n{sockets} = '{folder}'\n"
                   f"pcp_listen_addresses = ''\npcp_port = {free_port()}\npcp_socket_dir = '{folder}'\n"
                   f"pid_file_name = '{folder}/pid'\nlogdir = '{folder}'\nwork_dir = '{folder}'\n"
                   f"backend_hostname0 = '{server.socket}'\nbackend_port0 = 5432\nbackend_weight0 = 1\n"
                   f"num_init_children = 14\nmax_pool = 4\nreset_query_list = 'ABORT; RESET ALL; DISCARD ALL'\n")
    for name in ('pcp', 'hba'):
        with open(f'{folder}/{name}', 'w', encoding='utf-8'):
            pass
    with open(f'{folder}/log', 'w', encoding='utf-8') as log, \
            subprocess.Popen([program, '-n', '-f', f'{folder}/conf', '-F', f'{folder}/pcp', '-a', f'{folder}/hba'], stdout=log, stderr=log) as process:
        try:
            await_port(folder, port)

            def connect(user='app', threshold=None):
                connection = psycopg.connect(host=folder, port=port, user=user, dbname='postgres', autocommit=True)
                connection.prepare_threshold = threshold
                return connection
            yield f'pgpool-II {version}, prepared', connect
        finally:
            process.send_signal(signal.SIGINT)  # a fast shutdown


def identities_left(connect):
    """How often a client meets the identity of the one before, who came in each way and left without signing out.

    Prepared by the one before, a statement must answer for the one who is there now."""
    left = 0
    for turn in range(60):
        login = f'user{3 + turn % 10}'
        with connect('app') as one:
            with one.transaction():
                if turn % 3 == 0:
                    one.execute("SELECT set_config('entitle.token', %s, true)", (token(login),))
                else:
                    one.execute('SELECT entitle.sign_in(%s)', (login,))
                seen = one.execute('SELECT entitle.current_login()', prepare=turn % 2 == 0 or None).fetchone()[0]
                if seen != login:
                    raise RuntimeError(f'{login} signed in and is {seen}')
        with connect('app') as other:
            left += other.execute('SELECT entitle.current_login() IS NOT NULL OR EXISTS (SELECT FROM orders)').fetchone()[0]
    return left


def seals_left(connect, session_wide):
    """How often a connection that one client sealed is of no use to the next, who seals it anew."""
    locked = 0
    for turn in range(40):
        try:
            with connect('app') as connection:
                with connection.transaction():
                    connection.execute('SELECT entitle.sign_in(%s, %s, %s)', (f'user{3 + turn % 10}', session_wide, f'seal {turn}'))
                    connection.execute('SELECT count(*) FROM orders')
        except psycopg.errors.InsufficientPrivilege:
            locked += 1
    return locked


seconds, seed = float(sys.argv[1]), int(sys.argv[2])
with servers() as make:
    server = make('server').init().start()
    for text in (ROLES, SETUP, WORLD, PROTECT):
        server.execute(text)
    rows, more = [], {'identities left to the next client': 0, 'connections that a seal locked': 0}
    # In transaction mode nobody signs in for the whole session.
    for pooler, session_wide in ((pgbouncer, False), (pgpool, True)):
        if shutil.which(pooler.__name__, path=f"{os.environ['PATH']}:/usr/sbin") is None:
            print(f'# skip {pooler.__name__}: not installed (tools/dependencies clients)')
            continue
        folder = f'{os.path.dirname(server.data)}/{pooler.__name__}'
        os.mkdir(folder, 0o700)
        with pooler(server, folder) as (name, connect):
            # The second history begins where the first ended.
            server.execute('TRUNCATE entitle.external_access; DELETE FROM entitle.role_permission WHERE role_id > 100;'
                           ' UPDATE entitle.app_user SET is_active = true; UPDATE beat SET n = 0')
            rows += run_history(server.connect, [(name, connect), (f'direct, beside {name.split()[0]}', server.connect)], seconds, seed)
            server.execute('UPDATE entitle.app_user SET is_active = true')
            more['identities left to the next client'] += identities_left(connect)
            more['connections that a seal locked'] += seals_left(connect, session_wide)
    if any(more.values()):
        raise RuntimeError(f'what one client did stays with the next: {more}')
    if rows:
        write_table('poolers', seed, rows, more)
