"""A machine stands ready with the real OpenClaw awake on it, and is claimed within seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.outside import wait_for_the_base_image
from tests.lab.searching import found_on
from tests.ops.farms import Surroundings, free_port, running_farm, until

pytestmark = [pytest.mark.lab, pytest.mark.long]

OWNER = "alice@example.org"
SECONDS = 1200.0
OPERATOR = f"""
from farm.accounts.services import make_person
person = make_person(email="{OWNER}")
person.is_superuser = True
person.save()
"""
TOOK = """
from farm.agents.models import Operation
made = Operation.objects.get(agent__name="{name}", kind="create")
print((made.ended_at - made.started_at).total_seconds())
"""
CODES = """
from farm.agents.models import Event
print(*Event.objects.filter(agent__name="Bob").values_list("code", flat=True))
"""
KEEP_ONE = ("pool", "set", "small", "germany", "1", "--as", OWNER)
NOBODYS_WORDS = "Say yes."


def test_an_agent_answers_on_a_machine_that_stood_ready(tmp_path: Path) -> None:
    slow = {"BOOT_DEADLINE_SECONDS": "1200"}
    farm = Surroundings(tmp_path, free_port(), free_port(), guests="real", extra=slow)
    with running_farm(farm) as running:
        assert running.said["guests"] == "real", running.said["why"]
        wait_for_the_base_image(farm.outside["SANDBOX_CONTROL_URL"])
        _python(farm, OPERATOR)
        # Until the worker has read the cloud's prices nothing is bought.
        until(lambda: farm.farm(*KEEP_ONE).returncode == 0)
        until(lambda: _ready(farm) == 1, SECONDS)
        from_pool = _made(farm, "Bob")
        print(f"\n  {from_pool:7.1f} s  from the pool", flush=True)
        _run(farm, "pool", "set", "small", "germany", "0", "--as", OWNER)
        codes = _python(farm, CODES).split()
        assert "machine_claimed" in codes
        assert "taken_up" in codes
        assert "started" not in codes
        assert found_on(farm, "Bob", OWNER, NOBODYS_WORDS) == []

        _run(farm, "images", "build")
        from_image = _made(farm, "Ada")
        print(f"  {from_image:7.1f} s  from the image", flush=True)
        assert from_pool < from_image


def _made(farm: Surroundings, name: str) -> float:
    """Seconds from the wish to an answered turn, by the farm's own clock."""
    made = _run(farm, "agents", "create", name, "--yes", "--as", OWNER, "--json")
    assert json.loads(made)["agent"]["phase"] == "running"
    return float(_python(farm, TOOK.format(name=name)))


def _ready(farm: Surroundings) -> int:
    (pool,) = json.loads(_run(farm, "pool", "list", "--json"))
    ready: int = pool["ready"]
    return ready


def _run(farm: Surroundings, *words: str) -> str:
    done = farm.farm(*words, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _python(farm: Surroundings, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
        env=farm.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
