"""Who asks: a token in the Authorization header, and nothing else; no cookie opens this door."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from farm.accounts.models import ApiToken, User
from farm.accounts.tokens import scopes_of, token_shown

if TYPE_CHECKING:
    from rest_framework.views import APIView

    from farm.api.scoped import ScopedView

SCHEME = "Bearer"
REFUSED = "This token opens nothing here: it is unknown, expired or revoked. Make another one."


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer farm_...`."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The person and the token, or None without a header."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != SCHEME.lower().encode():
            return None
        text = words[1].decode(errors="replace") if len(words) == 2 else ""
        token = token_shown(text, timezone.now())
        if token is None:
            raise AuthenticationFailed(REFUSED)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """What a 401 asks for."""
        return SCHEME


class InScope(BasePermission):
    """Whether the token may do what the view's method is about."""

    message = "This token may not do that: make one with the scope that the documentation names."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """As the view's `scopes` say; a method that it does not name is not there at all."""
        # Whoever may only look at the head of an answer learns from it whether the thing is there.
        method = "GET" if request.method == "HEAD" else request.method or ""
        wanted = cast("ScopedView", view).scopes.get(method)
        return wanted is None or wanted in scopes_of(cast(ApiToken, request.auth))
