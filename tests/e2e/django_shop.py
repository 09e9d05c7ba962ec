"""What Django makes of a few questions to the shop, printed.  Arguments:
host, port, user, password, database."""

import io
import json
import sys

import django
from django.conf import settings

HOST, PORT, USER, PASSWORD, DATABASE = sys.argv[1:]
settings.configure(
    USE_TZ=True, INSTALLED_APPS=[], DEFAULT_AUTO_FIELD="django.db.models."
    "BigAutoField", DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql", "HOST": HOST, "PORT": PORT,
        "USER": USER, "PASSWORD": PASSWORD, "NAME": DATABASE}})
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.db.models import Avg, Count, Exists, F, OuterRef, Q  # noqa: E402
from django.db.models.functions import Lower, TruncMonth  # noqa: E402


class Customer(models.Model):
    id = models.IntegerField(primary_key=True)
    email = models.TextField()
    city = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        app_label, db_table, managed = "shop", "customers", False


class Order(models.Model):
    id = models.IntegerField(primary_key=True)
    customer = models.ForeignKey(Customer, models.CASCADE)
    quantity = models.IntegerField()
    status = models.TextField()
    ordered_at = models.DateTimeField()

    class Meta:
        app_label, db_table, managed = "shop", "orders", False


def answers():
    """(question, answer) pairs."""
    orders, customers = Order.objects.all(), Customer.objects.all()
    yield "count", orders.count()
    yield "exists", orders.filter(status="new").exists()
    yield "get", orders.get(pk=7).status
    yield "slice", list(orders.order_by("-ordered_at", "id")
                        .values_list("id", "status")[5:15])
    yield "in", list(orders.filter(pk__in=[1, 2, 3]).order_by("pk")
                     .values_list("pk", flat=True))
    yield "related", [(o.id, o.customer.city) for o in
                      orders.select_related("customer").order_by("pk")[:5]]
    yield "prefetched", [(o.id, o.customer.created_at) for o in
                         orders.prefetch_related("customer")
                         .order_by("pk")[:5]]
    yield "groups", list(orders.values("status").annotate(n=Count("id"))
                         .order_by("status"))
    yield "months", list(orders.annotate(m=TruncMonth("ordered_at"))
                         .values("m").annotate(n=Avg("quantity"))
                         .order_by("m").values_list("m", "n"))
    yield "cities", list(orders.values("customer__city")
                         .annotate(n=Count("customer", distinct=True))
                         .filter(n__gt=3).order_by("customer__city"))
    yield "exists within", customers.filter(Exists(
        orders.filter(customer=OuterRef("pk"), quantity__gte=4))).count()
    yield "expressions", list(
        orders.filter(Q(status__icontains="ship") | ~Q(quantity=1))
        .annotate(low=Lower("status"), twice=F("quantity") * 2)
        .order_by("pk").values_list("low", "twice")[:5])
    yield "by email", customers.get(email="bruno.berger1@example.org").city
    yield "iterator", sum(o.quantity for o in
                          orders.iterator(chunk_size=500))
    with transaction.atomic():
        with transaction.atomic():
            yield "locked", orders.select_for_update().get(pk=3).status
    yield "tables", sorted(connection.introspection.table_names())
    shown = io.StringIO()
    call_command("inspectdb", "orders", "customers", stdout=shown)
    yield "inspectdb", shown.getvalue()


print(json.dumps(dict(answers()), default=str, indent=1))
