"""Addresses of invoices."""

from django.urls import path

from billing import views

urlpatterns = [
    path("<int:pk>/", views.show, name="invoice"),
    path("<int:pk>/pay/", views.pay, name="pay"),
    path("<int:pk>/refund/", views.refund, name="refund"),
]
