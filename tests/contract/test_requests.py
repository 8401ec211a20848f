"""What each verb asks of the two clouds, request by request: a project has an hourly budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from provisioning.provider import Copy, CopyStatus, MachineStatus
from tests.contract.subjects import NAME, OURS, AtHetzner, AtScaleway, Subject, order_of, subject
from tests.contract.test_provider import is_now, running
from tests.sandbox.hetzner.cloud_at_work import eventually

COPY = {**OURS, "farm-copy": "c1"}
ASKED = {
    "create the next": ("POST", "GET GET GET GET GET POST POST PATCH PATCH POST PATCH"),
    "create what is there": ("POST GET", "GET"),
    "find": ("GET", "GET"),
    "restart": ("GET POST", "GET POST"),
    "power off": ("POST", "GET POST"),
    "resize": ("GET POST", "GET PATCH"),
    "snapshot": ("GET POST", "GET GET POST GET POST"),
    "copies": ("GET", "GET GET"),
    "discard": ("DELETE", "GET DELETE DELETE"),
    "begin to rebuild": ("GET POST PUT", "GET GET POST"),
    "begin to delete": ("DELETE", "GET POST"),
}
"""By verb: the most that is asked of Hetzner, and of Scaleway, in this order."""


@pytest.fixture(params=["hetzner", "scaleway"])
def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """The two real adapters."""
    with subject(request.param, tmp_path) as found:
        yield found


def asked(cloud: Subject, verb: str, act: Callable[[], object]) -> None:
    """Fail if `act` asks for more, or in another order, than its verb says."""
    assert isinstance(cloud, AtHetzner | AtScaleway)
    before = len(cloud.at_work.calls())
    act()
    methods = [call.split()[0] for call in cloud.at_work.calls()[before:]]
    most = ASKED[verb][isinstance(cloud, AtScaleway)]
    assert " ".join(methods) == most, verb


def test_each_verb_asks_what_it_says(cloud: Subject) -> None:
    provider, wish = cloud.provider, order_of(cloud.goods)
    machine = running(cloud, wish)
    twin = replace(wish, name="farm-s2", labels={"farm": "f2"})
    asked(cloud, "create the next", lambda: provider.create(twin))
    asked(cloud, "create what is there", lambda: provider.create(wish))
    asked(cloud, "find", lambda: provider.find(NAME))
    asked(cloud, "restart", lambda: provider.restart(machine.provider_id))
    eventually(lambda: is_now(cloud, MachineStatus.RUNNING))
    asked(cloud, "power off", lambda: provider.power_off(machine.provider_id))
    eventually(lambda: is_now(cloud, MachineStatus.OFF))
    _copy_and_change(cloud, machine.provider_id)
    provider.power_on(machine.provider_id)
    eventually(lambda: is_now(cloud, MachineStatus.RUNNING))
    asked(cloud, "begin to rebuild", lambda: provider.rebuild(wish, wish="w1"))
    other = eventually(lambda: provider.find("farm-s2"))
    assert other
    eventually(lambda: _runs(cloud, "farm-s2"))
    asked(cloud, "begin to delete", lambda: provider.delete(other.provider_id))


def _copy_and_change(cloud: Subject, machine: str) -> None:
    provider, goods = cloud.provider, cloud.goods
    asked(cloud, "snapshot", lambda: provider.snapshot(machine, description="copy", labels=COPY))
    eventually(lambda: _ready(cloud))
    asked(cloud, "copies", lambda: provider.copies(COPY, goods.location))
    (copy,) = _ready(cloud)
    asked(cloud, "resize", lambda: provider.resize(machine, goods.bigger))
    settled = (MachineStatus.OFF, MachineStatus.RUNNING)
    eventually(lambda: any(is_now(cloud, status) for status in settled))
    asked(cloud, "discard", lambda: provider.discard(copy))


def _ready(cloud: Subject) -> tuple[Copy, ...]:
    there = cloud.provider.copies(COPY)
    return tuple(copy for copy in there if copy.status is CopyStatus.READY)


def _runs(cloud: Subject, name: str) -> bool:
    machine = cloud.provider.find(name)
    return machine is not None and machine.status is MachineStatus.RUNNING
