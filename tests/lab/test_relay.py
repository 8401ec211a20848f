"""A real agent thinks with a shared key through the relay; its machine never sees the key."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from farm.sandbox.model.keys import OWN_ANTHROPIC_KEY, OWN_OPENAI_KEY
from tests.lab.outside import wait_for_the_base_image
from tests.lab.searching import found_on
from tests.ops.farms import Surroundings, free_port, running_farm

# OpenAI's dialect is spoken in the story of test_company.py.
pytestmark = [pytest.mark.lab, pytest.mark.long]

OWNER = "alice@example.org"
CREATE_SECONDS = 900.0
OPERATOR = f"""
from farm.accounts.services import make_person
person = make_person(email="{OWNER}")
person.is_superuser = True
person.save()
"""


@pytest.mark.parametrize("provider", ["anthropic", "google"])
def test_a_shared_key_never_reaches_the_machine(tmp_path: Path, provider: str) -> None:
    farm = Surroundings(tmp_path, free_port(), free_port(), guests="real")
    with running_farm(farm) as running:
        assert running.said["guests"] == "real", running.said["why"]
        wait_for_the_base_image(farm.outside["SANDBOX_CONTROL_URL"])
        _python(farm, OPERATOR)
        shared = _shared_key(provider)
        (tmp_path / "key").write_text(shared)
        added = farm.farm(
            *("keys", "add", provider, "--key-file", str(tmp_path / "key")),
            *("--as", OWNER, "--json"),
        )
        assert added.returncode == 0, added.stderr
        made = farm.farm("agents", "create", "Ada", "--as", OWNER, "--json", timeout=CREATE_SECONDS)
        assert made.returncode == 0, made.stderr
        assert json.loads(made.stdout)["agent"]["phase"] == "running"
        spent = json.loads(farm.farm("agents", "budget", "Ada", "--as", OWNER, "--json").stdout)
        assert spent["spent_micros"] > 0
        _asked_with(farm, shared)
        relay_key = _python(
            farm, "from farm.agents.models import Agent; print(Agent.objects.get().relay_key)"
        )
        found = found_on(farm, "Ada", OWNER, relay_key)
        assert "/etc/openclaw/keys.json" in found
        assert found_on(farm, "Ada", OWNER, shared) == []


def _shared_key(provider: str) -> str:
    return OWN_ANTHROPIC_KEY if provider == "anthropic" else OWN_OPENAI_KEY


def _asked_with(farm: Surroundings, key: str) -> None:
    """The model was asked with the shared key, by the farm."""
    control = farm.outside["SANDBOX_CONTROL_URL"].rstrip("/")
    asked = httpx.get(f"{control}/model/log").json()["requests"]
    assert asked
    assert {request["key"] for request in asked} == {key[-4:]}
    assert any("I am Ada" in request["reply"] for request in asked)


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
