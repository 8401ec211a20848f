"""Agents: list, create, show, delete, and what else is asked of one."""

from __future__ import annotations

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from farm.accounts.models import Door
from farm.accounts.tokens import Scope
from farm.agents import selectors, services
from farm.api.asking import account_named, agent_asked_for, person
from farm.api.pages import Piece, piece_of
from farm.api.scoped import ScopedView
from farm.api.shapes import (
    AgentPage,
    AgentShape,
    CostShape,
    EventPage,
    NewAgent,
    OperationShape,
    ProblemShape,
)

REFUSED = {422: OpenApiResponse(ProblemShape, "Nothing was changed; the sentence says why.")}


class Agents(ScopedView):
    """/agents/"""

    scopes: ClassVar = {"GET": Scope.AGENTS_READ, "POST": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="list_agents", parameters=[Piece], responses=AgentPage)
    def get(self, request: Request) -> Response:
        """The agents you may see, the newest first, without deleted ones. Scope: agents:read."""
        page = piece_of(selectors.agents_of(person(request)), request, "uid")
        return Response(AgentPage(page).data)

    @extend_schema(
        operation_id="create_agent", request=NewAgent, responses={202: AgentShape, **REFUSED}
    )
    def post(self, request: Request) -> Response:
        """Ask for an agent; it answers within minutes. Scope: agents:write."""
        asked = NewAgent(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        agent = services.create_agent(
            actor=person(request),
            account=account_named(request, wanted.get("account", "")),
            door=Door.API,
            wish=services.AgentWish(
                name=wanted["name"],
                blueprint=wanted.get("blueprint", ""),
                plan=wanted.get("plan", ""),
                region=wanted.get("region", ""),
                language=wanted["language"],
                model_provider=wanted.get("model_provider", ""),
                model_key=wanted.get("model_key", ""),
                shared_key_uid=wanted.get("shared_key", ""),
                ai_budget_micros=wanted["ai_budget_micros"],
                payer_uid=wanted.get("payer", ""),
                cost_centre=wanted.get("cost_centre", ""),
            ),
        )
        return Response(AgentShape(agent).data, status=status.HTTP_202_ACCEPTED)


class OneAgent(ScopedView):
    """/agents/UID/"""

    scopes: ClassVar = {"GET": Scope.AGENTS_READ, "DELETE": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="show_agent", responses=AgentShape)
    def get(self, request: Request, uid: str) -> Response:
        """One agent. Scope: agents:read."""
        return Response(AgentShape(agent_asked_for(request, uid)).data)

    @extend_schema(operation_id="delete_agent", responses={202: OperationShape, **REFUSED})
    def delete(self, request: Request, uid: str) -> Response:
        """Ask for its end, with its machine and everything on it. Scope: agents:write."""
        agent = agent_asked_for(request, uid)
        operation = services.delete_agent(actor=person(request), door=Door.API, agent=agent)
        return Response(OperationShape(operation).data, status=status.HTTP_202_ACCEPTED)


class Retry(ScopedView):
    """/agents/UID/retry/"""

    scopes: ClassVar = {"POST": Scope.AGENTS_WRITE}

    @extend_schema(
        operation_id="retry_agent", request=None, responses={202: OperationShape, **REFUSED}
    )
    def post(self, request: Request, uid: str) -> Response:
        """Start an agent that failed again, with a fresh machine. Scope: agents:write."""
        agent = agent_asked_for(request, uid)
        operation = services.retry_agent(actor=person(request), door=Door.API, agent=agent)
        return Response(OperationShape(operation).data, status=status.HTTP_202_ACCEPTED)


class Restart(ScopedView):
    """/agents/UID/restart/"""

    scopes: ClassVar = {"POST": Scope.AGENTS_WRITE}

    @extend_schema(
        operation_id="restart_agent", request=None, responses={202: OperationShape, **REFUSED}
    )
    def post(self, request: Request, uid: str) -> Response:
        """Restart a running agent's program on its machine. Scope: agents:write."""
        agent = agent_asked_for(request, uid)
        operation = services.restart_agent(actor=person(request), door=Door.API, agent=agent)
        return Response(OperationShape(operation).data, status=status.HTTP_202_ACCEPTED)


class Events(ScopedView):
    """/agents/UID/events/"""

    scopes: ClassVar = {"GET": Scope.AGENTS_READ}

    @extend_schema(operation_id="list_events", parameters=[Piece], responses=EventPage)
    def get(self, request: Request, uid: str) -> Response:
        """What happened to it, the newest first. Scope: agents:read."""
        page = piece_of(agent_asked_for(request, uid).events.all(), request, "pk")
        return Response(EventPage(page).data)


class Costs(ScopedView):
    """/agents/UID/cost/"""

    scopes: ClassVar = {"GET": Scope.MONEY_READ}

    @extend_schema(operation_id="show_cost", responses=CostShape)
    def get(self, request: Request, uid: str) -> Response:
        """What its machine costs and has cost. Scope: money:read."""
        cost = selectors.cost_of(agent_asked_for(request, uid), timezone.now())
        return Response(CostShape(cost).data)
