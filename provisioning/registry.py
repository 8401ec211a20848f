"""Which cloud is meant by which word, from plain credentials and no environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from provisioning.budget import Budget
from provisioning.errors import NeedsOperator
from provisioning.provider import Provider

if TYPE_CHECKING:
    from provisioning.hetzner import Hetzner
    from provisioning.scaleway import Scaleway


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens one project at one cloud.

    At Hetzner `endpoint` is the address with its /v1 and the rest is not needed. At Scaleway
    `token` is the secret key, every zone in which there may be a machine of ours is named, and so
    is what an address costs net an hour, in EUR, of which its price list does not tell. An empty
    `endpoint` is the cloud's own, and without `zones` they are all that we know.
    """

    provider: str
    token: str = field(repr=False)
    endpoint: str = ""
    access_key: str = ""
    project: str = ""
    zones: tuple[str, ...] = ()
    ipv4_hourly: Decimal = Decimal(0)


CONNECT_SECONDS = 3.05
ANSWER_SECONDS = 20.0


def provider_for(
    credentials: Credentials,
    budget: Budget | None = None,
    answer_seconds: float = ANSWER_SECONDS,
) -> Provider:
    """The cloud that `credentials` open; no request is made. NeedsOperator if they cannot.

    `budget` is asked before each request there; without one none is counted. An answer is waited
    for so many seconds.
    """
    timeouts = (CONNECT_SECONDS, answer_seconds)
    if credentials.provider == "hetzner":
        return _hetzner(credentials, budget, timeouts)
    if credentials.provider == "scaleway":
        return _scaleway(credentials, budget, timeouts)
    raise NeedsOperator(
        "unknown_provider",
        f'There is no cloud "{credentials.provider}" here: use "hetzner" or "scaleway".',
    )


def _hetzner(
    credentials: Credentials, budget: Budget | None, timeouts: tuple[float, float]
) -> Hetzner:
    token = credentials.token.strip()
    if not token:
        raise NeedsOperator("no_token", "No Hetzner token is set: put one in HETZNER_TOKEN.")
    if not (token.isascii() and token.isalnum()):
        raise NeedsOperator("bad_token", "HETZNER_TOKEN holds more than a token: paste it again.")
    # A vendor's SDK takes a tenth of a second and more to load: only who asks its cloud waits.
    from provisioning.hetzner import ENDPOINT, Hetzner  # noqa: PLC0415

    endpoint = credentials.endpoint or ENDPOINT
    return Hetzner(token=token, endpoint=endpoint, timeouts=timeouts, budget=budget)


def _scaleway(
    credentials: Credentials, budget: Budget | None, timeouts: tuple[float, float]
) -> Scaleway:
    needed = (credentials.access_key, credentials.token, credentials.project)
    if not all(word.strip() for word in needed):
        raise NeedsOperator(
            "no_token",
            "Scaleway needs SCALEWAY_ACCESS_KEY, SCALEWAY_SECRET_KEY and SCALEWAY_PROJECT_ID.",
        )
    from provisioning.scaleway import ENDPOINT, ZONES, Scaleway  # noqa: PLC0415

    try:
        return Scaleway(
            access_key=credentials.access_key.strip(),
            secret_key=credentials.token.strip(),
            project=credentials.project.strip(),
            zones=credentials.zones or ZONES,
            endpoint=credentials.endpoint or ENDPOINT,
            timeouts=timeouts,
            ipv4_hourly=credentials.ipv4_hourly,
            budget=budget,
        )
    except ValueError:
        # The SDK's own sentence would show the secret key.
        raise NeedsOperator(
            "bad_token",
            "One of SCALEWAY_ACCESS_KEY (SCW...), SCALEWAY_SECRET_KEY, SCALEWAY_PROJECT_ID (both "
            "like 11111111-2222-4333-8444-555555555555) or SCALEWAY_ENDPOINT is not what Scaleway "
            "gave out: paste it again.",
        ) from None
