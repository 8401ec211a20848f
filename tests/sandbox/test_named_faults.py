"""Faults by name, by a script and by a seed, as the farm's adapters feel them on both clouds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from typer.testing import CliRunner

from farm.sandbox.commands import app
from farm.sandbox.faults import Call
from farm.sandbox.named_faults import SENTENCES, Cloud, FaultName
from farm.sandbox.random_faults import Chance
from farm.sandbox.wire import Json
from provisioning.errors import (
    AnswerLost,
    NeedsOperator,
    NoCapacity,
    ProvisioningError,
    Transient,
)
from provisioning.hetzner import Hetzner
from provisioning.provider import MachineOrder, MachineStatus, Provider
from provisioning.scaleway import Scaleway
from tests.contract.subjects import CX23, DEV1_M, OURS, order_of
from tests.sandbox.hetzner.cloud_at_work import CloudAtWork, cloud_at_work, eventually
from tests.sandbox.running import sandbox
from tests.sandbox.scaleway.scaleway_at_work import ScalewayAtWork, scaleway_at_work

HASTY = (3.0, 0.4)
Felt = tuple[FaultName, type[ProvisioningError], str]
AT_AN_ORDER: list[Felt] = [
    (FaultName.RATE_LIMIT, Transient, "rate_limit_exceeded"),
    (FaultName.SOLD_OUT, NoCapacity, ""),
    (FaultName.QUOTA, NeedsOperator, "resource_limit_exceeded"),
    (FaultName.UNAUTHORIZED, NeedsOperator, ""),
    (FaultName.SERVER_ERROR, AnswerLost, ""),
    (FaultName.SERVER_ERROR_AFTER, AnswerLost, ""),
    (FaultName.BAD_GATEWAY, AnswerLost, "502"),
    (FaultName.BAD_GATEWAY_AFTER, AnswerLost, "502"),
    (FaultName.RESET_BEFORE, AnswerLost, "no_answer"),
    (FaultName.RESET_AFTER, AnswerLost, "no_answer"),
    (FaultName.SILENCE, AnswerLost, "no_answer"),
    (FaultName.SILENCE_AFTER, AnswerLost, "no_answer"),
]


@dataclass(frozen=True, slots=True)
class Side:
    """One cloud at work, an impatient adapter to it, and an order that it takes."""

    cloud: Cloud
    at_work: CloudAtWork | ScalewayAtWork
    provider: Provider
    order: MachineOrder

    def arm(self, name: FaultName, **more: Json) -> None:
        """By its name, over the wire."""
        self.at_work.order("/faults", {"name": name, "cloud": self.cloud, **more})

    def is_removed(self) -> bool:
        """Have what is there of the machine removed; whether nothing is."""
        machine = self.provider.find(self.order.name)
        if machine and machine.status is not MachineStatus.DELETING:
            self.provider.delete(machine.provider_id)
        return machine is None

    def made(self) -> bool:
        """Whether anything of the machine is there."""
        return self.provider.find(self.order.name) is not None


@contextmanager
def side_of(cloud: Cloud, folder: Path) -> Iterator[Side]:
    """That cloud."""
    with ExitStack() as stack:
        if cloud is Cloud.HETZNER:
            hetzner = stack.enter_context(cloud_at_work(folder))
            adapter = Hetzner(token=hetzner.cloud.token, endpoint=hetzner.endpoint, timeouts=HASTY)
            yield Side(cloud, hetzner, adapter, order_of(CX23))
        else:
            scaleway = stack.enter_context(scaleway_at_work(folder))
            project = scaleway.cloud.project
            other = Scaleway(
                access_key=project.access_key,
                secret_key=project.secret_key,
                project=project.uid,
                endpoint=scaleway.endpoint,
                timeouts=HASTY,
            )
            yield Side(cloud, scaleway, other, order_of(DEV1_M))


@pytest.fixture(params=[Cloud.HETZNER, Cloud.SCALEWAY])
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Side]:
    """Each cloud in turn."""
    with side_of(request.param, tmp_path) as there:
        yield there


def test_each_is_felt_at_an_order_and_over_after_it(side: Side) -> None:
    for name, kind, code in AT_AN_ORDER:
        side.arm(name, match=["POST", "/servers"], seconds=3)
        with pytest.raises(ProvisioningError) as felt:
            side.provider.create(side.order)
        assert isinstance(felt.value, kind), name
        assert code in felt.value.code
        eventually(side.is_removed)
    assert side.provider.create(side.order).machine.name == side.order.name


@pytest.mark.parametrize("name", [FaultName.RESET_BEFORE, FaultName.RESET_AFTER])
def test_an_effect_is_had_only_where_it_comes_before(side: Side, name: FaultName) -> None:
    words = ["POST /servers"] if side.cloud is Cloud.HETZNER else ["POST", "/servers name="]
    side.arm(name, match=words)
    with pytest.raises(AnswerLost):
        side.provider.create(side.order)
    servers = [machine for machine in side.provider.machines(OURS) if machine.created_at]
    assert len(servers) == (name is FaultName.RESET_AFTER)


def test_one_type_at_one_place_is_sold_out(side: Side) -> None:
    side.arm(FaultName.SOLD_OUT, server_type="no-such", times=None)
    side.arm(FaultName.SOLD_OUT, place=side.order.location, server_type=side.order.server_type)
    with pytest.raises(NoCapacity):
        side.provider.create(side.order)
    side.provider.create(side.order)


def test_an_order_fails_later(side: Side) -> None:
    side.arm(FaultName.ACTION_FAILS)
    actions = side.provider.create(side.order).actions
    if actions:
        eventually(lambda: any(action.error for action in side.provider.actions(actions)))
    for _ in range(3):
        machine = side.provider.find(side.order.name)
        assert machine is None or machine.status is not MachineStatus.RUNNING


def test_a_server_vanishes(side: Side) -> None:
    side.provider.create(side.order)
    side.arm(FaultName.VANISH, server="of-nobody")
    assert side.made()
    side.arm(FaultName.VANISH, server=side.order.name)
    eventually(lambda: not [m for m in side.provider.machines(OURS) if m.created_at])


def test_what_makes_no_sense_is_refused(side: Side) -> None:
    wrong: list[dict[str, Json]] = [
        {"name": "flood"},
        {"name": "quota", "reset": True},
        {"name": "quota", "cloud": 1},
    ]
    for raw in wrong:
        answer = requests.post(f"{side.at_work.control}/faults", json=raw, timeout=5)
        assert (answer.status_code, bool(answer.json()["error"])) == (422, True)
    answer = requests.post(f"{side.at_work.control}/faults/random", json={"seed": 1}, timeout=5)
    assert answer.status_code == 422


def test_a_script_is_armed_as_a_whole_or_not_at_all(side: Side) -> None:
    script: list[Json] = [{"name": "quota"}, {"name": "flood"}]
    url = f"{side.at_work.control}/faults"
    assert requests.post(url, json=script, timeout=5).status_code == 422
    assert requests.get(url, timeout=5).json()["armed"] == []
    assert len(requests.post(url, json=script[:1] * 3, timeout=5).json()["ids"]) == 3


def test_one_seed_strikes_the_same_calls_whatever_comes_between() -> None:
    orders = [Call(0, "hetzner", f"POST /servers name=a{n % 7}") for n in range(300)]
    others = [Call(0, "ssh", "10.0.0.1 exec true")] * 200
    alone, mixed, other = (Chance(seed, 0.2) for seed in (7, 7, 8))
    first = [alone.draw(call) for call in orders]
    for call in others:
        mixed.draw(call)
    assert [mixed.draw(call) for call in orders] == first
    assert [other.draw(call) for call in orders] != first
    assert 30 <= alone.struck <= 90
    assert len({str(fault) for fault in first if fault}) > 5


def test_at_random_all_ends_well(side: Side) -> None:
    # An order is many calls at Scaleway, and two at Hetzner.
    share = 0.5 if side.cloud is Cloud.HETZNER else 0.15
    names = ["server-error", "bad-gateway", "reset-before", "reset-after", "server-error-after"]
    side.at_work.order("/faults/random", {"seed": 3, "share": share, "names": names})

    def made() -> bool:
        try:
            machine = side.provider.find(side.order.name)
            if machine is None or machine.status is MachineStatus.UNFINISHED:
                side.provider.create(side.order)
        except Transient:
            return False
        return machine is not None and machine.status is not MachineStatus.UNFINISHED

    eventually(made)
    told = requests.get(f"{side.at_work.control}/faults", timeout=5).json()["random"]
    requests.delete(f"{side.at_work.control}/faults", timeout=5)
    assert told["struck"] > 0
    assert len([m for m in side.provider.machines(OURS) if m.created_at]) == 1


def test_the_command_arms_shows_and_clears(tmp_path: Path) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["faults", *words])
        assert done.exit_code == 0, done.output
        return done.output

    with sandbox(tmp_path / "state") as running:
        where = ("--state", str(running.state))
        run("arm", "rate-limit", "--seconds", "5", "--times", "0", *where)
        script = tmp_path / "script.json"
        script.write_text('[{"name": "quota"}, {"name": "vanish", "cloud": "scaleway"}]')
        run("script", str(script), *where)
        run("random", "--seed", "9", "--share", "0.5", "--only", "silence", *where)
        shown = run(*where)
        assert "seed 9" in shown
        assert "answer 429 rate_limit_exceeded" in shown
        assert "vanish" in shown
        refused = requests.get(f"{running.report.services.hetzner.endpoint}/servers", timeout=5)
        assert refused.status_code == 429
        run("clear", *where)
        assert "429" not in run(*where)
        wrong = CliRunner().invoke(app, ["faults", "script", str(tmp_path / "none"), *where])
        assert (wrong.exit_code, "no JSON list" in wrong.output) == (1, True)
    for name in SENTENCES:
        assert name in run("names")
