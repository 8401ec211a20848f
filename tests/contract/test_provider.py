"""What every Provider promises, tried on each of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC

import pytest

from provisioning.errors import AnswerLost, NeedsOperator, NoCapacity, Rejected, Transient
from provisioning.provider import (
    ActionStatus,
    BillableKind,
    CopyStatus,
    Created,
    Machine,
    MachineOrder,
    MachineStatus,
)
from tests.contract.subjects import NAME, OURS, Subject, order_of
from tests.sandbox.hetzner.cloud_at_work import eventually


def order(cloud: Subject) -> MachineOrder:
    """What is ordered unless a test says otherwise."""
    return order_of(cloud.goods)


def ended(cloud: Subject, provider_id: str, name: str = NAME) -> bool:
    """As the engine does it: delete, look, and delete again what is not on its way."""
    machine = cloud.provider.find(name)
    if machine is not None and machine.status is not MachineStatus.DELETING:
        cloud.provider.delete(provider_id)
    return machine is None


def running(cloud: Subject, wish: MachineOrder | None = None) -> Machine:
    """A machine that was made and runs."""
    wish = wish or order(cloud)
    cloud.provider.create(wish)

    def look() -> Machine | None:
        machine = cloud.provider.find(wish.name)
        return machine if machine and machine.status is MachineStatus.RUNNING else None

    machine = eventually(look)
    assert machine is not None
    return machine


def settled(cloud: Subject, created: Created) -> set[ActionStatus]:
    """How its orders ended."""

    def states() -> set[ActionStatus]:
        return {action.status for action in cloud.provider.actions(created.actions)}

    eventually(lambda: ActionStatus.RUNNING not in states())
    return states()


def test_good_credentials_are_content(cloud: Subject) -> None:
    cloud.provider.verify()


def test_credentials_that_may_only_read_need_the_operator(cloud: Subject) -> None:
    with pytest.raises(NeedsOperator):
        cloud.reader().verify()


def test_what_is_not_there_is_no_error(cloud: Subject) -> None:
    assert cloud.provider.find("farm-s1") is None
    assert cloud.provider.copies({"farm-image": "v1"}, cloud.goods.location) == ()
    assert cloud.provider.machines(OURS) == ()
    assert cloud.provider.actions(["4711"]) == ()
    assert cloud.provider.actions([]) == ()
    cloud.provider.delete("4711")
    cloud.provider.shutdown("4711")
    cloud.provider.power_on("4711")
    cloud.provider.power_off("4711")
    cloud.provider.restart("4711")
    assert cloud.provider.resize("4711", cloud.goods.bigger) == ()
    assert cloud.provider.copies(OURS) == ()
    with pytest.raises(Rejected):
        cloud.provider.snapshot("4711", description="none", labels=OURS)
    assert cloud.provider.billables(OURS) == ()


def test_a_machine_is_made_as_ordered(cloud: Subject) -> None:
    created = cloud.provider.create(order(cloud))
    # Where a cloud's orders cannot be asked about, the machine's own status is all there is.
    assert settled(cloud, created) <= {ActionStatus.SUCCESS}
    machine = running(cloud)
    assert machine == replace(created.machine, status=MachineStatus.RUNNING)
    assert (machine.name, machine.server_type, machine.location, machine.labels) == (
        NAME,
        cloud.goods.server_type,
        cloud.goods.location,
        OURS,
    )
    assert machine.ipv4
    assert machine.created_at
    assert machine.created_at.utcoffset() == UTC.utcoffset(None)


def test_a_second_order_adopts_the_machine_that_is_ours(cloud: Subject) -> None:
    first = running(cloud)
    assert cloud.provider.create(order(cloud)).machine == first
    assert len(cloud.provider.machines(OURS)) == 1


def test_a_strangers_machine_is_never_adopted(cloud: Subject) -> None:
    stranger = running(cloud, replace(order(cloud), labels={"farm": "another"}))
    with pytest.raises(Rejected) as refused:
        cloud.provider.create(order(cloud))
    assert refused.value.code == "name_taken"
    assert cloud.provider.find(NAME) == stranger


def test_a_lost_answer_is_found_by_name(cloud: Subject) -> None:
    cloud.lose_answer_to_create()
    with pytest.raises(AnswerLost):
        cloud.provider.create(order(cloud))
    machine = cloud.provider.find(NAME)
    assert machine is not None
    assert cloud.provider.create(order(cloud)).machine.provider_id == machine.provider_id


def test_what_is_sold_out_is_shown_refused_and_leaves_nothing(cloud: Subject) -> None:
    goods = cloud.goods
    cloud.sell_out(goods.server_type, goods.location)
    offers = {
        offer.location: offer.available
        for offer in cloud.provider.offers()
        if offer.server_type == goods.server_type
    }
    assert (offers[goods.location], offers[goods.elsewhere]) == (False, True)
    with pytest.raises(NoCapacity):
        cloud.provider.create(order(cloud))
    assert cloud.provider.billables(OURS) == ()
    elsewhere = running(cloud, replace(order(cloud), location=goods.elsewhere))
    assert elsewhere.location == goods.elsewhere


@pytest.mark.parametrize(
    "wrong",
    [
        lambda wish: replace(wish, server_type="cx9000"),
        lambda wish: replace(wish, location="moon"),
    ],
    ids=["unknown type", "unknown place"],
)
def test_what_is_not_sold_there_asks_for_the_next_rung(
    cloud: Subject, wrong: Callable[[MachineOrder], MachineOrder]
) -> None:
    with pytest.raises(NoCapacity):
        cloud.provider.create(wrong(order(cloud)))
    assert cloud.provider.billables(OURS) == ()


def test_a_full_account_needs_the_operator(cloud: Subject) -> None:
    cloud.limit(0)
    with pytest.raises(NeedsOperator) as full:
        cloud.provider.create(order(cloud))
    assert full.value.code == "resource_limit_exceeded"
    assert cloud.provider.billables(OURS) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda wish: replace(wish, image="windows-95"),
        lambda wish: replace(wish, user_data="é" * 16385),
    ],
    ids=["unknown image", "user-data above 32,768 bytes"],
)
def test_an_order_that_can_never_work_is_rejected(
    cloud: Subject, wrong: Callable[[MachineOrder], MachineOrder]
) -> None:
    with pytest.raises(Rejected):
        cloud.provider.create(wrong(order(cloud)))
    assert cloud.provider.machines({}) == ()
    assert cloud.provider.billables({}) == ()


def test_a_deleted_machine_is_gone_after_a_while_with_all_that_costs(cloud: Subject) -> None:
    machine = running(cloud)
    cloud.provider.delete(machine.provider_id)
    eventually(lambda: ended(cloud, machine.provider_id))
    cloud.provider.delete(machine.provider_id)
    assert cloud.provider.machines(OURS) == ()
    assert cloud.provider.billables(OURS) == ()


def is_now(cloud: Subject, status: MachineStatus) -> bool:
    """Whether the machine is shown so."""
    machine = cloud.provider.find(NAME)
    return machine is not None and machine.status is status


def test_a_machine_is_switched_off_and_on_and_stays_the_same(cloud: Subject) -> None:
    machine = running(cloud)
    for switch in (cloud.provider.shutdown, cloud.provider.power_off):
        switch(machine.provider_id)
        eventually(lambda: is_now(cloud, MachineStatus.OFF))
        cloud.provider.power_off(machine.provider_id)
        cloud.provider.power_on(machine.provider_id)
        eventually(lambda: is_now(cloud, MachineStatus.RUNNING))
    assert cloud.provider.find(NAME) == machine


def test_everything_that_costs_is_listed_with_its_price(cloud: Subject) -> None:
    machine = running(cloud)
    bills = {bill.kind: bill for bill in cloud.provider.billables(OURS)}
    wanted = {BillableKind.SERVER: cloud.goods.price, BillableKind.IPV4: cloud.goods.ipv4_price}
    if cloud.goods.volume_price:
        wanted[BillableKind.VOLUME] = cloud.goods.volume_price
    assert {kind: bill.price for kind, bill in bills.items()} == wanted
    assert {bill.machine for bill in bills.values()} == {machine.name}
    assert all(bill.labels.items() >= OURS.items() for bill in bills.values())
    assert cloud.provider.billables({"farm": "another"}) == ()


def test_each_thing_that_costs_can_be_ended_by_itself(cloud: Subject) -> None:
    _snapshot(cloud, running(cloud), OURS)

    def none_left() -> bool:
        # A server goes first; what hung on it goes with it or after it.
        cloud.provider.find(NAME)
        bills = cloud.provider.billables(OURS)
        for bill in sorted(bills, key=lambda bill: bill.kind is not BillableKind.SERVER)[:1]:
            with suppress(Transient):
                cloud.provider.remove(bill)
        return not bills

    eventually(none_left)
    assert cloud.provider.machines(OURS) == ()


def test_a_volume_that_hangs_on_nothing_is_listed_with_its_price_and_can_go(
    cloud: Subject,
) -> None:
    number = cloud.leave_volume(OURS)
    (bill,) = cloud.provider.billables(OURS)
    assert (bill.kind, bill.id, bill.machine) == (BillableKind.VOLUME, number, "")
    assert bill.price.hourly
    cloud.provider.remove(bill)
    eventually(lambda: cloud.provider.billables({}) == ())


def test_a_snapshot_is_found_by_its_labels_and_makes_machines(cloud: Subject) -> None:
    machine = running(cloud)
    labels = {"farm-image": "v3"}
    older = _snapshot(cloud, machine, {**labels, "farm-baked": "1"})
    newer = _snapshot(cloud, machine, {**labels, "farm-baked": "2"})
    assert older != newer
    assert _images(cloud, labels) == {older, newer}
    assert _images(cloud, {**labels, "farm-baked": "2"}) == {newer}
    assert _images(cloud, {"farm-image": "v4"}) == set()
    twin = running(cloud, replace(order(cloud), name="farm-s2", image=newer))
    assert twin.provider_id != machine.provider_id


def _snapshot(cloud: Subject, machine: Machine, labels: dict[str, str]) -> str:
    copy = cloud.provider.snapshot(machine.provider_id, description="golden", labels=labels)

    def there() -> bool:
        cloud.provider.find(NAME)
        return copy.image in _images(cloud, labels)

    eventually(there)
    return copy.image


def _images(cloud: Subject, labels: dict[str, str]) -> set[str]:
    """What boots at the place of the goods, of the copies with all these labels."""
    there = cloud.provider.copies(labels, cloud.goods.location)
    return {copy.image for copy in there if copy.status is CopyStatus.READY}


def test_machines_are_listed_by_all_their_labels(cloud: Subject) -> None:
    for number in range(cloud.goods.many):
        labels = {"farm": "f1" if number % 2 else "f2", "farm-server": f"s{number}"}
        cloud.provider.create(replace(order(cloud), name=f"farm-s{number}", labels=labels))
    ours = cloud.provider.machines({"farm": "f1"})
    assert {machine.name for machine in ours} == {
        f"farm-s{n}" for n in range(cloud.goods.many) if n % 2
    }
    assert len(cloud.provider.machines({})) == cloud.goods.many
    assert len(cloud.provider.machines({"farm": "f1", "farm-server": "s1"})) == 1


def test_prices_are_net_micros_with_the_ipv4_and_the_disk_apart(cloud: Subject) -> None:
    goods = cloud.goods
    (offer,) = (
        offer
        for offer in cloud.provider.offers()
        if (offer.server_type, offer.location) == (goods.server_type, goods.location)
    )
    assert offer.price == goods.price
    assert offer.ipv4_price == goods.ipv4_price
    assert offer.volume_price == goods.volume_price
    assert offer.snapshot_price == goods.snapshot_price
    assert (offer.cores, offer.memory_gb, offer.disk_gb) == goods.size
