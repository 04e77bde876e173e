# psycopg 3. Behind PgBouncer before 1.21 the server keeps no statement for the client: prepare_threshold=None.
import os

import psycopg

QUESTION = """SELECT concat_ws(' ', coalesce(entitle.current_login(), 'none'), entitle.access_level(%s::bigint),
    entitle.has_permission('customers.view'), (SELECT count(*) FROM orders_view),
    (SELECT count(price) FROM orders_view), (SELECT count(*) FROM invoices))"""
IDENTIFY = {
    "sign_in": "SELECT entitle.sign_in(%(login)s)",
    "token": "SELECT set_config('entitle.token', %(token)s, true)",
}

env = os.environ
identity = env["CLIENT_IDENTITY"]
people = [line.split() for line in open(env["CLIENT_PEOPLE"])]


def connect(user, port=env["CLIENT_PORT"], database=env["CLIENT_DATABASE"]):
    return psycopg.connect(host=env["CLIENT_HOST"], port=port, dbname=database, user=user, autocommit=True,
                           prepare_threshold=None)


def ask(connection):
    return connection.execute(QUESTION, [1]).fetchone()[0]


application = None if identity == "role" else connect("app")
administrator = connect("postgres", env["SERVER_PORT"], "postgres")


def as_person(login, token, work):
    if identity == "role":
        with connect("role_" + login) as connection:
            work(connection)
    else:
        with application.transaction():
            application.execute(IDENTIFY[identity], {"login": login, "token": token})
            work(application)


def revoke(connection):
    print("before the revoke:", ask(connection))
    administrator.execute("SELECT entitle.revoke_access(%s, %s)", [1, "l30"])
    print("after the revoke:", ask(connection))


for login, token in people:
    as_person(login, token, lambda connection: print(ask(connection)))
if application:
    print("after:", ask(application))
as_person("l30", dict(people)["l30"], revoke)
administrator.execute("SELECT entitle.grant_access(%s, %s, 'L30', NULL)", [1, "l30"])
