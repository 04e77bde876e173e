"""Servers in temporary folders, on private sockets, with the programs in PATH."""
import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time

import psycopg

FAST = """
listen_addresses = ''
fsync = off
synchronous_commit = off
wal_level = logical
max_wal_senders = 10
max_replication_slots = 10
max_connections = 60
"""

TOKENS = """
entitle.token_keys_file = 'token_keys.json'
entitle.token_audience = 'scale'
entitle.token_issuer = 'https://issuer.test'
"""
SECRET = secrets.token_bytes(32)


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def token(login):
    """Of the issuer whose key every server here has; for an hour."""
    claims = {'iss': 'https://issuer.test', 'aud': 'scale', 'sub': login, 'exp': int(time.time()) + 3600}
    text = f'{base64url(json.dumps({"alg": "HS256", "kid": "1"}).encode())}.{base64url(json.dumps(claims).encode())}'
    return f'{text}.{base64url(hmac.digest(SECRET, text.encode(), hashlib.sha256))}'


def write_keys(data):
    """The key file of TOKENS, into a data directory."""
    with open(f'{data}/token_keys.json', 'w', encoding='utf-8') as file:
        json.dump({'keys': [{'kid': '1', 'kty': 'oct', 'alg': 'HS256', 'k': base64url(SECRET)}]}, file)
    os.chmod(f'{data}/token_keys.json', 0o600)


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f'{" ".join(command)}\n{done.stdout}')
    return done.stdout


class Server:
    def __init__(self, folder, name):
        self.data, self.socket, self.name, self.log = f'{folder}/{name}', f'{folder}/s_{name}', name, f'{folder}/{name}.log'
        os.mkdir(self.socket, 0o700)

    def init(self, settings=''):
        run('initdb', '-D', self.data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions')
        write_keys(self.data)
        self.configure(FAST + TOKENS + settings)
        return self

    def copy_of(self, primary, settings=''):
        """A streaming standby."""
        run('pg_basebackup', '-D', self.data, '-h', primary.socket, '-U', 'postgres', '-R', '-X', 'stream', '-c', 'fast', '--no-sync')
        self.configure(settings)
        return self

    def configure(self, settings):
        with open(f'{self.data}/postgresql.conf', 'a', encoding='utf-8') as file:
            file.write(f"unix_socket_directories = '{self.socket}'\n{settings}\n")

    def start(self):
        run('pg_ctl', '-D', self.data, '-l', self.log, '-w', '-s', 'start')
        return self

    def stop(self, mode='fast'):
        if os.path.exists(f'{self.data}/postmaster.pid'):
            run('pg_ctl', '-D', self.data, '-m', mode, '-w', '-s', 'stop')

    def connect(self, user='postgres', threshold=5, dbname='postgres', **settings):
        """threshold: after how many runs psycopg prepares a statement; 0 at once, None never."""
        connection = psycopg.connect(host=self.socket, user=user, dbname=dbname, autocommit=True, **settings)
        connection.prepare_threshold = threshold
        return connection

    def execute(self, text):
        with self.connect() as connection:
            return connection.execute(text)

    def value(self, text):
        with self.connect() as connection:
            return connection.execute(text).fetchone()[0]


@contextlib.contextmanager
def servers():
    """A folder for servers; whatever happens, they stop and it goes."""
    folder = tempfile.mkdtemp(prefix='scale.')
    made = []

    def make(name):
        made.append(Server(folder, name))
        return made[-1]

    try:
        yield make
    finally:
        for server in reversed(made):
            with contextlib.suppress(RuntimeError):
                server.stop('immediate')
        shutil.rmtree(folder, ignore_errors=True)
