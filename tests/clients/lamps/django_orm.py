# Django. No model says anything of entitle; the first statement of each transaction does. Written for Django 3.2 and later.
import os
import uuid
from contextlib import contextmanager

import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["CLIENT_DATABASE"], "USER": "lamps_web",
                           "HOST": os.environ["CLIENT_HOST"], "PORT": os.environ["CLIENT_PORT"]}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True)
django.setup()

from django.contrib.postgres.fields import ArrayField  # noqa: E402
from django.core.paginator import Paginator  # noqa: E402
from django.db import Error, connection, models, transaction  # noqa: E402
from django.db.models import Count, F, Sum  # noqa: E402
from django.utils.dateparse import parse_datetime  # noqa: E402


class LampsModel(models.Model):
    class Meta:
        abstract = True
        app_label = "lamps"
        managed = False


class Person(LampsModel):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.TextField()
    display_name = models.TextField()
    branch_id = models.UUIDField(null=True)
    staff_roles = ArrayField(models.TextField(), default=list)
    deleted_at = models.DateTimeField(null=True)

    class Meta(LampsModel.Meta):
        db_table = "person"


class Account(LampsModel):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    company = models.TextField()
    branch_id = models.UUIDField()
    vat_number = models.TextField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta(LampsModel.Meta):
        db_table = "account"


class Purchase(LampsModel):
    id = models.IntegerField(primary_key=True)
    account = models.ForeignKey(Account, models.DO_NOTHING)
    branch_id = models.UUIDField()
    placed_at = models.DateTimeField()
    total = models.DecimalField(max_digits=8, decimal_places=2)

    class Meta(LampsModel.Meta):
        db_table = "purchase"


class PurchaseTable(LampsModel):
    """The table behind the view: for upserts, which no view takes."""
    id = models.IntegerField(primary_key=True)
    account = models.ForeignKey(Account, models.DO_NOTHING)
    branch_id = models.UUIDField()
    placed_at = models.DateTimeField()
    total = models.DecimalField(max_digits=8, decimal_places=2)

    class Meta(LampsModel.Meta):
        db_table = '"lamps"."purchase"'


class PurchaseLine(LampsModel):
    purchase = models.OneToOneField(Purchase, models.DO_NOTHING, primary_key=True)
    line = models.IntegerField()
    lamp = models.TextField()
    quantity = models.IntegerField()

    class Meta(LampsModel.Meta):
        db_table = "purchase_line"


PLACED = parse_datetime("2026-02-02T09:00:00Z")
places = {}


@contextmanager
def signed_in(login):
    with transaction.atomic():
        if login:
            with connection.cursor() as cursor:
                cursor.execute("SELECT entitle.sign_in(%s)", [login])
        yield


def tell(what, work):
    try:
        with transaction.atomic():
            answer = work()
    except Error as error:
        answer = error.__cause__.pgcode if hasattr(error.__cause__, "pgcode") else error.__cause__.sqlstate
    except models.ObjectDoesNotExist:
        answer = "does not exist"
    print(what + ":", answer if answer is not None else "done")


def new(number, company, total=99, model=Purchase):
    account, branch = places[company]
    return model(id=number, account_id=account, branch_id=branch, placed_at=PLACED, total=total)


def upsert(number, company, total):
    account, branch = places[company]
    return Purchase.objects.update_or_create(
        id=number, defaults={"account_id": account, "branch_id": branch, "placed_at": PLACED, "total": total})[1]


def open_account(company):
    account = Account.objects.create(company=company, branch_id=places["Dune Studio"][1])
    Purchase.objects.create(id=121, account=account, branch_id=account.branch_id, placed_at=PLACED, total=5)
    return Purchase.objects.filter(account__company=company).count()


def demote(email):
    Person.objects.filter(email=email).update(staff_roles=[])
    return Purchase.objects.count()


def change(purchase, total):
    purchase.total = total
    purchase.save()


def listed(rows):
    return " ".join(str(row) for row in rows) or "none"


def read():
    tell("  accounts", lambda: listed(Account.objects.order_by("company").values_list("company", flat=True)))
    tell("  filtered", lambda: listed(Purchase.objects.filter(account__company__startswith="C", total__gte=80).order_by("id").values_list("id", flat=True)))
    tell("  joined", lambda: listed(f"{p.id}={p.account.company}" for p in Purchase.objects.select_related("account").order_by("-id")[:2]))
    tell("  lines", lambda: listed(f"{x.lamp}*{x.quantity}" for x in PurchaseLine.objects.select_related("purchase__account").filter(purchase__total__gt=150, line=1).order_by("purchase_id")))
    pages = Paginator(Purchase.objects.order_by("id"), 2)
    tell("  page 2 of all", lambda: f"{listed(p.id for p in pages.page(2)) if pages.num_pages > 1 else 'none'} of {pages.count}")
    tell("  sum", lambda: Purchase.objects.aggregate(s=Sum("total"))["s"] or "none")
    tell("  by account", lambda: listed(f"{a['account__company']}={a['n']}" for a in Purchase.objects.values("account__company").annotate(n=Count("id")).order_by("account__company")))
    tell("  locked", lambda: len(Purchase.objects.select_for_update().filter(total__gt=100)))
    tell("  got 3", lambda: Purchase.objects.get(id=3).total)


