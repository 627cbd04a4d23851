"""Tests of customers."""

from django.test import TestCase

from customers.models import Customer


class CustomerTests(TestCase):
    def setUp(self):
        self.ada = Customer.objects.create(name="Ada", email="ada@example.org")

    def test_name(self):
        self.assertEqual(str(self.ada), "Ada")

    def test_private_customers_have_no_discount(self):
        self.assertEqual(self.ada.discount, 0)

    def test_close(self):
        self.ada.close()
        self.assertFalse(Customer.objects.active().exists())

    def test_close_twice(self):
        self.ada.close()
        with self.assertRaises(ValueError):
            self.ada.close()
