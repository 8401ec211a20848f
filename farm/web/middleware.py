"""What every answer of the site has: a policy for browsers, and the farm's own words for errors."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

GetResponse = Callable[[HttpRequest], HttpResponseBase]
logger = logging.getLogger(__name__)

# Everything a page needs is served from here; an agent's words can bring nothing along.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class ContentSecurity:
    """Adds the farm's Content-Security-Policy, and keeps pages of a person out of caches."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, with the headers."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class OwnErrors:
    """With DEBUG on, too, people read the farm's pages; what went wrong is in the log."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer; an address that nobody answers gets the farm's own page."""
        response = self.get_response(request)
        if settings.DEBUG and response.status_code == 404 and request.resolver_match is None:
            return render(request, "404.html", status=404)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page for what a view raised; with DEBUG off Django shows the same ones itself."""
        if not settings.DEBUG:
            return None
        if isinstance(error, Http404):
            return render(request, "404.html", status=404)
        if isinstance(error, PermissionDenied):
            return render(request, "403.html", status=403)
        logger.error("%s %s failed", request.method, request.path, exc_info=error)
        return render(request, "500.html", status=500)
