"""Whose a thing at a cloud is, by the ids and the names that the cloud's own charges give."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from farm.billing.expected import Thing
from farm.billing.models import Kind

COPY = "farm-copy-"
OURS = re.compile(r"\bfarm-(?:copy-)?[0-9a-z]{12}\b")
OF_THE_FARM = ("farm-builder-", "OpenClaw ")
"""How the machines that images are baked on, and the images, begin: no agent's, and no lines."""


class Owners:
    """Every machine and copy of a disk at one cloud, to be found by what the cloud calls it."""

    def __init__(self, things: Iterable[Thing], provider: str) -> None:
        there = [thing for thing in things if thing.provider == provider]
        self._named = {thing.name: thing.uid for thing in there}
        self._machines = _by_id(thing for thing in there if not thing.name.startswith(COPY))
        self._copies = _by_id(thing for thing in there if thing.name.startswith(COPY))

    def of(self, kind: str, words: Sequence[str]) -> str:
        """The uid, by any of these ids and names; "" for nobody's.

        A copy bears its machine's name in the cloud's description: it is known by its id alone, as
        ids of machines and of copies are counted apart.
        """
        ids = self._copies if kind == Kind.SNAPSHOT else self._machines
        for word in words:
            if word in ids:
                return ids[word]
        named = (name for word in words for name in OURS.findall(word))
        found = (self._named[name] for name in named if name in self._named)
        return "" if kind == Kind.SNAPSHOT else next(found, "")


def is_the_farms_own(resource: str) -> bool:
    """Whether it is what the farm's images are made of: its own cost, and on nobody's statement."""
    return resource.startswith(OF_THE_FARM)


def is_called_ours(resource: str) -> bool:
    """Whether only this farm, or another one, gives such a name."""
    return OURS.search(resource) is not None


def _by_id(things: Iterable[Thing]) -> dict[str, str]:
    return {word: thing.uid for thing in things for word in thing.cloud_ids}
