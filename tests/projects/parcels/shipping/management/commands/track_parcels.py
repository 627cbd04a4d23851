"""Asks the carrier where parcels are, and tells their customers."""

from django.core.management.base import BaseCommand

from shipping.executors.base import ServiceError
from shipping.executors.carrier import CarrierExecutor
from shipping.executors.notices import NoticeExecutor
from shipping.models import Parcel


class Command(BaseCommand):
    help = "Asks the carrier where parcels are, and tells their customers."

    def add_arguments(self, parser):
        parser.add_argument("--quiet", action="store_true")

    def handle(self, *args, **options):
        carrier, notices = CarrierExecutor(), NoticeExecutor()
        moved = failed = 0
        under_way = [Parcel.State.BOOKED, Parcel.State.SENT]
        for parcel in Parcel.objects.filter(state__in=under_way).select_related("customer"):
            try:
                state = carrier.state(parcel)
            except ServiceError as error:
                self.stderr.write(f"{parcel}: {error}")
                failed += 1
                continue
            if parcel.move(state):
                moved += 1
                if not options["quiet"]:
                    notices.run(parcel)
        self.stdout.write(f"{moved} moved, {failed} failed")
