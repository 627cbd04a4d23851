"""Tells customers where their parcels are."""

from django.conf import settings
from django.core.mail import send_mail

from shipping.executors.base import Executor, ServiceError

TEXTS = {
    "sent": "Your parcel is on its way.",
    "delivered": "Your parcel has arrived.",
    "lost": "Your parcel cannot be found; please call us.",
}


class NoticeExecutor(Executor):
    tries = 2

    def run(self, parcel):
        text = TEXTS.get(parcel.state)
        if text is None:
            return False
        if parcel.customer.phone:
            try:
                self.call_json(settings.SMS_URL, {"to": parcel.customer.phone, "text": text})
                return True
            except ServiceError:
                pass
        send_mail("Your parcel", text, None, [parcel.customer.email])
        return True
