"""Addresses of parcels."""

from django.urls import path

from shipping import views

urlpatterns = [
    path("quote/", views.quote, name="quote"),
    path("new/", views.create, name="create"),
    path("export/", views.export, name="export"),
    path("<int:pk>/book/", views.book, name="book"),
    path("<int:pk>/label/", views.label, name="label"),
    path("track/<str:tracking>/", views.track, name="track"),
]
