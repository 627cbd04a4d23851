"""Tests of the invoices' pages."""

from django.test import TestCase
from django.urls import reverse

from billing.models import Invoice
from customers.models import Customer


class ViewTests(TestCase):
    def test_show(self):
        ada = Customer.objects.create(name="Ada", email="ada@example.org")
        invoice = Invoice.objects.create(customer=ada)
        response = self.client.get(reverse("invoice", args=[invoice.pk]))
        self.assertEqual(response.json(), {"cents": 0, "paid": False})
