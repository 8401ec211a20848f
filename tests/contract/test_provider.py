"""What every Provider promises, tried on each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from provisioning.errors import AnswerLost, NeedsOperator, NoCapacity, Rejected
from provisioning.provider import (
    ActionStatus,
    Created,
    Firewall,
    FirewallRule,
    Machine,
    MachineOrder,
    MachineStatus,
)
from tests.contract.subjects import Subject, subject
from tests.sandbox.hetzner.cloud_at_work import eventually

OURS = {"farm": "f1", "farm-server": "s1"}
ORDER = MachineOrder(
    name="farm-s1",
    server_type="cx23",
    location="fsn1",
    image="debian-12",
    user_data="#cloud-config\n",
    labels=OURS,
    firewall=Firewall("farm-f1", (FirewallRule(22, ("0.0.0.0/0", "::/0")),)),
)


@pytest.fixture(params=["memory", "hetzner"])
def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """Each provider in turn."""
    with subject(request.param, tmp_path) as found:
        yield found


def running(cloud: Subject, order: MachineOrder = ORDER) -> Machine:
    """A machine that was made and runs."""
    cloud.provider.create(order)

    def look() -> Machine | None:
        machine = cloud.provider.find(order.name)
        return machine if machine and machine.status is MachineStatus.RUNNING else None

    machine = eventually(look)
    assert machine is not None
    return machine


def settled(cloud: Subject, created: Created) -> set[ActionStatus]:
    """How its orders ended."""

    def look() -> set[ActionStatus]:
        states = {action.status for action in cloud.provider.actions(created.actions)}
        return set() if ActionStatus.RUNNING in states else states

    return eventually(look)


def test_good_credentials_are_content(cloud: Subject) -> None:
    cloud.provider.verify()


def test_what_is_not_there_is_no_error(cloud: Subject) -> None:
    assert cloud.provider.find("farm-s1") is None
    assert cloud.provider.find_image({"farm-image": "v1"}) is None
    assert cloud.provider.machines(OURS) == ()
    assert cloud.provider.actions(["4711"]) == ()
    assert cloud.provider.actions([]) == ()
    cloud.provider.delete("4711")
    cloud.provider.shutdown("4711")


def test_a_machine_is_made_as_ordered(cloud: Subject) -> None:
    created = cloud.provider.create(ORDER)
    assert created.actions
    assert settled(cloud, created) == {ActionStatus.SUCCESS}
    machine = running(cloud)
    assert machine == replace(created.machine, status=MachineStatus.RUNNING)
    assert (machine.name, machine.server_type, machine.location, machine.labels) == (
        "farm-s1",
        "cx23",
        "fsn1",
        OURS,
    )
    assert machine.ipv4
    assert machine.created_at.utcoffset() == UTC.utcoffset(None)


def test_a_second_order_adopts_the_machine_that_is_ours(cloud: Subject) -> None:
    first = running(cloud)
    assert cloud.provider.create(ORDER).machine == first
    assert len(cloud.provider.machines(OURS)) == 1


def test_a_strangers_machine_is_never_adopted(cloud: Subject) -> None:
    stranger = running(cloud, replace(ORDER, labels={"farm": "another"}))
    with pytest.raises(Rejected) as refused:
        cloud.provider.create(ORDER)
    assert refused.value.code == "name_taken"
    assert cloud.provider.find(ORDER.name) == stranger


def test_a_lost_answer_is_found_by_name(cloud: Subject) -> None:
    cloud.lose_answer_to_create()
    with pytest.raises(AnswerLost):
        cloud.provider.create(ORDER)
    machine = cloud.provider.find(ORDER.name)
    assert machine is not None
    assert cloud.provider.create(ORDER).machine.provider_id == machine.provider_id


def test_what_is_sold_out_is_shown_and_refused(cloud: Subject) -> None:
    cloud.sell_out("cx23", "fsn1")
    offers = {
        offer.location: offer.available
        for offer in cloud.provider.offers()
        if offer.server_type == "cx23"
    }
    assert (offers["fsn1"], offers["nbg1"]) == (False, True)
    with pytest.raises(NoCapacity):
        cloud.provider.create(ORDER)
    assert running(cloud, replace(ORDER, location="nbg1")).location == "nbg1"


@pytest.mark.parametrize(
    "order",
    [replace(ORDER, server_type="cx9000"), replace(ORDER, location="moon")],
    ids=["unknown type", "unknown place"],
)
def test_what_is_not_sold_there_asks_for_the_next_rung(cloud: Subject, order: MachineOrder) -> None:
    with pytest.raises(NoCapacity):
        cloud.provider.create(order)


def test_a_full_account_needs_the_operator(cloud: Subject) -> None:
    cloud.limit(0)
    with pytest.raises(NeedsOperator) as full:
        cloud.provider.create(ORDER)
    assert full.value.code == "resource_limit_exceeded"


@pytest.mark.parametrize(
    "order",
    [replace(ORDER, image="windows-95"), replace(ORDER, user_data="é" * 16385)],
    ids=["unknown image", "user-data above 32,768 bytes"],
)
def test_an_order_that_can_never_work_is_rejected(cloud: Subject, order: MachineOrder) -> None:
    with pytest.raises(Rejected):
        cloud.provider.create(order)
    assert cloud.provider.machines({}) == ()


def test_a_deleted_machine_is_gone_after_a_while(cloud: Subject) -> None:
    machine = running(cloud)
    cloud.provider.delete(machine.provider_id)
    eventually(lambda: cloud.provider.find(ORDER.name) is None)
    cloud.provider.delete(machine.provider_id)
    assert cloud.provider.machines(OURS) == ()


def test_a_machine_that_shut_down_is_off_and_still_there(cloud: Subject) -> None:
    cloud.provider.shutdown(running(cloud).provider_id)

    def off() -> bool:
        machine = cloud.provider.find(ORDER.name)
        return machine is not None and machine.status is MachineStatus.OFF

    eventually(off)


def test_a_snapshot_is_found_by_its_labels_and_makes_machines(cloud: Subject) -> None:
    machine = running(cloud)
    labels = {"farm-image": "v3"}
    older = _snapshot(cloud, machine, labels)
    newer = _snapshot(cloud, machine, labels)
    assert older != newer
    assert cloud.provider.find_image(labels) == newer
    assert cloud.provider.find_image({"farm-image": "v4"}) is None
    twin = running(cloud, replace(ORDER, name="farm-s2", image=newer))
    assert twin.provider_id != machine.provider_id


def _snapshot(cloud: Subject, machine: Machine, labels: dict[str, str]) -> str:
    image = cloud.provider.snapshot(machine.provider_id, description="golden", labels=labels)

    def there() -> bool:
        cloud.provider.find(ORDER.name)
        return cloud.provider.find_image(labels) == image

    eventually(there)
    return image


def test_machines_are_listed_by_all_their_labels(cloud: Subject) -> None:
    for number in range(60):
        labels = {"farm": "f1" if number % 2 else "f2", "farm-server": f"s{number}"}
        cloud.provider.create(replace(ORDER, name=f"farm-s{number}", labels=labels))
    ours = cloud.provider.machines({"farm": "f1"})
    assert {machine.name for machine in ours} == {f"farm-s{n}" for n in range(60) if n % 2}
    assert len(cloud.provider.machines({})) == 60
    assert len(cloud.provider.machines({"farm": "f1", "farm-server": "s1"})) == 1


def test_prices_are_net_micros_with_the_ipv4_apart(cloud: Subject) -> None:
    (offer,) = (
        offer
        for offer in cloud.provider.offers()
        if (offer.server_type, offer.location) == ("cx23", "fsn1")
    )
    assert (offer.price.hourly, offer.price.monthly, offer.price.currency) == (
        6_400,
        3_990_000,
        "EUR",
    )
    assert (offer.ipv4_price.hourly, offer.ipv4_price.monthly) == (800, 500_000)
    assert (offer.cores, offer.memory_gb, offer.disk_gb) == (2, 4.0, 40)
