"""Tests of invoices."""

from datetime import timedelta

from django.test import TestCase
from django.utils import timezone

from billing.models import Invoice
from customers.models import Customer
from shipping.models import Parcel


class InvoiceTests(TestCase):
    def setUp(self):
        self.ada = Customer.objects.create(name="Ada", email="ada@example.org")
        self.invoice = Invoice.objects.create(customer=self.ada)

    def test_total(self):
        self.invoice.parcels.add(Parcel.objects.create(customer=self.ada, grams=900))
        self.assertEqual(self.invoice.total, 449)

    def test_not_overdue(self):
        self.assertFalse(self.invoice.overdue)

    def test_overdue(self):
        self.invoice.issued_at = timezone.now() - timedelta(days=15)
        self.assertTrue(self.invoice.overdue)

    def test_pay(self):
        self.invoice.pay("P1")
        self.assertIsNotNone(self.invoice.paid_at)

    def test_pay_twice(self):
        self.invoice.pay("P1")
        with self.assertRaises(ValueError):
            self.invoice.pay("P2")

    def test_remind(self):
        self.invoice.issued_at = timezone.now() - timedelta(days=15)
        self.assertTrue(self.invoice.remind())
        self.assertEqual(self.invoice.fees, 0)
