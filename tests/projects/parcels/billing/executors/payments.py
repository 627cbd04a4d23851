"""Takes money, and gives it back."""

from django.conf import settings

from shipping.executors.base import Executor, ServiceError


class PaymentExecutor(Executor):
    tries = 1  # Never charge twice.

    def run(self, invoice):
        answer = self._ask("charges", {"amount": invoice.total, "reference": str(invoice)})
        if answer.get("status") == "declined":
            raise ServiceError(f"declined: {answer.get('reason', 'no reason')}")
        if answer.get("status") != "succeeded":
            raise ServiceError("an unknown answer")
        return answer["id"]

    def refund(self, invoice, cents=None):
        if not invoice.payment:
            raise ValueError(f"{invoice} was not paid")
        amount = invoice.total if cents is None else cents
        if amount > invoice.total:
            raise ValueError("more than was paid")
        answer = self._ask("refunds", {"charge": invoice.payment, "amount": amount})
        return answer["id"]

    def _ask(self, what, values):
        headers = {"Authorization": f"Bearer {settings.PAYMENTS_KEY}"}
        return self.call_json(f"{settings.PAYMENTS_URL}/{what}", values, headers)
