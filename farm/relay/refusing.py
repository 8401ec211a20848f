"""What the relay says instead of carrying a call, in the words of the caller's own API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.responses import Response

from farm.relay.dialects.base import Dialect


@dataclass(frozen=True, slots=True)
class No(Exception):  # noqa: N818
    """A status, a sentence for whoever runs the agent, and headers."""

    status: int
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


def refusal(dialect: Dialect, no: No) -> Response:
    """The answer."""
    return Response(
        dialect.error(no.status, no.message),
        no.status,
        {**no.headers, "Cache-Control": "no-store"},
        "application/json",
    )
