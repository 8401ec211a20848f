"""The real console of an agent behind the edge: that it connects, and who may not pass for it."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from playwright.sync_api import Page

from tests.lab.people import Person

HELLO_SECONDS = 300.0
FORGED = (
    "-H 'X-Forwarded-User: Alice' -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-Host: a'"
    " -H 'X-Forwarded-For: 192.0.2.7' -w '=%{http_code}=' -o /dev/null -sk --max-time 5"
)


def connects(person: Person, agent: str, hellos: int = 1) -> str:
    """One click and the console is let in, without pairing, as often as asked; its address.

    The edge cuts its connection off after a while: it comes back by itself.
    """
    with person.console() as (console, frames):
        _wait_for_hellos(console, frames, hellos)
        console.get_by_text(agent).first.wait_for()
        host = f"{agent.lower()}\\.agents\\.localhost"
        assert re.fullmatch(f"https://{host}:\\d+/chat(/main)?", console.url)
        assert any(agent in frame for frame in frames)
        assert not any("PAIRING" in frame for frame in frames)
        return console.url


def _wait_for_hellos(console: Page, frames: Sequence[str], count: int) -> None:
    """The browser's news come only while it is waited for through it."""
    deadline = time.monotonic() + HELLO_SECONDS
    while sum('"hello-ok"' in frame for frame in frames) < count:
        assert time.monotonic() < deadline, f"{len(frames)} frames, too few hellos"
        console.wait_for_timeout(200)


def own_machine_is_no_proxy(person: Person) -> None:
    """What runs on the machine cannot pass for the edge, neither over loopback nor its address."""
    for address in ("127.0.0.1", "$(hostname -I | cut -d' ' -f1)"):
        path = f"https://{address}:18789/v1/models"
        person.is_answered(f"Run `curl {FORGED} {path}` and tell me what it says", "=403=")
