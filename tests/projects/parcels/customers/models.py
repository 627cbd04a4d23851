"""Who sends parcels."""

from django.db import models
from django.utils import timezone


class CustomerQuerySet(models.QuerySet):
    def active(self):
        return self.filter(closed_at=None)

    def inactive_since(self, moment):
        return self.active().filter(last_seen__lt=moment)


class Customer(models.Model):
    name = models.CharField(max_length=100)
    email = models.EmailField(unique=True)
    phone = models.CharField(max_length=30, blank=True)
    business = models.BooleanField(default=False)
    last_seen = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = CustomerQuerySet.as_manager()

    def __str__(self):
        return self.name

    @property
    def discount(self):
        """What is taken off, in percent."""
        if not self.business:
            return 0
        sent = self.parcels.count()
        if sent >= 100:
            return 15
        if sent >= 10:
            return 5
        return 0

    def close(self):
        if self.closed_at is not None:
            raise ValueError("closed already")
        self.closed_at = timezone.now()
        self.save()

    def anonymise(self):
        self.name = f"customer {self.pk}"
        self.email = f"{self.pk}@deleted.invalid"
        self.phone = ""
        self.save()
