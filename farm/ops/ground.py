"""What a farm stands on: the sandbox it starts for itself, or the real world it was given."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from farm import settings
from farm.ops.answer import Trouble
from farm.ops.children import Child
from farm.ops.processes import sandbox
from farm.ops.supervisor import Supervisor


@dataclass(frozen=True, slots=True)
class Ground:
    """`sentence` says in one line which machines there are and why; `environ` points a farm there.

    `mailbox` and `phones` are the sandbox's pages for mail and for Telegram, "" in the real world.
    """

    sentence: str
    environ: Mapping[str, str] = field(default_factory=dict)
    kind: str = "hetzner"
    mailbox: str = ""
    phones: str = ""


def start_sandbox(supervisor: Supervisor, logs: Path) -> Child | None:
    """Have a sandbox start, unless a token of a cloud is given."""
    if settings.HETZNER_TOKEN or settings.SCALEWAY_SECRET_KEY:
        return None
    child = Child(sandbox(settings.FARM_DATA / "sandbox"), os.environ, logs)
    supervisor.add(child)
    return child


def ground_on(child: Child | None, supervisor: Supervisor) -> Ground | None:
    """The ground once it bears; None when the end was asked for first.

    Trouble when the sandbox cannot start, in its own words.
    """
    if child is None:
        return Ground(_real_world())
    if supervisor.wait_for(lambda: _line(child.out) != "", alive=(child,)):
        return _read(_line(child.out))
    if supervisor.ending:
        return None
    child.news()  # It is told here, and once is enough.
    raise Trouble(f"The sandbox does not start: {child.last_line()}", code="sandbox")


def _line(path: Path) -> str:
    """The first line, once it is whole."""
    first, end, _ = path.read_text().partition("\n")
    return first if end else ""


def _read(line: str) -> Ground:
    report = json.loads(line)
    guests = report["guests"]
    return Ground(
        sentence=f"Guests: {guests['kind']}. {guests['why']}",
        environ=report["env"],
        kind=guests["kind"],
        mailbox=report["services"]["mail"]["page"],
        phones=report["services"]["telegram"]["page"],
    )


def _real_world() -> str:
    endpoints = {
        settings.HETZNER_ENDPOINT: settings.HETZNER_TOKEN,
        settings.SCALEWAY_ENDPOINT: settings.SCALEWAY_SECRET_KEY,
    }
    named = " and ".join(endpoint for endpoint, given in endpoints.items() if given)
    said = f"Machines: at {named}, with the token given; no sandbox is started."
    if "EMAIL_HOST" in os.environ or "EMAIL_HOST_FILE" in os.environ:
        return said
    return (
        f"{said}\nMail: EMAIL_HOST is not set, so no sign-up code reaches anybody;"
        " set EMAIL_HOST and EMAIL_PORT, or make people with `farm agents create --as`."
    )
