"""A history of rights and the answers that clients get meanwhile.

One writer commits changes of the model, each with its number in the table `beat`, in the same transaction. Readers ask anywhere that
the changes reach: the number, what a user may, the number again. Each part of the answer must be that of a state between the two. Whoever sees
number n knows that change n - 1 is through with all that its commit does; change n may still be telling other sessions, so the first
state that an answer may be of is n - 1.
"""
import random
import threading
import time

import psycopg

from servers import token

USERS = 16
CUSTOMERS = 16
STAFF = 4
LEVELS = {'L10': 10, 'L20': 20, 'L30': 30, 'L40': 40, 'L80': 80}

SETUP = f"""
CREATE EXTENSION entitle;
CREATE TABLE beat (n bigint NOT NULL);
CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id bigint NOT NULL);
INSERT INTO beat VALUES (0);
INSERT INTO orders SELECT i, 1 + i % {CUSTOMERS} FROM generate_series(1, {CUSTOMERS} * 50) i;
CREATE INDEX ON orders (customer_id);
ANALYZE orders;
"""

# Once: it arrives wherever the model does.
WORLD = f"""
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id)
SELECT i, 'c', 'c', 'c' FROM generate_series(1, {CUSTOMERS}) i;
INSERT INTO entitle.app_user (user_id, login, db_role)
SELECT i, 'user' || i, CASE WHEN i <= 2 THEN 'mapped' || i END FROM generate_series(1, {USERS}) i
UNION ALL SELECT 100 + i, 'staff' || i, NULL FROM generate_series(1, {STAFF}) i;
INSERT INTO entitle.role (role_id, organization_id, name) SELECT 100 + i, 1, 'desk ' || i FROM generate_series(1, {STAFF}) i;
INSERT INTO entitle.membership (user_id, organization_id, role_id) SELECT 100 + i, 1, 100 + i FROM generate_series(1, {STAFF}) i;
INSERT INTO entitle.sign_in_grant (db_role, login) SELECT 'app', login FROM entitle.app_user;
"""

ROLES = """
CREATE ROLE app LOGIN;
CREATE ROLE mapped1 LOGIN;
CREATE ROLE mapped2 LOGIN;
"""

# Where rows are read: after the model and the tables are there.
PROTECT = """
SELECT entitle.protect_table('orders', 'customer_id', min_level => 20, view_permission => 'customers.view');
GRANT SELECT ON beat, orders TO app, mapped1, mapped2;
GRANT EXECUTE ON FUNCTION entitle.sign_in, entitle.sign_out TO app;
"""

ASK = f"""
SELECT (SELECT array_agg(entitle.access_level(c::bigint) ORDER BY c) FROM generate_series(1, {CUSTOMERS}) c),
       entitle.has_permission('customers.view'),
       ARRAY(SELECT count(o.order_id) FROM generate_series(1, {CUSTOMERS}) c LEFT JOIN orders o ON o.customer_id = c GROUP BY c ORDER BY c)
"""


class Model:
    """What each change left: for users their levels by customer, for staff whether they may see customers."""

    def __init__(self):
        self.lock = threading.Lock()
        self.grants = {}
        self.inactive = set()
        self.may_view = set()
        self.history = {u: [(0, self._answer(u))] for u in self.users()}

    @staticmethod
    def users():
        return list(range(1, USERS + 1)) + list(range(101, 101 + STAFF))

    def _answer(self, user):
        if user > 100:
            rows = user in self.may_view
            return (tuple([0] * CUSTOMERS), rows, tuple([50 if rows else 0] * CUSTOMERS), True)
        levels = tuple(0 if user in self.inactive else self.grants.get((user, c), 0) for c in range(1, CUSTOMERS + 1))
        return (levels, False, tuple(50 if level >= 20 else 0 for level in levels), user not in self.inactive)

    def note(self, number, user):
        with self.lock:
            self.history[user].append((number, self._answer(user)))

    def possible(self, user, first, last):
        """The answers that hold in some state from `first` to `last`, and whether the user is active there."""
        with self.lock:
            history = list(self.history[user])
        answers = set()
        for place, (number, answer) in enumerate(history):
            until = history[place + 1][0] - 1 if place + 1 < len(history) else last
            if number <= last and until >= first:
                answers.add(answer)
        return answers


