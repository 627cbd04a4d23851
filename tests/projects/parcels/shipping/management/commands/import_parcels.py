"""Takes parcels in from a table that a shop has sent."""

import csv
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from customers.models import Customer
from shipping.forms import ParcelForm


class Command(BaseCommand):
    help = "Takes parcels in from a table that a shop has sent."

    def add_arguments(self, parser):
        parser.add_argument("table", type=Path)

    def handle(self, *args, **options):
        try:
            text = options["table"].read_text(encoding="utf-8")
        except OSError as error:
            raise CommandError(str(error)) from error
        taken = 0
        for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
            customer = Customer.objects.filter(email=row["email"]).first()
            if customer is None:
                self.stderr.write(f"line {number}: {row['email']} is unknown")
                continue
            form = ParcelForm({**row, "customer": customer.pk})
            if form.is_valid():
                form.save()
                taken += 1
            else:
                self.stderr.write(f"line {number}: {form.errors.as_json()}")
        self.stdout.write(f"{taken} taken in")
