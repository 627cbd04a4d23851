"""Invoices, and whether they are paid."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from customers.models import Customer
from shipping.models import Parcel


class Invoice(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="invoices")
    parcels = models.ManyToManyField(Parcel, related_name="invoices")
    issued_at = models.DateTimeField(default=timezone.now)
    paid_at = models.DateTimeField(null=True, blank=True)
    reminders = models.PositiveIntegerField(default=0)
    payment = models.CharField(max_length=40, blank=True)

    def __str__(self):
        return f"invoice {self.pk}"

    @property
    def total(self):
        """Cents, with the fees of reminders."""
        return sum(parcel.price for parcel in self.parcels.all()) + self.fees

    @property
    def fees(self):
        return max(self.reminders - 1, 0) * 250

    @property
    def due_at(self):
        days = 30 if self.customer.business else 14
        return self.issued_at + timedelta(days=days)

    @property
    def overdue(self):
        return self.paid_at is None and timezone.now() > self.due_at

    def pay(self, payment):
        if self.paid_at is not None:
            raise ValueError(f"{self} is paid already")
        self.paid_at = timezone.now()
        self.payment = payment
        self.save()

    def remind(self):
        if not self.overdue:
            return False
        self.reminders += 1
        self.save()
        return True
