"""The first half of an image: a machine that installs the runtime, forgets itself, is copied."""

from __future__ import annotations

from farm.agents.images.waiting import Baker, BakingFailed
from farm.agents.models import ServerImage
from farm.agents.reconciler.buying import image_labels, install_id
from farm.agents.reconciler.labels import BAKED_LABEL, BUILDER_LABEL, FARM_LABEL
from farm.catalog import catalog
from provisioning.cloudinit import Versions, render_image
from provisioning.errors import NoCapacity
from provisioning.provider import (
    Copy,
    CopyStatus,
    Firewall,
    MachineOrder,
    MachineStatus,
    Offer,
)


def builder_name(row: ServerImage) -> str:
    """The machine that it is baked on."""
    return f"farm-builder-{row.uid}"


def builder_labels(row: ServerImage) -> dict[str, str]:
    """What marks its machines."""
    return {FARM_LABEL: install_id(), BUILDER_LABEL: row.uid}


def copy_labels(row: ServerImage) -> dict[str, str]:
    """What marks the image, and no other."""
    return {**image_labels(row.runtime_version), BAKED_LABEL: row.uid}


def bake(baker: Baker, offer: Offer) -> Copy:
    """The copy, once it is ready; the machine is gone again, whatever happened."""
    name, tell = builder_name(baker.row), baker.tell
    tell(f"Ordering a {offer.server_type} at {offer.location}")
    try:
        order = _order(baker.row, offer)
        machine = baker.until("the machine", lambda: baker.provider.create(order).machine)
        tell(f"{name} installs the runtime, usually within 3 minutes")
        baker.until("the machine to switch itself off", lambda: _is_off(baker, name))
        tell("Taking the image")
        return _copied(baker, machine.provider_id)
    finally:
        tell("Deleting the machine it was baked on")
        baker.remove(name)


def smallest_offer(offers: tuple[Offer, ...], provider: str, location: str) -> Offer:
    """An image boots only where the disk is no smaller than the one it was baked on."""
    types = {kind for plan in catalog().plans.items for kind in plan.server_types.get(provider, ())}
    fitting = [
        offer
        for offer in offers
        if offer.available
        and offer.location == location
        and offer.server_type in types - catalog().arm
    ]
    if not fitting:
        raise NoCapacity("sold_out", f"No machine to bake on is free at {location}.")
    return min(fitting, key=lambda offer: (offer.disk_gb, offer.price.hourly))


def _order(row: ServerImage, offer: Offer) -> MachineOrder:
    return MachineOrder(
        name=builder_name(row),
        server_type=offer.server_type,
        location=offer.location,
        image=catalog().images[row.project.provider],
        user_data=render_image(Versions(node=row.node_version, runtime=row.runtime_version)),
        labels=builder_labels(row),
        firewall=Firewall(name=f"farm-builder-{install_id()}", rules=()),
    )


def _is_off(baker: Baker, name: str) -> bool:
    return baker.machine(name).status is MachineStatus.OFF


def _copied(baker: Baker, provider_id: str) -> Copy:
    row, labels = baker.row, copy_labels(baker.row)
    description = f"OpenClaw {row.runtime_version} on Node {row.node_version}"

    def ready() -> Copy | None:
        # Asked again it makes whole what a broken-off order left, and adopts what is there.
        copy = baker.provider.snapshot(provider_id, description=description, labels=labels)
        if copy.status is CopyStatus.BROKEN:
            raise BakingFailed("The cloud could not copy the machine's disk: build again.")
        return copy if copy.status is CopyStatus.READY and copy.image else None

    return baker.until("the image", ready)
