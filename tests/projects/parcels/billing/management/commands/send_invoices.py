"""Writes an invoice to each customer for what was delivered."""

from django.core.mail import send_mail
from django.core.management.base import BaseCommand

from billing.models import Invoice
from customers.models import Customer
from shipping.models import Parcel


class Command(BaseCommand):
    help = "Writes an invoice to each customer for what was delivered."

    def handle(self, *args, **options):
        sent = 0
        for customer in Customer.objects.active():
            parcels = customer.parcels.filter(state=Parcel.State.DELIVERED, invoices=None)
            if not parcels:
                continue
            invoice = Invoice.objects.create(customer=customer)
            invoice.parcels.set(parcels)
            send_mail(
                f"Your {invoice}",
                f"Please pay {invoice.total / 100:.2f} EUR until {invoice.due_at:%d %b %Y}.",
                None,
                [customer.email],
            )
            sent += 1
        self.stdout.write(f"{sent} sent")
