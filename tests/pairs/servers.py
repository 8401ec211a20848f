"""A Postgres and a Redis of a test run's own: on sockets in a folder, without a password or a port.

They run as somebody who may do nothing, write nothing to disk in earnest, and end with the process
that started them, however that ends.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import redis

POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
NOBODY = "nobody"
PATIENCE = 30.0
PR_SET_PDEATHSIG = 1
RECKLESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "timezone=UTC")


@dataclass(frozen=True, slots=True)
class Servers:
    """Where they are, as DATABASE_URL (of an empty database) and BROKER_URL say it."""

    database_url: str
    broker_url: str


@contextmanager
def servers() -> Iterator[Servers]:
    """Both, up and answering; nothing is left of them afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="farm-pg-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if os.getuid() == 0:
            shutil.chown(folder, NOBODY)
        database_url = stack.enter_context(_postgres(folder))
        yield Servers(database_url, stack.enter_context(_redis(folder)))


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    programs, data = POSTGRES[-1], str(folder / "data")
    how = ("-U", "farm", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    assert _run((f"{programs}/initdb", "-D", data, *how)).wait(PATIENCE) == 0
    options = ("listen_addresses=", "max_connections=300", *RECKLESS)
    wordy = (word for option in options for word in ("-c", option))
    argv = (f"{programs}/postgres", "-D", data, "-k", str(folder), *wordy)
    url = f"postgres://farm@{quote(str(folder), safe='')}/postgres"
    with _running(argv, signal.SIGQUIT):
        _until(lambda: psycopg.connect(url).close(), psycopg.OperationalError)
        yield url


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    socket = str(folder / "redis")
    where = ("--port", "0", "--unixsocket", socket, "--unixsocketperm", "777", "--dir", str(folder))
    argv = ("redis-server", *where, "--save", "", "--databases", "5000")
    with _running(argv, signal.SIGTERM), redis.Redis(unix_socket_path=socket) as client:
        _until(client.ping, redis.ConnectionError)
        yield f"redis+socket://{socket}"


@contextmanager
def _running(argv: Sequence[str], ending: signal.Signals) -> Iterator[None]:
    process = _run(argv)
    try:
        yield
    finally:
        process.send_signal(ending)
        process.wait(PATIENCE)


def _run(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    """As nobody if we are root: Postgres refuses to be run by root."""
    parent = os.getpid()
    user = pwd.getpwnam(NOBODY) if os.getuid() == 0 else None
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
        start_new_session=True,
        preexec_fn=lambda: _leash(parent),  # noqa: PLW1509  (one thread only)
    )


def _leash(parent: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
    if os.getppid() != parent:
        os._exit(1)


def _until(works: Callable[[], object], error: type[Exception]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            works()
        except error:
            assert time.monotonic() < deadline, "it never answered"
            time.sleep(0.05)
        else:
            return
