"""A view of the API: opened by a token, and by one of the right scope."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.permissions import IsAuthenticated
from rest_framework.views import APIView

from farm.accounts.tokens import Scope
from farm.api.authentication import InScope, TokenAuthentication


class ScopedView(APIView):
    """A view that says which scope each of its methods needs."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (IsAuthenticated, InScope)
    scopes: ClassVar[dict[str, Scope]]