class Writer(threading.Thread):
    """Commits up to `rate` changes a second until it is told to stop."""

    def __init__(self, connect, model, seed, rate=50):
        super().__init__(daemon=True)
        self.connect, self.model, self.random, self.rate = connect, model, random.Random(seed), rate
        self.ended = threading.Event()
        self.tried = self.changes = 0
        self.failure = None

    def change(self):
        """Returns: the user whose rights change, and the statement."""
        model, kind = self.model, self.random.random()
        if kind < 0.15:
            user = 100 + self.random.randint(1, STAFF)
            if user in model.may_view:
                model.may_view.discard(user)
                return user, ("DELETE FROM entitle.role_permission WHERE role_id = %s", (user,))
            model.may_view.add(user)
            return user, ("INSERT INTO entitle.role_permission VALUES (%s, 'customers.view')", (user,))
        user = self.random.randint(1, USERS)
        if kind < 0.25:
            on = user in model.inactive
            (model.inactive.discard if on else model.inactive.add)(user)
            return user, ("UPDATE entitle.app_user SET is_active = %s WHERE user_id = %s", (on, user))
        customer = self.random.randint(1, CUSTOMERS)
        if (user, customer) in model.grants and kind < 0.6:
            del model.grants[user, customer]
            return user, ("DELETE FROM entitle.external_access WHERE user_id = %s AND customer_id = %s", (user, customer))
        role = self.random.choice(list(LEVELS))
        model.grants[user, customer] = LEVELS[role]
        return user, ("INSERT INTO entitle.external_access (user_id, customer_id, role, days_back) VALUES (%s, %s, %s, NULL)"
                      " ON CONFLICT (customer_id, user_id) DO UPDATE SET role = excluded.role", (user, customer, role))

    def commit_next(self, connection):
        begun = time.monotonic()
        user, (statement, values) = self.change()
        self.tried += 1
        # Before it is committed: a reader may see it before the writer hears of it.
        self.model.note(self.tried, user)
        with connection.transaction():
            connection.execute(statement, values)
            connection.execute('UPDATE beat SET n = %s', (self.tried,))
        self.changes += 1
        self.ended.wait(max(0.0, 1.0 / self.rate - (time.monotonic() - begun)))

    def work(self):
        with self.connect() as connection:
            while not self.ended.is_set():
                self.commit_next(connection)

    def run(self):
        try:
            self.work()
        except Exception as error:  # the run fails with what the writer met
            self.failure = error

    def stop(self):
        self.ended.set()
        self.join()
        if self.failure is not None:
            raise self.failure


