"""Tests of the parcels' pages."""

from django.test import TestCase
from django.urls import reverse

from customers.models import Customer
from shipping.models import Parcel


class ViewTests(TestCase):
    def setUp(self):
        self.ada = Customer.objects.create(name="Ada", email="ada@example.org")

    def test_track(self):
        Parcel.objects.create(customer=self.ada, grams=900, tracking="T1")
        self.assertContains(self.client.get(reverse("track", args=["T1"])), "T1")

    def test_track_unknown(self):
        self.assertEqual(self.client.get(reverse("track", args=["T2"])).status_code, 404)

    def test_quote(self):
        asked = {"customer": self.ada.pk, "country": "de", "grams": 900}
        self.assertEqual(self.client.get(reverse("quote"), asked).json(), {"cents": 449})

    def test_create(self):
        sent = {"customer": self.ada.pk, "country": "fr", "grams": 900}
        self.assertEqual(self.client.post(reverse("create"), sent).status_code, 201)
        self.assertEqual(Parcel.objects.get().country, "FR")

    def test_quote_for_nowhere(self):
        asked = {"customer": self.ada.pk, "country": "d", "grams": 900}
        self.assertEqual(self.client.get(reverse("quote"), asked).status_code, 400)

    def test_book_needs_a_login(self):
        self.assertEqual(self.client.post(reverse("book", args=[1])).status_code, 302)
