"""An agent's machine: its sleep, its size, its place, and when it sleeps by itself."""

from __future__ import annotations

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from farm.accounts.models import Door
from farm.accounts.tokens import Scope
from farm.agents import services
from farm.agents.models import Agent, Operation
from farm.agents.selectors.placements import placement_of
from farm.agents.selectors.prices import sleep_quote, wake_quote
from farm.agents.selectors.schedules import WEEK, rhythm_of
from farm.api.asking import agent_asked_for, person
from farm.api.machine_shapes import (
    KeepWish,
    MachineShape,
    MachineView,
    MoveWish,
    NewSchedule,
    ResizeWish,
    ScheduleShape,
    WakeWish,
)
from farm.api.scoped import ScopedView
from farm.api.shapes import OperationShape, ProblemShape
from farm.billing.prices import Rate

REFUSED = {422: OpenApiResponse(ProblemShape, "Nothing was changed; the sentence says why.")}
BEGUN = {202: OperationShape, **REFUSED}


class OneMachine(ScopedView):
    """/agents/UID/machine/"""

    scopes: ClassVar = {"GET": Scope.AGENTS_READ}

    @extend_schema(operation_id="show_machine", responses=MachineShape)
    def get(self, request: Request, uid: str) -> Response:
        """Where it is and why, and what sleep and waking would cost. Scope: agents:read."""
        agent, now = agent_asked_for(request, uid), timezone.now()
        asleep = agent.wanted == Agent.Wanted.STOPPED
        shown = MachineView(
            placement=placement_of(agent),
            sleep=None if asleep else sleep_quote(agent, now),
            wake=wake_quote(agent) if asleep else None,
        )
        return Response(MachineShape(shown).data)


class Stop(ScopedView):
    """/agents/UID/stop/"""

    scopes: ClassVar = {"POST": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="stop_agent", request=None, responses=BEGUN)
    def post(self, request: Request, uid: str) -> Response:
        """Put it to sleep: what it has is saved first. Scope: agents:write."""
        agent = agent_asked_for(request, uid)
        return _begun(services.stop_agent(actor=person(request), door=Door.API, agent=agent))


class Wake(ScopedView):
    """/agents/UID/wake/"""

    scopes: ClassVar = {"POST": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="wake_agent", request=WakeWish, responses=BEGUN)
    def post(self, request: Request, uid: str) -> Response:
        """Wake it. Scope: agents:write."""
        agent = agent_asked_for(request, uid)
        asked = WakeWish(data=request.data)
        asked.is_valid(raise_exception=True)
        agreed = _agreed(agent, asked.validated_data["at_most_hourly_micros"])
        return _begun(
            services.wake_agent(actor=person(request), door=Door.API, agent=agent, agreed=agreed)
        )


class Resize(ScopedView):
    """/agents/UID/resize/"""

    scopes: ClassVar = {"POST": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="resize_agent", request=ResizeWish, responses=BEGUN)
    def post(self, request: Request, uid: str) -> Response:
        """Give its machine another size, at today's price. Scope: agents:write."""
        agent = agent_asked_for(request, uid)
        asked = ResizeWish(data=request.data)
        asked.is_valid(raise_exception=True)
        plan = asked.validated_data["plan"]
        return _begun(
            services.resize_agent(actor=person(request), door=Door.API, agent=agent, plan=plan)
        )


class Move(ScopedView):
    """/agents/UID/move/"""

    scopes: ClassVar = {"POST": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="move_agent", request=MoveWish, responses=BEGUN)
    def post(self, request: Request, uid: str) -> Response:
        """Take it to another place, with what it has, at today's price. Scope: agents:write."""
        agent = agent_asked_for(request, uid)
        asked = MoveWish(data=request.data)
        asked.is_valid(raise_exception=True)
        region = asked.validated_data["region"]
        return _begun(
            services.move_agent_to(actor=person(request), door=Door.API, agent=agent, region=region)
        )


class Rebuild(ScopedView):
    """/agents/UID/rebuild/"""

    scopes: ClassVar = {"POST": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="rebuild_agent", request=None, responses=BEGUN)
    def post(self, request: Request, uid: str) -> Response:
        """Put it on a fresh machine, with what it has. Scope: agents:write."""
        agent = agent_asked_for(request, uid)
        return _begun(services.rebuild_agent(actor=person(request), door=Door.API, agent=agent))


class TakeBack(ScopedView):
    """/agents/UID/machine/back/"""

    scopes: ClassVar = {"POST": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="take_back_change", request=None, responses=BEGUN)
    def post(self, request: Request, uid: str) -> Response:
        """Never mind a change of its machine that waits. Scope: agents:write."""
        agent = agent_asked_for(request, uid)
        return _begun(services.take_back_change(actor=person(request), door=Door.API, agent=agent))


class OneSchedule(ScopedView):
    """/agents/UID/schedule/"""

    scopes: ClassVar = {
        "GET": Scope.AGENTS_READ,
        "PUT": Scope.AGENTS_WRITE,
        "DELETE": Scope.AGENTS_WRITE,
    }

    @extend_schema(operation_id="show_schedule", responses=ScheduleShape)
    def get(self, request: Request, uid: str) -> Response:
        """When it sleeps by itself. Scope: agents:read."""
        return _schedule(agent_asked_for(request, uid))

    @extend_schema(
        operation_id="set_schedule", request=NewSchedule, responses={200: ScheduleShape, **REFUSED}
    )
    def put(self, request: Request, uid: str) -> Response:
        """Set when it sleeps by itself, from its next boundary on. Scope: agents:write."""
        agent = agent_asked_for(request, uid)
        asked = NewSchedule(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        wish = services.ScheduleWish(
            zone=wanted["zone"],
            hours=wanted.get("hours", ("",) * WEEK),
            quiet_days=wanted.get("quiet_days", ()),
            idle_hours=wanted["idle_hours"],
        )
        services.set_schedule(actor=person(request), door=Door.API, agent=agent, wish=wish)
        return _schedule(agent)

    @extend_schema(operation_id="clear_schedule", responses={200: ScheduleShape, **REFUSED})
    def delete(self, request: Request, uid: str) -> Response:
        """Let it sleep by nobody's wish but a person's. Scope: agents:write."""
        agent = agent_asked_for(request, uid)
        services.clear_schedule(actor=person(request), door=Door.API, agent=agent)
        return _schedule(agent)


class Keep(ScopedView):
    """/agents/UID/keep/"""

    scopes: ClassVar = {"POST": Scope.AGENTS_WRITE}

    @extend_schema(
        operation_id="keep_running", request=KeepWish, responses={200: ScheduleShape, **REFUSED}
    )
    def post(self, request: Request, uid: str) -> Response:
        """Keep it awake until a moment, or no longer. Scope: agents:write."""
        agent = agent_asked_for(request, uid)
        asked = KeepWish(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        services.keep_running(
            actor=person(request),
            door=Door.API,
            agent=agent,
            until=wanted["until"],
            zone=wanted.get("zone", "UTC"),
        )
        return _schedule(agent)


def _begun(operation: Operation) -> Response:
    return Response(OperationShape(operation).data, status=status.HTTP_202_ACCEPTED)


def _schedule(agent: Agent) -> Response:
    return Response(ScheduleShape(rhythm_of(agent, timezone.now())).data)


def _agreed(agent: Agent, most: int | None) -> Rate | None:
    """The dearer price of the moment, where it is within what the caller agrees to."""
    quote = wake_quote(agent) if most is not None else None
    if quote is None or most is None or not quote.dearer or quote.awake is None:
        return None
    return quote.awake if quote.awake.hourly_micros <= most else None
