"""Closes and anonymises customers who have not been seen for years."""

from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from customers.models import Customer


class Command(BaseCommand):
    help = "Closes and anonymises customers who have not been seen for years."

    def add_arguments(self, parser):
        parser.add_argument("--years", type=int, default=3)
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *args, **options):
        if options["years"] < 1:
            raise CommandError("A year at least.")
        since = timezone.now() - timedelta(days=365 * options["years"])
        found = Customer.objects.inactive_since(since)
        for customer in found:
            if options["dry_run"]:
                self.stdout.write(f"would purge {customer}")
                continue
            customer.close()
            customer.anonymise()
        self.stdout.write(self.style.SUCCESS(f"{found.count()} purged"))
