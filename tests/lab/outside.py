"""The outside world as a process of its own: mail, two clouds with their books, and its time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.ops.farms import until
from tests.sandbox.running import RunningSandbox, sandbox

IMAGE_SECONDS = 1200.0
CLOUDS = {"hetzner": "", "scaleway": "/scaleway"}
"""By name, where the sandbox's control endpoint has a cloud's books."""
COSTING = ("servers", "primary_ips", "ips", "volumes", "snapshots")
KINDS = {"server": "server", "primary_ip": "ipv4", "ipv4": "ipv4", "volume": "volume"}
"""What a line of an invoice is for, as the farm calls it."""

Json = Mapping[str, str | int | None]
Invoice = Mapping[str, int]
"""Micros by "server/kind", each server by its name."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What goes on whatever becomes of the farm."""

    running: RunningSandbox

    @property
    def env(self) -> Mapping[str, str]:
        """What points a farm here."""
        return self.running.env

    def code_for(self, email: str) -> str:
        """The six digits that were mailed, once they are there."""
        return self._mailed(email, r"\b(\d{6})\b")

    def link_for(self, email: str) -> str:
        """The link of the invitation that was mailed, once it is there."""
        return self._mailed(email, r"(https://\S+/invitations/\S+)")

    def things(self) -> Sequence[str]:
        """Everything at both clouds that somebody pays for, as "cloud kind name"."""
        return sorted(
            f"{cloud} {kind} {one.get('name') or one['id']}"
            for cloud, path in CLOUDS.items()
            for kind, found in self._get(f"{path}/inventory").items()
            if kind in COSTING
            for one in found
        )

    def invoice(self, cloud: str) -> Invoice:
        """What that cloud would have invoiced by now, by its own books."""
        lines = self._get(f"{CLOUDS[cloud]}/invoice")["lines"]
        names = {line["server"]: _named(line) for line in lines if line["kind"] == "server"}
        sums: Counter[str] = Counter()
        for line in lines:
            key = f"{names.get(line['server'], line['name'])}/{KINDS.get(str(line['kind']), '?')}"
            sums[key] += int(line["micros"] or 0)
        return dict(sums)

    def months(self) -> Sequence[str]:
        """Every month of which a cloud has something to invoice, as "2026-11"."""
        lines = (self._get(f"{path}/invoice")["lines"] for path in CLOUDS.values())
        return sorted({str(line["month"]) for found in lines for line in found})

    def pass_by(self, seconds: float) -> None:
        """So much later at once, for both clouds."""
        wish = {"advance": seconds}
        httpx.post(f"{self.running.control}/clock", json=wish).raise_for_status()

    def asked(self) -> Sequence[tuple[str, str]]:
        """Every answer of the model's, and the end of the key that it was asked with."""
        asked = httpx.get(f"{self.running.control}/model/log").json()["requests"]
        return [(str(one["reply"]), str(one["key"])) for one in asked]

    def _get(self, path: str) -> Mapping[str, Sequence[Json]]:
        books: Mapping[str, Sequence[Json]] = httpx.get(f"{self.running.control}{path}").json()
        return books

    def _mailed(self, email: str, pattern: str) -> str:
        box = self.running.report.services.mail.page.rstrip("/")
        found: list[str] = []

        def arrived() -> bool:
            shown = httpx.get(f"{box}/messages", params={"to": email}).json()["messages"]
            found.extend(re.findall(pattern, " ".join(mail["text"] for mail in shown)))
            return bool(found)

        until(arrived)
        return found[0]


def _named(line: Json) -> str:
    """Hetzner's line of a server has its name, Scaleway's says it apart."""
    return str(line.get("server_name") or line["name"])


@contextmanager
def outside_world(folder: Path, relay: str) -> Iterator[Outside]:
    """Both clouds with real machines, ready to be ordered from; `relay` is a farm's address."""
    with sandbox(folder / "outside", ["--relay", relay], guests="real") as running:
        wait_for_the_base_image(running.control)
        yield Outside(running)


def wait_for_the_base_image(control: str) -> None:
    """What real machines start from may still be under construction; `control` is the endpoint."""

    def ready() -> bool:
        guests = httpx.get(f"{control.rstrip('/')}/status").json()["guests"]
        assert guests["problem"] == ""
        return all(image["ready"] for image in guests["images"])

    until(ready, IMAGE_SECONDS)
