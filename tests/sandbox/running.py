"""A sandbox as a process of its own, for tests that talk to it over the wire."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from farm.sandbox.report import (
    ControlReport,
    GuestsReport,
    HetznerReport,
    MailReport,
    ModelReport,
    Report,
    ScalewayReport,
    ServicesReport,
    SlackReport,
    StripeReport,
    TelegramReport,
)

ROOT = Path(__file__).resolve().parents[2]
START_DEADLINE = 60.0
STOP_DEADLINE = 30.0


class SandboxDiedError(Exception):
    """It ended before it answered; the message is what it wrote on standard error."""


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that answers. `env` points a farm at it; `state` is its folder."""

    process: subprocess.Popen[str]
    report: Report
    state: Path

    @property
    def pid(self) -> int:
        """The process."""
        return self.process.pid

    @property
    def env(self) -> Mapping[str, str]:
        """The variables that a farm needs in its environment."""
        return self.report.env

    @property
    def control(self) -> str:
        """Base URL of the control endpoint."""
        return self.report.services.control.endpoint

    @property
    def complaints(self) -> str:
        """What it wrote on standard error so far."""
        return _complaints(self.state).read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it; answers its exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_DEADLINE)


def launch(
    state: Path, *options: str, guests: str = "simulated", errors: IO[str] | int = subprocess.PIPE
) -> subprocess.Popen[str]:
    """`farm sandbox up --json` in a process of its own; its output in pipes, unless told."""
    argv = [sys.executable, "-m", "farm", "sandbox", "up", "--json", "--state", str(state)]
    environ = dict(os.environ) | {
        "GUESTS": guests,
        "FARM_DATA": str(state.parent / "farm-data"),
        "PYTHONUNBUFFERED": "1",
    }
    return subprocess.Popen(
        [*argv, *options],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )


@contextmanager
def sandbox(
    state: Path, options: Sequence[str] = (), *, guests: str = "simulated"
) -> Iterator[RunningSandbox]:
    """A sandbox on ports of its own with its state in `state`; ended by its process id."""
    # A pipe that nobody reads would stop it once it is full: its complaints go to a file.
    with _complaints(state).open("w") as errors:
        process = launch(state, *options, guests=guests, errors=errors)
        try:
            report = read_report(_first_line(process, state))
            yield RunningSandbox(process=process, report=report, state=state)
        finally:
            _end(process)


def read_report(line: str) -> Report:
    """The report in the JSON line."""
    raw = json.loads(line)
    services = raw["services"]
    return Report(
        guests=GuestsReport(**raw["guests"]),
        services=ServicesReport(
            hetzner=HetznerReport(**services["hetzner"]),
            scaleway=ScalewayReport(**services["scaleway"]),
            model=ModelReport(**services["model"]),
            telegram=TelegramReport(**services["telegram"]),
            slack=SlackReport(**services["slack"]),
            stripe=StripeReport(**services["stripe"]),
            mail=MailReport(**services["mail"]),
            control=ControlReport(**services["control"]),
        ),
        env=raw["env"],
    )


def _complaints(state: Path) -> Path:
    return state.with_name(f"{state.name}.err")


def _first_line(process: subprocess.Popen[str], state: Path) -> str:
    output = process.stdout
    deadline = time.monotonic() + START_DEADLINE
    while output and time.monotonic() < deadline:
        ready, _, _ = select.select([output], [], [], 0.5)
        if ready and (line := output.readline()):
            return line
        if process.poll() is not None:
            raise SandboxDiedError(_complaints(state).read_text())
    raise SandboxDiedError(f"no line within {START_DEADLINE:.0f} s")


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.communicate(timeout=STOP_DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