class Reader(threading.Thread):
    """Asks in one of the ways that clients have, and judges each answer.

    way: 'sign_in' (a transaction each), 'session' (signed in for several questions, as a pooled connection must not), 'token', 'mapped'.
    """

    def __init__(self, connect, model, seed, way, until):
        super().__init__(daemon=True)
        self.connect, self.model, self.random, self.way, self.until = connect, model, random.Random(seed), way, until
        self.answers = self.denials = self.allows = self.conflicts = 0
        self.first_wrong = None
        self.failure = None

    def judge(self, user, first, answer, last):
        """Part by part: a statement that runs while rights change may have asked for one before and for another after it (R46)."""
        self.answers += 1
        possible = self.model.possible(user, max(0, first - 1), last)
        parts = list(answer[0]) + [answer[1]] + list(answer[2])
        choices = [list(p[0]) + [p[1]] + list(p[2]) for p in possible]
        wrong = [(place, part) for place, part in enumerate(parts) if all(part != choice[place] for choice in choices)]
        if wrong:
            # More than any state gives is the worse fault.
            gave = any(all(part > choice[place] for choice in choices) for place, part in wrong)
            self.allows += gave
            self.denials += not gave
            self.first_wrong = self.first_wrong or (user, first, last, answer, possible)

    def judge_refusal(self, user, first, last):
        """Nobody signs in a user who is inactive; anybody else may sign in."""
        self.answers += 1
        if all(p[3] for p in self.model.possible(user, max(0, first - 1), last)):
            self.denials += 1
            self.first_wrong = self.first_wrong or (user, first, last, 'refused', 'active')

    def ask(self, connection, user):
        first = connection.execute('SELECT n FROM beat').fetchone()[0]
        answer = connection.execute(ASK).fetchone()
        last = connection.execute('SELECT n FROM beat').fetchone()[0]
        self.judge(user, first, answer, last)

    def turn(self, connection):
        if self.way == 'mapped':
            with connection.transaction():
                self.ask(connection, int(connection.info.user[-1]))
            return
        user = self.random.choice(self.model.users())
        login = f'staff{user - 100}' if user > 100 else f'user{user}'
        if self.way == 'token':
            with connection.transaction():
                connection.execute("SELECT set_config('entitle.token', %s, true)", (token(login),))
                self.ask(connection, user)
            return
        first = connection.execute('SELECT n FROM beat').fetchone()[0]
        try:
            with connection.transaction():
                connection.execute('SELECT entitle.sign_in(%s)', (login,))
                for _ in range(1 if self.way == 'sign_in' else 5):
                    self.ask(connection, user)
        except psycopg.errors.InsufficientPrivilege:
            self.judge_refusal(user, first, connection.execute('SELECT n FROM beat').fetchone()[0])

    def work(self):
        with self.connect() as connection:
            while time.monotonic() < self.until:
                try:
                    self.turn(connection)
                except (psycopg.errors.SerializationFailure, psycopg.errors.QueryCanceled):
                    self.conflicts += 1  # replay went first

    def run(self):
        try:
            self.work()
        except Exception as error:
            self.failure = error


# How clients ask: the way, the database role, and after how many runs a statement is prepared.
WAYS = [('sign_in', 'app', 0), ('sign_in', 'app', None), ('session', 'app', 0), ('token', 'app', 0), ('mapped', 'mapped1', 0),
        ('mapped', 'mapped2', None)]


def figures(place, readers, seed):
    """What the readers of one place met. Raises: what one of them failed with."""
    for reader in readers:
        if reader.failure is not None:
            raise reader.failure
    wrong = next((r.first_wrong for r in readers if r.first_wrong is not None), None)
    if wrong is not None:
        print(f'# {place}: seed {seed}: user {wrong[0]} between changes {wrong[1]} and {wrong[2]}: {wrong[3]} is none of {wrong[4]}')
    return {'answers': sum(r.answers for r in readers), 'wrong allows': sum(r.allows for r in readers),
            'wrong denials': sum(r.denials for r in readers), 'conflicts': sum(r.conflicts for r in readers)}


def run_history(write_to, read_from, seconds, seed, rate=50):
    """write_to: connects the writer. read_from: list of (name, connect(user, **settings)). Returns: rows of figures, one for each place."""
    model = Model()
    writer = Writer(write_to, model, seed, rate)
    until = time.monotonic() + seconds
    readers = {name: [Reader(lambda c=connect, u=user, t=threshold: c(u, t), model, seed * 1000 + place * 10 + number, way, until)
                      for number, (way, user, threshold) in enumerate(WAYS)]
               for place, (name, connect) in enumerate(read_from)}
    writer.start()
    begun = time.monotonic()
    for reader in sum(readers.values(), []):
        reader.start()
    for reader in sum(readers.values(), []):
        reader.join()
    writer.stop()
    took = time.monotonic() - begun
    return [{'place': name, 'seconds': round(took, 1), 'changes': writer.changes, **figures(name, mine, seed)}
            for name, mine in readers.items()]
