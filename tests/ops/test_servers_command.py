"""`farm servers` at a farm that is up: its machines at both clouds, and what there is nobody's."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from tests.ops.farms import Surroundings, free_port, running_farm, until
from tests.pairs.own import rows_in

OWNER = "alice@example.org"
ADDRESS_HOURLY = {"hetzner": 800, "scaleway": 4_000}
PATIENCE = 180.0

Row = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Clouds:
    """Both of the sandbox's, spoken to as somebody does who has the farm's own keys."""

    outside: Mapping[str, str]

    def lose(self, *labels: str) -> None:
        """An address at each cloud with these labels, as if its row were lost."""
        self._hetzner(dict(label.split("=") for label in labels))
        self._scaleway(labels)

    def addresses(self) -> int:
        """How many IPv4 addresses there are at both."""
        control = self.outside["SANDBOX_CONTROL_URL"].rstrip("/")
        hetzner = httpx.get(f"{control}/inventory").json()["primary_ips"]
        ours = [one for one in hetzner if one["type"] == "ipv4"]
        return len(ours) + len(httpx.get(f"{control}/scaleway/inventory").json()["ips"])

    def label(self) -> str:
        """By which the farm knows what is its own."""
        control = self.outside["SANDBOX_CONTROL_URL"].rstrip("/")
        (server,) = httpx.get(f"{control}/scaleway/inventory").json()["servers"]
        return next(str(tag) for tag in server["tags"] if tag.startswith("farm="))

    def _hetzner(self, labels: Mapping[str, str]) -> None:
        httpx.post(
            f"{self.outside['HETZNER_ENDPOINT']}/primary_ips",
            headers={"Authorization": f"Bearer {self.outside['HETZNER_TOKEN']}"},
            json={
                "name": f"stray-{len(labels)}-{self.addresses()}",
                "type": "ipv4",
                "assignee_type": "server",
                "location": "nbg1",
                "labels": labels,
            },
        ).raise_for_status()

    def _scaleway(self, tags: Sequence[str]) -> None:
        httpx.post(
            f"{self.outside['SCALEWAY_ENDPOINT']}/instance/v1/zones/fr-par-1/ips",
            headers={"X-Auth-Token": self.outside["SCALEWAY_SECRET_KEY"]},
            json={"type": "routed_ipv4", "tags": list(tags)},
        ).raise_for_status()


def test_machines_and_orphans_of_both_clouds(tmp_path: Path) -> None:
    watching = {"SWEEP_SECONDS": "2"}
    farm = Surroundings(tmp_path, free_port(), free_port(), extra=watching)
    with running_farm(farm):
        for name, region in (("Ada", "germany"), ("Bob", "france")):
            _order(farm, name, region)
        until(lambda: _counted(farm, "agents_agent WHERE phase = 'running'") == 2, PATIENCE)
        clouds = Clouds(farm.outside)
        _machines_are_listed(farm)
        _orphans_are_shown_and_removed_when_asked(farm, clouds)
        clouds.lose(clouds.label(), "farm-server=nobodyknows")
        until(lambda: _counted(farm, "agents_orphan") == 4, PATIENCE)
        assert clouds.addresses() == 6
    # What was seen is known to the next farm here, for which a day is over at once.
    later = replace(farm, extra={**watching, "ORPHAN_HOURS": "0"})
    with running_farm(later):
        until(lambda: Clouds(later.outside).addresses() == 4, PATIENCE)
        until(lambda: _counted(later, "agents_orphan") == 2, PATIENCE)
        assert [row["removed_from"] for row in _orphans(later)] == [None, None]


def _order(farm: Surroundings, name: str, region: str) -> None:
    order = ("agents", "create", name, "--yes", "--no-wait", "--region", region, "--as", OWNER)
    made = farm.farm(*order, timeout=PATIENCE)
    assert made.returncode == 0, made.stderr


def _machines_are_listed(farm: Surroundings) -> None:
    rows = json.loads(farm.farm("servers", "list", "--json").stdout)
    assert [(row["agent"], row["provider"], row["phase"]) for row in rows] == [
        ("Bob", "scaleway", "ready"),
        ("Ada", "hetzner", "ready"),
    ]
    assert rows[0]["hourly_micros"] == 20_196 + 4_000 + 2_360


def _orphans_are_shown_and_removed_when_asked(farm: Surroundings, clouds: Clouds) -> None:
    label = clouds.label()
    assert "Nothing at the clouds is nobody's" in farm.farm("servers", "orphans").stdout
    clouds.lose(label, "farm-server=nobodyknows")
    clouds.lose(label)
    until(lambda: _counted(farm, "agents_orphan") == 4, PATIENCE)
    shown = _orphans(farm)
    for row in shown:
        assert row["hourly_micros"] == ADDRESS_HOURLY[str(row["provider"])]
    assert [bool(row["removed_from"]) for row in shown].count(True) == 2
    unsure = farm.farm("servers", "orphans", "--remove", "--json")
    assert (unsure.returncode, json.loads(unsure.stdout)["code"]) == (1, "unconfirmed")
    member = farm.farm("servers", "orphans", "--remove", "--yes", "--as", OWNER)
    assert (member.returncode, "farm people operator" in member.stderr) == (1, True)
    assert clouds.addresses() == 6
    _make_operator(farm)
    _a_sweep_tells_and_changes_nothing(farm, clouds)
    removed = farm.farm("servers", "orphans", "--remove", "--yes", "--json")
    assert removed.returncode == 0, removed.stderr
    assert len(json.loads(removed.stdout)["removed"]) == 2
    # Each agent has its own, and what only bears the farm's name is left to its operator.
    assert clouds.addresses() == 4


def _a_sweep_tells_and_changes_nothing(farm: Surroundings, clouds: Clouds) -> None:
    """What is nobody's at both clouds, and when which of it goes; a day is not over."""
    orphans = {(row["name"], row["removed_from"]) for row in _orphans(farm)}
    for words in (("--dry-run",), ()):
        swept = farm.farm("sweep", *words, "--json", timeout=PATIENCE)
        assert swept.returncode == 0, swept.stderr
        told = json.loads(swept.stdout)
        assert told["removed"] == []
        assert {(one["name"], one["removed_from"]) for one in told["found"]} == orphans
        assert {one["side"] for one in told["found"]} == {"only at the cloud"}
    assert clouds.addresses() == 6
    assert "Nothing was changed." in farm.farm("sweep", "--dry-run").stdout


def _make_operator(farm: Surroundings) -> None:
    """As the set-up page does it."""
    code = "from farm.accounts.models import User; User.objects.update(is_superuser=True)"
    argv = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
    subprocess.run(argv, env=farm.environ, check=True, capture_output=True, timeout=PATIENCE)


def _counted(farm: Surroundings, rows: str) -> int:
    """How many rows there are: to look again and again, a command is too slow."""
    return int(rows_in(farm.data).ask(f"SELECT count(*) FROM {rows}"))  # noqa: S608 - our own words


def _orphans(farm: Surroundings) -> Sequence[Row]:
    shown = farm.farm("servers", "orphans", "--json")
    assert shown.returncode == 0, shown.stderr
    rows: Sequence[Row] = json.loads(shown.stdout)
    return rows
