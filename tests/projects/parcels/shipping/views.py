"""Parcels on the web."""

import csv

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from shipping.executors.base import ServiceError
from shipping.executors.carrier import CarrierExecutor
from shipping.executors.labels import LabelExecutor
from shipping.forms import ParcelForm
from shipping.models import Parcel


def track(request, tracking):
    parcel = get_object_or_404(Parcel, tracking=tracking)
    return render(request, "shipping/track.html", {"parcel": parcel})


def quote(request):
    form = ParcelForm(request.GET)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=400)
    return JsonResponse({"cents": form.save(commit=False).price})


@require_POST
def create(request):
    form = ParcelForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=400)
    parcel = form.save()
    return JsonResponse({"id": parcel.pk}, status=201)


@login_required
@require_POST
def book(request, pk):
    parcel = get_object_or_404(Parcel, pk=pk)
    try:
        tracking = CarrierExecutor().run(parcel)
    except ServiceError as error:
        return JsonResponse({"error": str(error)}, status=502)
    parcel.book(tracking)
    return redirect("track", tracking=tracking)


@login_required
def label(request, pk):
    parcel = get_object_or_404(Parcel, pk=pk)
    if not parcel.tracking:
        return HttpResponse("not booked", status=409)
    pdf = LabelExecutor().run(parcel)
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{parcel.tracking}.pdf"'
    return response


@login_required
def export(request):
    response = HttpResponse(content_type="text/csv")
    writer = csv.writer(response)
    writer.writerow(["id", "customer", "country", "state"])
    for parcel in Parcel.objects.select_related("customer"):
        writer.writerow([parcel.pk, parcel.customer.name, parcel.country, parcel.state])
    return response