# Keys by company, as the shop's own pages would know them.
with signed_in("iris@lamps.example"):
    places.update((a.company, (a.id, a.branch_id)) for a in Account.objects.all())
with signed_in("omar@lamps.example"):
    places.update((a.company, (a.id, a.branch_id)) for a in Account.objects.all())

for login in ["iris", "omar", "ken", "ada", "cleo"]:
    domain = {"ada": "birch", "cleo": "cedar"}.get(login, "lamps")
    with signed_in(f"{login}@{domain}.example"):
        print(login)
        read()
with signed_in(None):
    print("nobody")
    read()
    tell("  created", lambda: new(100, "Cedar Books").save(force_insert=True))

print("cleo writes")
with signed_in("cleo@cedar.example"):
    tell("  created", lambda: Purchase.objects.create(id=101, account_id=places["Cedar Books"][0], branch_id=places["Cedar Books"][1], placed_at=PLACED, total=99).total)
    tell("  saved, new", lambda: new(102, "Cedar Books").save())
    tell("  several", lambda: len(Purchase.objects.bulk_create([new(103, "Cedar Books"), new(104, "Cedar Books")])))
    tell("  several, one not allowed", lambda: len(Purchase.objects.bulk_create([new(105, "Cedar Books"), new(106, "Dune Studio")])))
    tell("  for another company", lambda: new(107, "Birch Hotels").save(force_insert=True))
    tell("  changed", lambda: change(Purchase.objects.get(id=101), 1))
    tell("  deleted", lambda: Purchase.objects.get(id=101).delete()[0])
    tell("  deleted where it is another's", lambda: Purchase.objects.filter(id=3).delete()[0])
    tell("  get_or_create, there", lambda: Purchase.objects.get_or_create(id=101)[1])
    tell("  get_or_create, new", lambda: Purchase.objects.get_or_create(id=108, defaults={"account_id": places["Cedar Books"][0], "branch_id": places["Cedar Books"][1], "placed_at": PLACED, "total": 7})[1])
    tell("  get_or_create, another's", lambda: Purchase.objects.get_or_create(id=3, defaults={"account_id": places["Cedar Books"][0], "branch_id": places["Cedar Books"][1], "placed_at": PLACED, "total": 7})[1])
    tell("  update_or_create, new", lambda: upsert(109, "Cedar Books", 8))
    tell("  update_or_create, there", lambda: upsert(109, "Cedar Books", 9))
    tell("  DO NOTHING without a key, new", lambda: len(Purchase.objects.bulk_create([new(110, "Cedar Books")], ignore_conflicts=True)))
    tell("  DO NOTHING without a key, there", lambda: len(Purchase.objects.bulk_create([new(110, "Cedar Books")], ignore_conflicts=True)))
    tell("  DO NOTHING on the table, one there, one new, one another's", lambda: len(PurchaseTable.objects.bulk_create([new(n, "Cedar Books", model=PurchaseTable) for n in (110, 111, 3)], ignore_conflicts=True)))
    tell("  has now", lambda: Purchase.objects.filter(id__gt=100).count())

print("omar writes")
with signed_in("omar@lamps.example"):
    tell("  changed", lambda: change(Purchase.objects.get(id=2), 41))
    tell("  all changed", lambda: Purchase.objects.update(total=F("total") + 1))
    tell("  update_or_create, there", lambda: upsert(2, "Dune Studio", 43))
    tell("  update_or_create, new", lambda: upsert(120, "Dune Studio", 44))
    tell("  update_or_create, another's", lambda: upsert(3, "Dune Studio", 45))
    tell("  account changed", lambda: Account.objects.filter(company="Dune Studio").update(vat_number="D-45"))
    tell("  account and its order created", lambda: open_account("Elm Inn"))
    tell("  has now", lambda: listed(f"{p.id}={p.total}" for p in Purchase.objects.order_by("id")))

print("undone")
try:
    with signed_in("omar@lamps.example"):
        tell("  without roles from the next statement on", lambda: demote("omar@lamps.example"))
        raise KeyError
except KeyError:
    pass
try:
    with signed_in("cleo@cedar.example"):
        new(130, "Cedar Books").save(force_insert=True)
        raise KeyError
except KeyError:
    with signed_in(None):
        tell("  nobody is left", lambda: Purchase.objects.count())
with signed_in("cleo@cedar.example"):
    tell("  no order is left", lambda: Purchase.objects.filter(id=130).count())
try:
    with signed_in("eve@nowhere.example"):
        pass
except Error as error:
    print("  an unknown login:", error.__cause__.pgcode if hasattr(error.__cause__, "pgcode") else error.__cause__.sqlstate)
