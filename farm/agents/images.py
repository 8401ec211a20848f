"""Bakes server images that hold the runtime, so that an agent's machine comes up at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

from farm.accounts.models import Door, User
from farm.accounts.services import record
from farm.agents.clouds import regions
from farm.agents.reconciler.buying import image_labels, install_id
from farm.agents.reconciler.labels import BUILDER_LABEL, FARM_LABEL
from farm.agents.reconciler.machines import provider_of
from farm.catalog import Plan, Region, catalog
from provisioning.cloudinit import Versions, render_image
from provisioning.errors import NoCapacity, Transient
from provisioning.provider import (
    Copy,
    Firewall,
    Machine,
    MachineOrder,
    MachineStatus,
    Offer,
    Provider,
)

Tell = Callable[[str], None]
LOOK_SECONDS = 3.0
BAKED_LABEL: Final = "farm-baked"


class BakingFailed(Exception):  # noqa: N818
    """No image was made; the message says where it stopped."""


def build_image(*, actor: User | None, door: Door, seconds: float, tell: Tell) -> str:
    """Bake an image of the catalogue's runtime at the default region; answers its id.

    Waits up to `seconds` for each of its stages and tells each one. The machine it is baked on is
    deleted whatever happens. BakingFailed, or the errors of `provisioning.errors`.
    """
    plan, region = catalog().plans.default, regions().default
    provider = provider_of(region.places[0].provider)
    offer = _smallest(provider, plan, region)
    with _machine_for(provider, _order(provider, offer), tell) as machine:
        tell(f"{machine.name} installs the runtime, usually within 3 minutes")
        _until(lambda: _is_off(provider, machine), seconds, "for the machine to switch itself off")
        image = _snapshot(provider, machine, seconds, tell)
    record(account=None, actor=actor, door=door, verb="build image", subject=image)
    return image


def built_image() -> str | None:
    """The id of the image that new machines start from; None while they start from Debian."""
    place = regions().default.places[0]
    provider = provider_of(place.provider)
    return provider.find_image(image_labels(catalog().runtime_version), place.location)


def _smallest(provider: Provider, plan: Plan, region: Region) -> Offer:
    """An image boots only where the disk is no smaller than the one it was baked on."""
    places = {place.location for place in region.places if place.provider == provider.name}
    types = set(plan.server_types[provider.name]) - catalog().arm
    fitting = [
        offer
        for offer in provider.offers()
        if offer.available and offer.location in places and offer.server_type in types
    ]
    if not fitting:
        raise NoCapacity("sold_out", f"No machine to bake on is free in {region.name.en}.")
    return min(fitting, key=lambda offer: (offer.disk_gb, offer.price.hourly))


def _order(provider: Provider, offer: Offer) -> MachineOrder:
    versions = Versions(node=catalog().node_version, runtime=catalog().runtime_version)
    install = install_id()
    return MachineOrder(
        name=f"farm-builder-{install}",
        server_type=offer.server_type,
        location=offer.location,
        image=catalog().images[provider.name],
        user_data=render_image(versions),
        labels={FARM_LABEL: install, BUILDER_LABEL: "1"},
        firewall=Firewall(name=f"farm-builder-{install}", rules=()),
    )


@contextmanager
def _machine_for(provider: Provider, order: MachineOrder, tell: Tell) -> Iterator[Machine]:
    """A machine for as long as it is needed; one of an earlier try is not adopted but replaced."""
    _remove(provider, order.name)
    tell(f"Ordering a {order.server_type} at {order.location}")
    try:
        yield provider.create(order).machine
    finally:
        tell("Deleting the machine it was baked on")
        _remove(provider, order.name)


def _remove(provider: Provider, name: str) -> None:
    while machine := _found(provider, name):
        if machine.status is not MachineStatus.DELETING:
            provider.delete(machine.provider_id)
        time.sleep(LOOK_SECONDS)


def _snapshot(provider: Provider, machine: Machine, seconds: float, tell: Tell) -> str:
    # A copy with all the same labels would be taken for this one.
    labels = {**image_labels(catalog().runtime_version), BAKED_LABEL: uuid4().hex}
    tell("Taking the image")
    description = f"OpenClaw {catalog().runtime_version} on Node {catalog().node_version}"
    copy = provider.snapshot(machine.provider_id, description=description, labels=labels)
    _until(lambda: _is_ready(provider, copy), seconds, "for the image")
    return copy.image


def _is_ready(provider: Provider, copy: Copy) -> bool:
    return provider.find_image(copy.labels, copy.location) == copy.image


def _is_off(provider: Provider, machine: Machine) -> bool:
    found = _found(provider, machine.name)
    if found is None:
        raise BakingFailed(f"{machine.name} vanished while the image was baked.")
    return found.status is MachineStatus.OFF


def _found(provider: Provider, name: str) -> Machine | None:
    """The machine, asked again while the cloud cannot answer."""
    while True:
        try:
            return provider.find(name)
        except Transient as error:
            time.sleep(error.retry_after or LOOK_SECONDS)


def _until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BakingFailed(f"Waited {seconds:.0f} s in vain {what}.")
        time.sleep(LOOK_SECONDS)
