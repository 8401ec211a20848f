"""`farm relay` as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from django.conf import settings
from django.db import connection

from tests.farm.relay.actors import PATIENCE, until

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def a_relay_process(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`farm relay` on this test's database."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    endpoints = {f"{name.upper()}_ENDPOINT": url for name, url in settings.MODEL_ENDPOINTS.items()}
    environ = {
        **os.environ,
        **endpoints,
        "FARM_DATA": str(folder),
        "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
        "RELAY_PORT": str(port),
    }
    if connection.vendor == "sqlite":
        (folder / "farm.sqlite3").symlink_to(connection.settings_dict["NAME"])
    else:
        base, _, _ = environ["DATABASE_URL"].rpartition("/")
        environ["DATABASE_URL"] = f"{base}/{connection.settings_dict['NAME']}"
    argv = [sys.executable, "-m", "farm", "relay"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, cwd=ROOT, env=environ, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(address), 4 * PATIENCE)
        yield address, process
    finally:
        process.kill()
        process.wait()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz").status_code == 200
    except httpx.TransportError:
        return False
