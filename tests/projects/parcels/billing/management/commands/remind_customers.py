"""Reminds customers of what they have not paid."""

from django.core.mail import send_mail
from django.core.management.base import BaseCommand

from billing.models import Invoice


class Command(BaseCommand):
    help = "Reminds customers of what they have not paid."

    def add_arguments(self, parser):
        parser.add_argument("--most", type=int, default=3)

    def handle(self, *args, **options):
        reminded = given_up = 0
        for invoice in Invoice.objects.filter(paid_at=None).select_related("customer"):
            if invoice.reminders >= options["most"]:
                given_up += 1
            elif invoice.remind():
                words = "a reminder" if invoice.reminders == 1 else "the last reminder"
                send_mail(f"{invoice}: {words}", "Please pay.", None, [invoice.customer.email])
                reminded += 1
        self.stdout.write(f"{reminded} reminded, {given_up} for the lawyers")
