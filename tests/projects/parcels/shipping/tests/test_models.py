"""Tests of parcels."""

from django.test import TestCase

from customers.models import Customer
from shipping.models import Parcel


class ParcelTests(TestCase):
    def setUp(self):
        ada = Customer.objects.create(name="Ada", email="ada@example.org")
        self.parcel = Parcel.objects.create(customer=ada, grams=900)

    def test_price(self):
        self.assertEqual(self.parcel.price, 449)

    def test_book(self):
        self.parcel.book("T1")
        self.assertEqual(self.parcel.state, Parcel.State.BOOKED)

    def test_book_twice(self):
        self.parcel.book("T1")
        with self.assertRaises(ValueError):
            self.parcel.book("T2")

    def test_move(self):
        self.assertTrue(self.parcel.move(Parcel.State.SENT))
        self.assertEqual(self.parcel.events.count(), 1)
