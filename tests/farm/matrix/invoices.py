"""What the meter has written beside what each cloud would invoice: by thing, kind and month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from tests.farm.matrix.farms import Farm

Sums = Mapping[tuple[str, str, str], tuple[int, int]]
"""Micros and hours by the cloud's name or id of a thing, kind and month."""
HETZNERS = {"server": "server", "primary_ip": "ipv4", "snapshot": "snapshot"}
_LINES = (
    "SELECT group_concat(row, ' ') FROM (SELECT name || '/' || kind || '/' || month || '='"
    " || sum(cloud_micros) || '/' || count(*) AS row FROM billing_usageline JOIN things"
    " ON uid = server_uid GROUP BY name, kind, month) AS a"
)
_AT_HETZNER = (
    "WITH things AS (SELECT uid, provider_id AS name FROM agents_server WHERE provider = 'hetzner'"
    " UNION SELECT uid, cloud_id AS name FROM agents_diskcopy WHERE provider = 'hetzner') "
)
_AT_SCALEWAY = (
    "WITH things AS (SELECT uid, 'farm-' || uid AS name FROM agents_server"
    " WHERE provider = 'scaleway') "
)


def written(farm: Farm, cloud: str) -> Sums:
    """Of the farm's lines at that cloud, payers' and its own."""
    things = _AT_HETZNER if cloud == "hetzner" else _AT_SCALEWAY
    rows = (row.partition("=") for row in farm.ask(things + _LINES).split())
    return {_key(key): _pair(sums) for key, _, sums in rows}


def invoiced(farm: Farm, cloud: str, project: int) -> Sums:
    """The same from the cloud's own books; of what costs nothing there are no lines."""
    path = "/invoice" if cloud == "hetzner" else "/scaleway/invoice"
    answer = farm.control.get(path, params={"project": project})
    answer.raise_for_status()
    lines: Iterable[Mapping[str, str]] = answer.json()["lines"]
    micros, hours = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    for line in lines:
        key = (*_thing(line, cloud), f"{line['month']}-01")
        micros[key] += int(line["micros"])
        hours[key] += int(line["hours"])
    return {key: (micros[key], hours[key]) for key in micros}


def _thing(line: Mapping[str, str], cloud: str) -> tuple[str, str]:
    if cloud == "scaleway":
        return str(line["server_name"]), line["kind"]
    copied = line["kind"] == "snapshot"
    return str(line["id"] if copied else line["server"]), HETZNERS[line["kind"]]


def _key(text: str) -> tuple[str, str, str]:
    name, kind, month = text.split("/")
    return name, kind, month


def _pair(text: str) -> tuple[int, int]:
    micros, _, hours = text.partition("/")
    return int(micros), int(hours)
