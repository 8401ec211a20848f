"""Farms whose machines are at Scaleway, each with a project of its own there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from tests.farm.matrix.farms import Farm, Zygote, wait_until
from tests.farm.matrix.verdicts import answers
from tests.pairs.own import Rows, broker_of, rows_in

Json = Mapping[str, object]


def scaleway_farm(zygote: Zygote, control: httpx.Client, template: Rows, folder: Path) -> Farm:
    """A fresh farm from the template's database, with a fresh project and no other cloud."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = rows_in(folder, template)
    project, keys = new_project(control, folder.name)
    return Farm(zygote, control, folder, rows, broker_of(folder), project, token="", scaleway=keys)


def new_project(control: httpx.Client, name: str, room: int = 5) -> tuple[int, Mapping[str, str]]:
    """Its number in the sandbox, and what opens it, as orders of a zygote name it."""
    answer = control.post("/scaleway/projects", json={"name": name, "server_limit": room})
    answer.raise_for_status()
    project = answer.json()
    return project["id"], {
        "scaleway_access_key": project["access_key"],
        "scaleway_secret_key": project["secret_key"],
        "scaleway_project_id": project["uid"],
    }


def billed(farm: Farm) -> Mapping[str, int]:
    """How many things of each kind the cloud has that cost money."""
    there = farm.books("/scaleway/inventory")
    kinds = ("servers", "ips", "volumes", "snapshots")
    return {kind: len(there[kind]) for kind in kinds if there[kind]}


def servers(farm: Farm) -> Sequence[Json]:
    """The servers that the cloud shows."""
    return farm.books("/scaleway/inventory")["servers"]


def one_whole(farm: Farm) -> None:
    """One server that is on, with one address and one disk, and its agent answers."""
    wait_until("the agent runs", lambda: farm.phase() == "running")
    assert [server["state"] for server in servers(farm)] == ["running"]
    assert billed(farm) == {"servers": 1, "ips": 1, "volumes": 1}
    answers(farm)


def nothing_left(farm: Farm) -> None:
    """The agent is gone and with it all that costs; one machine was ever to be paid for."""
    wait_until("the agent is gone", lambda: farm.phase() == "deleted")
    assert billed(farm) == {}
    lines = farm.books("/scaleway/invoice")["lines"]
    assert len({line["id"] for line in lines if line["kind"] == "server"}) == 1
    assert {line["server_name"] for line in lines} == {
        farm.ask("SELECT 'farm-' || uid FROM agents_server")
    }


def add_stray_ip(farm: Farm, endpoint: str, *tags: str) -> None:
    """An address in the farm's project that carries its label and belongs to no row."""
    mine = next(tag for tag in _tags(farm) if tag.startswith("farm="))
    httpx.post(
        f"{endpoint}/instance/v1/zones/fr-par-1/ips",
        headers={"X-Auth-Token": farm.scaleway["scaleway_secret_key"]},
        json={"type": "routed_ipv4", "tags": [mine, *tags]},
        timeout=30,
    ).raise_for_status()


def _tags(farm: Farm) -> Sequence[str]:
    (server,) = farm.books("/scaleway/inventory")["servers"]
    tags = server["tags"]
    assert isinstance(tags, list)
    return [str(tag) for tag in tags]
