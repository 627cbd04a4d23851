"""Invoices on the web."""

from django.contrib.auth.decorators import login_required
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from billing.executors.payments import PaymentExecutor
from billing.models import Invoice
from shipping.executors.base import ServiceError


def show(request, pk):
    invoice = get_object_or_404(Invoice, pk=pk)
    return JsonResponse({"cents": invoice.total, "paid": invoice.paid_at is not None})


@require_POST
def pay(request, pk):
    invoice = get_object_or_404(Invoice, pk=pk)
    try:
        payment = PaymentExecutor().run(invoice)
    except ServiceError as error:
        return JsonResponse({"error": str(error)}, status=402)
    invoice.pay(payment)
    return JsonResponse({"payment": payment})


@login_required
@require_POST
def refund(request, pk):
    invoice = get_object_or_404(Invoice, pk=pk)
    try:
        cents = int(request.POST["cents"]) if "cents" in request.POST else None
        done = PaymentExecutor().refund(invoice, cents)
    except ValueError as error:
        return JsonResponse({"error": str(error)}, status=400)
    except ServiceError as error:
        return JsonResponse({"error": str(error)}, status=502)
    return JsonResponse({"refund": done})
