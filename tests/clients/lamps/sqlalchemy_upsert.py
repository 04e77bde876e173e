# SQLAlchemy's INSERT ... ON CONFLICT, and what Prisma's upsert sends, which names schemas: on the view and on the table.
import os

from sqlalchemy import Column, Integer, MetaData, Numeric, Table, create_engine, text
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, registry

engine = create_engine("postgresql+psycopg2://", connect_args={
    "host": os.environ["CLIENT_HOST"], "port": os.environ["CLIENT_PORT"], "dbname": os.environ["CLIENT_DATABASE"],
    "user": "lamps_web"})


def purchase(schema):
    return Table("purchase", MetaData(), Column("id", Integer, primary_key=True), Column("account_id", UUID(as_uuid=True)),
                 Column("branch_id", UUID(as_uuid=True)), Column("placed_at", TIMESTAMP(timezone=True)), Column("total", Numeric(8, 2)),
                 schema=schema)


class Purchase:
    pass


registry().map_imperatively(Purchase, purchase(None))


def merge(session, what, values):
    try:
        with session.begin_nested():
            order = Purchase()
            for name, value in values.items():
                setattr(order, name, value)
            session.merge(order)
        print(what + ": done")
    except DBAPIError as error:
        print(what + ":", error.orig.pgcode)


def tell(connection, what, statement, values=None):
    try:
        with connection.begin_nested():
            rows = connection.execute(statement, values or {}).rowcount
        print(what + ":", rows)
    except DBAPIError as error:
        print(what + ":", error.orig.pgcode)
        return error.orig.diag.message_hint
    return None


PRISMA = """INSERT INTO {0} ("id","account_id","branch_id","placed_at","total") VALUES (:id, :account_id, :branch_id, :placed_at, :total)
    ON CONFLICT ("id") DO UPDATE SET "total" = :total WHERE ({0}."id" = :id AND 1=1) RETURNING {0}."id", {0}."total\""""
MERGE = """MERGE INTO purchase p USING (VALUES (CAST(:id AS integer), CAST(:account_id AS uuid), CAST(:branch_id AS uuid), CAST(:placed_at AS timestamptz),
    CAST(:total AS numeric))) v (id, account_id, branch_id, placed_at, total) ON p.id = v.id WHEN MATCHED THEN UPDATE SET total = v.total
    WHEN NOT MATCHED THEN INSERT (id, account_id, branch_id, placed_at, total) VALUES (v.id, v.account_id, v.branch_id, v.placed_at, v.total)"""

with engine.begin() as connection:
    connection.execute(text("SELECT entitle.sign_in('omar@lamps.example')"))
    account_id, branch_id = connection.execute(text("SELECT id, branch_id FROM account")).one()

    def row(number, total):
        return {"id": number, "account_id": account_id, "branch_id": branch_id, "placed_at": "2026-02-02T09:00:00Z", "total": total}

    for name, schema, quoted in [("view", None, '"lamps_seen"."purchase"'), ("table", "lamps", '"lamps"."purchase"')]:
        table = purchase(schema)

        def upsert(number, total):
            statement = insert(table).values(**row(number, total))
            return statement.on_conflict_do_update(index_elements=[table.c.id], set_={"total": statement.excluded.total})

        print("the", name)
        hint = tell(connection, "  SQLAlchemy, there", upsert(2, 51))
        print("    hint:", hint)
        tell(connection, "  SQLAlchemy, new", upsert(201, 52))
        tell(connection, "  SQLAlchemy, another's", upsert(3, 53))
        tell(connection, "  SQLAlchemy, nothing, there", insert(table).values(**row(2, 54)).on_conflict_do_nothing(index_elements=["id"]))
        tell(connection, "  Prisma, there", text(PRISMA.format(quoted)), row(2, 58))
        tell(connection, "  Prisma, new", text(PRISMA.format(quoted)), row(203, 59))
    print("MERGE into the view")
    tell(connection, "  there", text(MERGE), row(2, 60))
    tell(connection, "  new", text(MERGE), row(204, 61))
    tell(connection, "  another's", text(MERGE), row(3, 62))
    print("Session.merge, on the view")
    with Session(bind=connection) as session:
        merge(session, "  there", row(2, 63))
        merge(session, "  new", row(205, 64))
        merge(session, "  another's", row(3, 65))
        session.flush()
    print("has now:", " ".join(f"{r.id}={r.total}" for r in connection.execute(text("SELECT id, total FROM purchase ORDER BY id"))))
