"""The addresses of a farm that is being set up: one page, and nothing of the site."""

from __future__ import annotations

from django.urls import URLPattern, path

from farm.web.views import landing, set_up

urlpatterns: list[URLPattern] = [
    path("", set_up.lead_there, name="landing"),
    path("agents/", set_up.lead_there, name="agents"),
    path("account/login/", set_up.lead_there, name="account_login"),
    path("healthz", landing.healthz, name="healthz"),
    path("language/", landing.choose_language, name="language"),
    path("set-up/", set_up.set_up, name="set_up"),
    path("set-up/token/", set_up.enter, name="set_up_token"),
    path("set-up/here/", set_up.here, name="set_up_here"),
]
"""Any other address is 404."""
