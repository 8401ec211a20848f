"""One step of a server: read its row, let the lifecycle choose, make one change outside."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from farm.agents.models import ProviderProject, Server
from farm.agents.pace import deadlines
from farm.agents.projects import project_at
from farm.agents.reconciler import booting, buying, powering, removing, resizing
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import urgency_of
from farm.agents.reconciler.marks import MISSED
from farm.agents.reconciler.pauses import RATE_LIMITED, paused_until, queue_up
from farm.agents.reconciler.troubles import Nap, wait_with_reason
from farm.agents.request_budgets import ProjectBudget
from provisioning.lifecycle import next_server_step
from provisioning.phases import ServerPhase
from provisioning.steps import Power, ServerSnapshot, ServerStep

_CREATING = (ServerStep.ORDER, ServerStep.SEEK_AND_ORDER)
_TO_CREATE = 4
# Steps that ask the cloud nothing: a pause of it does not hold them up.
_AT_HOME = (
    ServerStep.REST,
    ServerStep.DROP,
    ServerStep.KNOCK,
    ServerStep.SWITCH_OFF,
    ServerStep.SWITCH_ON,
    ServerStep.GIVE_UP_BOOTING,
    ServerStep.GIVE_UP_CREATING,
)


def drive_server(claim: Claim[Server]) -> Nap:
    """Take one step; answers when to look again (None: when somebody rings)."""
    now = timezone.now()
    step = next_server_step(snapshot_of(claim.row), now, deadlines())
    nap = None if step in _AT_HOME else _kept_away(claim, step, now)
    return nap or STEPS[step](claim)


def snapshot_of(server: Server) -> ServerSnapshot:
    """What the lifecycle needs to know of a row."""
    return ServerSnapshot(
        phase=ServerPhase(server.phase),
        phase_since=server.phase_since,
        wanted_gone=server.wanted_gone,
        create_sent=server.create_sent_at is not None,
        distrusted=server.distrusted_at is not None,
        power=Power(server.wanted_power),
        missed=server.reason == MISSED,
        to_resize=server.wanted_type not in ("", server.server_type),
    )


def _kept_away(claim: Claim[Server], step: ServerStep, now: datetime) -> Nap:
    """How long its cloud is not to be asked for this; None if it may be."""
    project, creating = project_at(claim.row), step in _CREATING
    until = paused_until(project, now, creating=creating)
    if until:
        return _wait_out(claim, project, until, now)
    # No step is begun that would stop half-way for want of requests.
    needed = _TO_CREATE if creating else 1
    wait = ProjectBudget(project.pk, urgency_of(claim.row)).wait(needed)
    if wait:
        return wait_with_reason(claim, RATE_LIMITED, queue_up(project, wait))
    return None


def _wait_out(
    claim: Claim[Server], project: ProviderProject, until: datetime, now: datetime
) -> Nap:
    # Everybody who waits for the same moment would wake as one herd.
    nap = until - now + timedelta(seconds=2 * random.random())  # noqa: S311
    return wait_with_reason(claim, claim.row.reason or project.reason or RATE_LIMITED, nap)


def _rest(_claim: Claim[Server]) -> Nap:
    return None


def _give_up_creating(claim: Claim[Server]) -> Nap:
    return removing.give_up(claim, "create_timeout")


def _give_up_booting(claim: Claim[Server]) -> Nap:
    return removing.give_up(claim, "boot_timeout")


STEPS: Mapping[ServerStep, Callable[[Claim[Server]], Nap]] = {
    ServerStep.REST: _rest,
    ServerStep.ORDER: buying.order,
    ServerStep.SEEK_AND_ORDER: buying.seek_and_order,
    ServerStep.DROP: removing.drop,
    ServerStep.LOOK: removing.look,
    ServerStep.LOOK_AGAIN: removing.look_again,
    ServerStep.SEEK_AND_REMOVE: removing.seek_and_remove,
    ServerStep.POLL: buying.poll,
    ServerStep.KNOCK: booting.knock,
    ServerStep.SWITCH_OFF: powering.switch_off,
    ServerStep.HALT: powering.halt,
    ServerStep.LOOK_OFF: powering.look_off,
    ServerStep.RESIZE: resizing.become,
    ServerStep.SWITCH_ON: powering.switch_on,
    ServerStep.RISE: powering.rise,
    ServerStep.REMOVE: removing.remove,
    ServerStep.CONFIRM_GONE: removing.confirm_gone,
    ServerStep.GIVE_UP_CREATING: _give_up_creating,
    ServerStep.GIVE_UP_BOOTING: _give_up_booting,
}
