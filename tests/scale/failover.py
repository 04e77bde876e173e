"""Fail-over by Patroni: three nodes with a synchronous standby, switch-overs and kills under changes and questions; then what an
asynchronous cluster loses."""
import contextlib
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psycopg

from history import PROTECT, ROLES, SETUP, WAYS, WORLD, Model, Reader, Writer, figures
from servers import TOKENS, run, servers, write_keys
from table import write_table

NODES = 3
SETTINGS = {'wal_level': 'logical', 'hot_standby': 'on', 'max_connections': 60, 'max_wal_senders': 10, 'max_replication_slots': 10,
            'wal_log_hints': 'on', 'fsync': 'off', 'wal_keep_size': '256MB', 'max_standby_streaming_delay': '1s'}
EVENTS = ('switch-over', 'server killed', 'server stopped immediately', 'node killed', 'server killed, standbys halted for a second')


def free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(('127.0.0.1', 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def await_that(holds, what, seconds=90):
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > seconds:
            raise RuntimeError(f'waited {seconds} seconds: {what}')
        time.sleep(0.1)


class Node:
    """A server and the Patroni that runs it."""

    def __init__(self, cluster, number, port, api):
        self.cluster, self.name, self.port, self.api = cluster, f'node{number}', port, api
        self.folder = f'{cluster.folder}/{self.name}'
        self.data, self.process = f'{self.folder}/data', None
        os.mkdir(self.folder, 0o700)
        with open(f'{self.folder}/patroni.yml', 'w', encoding='utf-8') as file:
            json.dump(self.settings(), file)

    def settings(self):
        passwords = {'superuser': {'username': 'postgres', 'password': self.cluster.password},
                     'replication': {'username': 'replicator', 'password': self.cluster.password}}
        tokens = dict(line.replace("'", '').split(' = ') for line in TOKENS.strip().splitlines())
        tokens['entitle.token_keys_file'] = f'{self.cluster.folder}/token_keys.json'
        return {
            'scope': 'scale', 'name': self.name, 'restapi': {'listen': f'127.0.0.1:{self.api}', 'connect_address': f'127.0.0.1:{self.api}'},
            'etcd3': {'hosts': f'127.0.0.1:{self.cluster.etcd_port}'},
            'bootstrap': {
                'dcs': {'ttl': 6, 'loop_wait': 1, 'retry_timeout': 2, 'maximum_lag_on_failover': 1048576, 'master_start_timeout': 0,
                        'synchronous_mode': self.cluster.is_synchronous, 'synchronous_mode_strict': self.cluster.is_synchronous,
                        'postgresql': {'use_pg_rewind': True, 'use_slots': True, 'parameters': SETTINGS}},
                'initdb': [{'encoding': 'UTF8'}, {'locale': 'C.UTF-8'}, 'no-sync'],
                'pg_hba': ['local all all trust', 'host all all 127.0.0.1/32 scram-sha-256', 'host replication all 127.0.0.1/32 scram-sha-256']},
            'postgresql': {
                'listen': f'127.0.0.1:{self.port}', 'connect_address': f'127.0.0.1:{self.port}', 'data_dir': self.data,
                'bin_dir': os.path.dirname(shutil.which('initdb')), 'pgpass': f'{self.folder}/pgpass', 'authentication': passwords,
                'remove_data_directory_on_rewind_failure': True, 'remove_data_directory_on_diverged_timelines': True,
                'parameters': {'unix_socket_directories': self.folder, 'logging_collector': 'on', **tokens}}}

    def start(self):
        log = open(f'{self.folder}/patroni.log', 'a', encoding='utf-8')
        self.process = subprocess.Popen(['patroni', f'{self.folder}/patroni.yml'], stdout=log, stderr=log, cwd=self.folder)

    def ask(self, path, payload=None):
        """Returns: what the node's Patroni answers; None if it does not."""
        data = None if payload is None else json.dumps(payload).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(f'http://127.0.0.1:{self.api}/{path}', data), timeout=30) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return None

    def connect(self):
        return psycopg.connect(host=self.folder, port=self.port, user='postgres', dbname='postgres', autocommit=True)

    def kill_server(self):
        with contextlib.suppress(OSError, ValueError):
            with open(f'{self.data}/postmaster.pid', encoding='utf-8') as file:
                os.kill(int(file.readline()), signal.SIGKILL)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.kill_server()


class Cluster:
    """Three nodes and the etcd in which they agree; a private folder, loopback for what Patroni does not do by sockets."""

    def __init__(self, folder, is_synchronous):
        self.folder, self.is_synchronous, self.password = folder, is_synchronous, secrets.token_hex(16)
        os.mkdir(folder, 0o700)
        write_keys(folder)
        self.etcd_port, peer, *ports = free_ports(2 + 2 * NODES)
        self.etcd = subprocess.Popen(
            ['etcd', '--name', 'scale', '--data-dir', f'{folder}/etcd', '--listen-client-urls', f'http://127.0.0.1:{self.etcd_port}',
             '--advertise-client-urls', f'http://127.0.0.1:{self.etcd_port}', '--listen-peer-urls', f'http://127.0.0.1:{peer}',
             '--initial-advertise-peer-urls', f'http://127.0.0.1:{peer}', '--initial-cluster', f'scale=http://127.0.0.1:{peer}'],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.nodes = [Node(self, number, ports[2 * number], ports[2 * number + 1]) for number in range(NODES)]

    def members(self):
        for node in self.nodes:
            answer = node.ask('cluster')
            if answer is not None:
                return json.loads(answer)['members']
        return []

    def leader(self):
        """Returns: the node that leads, None if there is none."""
        name = next((m['name'] for m in self.members() if m['role'] == 'leader' and m['state'] == 'running'), None)
        return next((node for node in self.nodes if node.name == name), None)

    def is_whole(self):
        members = self.members()
        roles = sorted(m['role'] for m in members)
        wanted = ['leader', 'replica', 'sync_standby'] if self.is_synchronous else ['leader', 'replica', 'replica']
        return (roles == wanted and all(m['state'] in ('running', 'streaming') for m in members)
                and len({m.get('timeline') for m in members}) == 1)

    def start(self):
        for node in self.nodes:
            node.start()
        await_that(self.is_whole, 'the cluster does not come up')

    def connect(self, user='postgres', threshold=5, which='read-write'):
        """As a client does that knows all nodes: to the one that writes, or to a standby."""
        connection = psycopg.connect(host=','.join(n.folder for n in self.nodes), port=','.join(str(n.port) for n in self.nodes), user=user,
                                     dbname='postgres', autocommit=True, target_session_attrs=which, connect_timeout=2)
        connection.prepare_threshold = threshold
        return connection

    @contextlib.contextmanager
    def standbys_halted(self, leader):
        """Nothing arrives at the standbys."""
        receivers = []
        for node in self.nodes:
            if node is not leader:
                with node.connect() as connection:
                    receivers += [row[0] for row in connection.execute('SELECT pid FROM pg_stat_wal_receiver')]
        for receiver in receivers:
            os.kill(receiver, signal.SIGSTOP)
        try:
            yield
        finally:
            for receiver in receivers:
                os.kill(receiver, signal.SIGCONT)

    def strike(self, event):
        """One event, at the node that leads. Returns when the cluster is whole again."""
        node = self.leader()
        if event == 'switch-over':
            node.ask('switchover', {'leader': node.name})
        elif event == EVENTS[4]:
            with self.standbys_halted(node):
                time.sleep(1)
                node.kill_server()
        elif event == 'server killed':
            node.kill_server()
        elif event == 'server stopped immediately':
            run('pg_ctl', '-D', node.data, '-m', 'immediate', '-W', '-s', 'stop')
        else:
            node.kill()
            await_that(lambda: self.leader() not in (None, node), 'nobody takes over')
            node.start()
        await_that(lambda: self.leader() not in (None, node), f'{event}: nobody takes over')
        await_that(self.is_whole, f'{event}: the cluster does not become whole')

    def stop(self):
        for node in self.nodes:
            if node.process is not None:
                node.kill()
        self.etcd.kill()
        self.etcd.wait()
        if sys.exc_info()[0] is not None:
            for node in self.nodes:
                print(f'# the log of {node.name} ends: {tail(node.folder)}')


def tail(folder):
    try:
        with open(f'{folder}/patroni.log', encoding='utf-8') as file:
            return ' | '.join(file.read().splitlines()[-8:])
    except OSError:
        return 'it never began'


class LastingWriter(Writer):
    """Goes on after a fail-over. A change whose commit was not answered counts as made if it is found, until a later one is answered."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.answered = self.lost = 0
        self.unsure = []
        self.pauses = []
        self.heard = time.monotonic()

    def commit_next(self, connection):
        model = self.model
        self.unsure.append((self.tried + 1, dict(model.grants), set(model.inactive), set(model.may_view)))
        super().commit_next(connection)
        self.answered = self.tried
        self.unsure.clear()
        self.pauses.append(time.monotonic() - self.heard)
        self.heard = time.monotonic()

    def settle(self, connection):
        seen = connection.execute('SELECT n FROM beat').fetchone()[0]
        self.lost += max(0, self.answered - seen)
        for number, grants, inactive, may_view in self.unsure:
            if number > seen:
                self.model.grants, self.model.inactive, self.model.may_view = grants, inactive, may_view
                for user in self.model.users():
                    self.model.note(self.tried, user)
                self.unsure.clear()
                break

    def work(self):
        while not self.ended.is_set():
            with contextlib.suppress(psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction):
                with self.connect() as connection:
                    self.settle(connection)
                    while not self.ended.is_set():
                        self.commit_next(connection)
            time.sleep(0.05)


class LastingReader(Reader):
    """Goes on after a fail-over. At the server that writes nothing may be older than what was answered before the question."""

    def __init__(self, *arguments, writer=None):
        super().__init__(*arguments)
        self.writer, self.behind = writer, 0
        self.ended = False

    def ask(self, connection, user):
        answered = self.writer.answered if self.writer else 0
        if connection.execute('SELECT n FROM beat').fetchone()[0] < answered:
            self.behind += 1
        super().ask(connection, user)

    def work(self):
        while not self.ended:
            with contextlib.suppress(psycopg.OperationalError):
                with self.connect() as connection:
                    while not self.ended:
                        try:
                            self.turn(connection)
                            time.sleep(0.01)  # many minutes of many readers: Patroni needs a processor, too
                        except (psycopg.errors.SerializationFailure, psycopg.errors.QueryCanceled):
                            self.conflicts += 1
            time.sleep(0.05)


def set_up(cluster):
    with cluster.connect() as connection:
        for text in (ROLES, SETUP, WORLD, PROTECT):
            connection.execute(text)


def run_synchronous(cluster, events, seed):
    model = Model()
    writer = LastingWriter(cluster.connect, model, seed)
    readers = {place: [LastingReader(lambda u=user, t=threshold, a=which: cluster.connect(u, t, a), model, seed * 1000 + number, way, 0,
                                     writer=writer if which == 'read-write' else None) for number, (way, user, threshold) in enumerate(WAYS)]
               for place, which in (('primary', 'read-write'), ('a standby', 'standby'))}
    everybody = sum(readers.values(), [])
    writer.start()
    for reader in everybody:
        reader.start()
    begun = time.monotonic()
    for event in events:
        time.sleep(2)
        cluster.strike(event)
        print(f'  {event}: {writer.answered} changes, {sum(r.answers for r in everybody)} answers', flush=True)
    time.sleep(2)
    for reader in everybody:
        reader.ended = True
    for reader in everybody:
        reader.join()
    writer.stop()
    took = time.monotonic() - begun

    # In the end each node has what the model has.
    with cluster.connect() as connection:
        place = connection.execute('SELECT pg_current_wal_insert_lsn()::text').fetchone()[0]
        writer.settle(connection)
    wanted = sorted((user, customer, level) for (user, customer), level in model.grants.items())
    for node in cluster.nodes:
        with node.connect() as connection:
            await_that(lambda c=connection: not c.execute('SELECT pg_is_in_recovery()').fetchone()[0]
                       or c.execute('SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn', (place,)).fetchone()[0], 'a node does not catch up')
            rows = connection.execute('SELECT user_id, customer_id, substr(role::text, 2)::integer FROM entitle.external_access ORDER BY 1, 2').fetchall()
        if rows != wanted:
            raise RuntimeError(f'{node.name} has not what was committed: {set(rows) ^ set(wanted)}')
    rows = []
    for place, mine in readers.items():
        row = {'place': place, 'seconds': round(took, 1), 'changes': writer.changes, **figures(place, mine, seed)}
        row['wrong allows'] += sum(r.behind for r in mine)
        rows.append(row)
    pauses = sorted(writer.pauses)[-len(events):]
    return rows, {'events': len(events), 'committed changes lost': writer.lost, 'longest pauses of the writer in s, median': round(pauses[len(pauses) // 2], 1),
                  'worst': round(pauses[-1], 1)}


def run_asynchronous(cluster, kills, seed):
    """Returns: how many changes that were answered as committed are gone."""
    writer = LastingWriter(cluster.connect, Model(), seed)
    writer.start()
    for _ in range(kills):
        time.sleep(2)
        cluster.strike(EVENTS[4])
    writer.stop()
    with cluster.connect() as connection:
        writer.settle(connection)
    return writer.changes, writer.lost


seconds, seed = float(sys.argv[1]), int(sys.argv[2])
missing = [program for program in ('patroni', 'etcd') if shutil.which(program) is None]
if missing:
    print(f'# skip failover: no {" and no ".join(missing)}: tools/dependencies scale')
    sys.exit(0)
logging.getLogger('psycopg').setLevel(logging.ERROR)  # connections break here; that is no news
events = [EVENTS[number % len(EVENTS)] for number in range(20 if seconds >= 60 else len(EVENTS))]
with servers() as make, contextlib.ExitStack() as stack:
    folder = os.path.dirname(make('none').socket)

    def cluster_of(name, is_synchronous):
        cluster = Cluster(f'{folder}/{name}', is_synchronous)
        stack.callback(cluster.stop)
        cluster.start()
        set_up(cluster)
        return cluster

    rows, more = run_synchronous(cluster_of('synchronous', True), events, seed)
    stack.close()
    changes, lost = run_asynchronous(cluster_of('asynchronous', False), 5 if seconds >= 60 else 1, seed)
    more[f'with asynchronous replication, standbys halted for a second: of {changes} committed changes lost'] = lost
    if more['committed changes lost']:
        raise RuntimeError(f'changes are lost: {more}')
    write_table('failover', seed, rows, more)
