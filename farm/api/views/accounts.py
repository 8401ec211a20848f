"""The accounts that the token's person is in."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from farm.accounts.selectors import accounts_of
from farm.accounts.tokens import Scope
from farm.api.asking import person
from farm.api.scoped import ScopedView
from farm.api.shapes import AccountShape


class Accounts(ScopedView):
    """/accounts/"""

    scopes: ClassVar = {"GET": Scope.PEOPLE_READ}

    @extend_schema(operation_id="list_accounts", responses=AccountShape(many=True))
    def get(self, request: Request) -> Response:
        """Every account you are in, with your role there. Scope: people:read."""
        memberships = accounts_of(person(request))
        shown = [
            {"uid": each.account.uid, "name": each.account.name, "role": each.role}
            for each in memberships
        ]
        return Response(shown)
