"""Parcels in the admin."""

from django.contrib import admin, messages

from shipping.executors.base import ServiceError
from shipping.executors.carrier import CarrierExecutor
from shipping.models import Event, Parcel


class EventInline(admin.TabularInline):
    model = Event
    extra = 0


@admin.register(Parcel)
class ParcelAdmin(admin.ModelAdmin):
    list_display = ("id", "customer", "country", "state", "costs")
    list_filter = ("state", "country")
    inlines = (EventInline,)
    actions = ("book", "mark_lost")

    @admin.display(description="Price")
    def costs(self, parcel):
        return f"{parcel.price / 100:.2f} EUR"

    @admin.action(description="Book with the carrier")
    def book(self, request, parcels):
        carrier = CarrierExecutor()
        for parcel in parcels.filter(state=Parcel.State.NEW):
            try:
                parcel.book(carrier.run(parcel))
            except ServiceError as error:
                messages.error(request, f"{parcel}: {error}")

    @admin.action(description="Mark as lost")
    def mark_lost(self, request, parcels):
        for parcel in parcels:
            parcel.move(Parcel.State.LOST)
