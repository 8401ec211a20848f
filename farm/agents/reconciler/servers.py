"""One step of a server: read its row, let the lifecycle choose, make one change outside."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from farm.agents.models import Server
from farm.agents.pace import deadlines
from farm.agents.reconciler import booting, buying, removing
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.pauses import paused_until, project_of
from farm.agents.reconciler.troubles import Nap, wait_with_reason
from provisioning.lifecycle import ServerPhase, ServerSnapshot, ServerStep, next_server_step

_CREATING = (ServerStep.ORDER, ServerStep.SEEK_AND_ORDER)
# Steps that ask the cloud nothing: a pause of it does not hold them up.
_AT_HOME = (
    ServerStep.REST,
    ServerStep.DROP,
    ServerStep.KNOCK,
    ServerStep.GIVE_UP_BOOTING,
    ServerStep.GIVE_UP_CREATING,
)


def drive_server(claim: Claim[Server]) -> Nap:
    """Take one step; answers when to look again (None: when somebody rings)."""
    now = timezone.now()
    step = next_server_step(snapshot_of(claim.row), now, deadlines())
    if step not in _AT_HOME:
        until = paused_until(claim.row.provider, now, creating=step in _CREATING)
        if until:
            return _wait_out(claim, until, now)
    return STEPS[step](claim)


def snapshot_of(server: Server) -> ServerSnapshot:
    """What the lifecycle needs to know of a row."""
    return ServerSnapshot(
        phase=ServerPhase(server.phase),
        phase_since=server.phase_since,
        wanted_gone=server.wanted_gone,
        create_sent=server.create_sent_at is not None,
        distrusted=server.distrusted_at is not None,
    )


def _wait_out(claim: Claim[Server], until: datetime, now: datetime) -> Nap:
    # Everybody who waits for the same moment would wake as one herd.
    nap = until - now + timedelta(seconds=2 * random.random())  # noqa: S311
    why = claim.row.reason or project_of(claim.row.provider).reason or "rate_limited"
    return wait_with_reason(claim, why, nap)


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
    ServerStep.REMOVE: removing.remove,
    ServerStep.CONFIRM_GONE: removing.confirm_gone,
    ServerStep.GIVE_UP_CREATING: _give_up_creating,
    ServerStep.GIVE_UP_BOOTING: _give_up_booting,
}
