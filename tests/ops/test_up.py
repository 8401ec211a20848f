"""`farm up` as a person meets it: it starts, ends without a trace, and starts again."""

from __future__ import annotations

import json
import os
import signal
import socket
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.ops.farms import Surroundings, free_port, running_farm, until


@pytest.fixture
def surroundings(tmp_path: Path) -> Surroundings:
    """Ports that are free, and a folder of its own."""
    return Surroundings(data=tmp_path, port=free_port(), tunnel_port=free_port())


def test_it_ends_without_a_trace_and_starts_again(surroundings: Surroundings) -> None:
    with running_farm(surroundings) as first:
        assert first.said["url"] == f"http://localhost:{surroundings.port}"
        assert first.said["guests"] == "simulated"
        # Whoever is not the farm's first pays in advance: the second one does.
        for _ in range(2):
            told = surroundings.beside("demo", "--json")
            assert told.returncode == 0, told.stderr
            assert [lap["step"] for lap in json.loads(told.stdout)["steps"]] == [
                "sign up",
                "create",
                "wait",
                "turn",
                "delete",
            ]
        another = surroundings.farm("up")
        assert another.returncode == 1
        assert "A farm is already running" in another.stderr
        examined = surroundings.beside("doctor", "--json")
        assert examined.returncode == 0, examined.stdout
        assert first.end() == 0
        assert surroundings.processes() == []

    with running_farm(surroundings) as second:
        listed = surroundings.farm("agents", "list", "--all", "--json")
        assert [agent["phase"] for agent in json.loads(listed.stdout)] == ["deleted"]
        assert len(surroundings.processes()) > 4
        second.end(signal.SIGKILL)
        until(lambda: surroundings.processes() == [])


def test_an_image_and_an_agent_on_the_command_line(surroundings: Surroundings) -> None:
    with running_farm(surroundings):
        baked = surroundings.farm("images", "build", "--json")
        assert baked.returncode == 0, baked.stderr
        made = surroundings.farm("agents", "create", "Ada", "--yes", "--as", "ada@example.org")
        assert made.returncode == 0, made.stderr
        assert "Ada: Hello Ada, I am Ada." in made.stdout
        assert "\x1b" not in made.stdout
        gone = surroundings.farm("agents", "delete", "Ada", "--yes")
        assert gone.returncode == 0
        assert "\nAda is deleted. It can be brought back until " in gone.stdout
        inventory = surroundings.farm("sandbox", "inventory", "--json")
        there = json.loads(inventory.stdout)["hetzner"]
        assert there["servers"] == []
        (image,) = json.loads(baked.stdout)
        assert [str(snapshot["id"]) for snapshot in there["snapshots"]] == [image["image"]]


def test_a_child_that_is_killed_comes_back(surroundings: Surroundings) -> None:
    log = surroundings.data / "up.log"
    with running_farm(surroundings):
        before = set(surroundings.processes())
        for name in ("worker", "sandbox"):
            victim = next(pid for pid in sorted(before) if _runs(pid, name))
            os.kill(victim, signal.SIGKILL)
            until(partial(_said, log, f"{name} ended (signal SIGKILL)"))
        until(lambda: surroundings.farm("doctor").returncode == 0)
        assert "Stopping." not in log.read_text()


def test_a_taken_port_is_named(surroundings: Surroundings) -> None:
    with socket.create_server(("127.0.0.1", surroundings.tunnel_port)):
        refused = surroundings.farm("up", "--json")
    assert refused.returncode == 1
    assert f"Port {surroundings.tunnel_port}, wanted for the agents' own pages" in refused.stderr
    assert json.loads(refused.stdout)["code"] == "port"


def _runs(pid: int, name: str) -> bool:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return b"farm" in words and name.encode() in words


def _said(log: Path, words: str) -> bool:
    return words in log.read_text()


def test_with_a_token_there_is_no_sandbox(surroundings: Surroundings) -> None:
    token = {"HETZNER_TOKEN": "0" * 64, "HETZNER_ENDPOINT": "http://127.0.0.1:9/v1"}
    real = replace(surroundings, extra=token)
    with running_farm(real) as farm:
        assert farm.said["guests"] == "hetzner"
        assert farm.said["mailbox"] == ""
        assert "EMAIL_HOST is not set" in farm.said["why"]
        examined = real.farm("doctor", "--json")
        found = json.loads(examined.stdout)["findings"]
        assert examined.returncode == 1
        assert {finding["part"] for finding in found if finding["remedy"]} == {"cloud", "offers"}
    assert not (surroundings.data / "sandbox").exists()
