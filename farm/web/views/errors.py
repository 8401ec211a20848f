"""Pages for what went wrong, in the farm's own words."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """A form whose protection had run out: nothing was done, the way back is shown."""
    return render(request, "csrf.html", {"back": request.path}, status=403)
