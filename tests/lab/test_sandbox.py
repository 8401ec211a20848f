"""A whole sandbox with real guests: they reach its services, and come back after a power cut."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from farm.sandbox.wire import Json
from tests.sandbox.running import RunningSandbox, sandbox

pytestmark = pytest.mark.lab

PATIENCE = 60.0
"""Seconds; a banner was seen 3 s after the order, on 2 cores."""
IMAGE_PATIENCE = 600.0


def test_a_guest_talks_to_the_model_and_survives_power_cuts(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with sandbox(state, guests="real") as first:
        _wait_for_image(first)
        ipv4 = _create(first)
        _wait(lambda: _asked_by(first, ipv4), "the guest asks the model")
        assert not _counted(first, "/chat/completions")
        assert first.stop(signal.SIGINT) == 0
    assert _left_of(state) == []
    with sandbox(state, guests="real") as second:
        assert second.report == first.report
        _wait(lambda: _has_banner(ipv4), "the guest is back after Ctrl-C")
        second.stop(signal.SIGKILL)
    _wait(lambda: _left_of(state) == [], "a killed sandbox leaves nothing")
    with sandbox(state, guests="real") as third:
        _wait(lambda: _has_banner(ipv4), "the guest is back after a kill")
        _delete_all(third)
        assert third.stop() == 0
    assert _left_of(state) == []


def _wait_for_image(running: RunningSandbox) -> None:
    def ready() -> bool:
        guests = httpx.get(f"{running.control}/status").json()["guests"]
        assert guests["problem"] == ""
        return all(image["ready"] for image in guests["images"])

    _wait(ready, "the image is built", IMAGE_PATIENCE)


def _create(running: RunningSandbox) -> str:
    """A server whose user-data asks the model; answers its address."""
    model = running.report.services.model
    messages: Json = [{"role": "user", "content": "asked by a guest"}]
    question = json.dumps({"model": model.model, "messages": messages})
    ask: Json = ["curl", "-sS", "-H", f"Authorization: Bearer {model.key}", "-d", question]
    script: Json = {
        "runcmd": [[*json.loads(json.dumps(ask)), f"{model.endpoint}/chat/completions"]]
    }
    order: Json = {
        "name": "one",
        "server_type": "cx23",
        "location": "nbg1",
        "image": "debian-12",
        "user_data": f"#cloud-config\n{json.dumps(script)}",
    }
    with _cloud(running) as cloud:
        answer = cloud.post("/servers", json=order)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["server"]["public_net"]["ipv4"]["ip"])


def _delete_all(running: RunningSandbox) -> None:
    with _cloud(running) as cloud:
        for server in cloud.get("/servers").json()["servers"]:
            cloud.delete(f"/servers/{server['id']}").raise_for_status()
        _wait(lambda: cloud.get("/servers").json()["servers"] == [], "the server is gone")


def _cloud(running: RunningSandbox) -> httpx.Client:
    hetzner = running.report.services.hetzner
    headers = {"Authorization": f"Bearer {hetzner.token}"}
    return httpx.Client(base_url=hetzner.endpoint, headers=headers, timeout=30)


def _asked_by(running: RunningSandbox, ipv4: str) -> bool:
    requests = httpx.get(f"{running.control}/model/log").json()["requests"]
    return any((r["remote"], r["question"]) == (ipv4, "asked by a guest") for r in requests)


def _counted(running: RunningSandbox, word: str) -> bool:
    calls = httpx.get(f"{running.control}/calls").json()["calls"]
    return any(word in call["detail"] for call in calls)


def _has_banner(ipv4: str) -> bool:
    try:
        with socket.create_connection((ipv4, 22), timeout=1) as connection:
            connection.settimeout(1)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _left_of(state: Path) -> list[str]:
    """Mounts and processes that name the sandbox's folder."""
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(state) in line]
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return mounts + [line for line in listed.stdout.splitlines() if str(state) in line]


def _wait(met: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not met():
        assert time.monotonic() < deadline, f"not within {patience:.0f} s: {what}"
        time.sleep(0.2)
