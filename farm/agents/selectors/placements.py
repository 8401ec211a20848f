"""Where an agent's machine was placed, and why there: for its page, in sentences."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from farm.agents.clouds import NAMES
from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, Placing, PlacingReason
from farm.billing.prices import Rate
from farm.billing.selectors import rate_of
from farm.catalog import Words, catalog


@dataclass(frozen=True, slots=True)
class PassedRung:
    """A cheaper or earlier choice that was not taken, and the sentence why."""

    server_type: str
    location: str
    cloud: str
    code: PlacingReason
    why: str | Promise


@dataclass(frozen=True, slots=True)
class Placement:
    """Where its machine is: `place` is the region's name, `location` and `cloud` the exact spot.

    `why` is one sentence; `passed` is what came before it on the ladder when it was placed, none
    where it was the first choice. `rate` is what it costs now, net, its IPv4 and disk included;
    None while no price is known.
    """

    place: Words
    location: str
    cloud: str
    server_type: str
    code: PlacingReason
    why: str | Promise
    passed: tuple[PassedRung, ...]
    rate: Rate | None


_WHY = {
    PlacingReason.FIRST: _("It was the cheapest of its size there, and free."),
    PlacingReason.SOLD_OUT: _(
        "{first} was sold out, so it is on the next one that costs no more than was agreed."
    ),
    PlacingReason.FULL: _(
        "The farm's account for {first} was full, so it is on the next one that costs no more than"
        " was agreed."
    ),
    PlacingReason.DEARER: _("{first} had become dearer than was agreed, so it is on another one."),
    PlacingReason.FAILED: _("A machine did not come up on {first}, so it is on another one."),
}
_WHY_NOT = {
    PlacingReason.SOLD_OUT: _("sold out"),
    PlacingReason.FULL: _("the farm's account there was full"),
    PlacingReason.DEARER: _("dearer than was agreed"),
    PlacingReason.FAILED: _("a machine did not come up there"),
}


def placement_of(agent: Agent) -> Placement | None:
    """Where the machine that counts for the agent was placed; None without one.

    One from before placings were noted has no reasons, and is called a first choice.
    """
    server = machine_of(agent)
    if server is None or server.gone_at is not None:
        return None
    placing = Placing.objects.filter(server=server).first()
    passed = tuple(map(_passed, placing.passed.splitlines())) if placing else ()
    code = passed[0].code if passed else PlacingReason.FIRST
    region = catalog().regions.get(placing.region if placing else agent.region)
    return Placement(
        place=region.name,
        location=server.location,
        cloud=NAMES.get(server.provider, server.provider),
        server_type=server.server_type,
        code=code,
        why=_why(code, passed),
        passed=passed,
        rate=rate_of(server.uid),
    )


def _passed(line: str) -> PassedRung:
    provider, server_type, location, code = line.split()
    reason = PlacingReason(code)
    cloud = NAMES.get(provider, provider)
    return PassedRung(server_type, location, cloud, reason, _WHY_NOT[reason])


def _why(code: PlacingReason, passed: tuple[PassedRung, ...]) -> str | Promise:
    if not passed:
        return _WHY[code]
    first = f"{passed[0].server_type} ({passed[0].cloud}, {passed[0].location})"
    return format_lazy(_WHY[code], first=first)
