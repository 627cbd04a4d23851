"""A small shop in Django: three apps, signals, a middleware, a command, templates, migrations."""

_APP = """\
from django.apps import AppConfig


class Config(AppConfig):
    name = "{name}"
    default_auto_field = "django.db.models.AutoField"
{more}"""

FILES = {
    "pyproject.toml": '[tool.coverage.run]\nbranch = true\nsource = ["."]\n',
    "README.md": "# A shop\n",
    "manage.py": """\
#!/usr/bin/env python
import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
""",
    "shop/__init__.py": "",
    "shop/settings.py": """\
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "not secret"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "accounts.apps.Config",
    "catalogue.apps.Config",
    "orders.apps.Config",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "shop.middleware.Counting",
]
ROOT_URLCONF = "shop.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["shop.context.shop_name"]},
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SHIPPING = 500
""",
    "shop/urls.py": """\
from django.urls import include, path

urlpatterns = [
    path("", include("catalogue.urls")),
    path("orders/", include("orders.urls")),
    path("accounts/", include("accounts.urls")),
]
""",
    "shop/middleware.py": """\
class Counting:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code == 200:
            response["X-Shop"] = "open"
        else:
            response["X-Shop"] = "elsewhere"
        return response
""",
    "shop/context.py": """\
from django.conf import settings


def shop_name(request):
    return {"shop": "Shop", "shipping": settings.SHIPPING}
""",
    "catalogue/__init__.py": "",
    "catalogue/apps.py": _APP.format(name="catalogue", more=""),
    "catalogue/models.py": """\
from django.db import models
from django.urls import reverse


class ProductQuerySet(models.QuerySet):
    def on_sale(self):
        return self.filter(stock__gt=0)

    def cheap(self, limit=1000):
        return self.filter(price__lt=limit)


class Product(models.Model):
    name = models.CharField(max_length=50)
    price = models.IntegerField()
    stock = models.IntegerField(default=0)

    objects = ProductQuerySet.as_manager()

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("product", args=[self.pk])

    @property
    def available(self):
        return self.stock > 0

    def take(self, count):
        if count > self.stock:
            raise ValueError("not so many there")
        self.stock -= count
        self.save()
        return self.stock
""",
    "catalogue/migrations/__init__.py": "",
    "catalogue/migrations/0001_initial.py": """\
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Product",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("name", models.CharField(max_length=50)),
                ("price", models.IntegerField()),
                ("stock", models.IntegerField(default=0)),
            ],
        )
    ]
""",
    "catalogue/urls.py": """\
from django.urls import path

from catalogue import views

urlpatterns = [
    path("", views.index, name="index"),
    path("products/<int:pk>/", views.product, name="product"),
    path("search/", views.Search.as_view(), name="search"),
]
""",
    "catalogue/forms.py": """\
from django import forms


class SearchForm(forms.Form):
    words = forms.CharField(max_length=20)
    cheap = forms.BooleanField(required=False)

    def clean_words(self):
        words = self.cleaned_data["words"].strip()
        if len(words) < 2:
            raise forms.ValidationError("too short")
        return words
""",
    "catalogue/views.py": """\
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views import View

from catalogue.forms import SearchForm
from catalogue.models import Product
from catalogue.prices import shown


def index(request):
    products = Product.objects.on_sale().order_by("pk")
    return render(request, "index.html", {"products": products})


def product(request, pk):
    found = get_object_or_404(Product, pk=pk)
    return JsonResponse({"name": found.name, "price": shown(found.price)})


class Search(View):
    def get(self, request):
        form = SearchForm(request.GET)
        if not form.is_valid():
            return JsonResponse({"errors": form.errors}, status=400)
        found = Product.objects.filter(name__icontains=form.cleaned_data["words"])
        if form.cleaned_data["cheap"]:
            found = found.cheap()
        return JsonResponse({"names": [each.name for each in found.order_by("name")]})
""",
    "catalogue/prices.py": """\
CURRENCY = "EUR"


def shown(cents, currency=CURRENCY):
    whole, part = divmod(cents, 100)
    return f"{whole}.{part:02} {currency}"


def reduced(cents, percent):
    if not 0 <= percent <= 100:
        raise ValueError(percent)
    return cents - cents * percent // 100
""",
    "catalogue/templatetags/__init__.py": "",
    "catalogue/templatetags/prices.py": """\
from django import template

from catalogue.prices import shown

register = template.Library()


@register.filter
def money(cents):
    return shown(cents)
""",
    "catalogue/templates/index.html": """\
{% load prices %}<h1>{{ shop }}</h1>
{% for product in products %}<p>{{ product }}: {{ product.price|money }}</p>
{% empty %}<p>Nothing</p>
{% endfor %}
""",
    "catalogue/management/__init__.py": "",
    "catalogue/management/commands/__init__.py": "",
    "catalogue/management/commands/restock.py": """\
from django.core.management.base import BaseCommand

from catalogue.models import Product


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("count", type=int)

    def handle(self, *args, count, **options):
        changed = 0
        for product in Product.objects.all():
            if product.stock < count:
                product.stock = count
                product.save()
                changed += 1
        self.stdout.write(f"{changed} changed")
""",
    "catalogue/tests/__init__.py": "",
    "catalogue/tests/test_prices.py": """\
from django.test import SimpleTestCase

from catalogue.prices import reduced, shown


class PricesTests(SimpleTestCase):
    def test_shown(self):
        self.assertEqual(shown(1234), "12.34 EUR")

    def test_currency(self):
        self.assertEqual(shown(1, "USD"), "0.01 USD")

    def test_reduced(self):
        self.assertEqual(reduced(1000, 25), 750)

    def test_wrong(self):
        with self.assertRaises(ValueError):
            reduced(1, 101)
""",
    "catalogue/tests/test_models.py": """\
from django.test import TestCase

from catalogue.models import Product


class ProductTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.pen = Product.objects.create(name="Pen", price=150, stock=3)
        cls.car = Product.objects.create(name="Car", price=999900)

    def test_text(self):
        self.assertEqual(str(self.pen), "Pen")

    def test_available(self):
        self.assertTrue(self.pen.available)
        self.assertFalse(self.car.available)

    def test_take(self):
        self.assertEqual(self.pen.take(2), 1)

    def test_take_too_many(self):
        with self.assertRaises(ValueError):
            self.car.take(1)

    def test_on_sale(self):
        self.assertEqual([*Product.objects.on_sale()], [self.pen])

    def test_cheap(self):
        self.assertEqual([*Product.objects.cheap()], [self.pen])
""",
    "catalogue/tests/test_views.py": """\
from io import StringIO

from django.core.management import call_command
from django.test import TestCase
from django.urls import reverse

from catalogue.models import Product


class ViewTests(TestCase):
    def setUp(self):
        self.pen = Product.objects.create(name="Pen", price=150, stock=3)

    def test_index(self):
        response = self.client.get(reverse("index"))
        self.assertContains(response, "Pen: 1.50 EUR")
        self.assertEqual(response["X-Shop"], "open")

    def test_empty_index(self):
        Product.objects.all().delete()
        self.assertContains(self.client.get(reverse("index")), "Nothing")

    def test_product(self):
        response = self.client.get(self.pen.get_absolute_url())
        self.assertEqual(response.json(), {"name": "Pen", "price": "1.50 EUR"})

    def test_no_product(self):
        self.assertEqual(self.client.get("/products/99/").status_code, 404)

    def test_search(self):
        response = self.client.get(reverse("search"), {"words": "pe"})
        self.assertEqual(response.json(), {"names": ["Pen"]})

    def test_search_cheap(self):
        response = self.client.get(reverse("search"), {"words": "pen", "cheap": "on"})
        self.assertEqual(response.json(), {"names": ["Pen"]})

    def test_short_search(self):
        self.assertEqual(self.client.get(reverse("search"), {"words": "p"}).status_code, 400)


class CommandTests(TestCase):
    def test_restock(self):
        Product.objects.create(name="Pen", price=150, stock=3)
        Product.objects.create(name="Ink", price=150, stock=30)
        out = StringIO()
        call_command("restock", "10", stdout=out)
        self.assertIn("1 changed", out.getvalue())
""",
    "orders/__init__.py": "",
    "orders/apps.py": _APP.format(
        name="orders",
        more="\n    def ready(self):\n        from orders import signals  # noqa: F401\n",
    ),
    "orders/models.py": """\
from django.conf import settings
from django.db import models

from catalogue.models import Product
from catalogue.prices import reduced


class Order(models.Model):
    FREE_FROM = 5000

    customer = models.CharField(max_length=50)
    paid = models.BooleanField(default=False)
    percent = models.IntegerField(default=0)

    def total(self):
        total = sum(line.price for line in self.lines.all())
        if self.percent:
            total = reduced(total, self.percent)
        return total

    def shipping(self):
        if self.total() >= self.FREE_FROM:
            return 0
        return settings.SHIPPING

    def pay(self, amount):
        if amount < self.total() + self.shipping():
            return False
        self.paid = True
        self.save()
        return True


class Line(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, models.CASCADE)
    count = models.IntegerField(default=1)

    @property
    def price(self):
        return self.count * self.product.price
""",
    "orders/migrations/__init__.py": "",
    "orders/migrations/0001_initial.py": """\
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [("catalogue", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("customer", models.CharField(max_length=50)),
                ("paid", models.BooleanField(default=False)),
                ("percent", models.IntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Line",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("order", models.ForeignKey("orders.Order", models.CASCADE, related_name="lines")),
                ("product", models.ForeignKey("catalogue.Product", models.CASCADE)),
                ("count", models.IntegerField(default=1)),
            ],
        ),
    ]
""",
    "orders/signals.py": """\
from django.db.models.signals import post_save
from django.dispatch import receiver

from orders.models import Line, Order

PAID = []


@receiver(post_save, sender=Line)
def take_from_stock(sender, instance, created, **rest):
    if created:
        instance.product.take(instance.count)


@receiver(post_save, sender=Order)
def remember(sender, instance, **rest):
    if instance.paid and instance.pk not in PAID:
        PAID.append(instance.pk)
""",
    "orders/urls.py": """\
from django.urls import path

from orders import views

urlpatterns = [
    path("<int:pk>/", views.show, name="order"),
    path("<int:pk>/pay/", views.pay, name="pay"),
]
""",
    "orders/views.py": """\
import json

from django.http import HttpResponseBadRequest, JsonResponse
from django.shortcuts import get_object_or_404

from orders.models import Order


def show(request, pk):
    order = get_object_or_404(Order, pk=pk)
    return JsonResponse({"total": order.total(), "shipping": order.shipping(), "paid": order.paid})


def pay(request, pk):
    order = get_object_or_404(Order, pk=pk)
    if request.method != "POST":
        return HttpResponseBadRequest("POST")
    try:
        amount = int(json.loads(request.body)["amount"])
    except (KeyError, ValueError):
        return HttpResponseBadRequest("amount")
    return JsonResponse({"paid": order.pay(amount)})
""",
    "orders/tests/__init__.py": "",
    "orders/tests/base.py": """\
from django.test import TestCase

from catalogue.models import Product
from orders.models import Line, Order


class OrderCase(TestCase):
    def setUp(self):
        self.pen = Product.objects.create(name="Pen", price=150, stock=30)
        self.order = Order.objects.create(customer="Ada")

    def add(self, count):
        return Line.objects.create(order=self.order, product=self.pen, count=count)
""",
    "orders/tests/test_models.py": """\
from orders.tests.base import OrderCase


class TotalTests(OrderCase):
    def test_nothing(self):
        self.assertEqual(self.order.total(), 0)

    def test_lines(self):
        self.add(2)
        self.add(3)
        self.assertEqual(self.order.total(), 750)

    def test_reduced(self):
        self.order.percent = 50
        self.add(2)
        self.assertEqual(self.order.total(), 150)

    def test_stock(self):
        self.add(10)
        self.pen.refresh_from_db()
        self.assertEqual(self.pen.stock, 20)

    def test_too_many(self):
        with self.assertRaises(ValueError):
            self.add(31)


class PayingTests(OrderCase):
    def test_shipping(self):
        self.assertEqual(self.order.shipping(), 500)

    def test_free_shipping(self):
        self.pen.price = 5000
        self.pen.save()
        self.add(1)
        self.assertEqual(self.order.shipping(), 0)

    def test_pay(self):
        from orders.signals import PAID

        self.assertTrue(self.order.pay(500))
        self.assertIn(self.order.pk, PAID)

    def test_pay_less(self):
        self.assertFalse(self.order.pay(499))
""",
    "orders/tests/test_views.py": """\
from django.urls import reverse

from orders.tests.base import OrderCase


class ViewTests(OrderCase):
    def post(self, **what):
        return self.client.post(
            reverse("pay", args=[self.order.pk]), what, content_type="application/json"
        )

    def test_show(self):
        self.add(1)
        response = self.client.get(reverse("order", args=[self.order.pk]))
        self.assertEqual(response.json(), {"total": 150, "shipping": 500, "paid": False})

    def test_pay(self):
        self.assertEqual(self.post(amount=500).json(), {"paid": True})

    def test_pay_nothing(self):
        self.assertEqual(self.post().status_code, 400)

    def test_get(self):
        response = self.client.get(reverse("pay", args=[self.order.pk]))
        self.assertEqual(response.status_code, 400)
        self.assertEqual(response["X-Shop"], "elsewhere")
""",
    "accounts/__init__.py": "",
    "accounts/apps.py": _APP.format(name="accounts", more=""),
    "accounts/names.py": """\
from functools import cache

TITLES = ("Dr.", "Prof.")


@cache
def initials(name):
    parts = [part for part in name.split() if part not in TITLES]
    if not parts:
        return "?"
    return "".join(part[0].upper() for part in parts)


def greeting(user):
    if user.is_authenticated:
        return f"Hello {initials(user.username)}"
    return "Hello"
""",
    "accounts/urls.py": """\
from django.urls import path

from accounts import views

urlpatterns = [path("hello/", views.hello, name="hello"), path("secret/", views.secret)]
""",
    "accounts/decorators.py": """\
from functools import wraps

from django.http import HttpResponseForbidden


def members_only(view):
    @wraps(view)
    def checked(request, *args, **kwargs):
        if not request.user.is_authenticated:
            return HttpResponseForbidden("members only")
        return view(request, *args, **kwargs)

    return checked
""",
    "accounts/views.py": """\
from django.http import HttpResponse

from accounts.decorators import members_only
from accounts.names import greeting


def hello(request):
    return HttpResponse(greeting(request.user))


@members_only
def secret(request):
    return HttpResponse("secret")
""",
    "accounts/tests/__init__.py": "",
    "accounts/tests/test_accounts.py": """\
from django.contrib.auth.models import User
from django.test import SimpleTestCase, TestCase

from accounts.names import initials


class NameTests(SimpleTestCase):
    def test_initials(self):
        self.assertEqual(initials("Dr. ada lovelace"), "AL")

    def test_again(self):
        self.assertEqual(initials("Dr. ada lovelace"), "AL")

    def test_nothing(self):
        self.assertEqual(initials("Dr."), "?")


class ViewTests(TestCase):
    def test_stranger(self):
        self.assertEqual(self.client.get("/accounts/hello/").content, b"Hello")
        self.assertEqual(self.client.get("/accounts/secret/").status_code, 403)

    def test_member(self):
        self.client.force_login(User.objects.create(username="ada"))
        self.assertEqual(self.client.get("/accounts/hello/").content, b"Hello A")
        self.assertEqual(self.client.get("/accounts/secret/").content, b"secret")
""",
}
