"""The second cloud's real machine: the real OpenClaw answers there, and nothing of it is left."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import httpx
import pytest

from tests.lab.boot import answers
from tests.lab.outside import wait_for_the_base_image
from tests.lab.story import left_of, link_to
from tests.lab.test_relay import OPERATOR, OWNER
from tests.ops.farms import Surroundings, free_port, running_farm, until

pytestmark = [pytest.mark.lab, pytest.mark.long]

CREATE_SECONDS = 1800.0
ZONE = "/instance/v1/zones/fr-par-1"
METADATA = "http://169.254.42.42"
ASK = """
from farm.agents.models import Agent
from farm.agents.reconciler.machines import shell_of
from provisioning import gateway
agent = Agent.objects.get()
with shell_of(agent.servers.latest("pk")) as shell:
    asked = "Run `echo $((20 + 22))` and tell me what it says"
    print(gateway.say(shell, agent.gateway_token, asked, user="lab"))
"""


class Group(TypedDict):
    """What a server says of its security group."""

    id: str


class Server(TypedDict):
    """What we read of a server."""

    id: str
    name: str
    state: str
    security_group: Group


@dataclass(frozen=True, slots=True)
class Cloud:
    """The sandbox's Scaleway, by its API and by its own books."""

    api: httpx.Client
    control: str

    def server(self) -> Server:
        """The only one there is."""
        (server,) = self.api.get(f"{ZONE}/servers").json()["servers"]
        there: Server = server
        return there

    def act(self, action: str, state: str) -> None:
        """Have the server switched, and wait until it is so."""
        path = f"{ZONE}/servers/{self.server()['id']}/action"
        self.api.post(path, json={"action": action}).raise_for_status()
        until(lambda: self.server()["state"] == state)

    def left(self) -> list[str]:
        """Whatever would cost something, by its kind; the group of the farm's machines is free."""
        there = httpx.get(f"{self.control}/scaleway/inventory").json()
        return [kind for kind, found in there.items() if found and kind != "security_groups"]


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Surroundings]:
    """A farm with real guests; afterwards nothing of them is left."""
    around = Surroundings(tmp_path, free_port(), free_port(), guests="real")
    with running_farm(around) as running:
        assert running.said["guests"] == "real", running.said["why"]
        wait_for_the_base_image(around.outside["SANDBOX_CONTROL_URL"])
        yield around
    until(lambda: left_of(tmp_path) == [])
    assert around.processes() == []


def test_an_agent_lives_and_ends_at_scaleway(farm: Surroundings) -> None:
    python(farm, OPERATOR)
    with _cloud(farm) as cloud:
        _live_and_end(farm, cloud)


def _live_and_end(farm: Surroundings, cloud: Cloud) -> None:
    began = time.monotonic()
    made = farm.farm(
        *("agents", "create", "Ada", "--region", "france", "--as", OWNER, "--json"),
        timeout=CREATE_SECONDS,
    )
    assert made.returncode == 0, made.stderr
    print(f"\n  {time.monotonic() - began:7.1f} s  from the wish to an answered turn", flush=True)
    told = json.loads(made.stdout)
    assert told["agent"]["phase"] == "running"
    link = link_to(told["ipv4"])
    _is_told_about_itself(farm, cloud)
    _lets_in_whom_its_group_says(cloud, told["ipv4"])
    cloud.act("poweroff", "stopped")
    assert not answers(told["ipv4"], 22)
    cloud.act("poweron", "running")
    until(lambda: "42" in python(farm, ASK), CREATE_SECONDS)
    gone = farm.farm("agents", "delete", "Ada", "--yes", "--as", OWNER, timeout=CREATE_SECONDS)
    assert gone.returncode == 0, gone.stderr
    assert cloud.left() == []
    assert not list((farm.data / "sandbox" / "guests").rglob("openclaw.service"))
    print(f"  {time.monotonic() - began:7.1f} s  until nothing was left ({link})", flush=True)


@contextmanager
def _cloud(farm: Surroundings) -> Iterator[Cloud]:
    word = farm.outside
    headers = {"X-Auth-Token": word["SCALEWAY_SECRET_KEY"]}
    with httpx.Client(base_url=word["SCALEWAY_ENDPOINT"], headers=headers, timeout=30) as api:
        yield Cloud(api, word["SANDBOX_CONTROL_URL"].rstrip("/"))


def _is_told_about_itself(farm: Surroundings, cloud: Cloud) -> None:
    """By its own cloud, with its user-data only where root alone may ask from."""
    server = cloud.server()
    conf = json.loads(on_the_machine(farm, f"curl -fsS '{METADATA}/conf?format=json'"))
    assert (conf["id"], conf["hostname"]) == (server["id"], server["name"])
    sent = cloud.api.get(f"{ZONE}/servers/{server['id']}/user_data/cloud-init").text
    asked = f"{METADATA}/user_data/cloud-init"
    assert on_the_machine(farm, f"curl -fsS --local-port 1-1023 {asked}") == sent
    assert sent.startswith("#cloud-config")
    code = "-so /dev/null -w '%{http_code}'"
    assert on_the_machine(farm, f"curl {code} {asked}").strip() == "403"
    agents = f"runuser -u openclaw -- curl -fsS {METADATA}/conf || echo shut"
    assert on_the_machine(farm, agents).strip() == "shut"


def _lets_in_whom_its_group_says(cloud: Cloud, ipv4: str) -> None:
    """Its port is open for as long as its group has a rule for it."""
    group = f"{ZONE}/security_groups/{cloud.server()['security_group']['id']}/rules"
    rules = [rule for rule in cloud.api.get(group).json()["rules"] if rule["editable"]]
    assert answers(ipv4, 22)
    assert not answers(ipv4, 80)
    cloud.api.put(group, json={"rules": []}).raise_for_status()
    assert not answers(ipv4, 22)
    cloud.api.put(group, json={"rules": rules}).raise_for_status()
    assert answers(ipv4, 22)


def on_the_machine(farm: Surroundings, script: str) -> str:
    """What a script prints there, run as root."""
    done = farm.farm("agents", "ssh", "Ada", "--as", OWNER, script)
    assert done.returncode == 0, done.stderr
    return done.stdout


def python(farm: Surroundings, code: str) -> str:
    """What a script prints among the farm's own code and rows."""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
        env=farm.environ,
        capture_output=True,
        text=True,
        timeout=CREATE_SECONDS,
        check=False,
    )
    return done.stdout
