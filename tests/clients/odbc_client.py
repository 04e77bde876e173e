# psqlodbc, by pyodbc. The driver is the first argument. Autocommit off opens a transaction with the first statement.
import os
import sys

import pyodbc

QUESTION = """SELECT concat_ws(' ', coalesce(entitle.current_login(), 'none'), entitle.access_level(CAST(? AS bigint)),
    entitle.has_permission('customers.view'), (SELECT count(*) FROM orders_view),
    (SELECT count(price) FROM orders_view), (SELECT count(*) FROM invoices))"""

env = os.environ
identity = env["CLIENT_IDENTITY"]
people = [line.split() for line in open(env["CLIENT_PEOPLE"])]


# UseServerSidePrepare=0: a pooler before PgBouncer 1.21 keeps no statement for the client.
def connect(user, port=env["CLIENT_PORT"], database=env["CLIENT_DATABASE"]):
    return pyodbc.connect(f"Driver={sys.argv[1]};Servername={env['CLIENT_HOST']};Port={port};Database={database};"
                          f"Username={user};UseServerSidePrepare=0;Protocol=7.4-0", autocommit=True)


def ask(connection):
    return connection.execute(QUESTION, 1).fetchone()[0]


application = None if identity == "role" else connect("app")
administrator = connect("postgres", env["SERVER_PORT"], "postgres")


def as_person(login, token, work):
    if identity == "role":
        connection = connect("role_" + login)
        work(connection)
        connection.close()
        return
    application.autocommit = False
    if identity == "sign_in":
        application.execute("SELECT entitle.sign_in(?)", login).fetchall()
    else:
        application.execute("SELECT set_config('entitle.token', ?, true)", token).fetchall()
    work(application)
    application.commit()
    application.autocommit = True


def revoke(connection):
    print("before the revoke:", ask(connection))
    administrator.execute("SELECT entitle.revoke_access(?, ?)", 1, "l30").fetchall()
    print("after the revoke:", ask(connection))


for login, token in people:
    as_person(login, token, lambda connection: print(ask(connection)))
if application:
    print("after:", ask(application))
as_person("l30", dict(people)["l30"], revoke)
administrator.execute("SELECT entitle.grant_access(?, ?, 'L30', NULL)", 1, "l30").fetchall()
