"""A real site in processes of its own, for a real browser."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.pairs.own import environ_of

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 60.0
SANDBOX = {
    "SANDBOX_MAILBOX_URL": "http://localhost:9/",
    "SANDBOX_MODEL_ENDPOINT": "http://localhost:9/v1",
    "SANDBOX_MODEL": "sandbox-1",
    "DEBUG": "1",
    "AGENTS_PER_PERSON": "50",
}


@dataclass(frozen=True, slots=True)
class Site:
    """A site that answers at `url`: agents (uid by state), sessions (key by person), the uid of
    Alice's account, the paths of invitations to it, and payers and what is theirs (uid by name).
    """

    url: str
    agents: Mapping[str, str]
    sessions: Mapping[str, str]
    account: str
    invitations: Mapping[str, str]
    money: Mapping[str, str]


@contextmanager
def site(data: Path) -> Iterator[Site]:
    """gunicorn on rows that stand still: no worker moves them."""
    port = free_port()
    environ = os.environ | SANDBOX | {"FARM_DATA": str(data), "PORT": str(port)}
    environ |= environ_of(data)
    run(environ, "-m", "farm", "prepare")
    staged = run(environ, "manage.py", "shell", "-v0", "-c", _STAGE)
    with serving(environ, port, data) as url:
        yield Site(url=url, **json.loads(staged.splitlines()[-1]))


@contextmanager
def serving(environ: Mapping[str, str], port: int, logs: Path) -> Iterator[str]:
    """The site's own process, at the address that it answers at."""
    options = ["--threads", "8", "--no-control-socket", "--log-level", "error"]
    with started(environ, logs, "gunicorn", "farm.wsgi", "--bind", f"127.0.0.1:{port}", *options):
        url = f"http://localhost:{port}"
        until(lambda: _answers(url))
        yield url


@contextmanager
def started(environ: Mapping[str, str], logs: Path, module: str, *words: str) -> Iterator[None]:
    """`python -m MODULE WORDS` in a process of its own; what it says goes to a file in `logs`."""
    with (logs / f"{module}-{words[0]}.log").open("wb") as log:
        argv = [sys.executable, "-m", module, *words]
        process = subprocess.Popen(argv, cwd=ROOT, env=environ, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(DEADLINE)


_STAGE = "from tests.browser.stage import play; print(play())"


def until(condition: Callable[[], bool], deadline: float = DEADLINE) -> None:
    """Wait until it holds, or fail."""
    last = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < last, "it never came true"
        time.sleep(0.05)


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def run(environ: Mapping[str, str], *words: str) -> str:
    """Python in a process of its own, to its end; what it printed."""
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False
