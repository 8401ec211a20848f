"""Which cloud is meant by which word, from plain credentials and no environment."""

from __future__ import annotations

from dataclasses import dataclass, field

from provisioning.errors import NeedsOperator
from provisioning.hetzner import ENDPOINT, Hetzner
from provisioning.provider import Provider


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens one project at one cloud. `endpoint` is the address with its /v1."""

    provider: str
    token: str = field(repr=False)
    endpoint: str = ENDPOINT


def provider_for(credentials: Credentials) -> Provider:
    """The cloud that `credentials` open; no request is made. NeedsOperator if they cannot."""
    if credentials.provider != "hetzner":
        raise NeedsOperator(
            "unknown_provider", f'There is no cloud "{credentials.provider}" here: use "hetzner".'
        )
    token = credentials.token.strip()
    if not token:
        raise NeedsOperator("no_token", "No Hetzner token is set: put one in HETZNER_TOKEN.")
    if not (token.isascii() and token.isalnum()):
        raise NeedsOperator("bad_token", "HETZNER_TOKEN holds more than a token: paste it again.")
    return Hetzner(token=token, endpoint=credentials.endpoint)
