"""Parcels, and where they are."""

from django.db import models
from django.utils import timezone

from customers.models import Customer
from shipping.prices import price


class Parcel(models.Model):
    class State(models.TextChoices):
        NEW = "new"
        BOOKED = "booked"
        SENT = "sent"
        DELIVERED = "delivered"
        LOST = "lost"

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="parcels")
    country = models.CharField(max_length=2, default="DE")
    grams = models.PositiveIntegerField()
    insured = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    tracking = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"parcel {self.pk} to {self.country}"

    @property
    def price(self):
        """Cents."""
        return price(self.grams, self.country, self.insured, self.customer.discount)

    def book(self, tracking):
        if self.state != self.State.NEW:
            raise ValueError(f"{self} is {self.state}")
        self.state = self.State.BOOKED
        self.tracking = tracking
        self.save()

    def move(self, state):
        """Take over what the carrier says."""
        if state == self.state:
            return False
        if self.state in {self.State.DELIVERED, self.State.LOST}:
            raise ValueError(f"{self} is {self.state} already")
        self.state = state
        self.save()
        self.events.create(state=state)
        return True


class Event(models.Model):
    parcel = models.ForeignKey(Parcel, models.CASCADE, related_name="events")
    state = models.CharField(max_length=10)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("at",)

    def __str__(self):
        return f"{self.parcel}: {self.state}"
