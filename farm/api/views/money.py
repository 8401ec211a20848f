"""A payer's money: what it has, what was paid in, cost per day, every line, papers, limits."""

from __future__ import annotations

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from farm.accounts.models import Door
from farm.accounts.refusals import Refused
from farm.accounts.tokens import Scope
from farm.agents.selectors.days import agent_lines, payer_days
from farm.api.asking import agent_asked_for, payer_asked_for, person
from farm.api.money_shapes import (
    BalanceShape,
    DayShape,
    LimitShape,
    LinePage,
    NewLimit,
    PaperPage,
)
from farm.api.pages import Piece, piece_of
from farm.api.scoped import ScopedView
from farm.api.views.agents import REFUSED
from farm.api.views.statements import MONTH, first_day
from farm.billing.customer_rows import Paper
from farm.billing.models import Limit
from farm.billing.services import set_limit
from farm.billing.standing import standing_of


class Balance(ScopedView):
    """/accounts/UID/payers/PAYER/balance/"""

    scopes: ClassVar = {"GET": Scope.MONEY_READ}

    @extend_schema(operation_id="show_balance", responses=BalanceShape)
    def get(self, request: Request, uid: str, payer: str) -> Response:
        """What a payer has, what is set aside, and how long it lasts. Scope: money:read."""
        found = payer_asked_for(request, uid, payer)
        return Response(BalanceShape(standing_of(found, timezone.now())).data)


class Days(ScopedView):
    """/accounts/UID/payers/PAYER/days/MONTH/"""

    scopes: ClassVar = {"GET": Scope.MONEY_READ}

    @extend_schema(
        operation_id="list_days", parameters=[MONTH], responses=DayShape(many=True), filters=False
    )
    def get(self, request: Request, uid: str, payer: str, month: str) -> Response:
        """What each agent cost on each day of a month, until now. Scope: money:read."""
        found = payer_asked_for(request, uid, payer)
        days = payer_days(found, first_day(month), timezone.now()).days
        return Response([DayShape(day).data for day in days])


class Lines(ScopedView):
    """/accounts/UID/payers/PAYER/lines/MONTH/"""

    scopes: ClassVar = {"GET": Scope.MONEY_READ}

    @extend_schema(operation_id="list_lines", parameters=[MONTH, Piece], responses=LinePage)
    def get(self, request: Request, uid: str, payer: str, month: str) -> Response:
        """Every hour that a payer is charged, with its price and rule. Scope: money:read."""
        found = payer_asked_for(request, uid, payer)
        lines = found.lines.filter(month=first_day(month)).select_related("price", "payer")
        return Response(LinePage(piece_of(lines, request, "pk")).data)


class AgentLines(ScopedView):
    """/agents/UID/lines/MONTH/"""

    scopes: ClassVar = {"GET": Scope.MONEY_READ}

    @extend_schema(operation_id="list_agent_lines", parameters=[MONTH, Piece], responses=LinePage)
    def get(self, request: Request, uid: str, month: str) -> Response:
        """Every hour of an agent's machines, whoever bears it, and why. Scope: money:read."""
        agent = agent_asked_for(request, uid)
        lines = agent_lines(agent, first_day(month)).select_related("price", "payer")
        return Response(LinePage(piece_of(lines, request, "pk")).data)


class Papers(ScopedView):
    """/accounts/UID/payers/PAYER/papers/"""

    scopes: ClassVar = {"GET": Scope.MONEY_READ}

    @extend_schema(operation_id="list_papers", parameters=[Piece], responses=PaperPage)
    def get(self, request: Request, uid: str, payer: str) -> Response:
        """Invoices and credit notes, the newest first. Scope: money:read."""
        found = payer_asked_for(request, uid, payer)
        papers = Paper.objects.filter(customer__payer=found)
        return Response(PaperPage(piece_of(papers, request, "reference")).data)


class Limits(ScopedView):
    """/accounts/UID/payers/PAYER/limits/"""

    scopes: ClassVar = {"GET": Scope.MONEY_READ, "PUT": Scope.MONEY_WRITE}

    @extend_schema(operation_id="list_limits", responses=LimitShape(many=True), filters=False)
    def get(self, request: Request, uid: str, payer: str) -> Response:
        """What agents may cost the payer in a month. Scope: money:read."""
        found = payer_asked_for(request, uid, payer)
        limits = Limit.objects.filter(payer=found).select_related("person").order_by("pk")
        return Response([LimitShape(limit).data for limit in limits])

    @extend_schema(
        operation_id="set_limit",
        request=NewLimit,
        responses={200: LimitShape(many=True), **REFUSED},
    )
    def put(self, request: Request, uid: str, payer: str) -> Response:
        """Set one of them, or end it; answers all that are left. Scope: money:write."""
        found = payer_asked_for(request, uid, payer)
        asked = NewLimit(data=request.data)
        asked.is_valid(raise_exception=True)
        email = asked.validated_data.get("person", "")
        member = found.account.memberships.filter(user__email=email).first() if email else None
        if email and member is None:
            raise Refused("person", "person_unknown", "Nobody in the account has this address.")
        set_limit(
            actor=person(request),
            door=Door.API,
            payer=found,
            person=member.user if member else None,
            micros=asked.validated_data["monthly_micros"],
        )
        return self.get(request, uid, payer)
