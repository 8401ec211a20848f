"""Who pays in an account, and what for in a month."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from django.http import Http404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from farm.accounts.permissions import Action, demand
from farm.accounts.tokens import Scope
from farm.agents.selectors import month_statement, payers_of
from farm.api.asking import account_asked_for, payer_asked_for, person
from farm.api.scoped import ScopedView
from farm.api.shapes import PayerShape, StatementShape

THIS_AGE = range(2020, 3000)
MONTH = OpenApiParameter(
    "month", OpenApiTypes.STR, OpenApiParameter.PATH, description="Such as 2026-11."
)


class Payers(ScopedView):
    """/accounts/UID/payers/"""

    scopes: ClassVar = {"GET": Scope.MONEY_READ}

    @extend_schema(operation_id="list_payers", responses=PayerShape(many=True))
    def get(self, request: Request, uid: str) -> Response:
        """Who may be charged in the account, its default payer first. Scope: money:read."""
        account = account_asked_for(request, uid)
        demand(person(request), Action.MANAGE_MONEY, account)
        return Response([PayerShape(payer).data for payer in payers_of(account)])


class OneStatement(ScopedView):
    """/accounts/UID/payers/PAYER/statements/MONTH/"""

    scopes: ClassVar = {"GET": Scope.MONEY_READ}

    @extend_schema(operation_id="show_statement", parameters=[MONTH], responses=StatementShape)
    def get(self, request: Request, uid: str, payer: str, month: str) -> Response:
        """What a payer pays for whom in a month, until now. Scope: money:read."""
        found = payer_asked_for(request, uid, payer)
        stated = month_statement(found, first_day(month), timezone.now())
        return Response(StatementShape(stated).data)


def first_day(month: str) -> date:
    """Of a month such as 2026-11; 404 for what is none."""
    try:
        day = datetime.strptime(month, "%Y-%m").date()  # noqa: DTZ007  (a month has no zone)
    except ValueError:
        raise Http404 from None
    if day.year not in THIS_AGE:
        raise Http404
    return day
