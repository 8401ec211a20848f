"""One process of a running farm: started on a leash, logged to a file, restarted when it dies."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

PR_SET_PDEATHSIG = 1
LONGEST_PAUSE = 30.0
SETTLED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Job:
    """What to run. `stop_seconds` is how long it may take to end before it is killed.

    The `ground` is what the others stand on: it starts first, ends last, and what it writes on
    standard error is shown on the console too.
    """

    name: str
    argv: tuple[str, ...]
    stop_seconds: float = 5.0
    ground: bool = False


class Child:
    """A job as a process of ours, in a session of its own so that Ctrl-C reaches only us.

    Its standard output goes to `out`, its standard error to `log`; both are begun anew here.
    """

    def __init__(self, job: Job, environ: Mapping[str, str], logs: Path) -> None:
        self.job = job
        self.environ = environ
        self.log = logs / f"{job.name}.log"
        self.out = logs / f"{job.name}.out"
        self._pause = 1.0
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._due = 0.0
        self._shown = 0
        if self.log.exists():
            self.log.replace(logs / f"{job.name}.log.1")

    def start(self) -> None:
        """Start the process, which gets SIGTERM from the kernel should this one die."""
        parent = os.getpid()
        with _private(self.log, os.O_APPEND) as log, _private(self.out, os.O_TRUNC) as out:
            self._process = subprocess.Popen(
                self.job.argv,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: leash(parent),  # noqa: PLW1509  (one thread only)
            )
        self._started = time.monotonic()

    @property
    def exit_code(self) -> int | None:
        """None while it runs and before it was started."""
        return self._process.poll() if self._process else None

    def tend(self) -> str:
        """Restart it if it died and its pause is over; a sentence if it has just died."""
        if self._process is None:
            if time.monotonic() >= self._due:
                self.start()
            return ""
        if self._process.poll() is None:
            return ""
        return self._schedule_restart(self._process.returncode)

    def _schedule_restart(self, code: int) -> str:
        if time.monotonic() - self._started > SETTLED_SECONDS:
            self._pause = 1.0
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        self._due = time.monotonic() + pause
        self._process = None
        return (
            f"{self.job.name} ended ({_how(code)}), restarting in {pause:.0f} s: {self.last_line()}"
        )

    def news(self) -> list[str]:
        """The whole lines written on standard error since the last call."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as file:
            file.seek(self._shown)
            whole, _, _ = file.read().rpartition(b"\n")
        if whole:
            self._shown += len(whole) + 1
        return whole.decode(errors="replace").splitlines()

    def last_line(self) -> str:
        """The last thing it said, or where to look."""
        lines = self.log.read_text(errors="replace").split("\n") if self.log.exists() else []
        spoken = [line.strip() for line in lines if line.strip()]
        return spoken[-1] if spoken else f"it said nothing (see {self.log})"

    def ask_to_end(self) -> None:
        """SIGTERM, if it runs."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """End it and wait; a process that outlives its seconds is killed."""
        if not self._process:
            return
        self.ask_to_end()
        try:
            self._process.wait(self.job.stop_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def leash(parent: int) -> None:
    """Runs in the child before its program: die with the parent, however the parent dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def _private(path: Path, mode: int) -> BinaryIO:
    """Open for writing, for the owner's eyes only: a sandbox tells its token on this way."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | mode, 0o600), "wb")


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def farm_argv(*words: str) -> tuple[str, ...]:
    """The farm's own command line, run by this very Python."""
    return (sys.executable, "-m", "farm", *words)
