"""The sandbox's Scaleway held against the official description and against what was recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from farm.sandbox.wire import Json
from provisioning.provider import Machine, MachineStatus
from provisioning.scaleway import Scaleway
from tests.contract.subjects import DEV1_M, order_of
from tests.sandbox.hetzner.cloud_at_work import eventually
from tests.sandbox.scaleway.scaleway_at_work import ScalewayAtWork, scaleway_at_work

SHARED = Path(__file__).parents[3].parent / "shared"
SPECS = [SHARED / f"specs/scaleway.{name}.Api.yml" for name in ("instance.v1", "marketplace.v2")]
RECORDED = SHARED / "cassettes/scaleway"
ZONE = "/instance/v1/zones/fr-par-1"


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[ScalewayAtWork]:
    """A cloud with one machine of ours that runs."""
    with scaleway_at_work(tmp_path) as started:
        _running(started.provider())
        yield started


def _running(provider: Scaleway) -> Machine:
    provider.create(order_of(DEV1_M))

    def look() -> Machine | None:
        machine = provider.find("farm-s1")
        return machine if machine and machine.status is MachineStatus.RUNNING else None

    machine = eventually(look)
    assert machine
    return machine


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.name)
def test_every_answer_is_as_described(at_work: ScalewayAtWork, spec: Path) -> None:
    if not spec.exists():
        pytest.skip(f"{spec.name} is not beside this checkout")
    described = yaml.safe_load(spec.read_text())
    checked = 0
    for path in _paths(at_work):
        known = _known(described["paths"], path)
        if known is None:
            continue
        answer = at_work.ask("GET", path)
        assert answer.status_code == 200, answer.text
        told = described["paths"][known]["get"]["responses"]["200"]["content"]
        # What a schema refers to is looked up in the whole description.
        schema = {**told["application/json"]["schema"], "components": described["components"]}
        errors = [
            error.message for error in Draft202012Validator(schema).iter_errors(answer.json())
        ]
        assert _not_of_null(errors) == [], path
        checked += 1
    assert checked


def _paths(at_work: ScalewayAtWork) -> Iterator[str]:
    inventory = at_work.books("/scaleway/inventory")
    for kind in ("servers", "ips", "security_groups"):
        yield f"{ZONE}/{kind}"
        yield from (f"{ZONE}/{kind}/{one['id']}" for one in inventory[kind])
    yield f"{ZONE}/images"
    yield f"{ZONE}/products/servers"
    yield f"{ZONE}/products/servers/availability"
    yield f"{ZONE}/volumes"
    yield from (f"{ZONE}/servers/{one['id']}/user_data" for one in inventory["servers"])
    yield "/marketplace/v2/images"
    yield "/marketplace/v2/local-images?image_label=debian_bookworm&zone=fr-par-1"


def _known(paths: Mapping[str, Json], path: str) -> str | None:
    bare = path.partition("?")[0]
    fitting = [
        known
        for known, operations in paths.items()
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", known), bare)
        and isinstance(operations, Mapping)
        and "get" in operations
    ]
    return min(fitting, key=lambda known: known.count("{"), default=None)


def _not_of_null(errors: list[str]) -> list[str]:
    """The real answers, too, say null where the description has no null."""
    return [error for error in errors if not error.startswith("None is not")]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("server", r".*/servers/[^/]+"),
        ("ip", r".*/ips"),
        ("security_group", r".*/security_groups/[^/]+"),
    ],
)
def test_nothing_is_missing_of_what_was_recorded(
    at_work: ScalewayAtWork, kind: str, path: str
) -> None:
    if not RECORDED.exists():
        pytest.skip("the recordings are not beside this checkout")
    ours = at_work.books("/scaleway/inventory")[f"{kind}s"][0]
    wanted = [body[kind] for body in _recorded(path) if isinstance(body.get(kind), Mapping)]
    assert wanted
    for there in wanted:
        assert isinstance(there, Mapping)
        assert set(there) <= set(ours)


def _recorded(path: str) -> Iterator[Mapping[str, Json]]:
    for cassette in sorted(RECORDED.glob("*.yaml")):
        for one in yaml.safe_load(cassette.read_text())["interactions"]:
            bare = one["request"]["url"].partition("?")[0]
            if re.fullmatch(path, bare) and one["response"]["code"] in (200, 201):
                yield json.loads(one["response"]["body"] or "{}")


@pytest.mark.parametrize("key", ["", "11111111-2222-4333-8444-555555555555"])
def test_nobody_sees_anything_without_the_key(at_work: ScalewayAtWork, key: str) -> None:
    refused = at_work.ask("GET", f"{ZONE}/servers", key=key)
    assert (refused.status_code, refused.json()["type"]) == (401, "denied_authentication")
