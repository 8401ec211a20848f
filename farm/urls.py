"""Which door answers which address."""

from django.urls import include, path

urlpatterns = [
    path("", include("farm.web.urls")),
]
