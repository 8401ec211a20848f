"""Which prebuilt image a machine starts from: asked of its project once a minute at most."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from farm.agents.models import Server
from farm.agents.projects import project_at
from farm.agents.reconciler.machines import provider_in

GOOD_FOR = 60.0
_Key = tuple[int, str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class _Known:
    image: str | None
    until: float


_known: dict[_Key, _Known] = {}


def prebuilt_for(server: Server, labels: Mapping[str, str]) -> str | None:
    """The newest image with all `labels` that boots where the server is to be, or None."""
    project = project_at(server)
    key = (project.pk, server.location, frozenset(labels.items()))
    known = _known.get(key)
    if known is None or known.until < time.monotonic():
        image = provider_in(project).find_image(labels, server.location)
        known = _known[key] = _Known(image, time.monotonic() + GOOD_FOR)
    return known.image


def forget(image: str) -> bool:
    """Its project refuses the image: it is asked for anew. False if it was not remembered."""
    stale = [key for key, known in list(_known.items()) if known.image == image]
    for key in stale:
        _known.pop(key, None)
    return bool(stale)
