"""A cache in which nothing is baked yet; what is baked there, the others may have then."""

from __future__ import annotations

import asyncio
from pathlib import Path
from secrets import token_hex

from farm.sandbox.guests.real.command import duplicate
from tests.lab.boot import CACHE


def own_cache(folder: Path) -> Path:
    """With everybody's base images."""
    (CACHE / "guests").mkdir(parents=True, exist_ok=True)
    cache = folder / "cache"
    cache.mkdir()
    (cache / "guests").symlink_to(CACHE / "guests")
    return cache


def share(cache: Path) -> None:
    """What was baked there is baked for everybody on this machine."""
    kept = CACHE / "baked"
    kept.mkdir(exist_ok=True)
    found = list((cache / "baked").glob("[!.]*/"))
    assert found, "Nothing that was baked is kept."
    for baked in found:
        if not (kept / baked.name).exists():
            draft = kept / f".{token_hex(4)}"
            asyncio.run(duplicate(baked, draft))
            draft.rename(kept / baked.name)
