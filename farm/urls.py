"""Which door answers which address."""

from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("farm.api.urls")),
    path("", include("farm.web.urls")),
]
