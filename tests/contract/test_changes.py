"""What every Provider promises of a machine that changes: its size, its disk, and copies of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from provisioning.errors import NoCapacity, Rejected, Transient
from provisioning.provider import (
    BUILD_LABEL,
    BillableKind,
    Copy,
    CopyStatus,
    Created,
    Machine,
    MachineOrder,
    MachineStatus,
)
from tests.contract.subjects import NAME, OURS, Subject
from tests.contract.test_provider import ended, is_now, order, running
from tests.sandbox.hetzner.cloud_at_work import eventually

COPY = {**OURS, "farm-copy": "c1"}


def off(cloud: Subject) -> Machine:
    """A machine that is switched off."""
    machine = running(cloud)
    cloud.provider.power_off(machine.provider_id)
    eventually(lambda: is_now(cloud, MachineStatus.OFF))
    return machine


def is_of_type(cloud: Subject, server_type: str) -> bool:
    """Whether the machine is shown as one of that type, and not on its way."""
    machine = cloud.provider.find(NAME)
    settled = (MachineStatus.RUNNING, MachineStatus.OFF)
    return machine is not None and machine.server_type == server_type and machine.status in settled


def built(cloud: Subject, wish: MachineOrder, word: str) -> Created:
    """The machine, rebuilt for that wish as the engine does it: asked until it is under way."""

    def ask() -> Created | None:
        try:
            return cloud.provider.rebuild(wish, wish=word)
        except Transient:
            return None

    made = eventually(ask)
    assert made
    return made


def copied(cloud: Subject, machine: Machine) -> Copy:
    """A copy of it that is ready."""
    cloud.provider.snapshot(machine.provider_id, description="copy", labels=COPY)
    (copy,) = eventually(lambda: ready(cloud))
    return copy


def ready(cloud: Subject) -> tuple[Copy, ...]:
    """The copies that boot."""
    there = cloud.provider.copies(COPY)
    return tuple(copy for copy in there if copy.status is CopyStatus.READY)


def test_a_machine_that_is_on_boots_again_and_stays_the_same(cloud: Subject) -> None:
    machine = running(cloud)
    cloud.provider.restart(machine.provider_id)
    eventually(lambda: is_now(cloud, MachineStatus.RUNNING))
    assert cloud.provider.find(NAME) == machine


def test_a_machine_that_is_off_stays_off_when_restarted(cloud: Subject) -> None:
    machine = off(cloud)
    cloud.provider.restart(machine.provider_id)
    assert is_now(cloud, MachineStatus.OFF)


def test_a_machine_that_is_off_becomes_another_type_and_stays_itself(cloud: Subject) -> None:
    machine, bigger = off(cloud), cloud.goods.bigger
    cloud.provider.resize(machine.provider_id, bigger)
    eventually(lambda: is_of_type(cloud, bigger))
    assert cloud.provider.resize(machine.provider_id, bigger) == ()
    cloud.provider.power_on(machine.provider_id)
    eventually(lambda: is_now(cloud, MachineStatus.RUNNING))
    assert cloud.provider.find(NAME) == replace(machine, server_type=bigger)
    (bill,) = (b for b in cloud.provider.billables(OURS) if b.kind is BillableKind.SERVER)
    assert bill.price == price_of(cloud, bigger)


def price_of(cloud: Subject, server_type: str) -> object:
    """What a type costs there today."""
    goods = cloud.goods
    offers = {(one.server_type, one.location): one.price for one in cloud.provider.offers()}
    return offers[server_type, goods.location]


def test_the_way_back_to_the_smaller_type_is_open(cloud: Subject) -> None:
    machine = off(cloud)
    for server_type in (cloud.goods.bigger, cloud.goods.server_type):
        cloud.provider.power_off(machine.provider_id)
        eventually(lambda: is_now(cloud, MachineStatus.OFF))
        cloud.provider.resize(machine.provider_id, server_type)
        eventually(partial(is_of_type, cloud, server_type))


def test_a_machine_that_is_on_keeps_its_type_for_now(cloud: Subject) -> None:
    machine = running(cloud)
    with pytest.raises(Transient) as refused:
        cloud.provider.resize(machine.provider_id, cloud.goods.bigger)
    assert refused.value.code == "server_not_stopped"


def test_a_type_that_is_not_to_be_had_leaves_the_machine_as_it_is(cloud: Subject) -> None:
    machine = off(cloud)
    with pytest.raises(NoCapacity):
        cloud.provider.resize(machine.provider_id, "cx9000")
    assert is_of_type(cloud, cloud.goods.server_type)


def test_a_rebuilt_machine_keeps_its_address_and_is_paid_for_once(cloud: Subject) -> None:
    machine = running(cloud)
    made = built(cloud, order(cloud), "w1")
    assert made.machine.ipv4 == machine.ipv4
    eventually(lambda: is_now(cloud, MachineStatus.RUNNING))
    now = cloud.provider.find(NAME)
    assert now
    assert now.labels == {**OURS, BUILD_LABEL: "w1"}
    assert (now.provider_id, now.ipv4) == (machine.provider_id, machine.ipv4)
    kinds = [bill.kind for bill in cloud.provider.billables(OURS)]
    assert len(kinds) == len(set(kinds))
    eventually(lambda: ended(cloud, machine.provider_id))
    assert cloud.provider.billables({}) == ()


def test_what_was_built_for_a_wish_is_not_built_for_it_again(cloud: Subject) -> None:
    running(cloud)
    built(cloud, order(cloud), "w1")
    eventually(lambda: is_now(cloud, MachineStatus.RUNNING))
    now = cloud.provider.find(NAME)
    again = cloud.provider.rebuild(order(cloud), wish="w1")
    assert again == Created(now) if now else False
    assert cloud.provider.create(order(cloud)).machine == now


def test_a_machine_that_is_gone_is_made_by_a_rebuild(cloud: Subject) -> None:
    built(cloud, order(cloud), "w1")
    eventually(lambda: is_now(cloud, MachineStatus.RUNNING))


def test_nothing_is_lost_for_a_rebuild_that_can_never_work(cloud: Subject) -> None:
    machine = running(cloud)
    with pytest.raises(Rejected):
        cloud.provider.rebuild(replace(order(cloud), image="windows-95"), wish="w1")
    assert cloud.provider.find(NAME) == machine


def test_a_strangers_machine_is_never_rebuilt(cloud: Subject) -> None:
    stranger = running(cloud, replace(order(cloud), labels={"farm": "another"}))
    with pytest.raises(Rejected) as refused:
        cloud.provider.rebuild(order(cloud), wish="w1")
    assert refused.value.code == "name_taken"
    assert cloud.provider.find(NAME) == stranger


def test_a_copy_is_made_once_outlives_its_machine_and_boots_as_another(cloud: Subject) -> None:
    machine = off(cloud)
    copy = copied(cloud, machine)
    again = cloud.provider.snapshot(machine.provider_id, description="copy", labels=COPY)
    assert (again.id, len(cloud.provider.copies(COPY))) == (copy.id, 1)
    eventually(lambda: ended(cloud, machine.provider_id))
    assert cloud.provider.snapshot(machine.provider_id, description="copy", labels=COPY) == copy
    assert [bill.kind for bill in cloud.provider.billables(OURS)] == [BillableKind.SNAPSHOT]
    woken = running(cloud, replace(order(cloud), name="farm-s2", image=copy.image))
    assert woken.provider_id != machine.provider_id


def test_a_copy_tells_where_it_boots_and_what_it_weighs(cloud: Subject) -> None:
    copy = copied(cloud, off(cloud))
    assert copy.labels == COPY
    assert copy.location in ("", cloud.goods.location)
    assert copy.gigabytes
    assert 0 < copy.disk_gb <= cloud.goods.size[2]
    assert cloud.provider.copies(COPY, cloud.goods.location) == (copy,)
    elsewhere = cloud.provider.copies(COPY, cloud.goods.elsewhere)
    assert elsewhere == ((copy,) if not copy.location else ())
    assert cloud.provider.copies({"farm": "another"}) == ()


def test_a_discarded_copy_costs_nothing_any_more(cloud: Subject) -> None:
    machine = off(cloud)
    copy = copied(cloud, machine)
    eventually(lambda: ended(cloud, machine.provider_id))
    cloud.provider.discard(copy)
    cloud.provider.discard(copy)
    assert cloud.provider.copies(COPY) == ()
    assert cloud.provider.billables({}) == ()


def test_a_copy_that_came_to_nothing_is_told_and_can_go(cloud: Subject) -> None:
    machine = off(cloud)
    cloud.unmake()
    cloud.provider.snapshot(machine.provider_id, description="copy", labels=COPY)

    def broken() -> tuple[Copy, ...]:
        there = cloud.provider.copies(COPY)
        return tuple(copy for copy in there if copy.status is CopyStatus.BROKEN)

    (copy,) = eventually(broken)
    cloud.provider.discard(copy)
    assert copied(cloud, machine).id != copy.id
