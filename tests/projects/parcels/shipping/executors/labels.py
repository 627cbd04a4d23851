"""Has labels printed."""

import base64

from django.conf import settings

from shipping.executors.base import Executor, ServiceError


class LabelExecutor(Executor):
    timeout = 30

    def run(self, parcel):
        answer = self.call_json(
            f"{settings.LABELS_URL}/render",
            {"code": parcel.tracking, "lines": [parcel.customer.name, parcel.country]},
        )
        pages = [base64.b64decode(page) for page in answer.get("pages", ())]
        if not pages:
            raise ServiceError("an empty label")
        return b"".join(pages)
