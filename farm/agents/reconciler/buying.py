"""From a row to a machine at a cloud: the intent, the order, and the wait until it is on."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from farm.agents.admission import cidr, gateway_sources
from farm.agents.models import Agent, FarmKey, Offer, OperationStep, Server, ServerPhase
from farm.agents.placement import other_way_is_open
from farm.agents.projects import point_at_first, project_at
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.labels import FARM_LABEL, IMAGE_LABEL, SERVER_LABEL
from farm.agents.reconciler.machines import authority, provider_at
from farm.agents.reconciler.marks import MOVED, begin_line, move_server, note_server
from farm.agents.reconciler.orders import ORDERED, set_orders, state_of_orders
from farm.agents.reconciler.parts import end_parts, note_parts
from farm.agents.reconciler.pauses import QUOTA, REFUSED, mended, pause_for_operator
from farm.agents.reconciler.prebuilt import is_lost, prebuilt_for
from farm.agents.reconciler.removing import give_up
from farm.agents.reconciler.troubles import Nap, jitter, wait_with_reason
from farm.catalog import catalog
from provisioning import cloudinit, runtime
from provisioning.certificates import new_private_key
from provisioning.errors import NeedsOperator, NoCapacity, Rejected
from provisioning.lifecycle import poll_delay
from provisioning.provider import (
    ActionStatus,
    Firewall,
    FirewallRule,
    Machine,
    MachineOrder,
    MachineStatus,
)

SOON = timedelta(milliseconds=100)
POWERED = timedelta(minutes=1)
UNLIT = "machine_unlit"
"""Why a machine is looked at again: it should be on."""
UNMADE = {QUOTA: "cloud_full", REFUSED: "cloud_refused"}
"""What an agent reads whose machine another cloud makes."""


def order(claim: Claim[Server]) -> Nap:
    """Write the intent, the image and the machine's first key down, then order it.

    The hour of the intent is that of the latest order: its answer may be the one that is lost.
    """
    server = claim.row
    with claim.recording():
        if not server.first_host_key:
            server.first_host_key, server.host_key = new_private_key()
        server.create_sent_at, server.image = timezone.now(), _image(server)
        claim.save("first_host_key", "host_key", "create_sent_at", "image")
    return _buy(claim)


def seek_and_order(claim: Claim[Server]) -> Nap:
    """An order may have been sent: take what it made, or order again."""
    machine = provider_at(claim.row).find(str(claim.row))
    if machine is None:
        return order(claim)
    if machine.status is MachineStatus.UNFINISHED:
        note_parts(claim)
        return order(claim)
    return _record_made(claim, machine, ())


def poll(claim: Claim[Server]) -> Nap:
    """How the orders stand; once all are done, whether the machine is on."""
    server = claim.row
    state = state_of_orders(claim)
    if state is ActionStatus.ERROR:
        return give_up(claim, "create_failed", server.orders_error)
    if state is ActionStatus.RUNNING:
        return _later(server)
    machine = provider_at(server).find(str(server))
    mended(project_at(server), created=False)
    if machine and machine.status is MachineStatus.OFF:
        return _wait_for_power(claim)
    if machine is None or machine.status is not MachineStatus.RUNNING or not machine.ipv4:
        return _later(server)
    return _record_on(claim, machine)


def _wait_for_power(claim: Claim[Server]) -> Nap:
    """It was switched on and is off: one look later it did not come to life, and never will.

    Scaleway tells so by its state alone. At Hetzner a new machine is off for a moment.
    """
    if claim.row.reason == UNLIT:
        return give_up(claim, "create_failed", "It was switched on, and is off.")
    return wait_with_reason(claim, UNLIT, poll_delay(POWERED, jitter()))


def install_id() -> str:
    """By which label this farm knows its machines: from its first key, so as old as its rows."""
    authority()
    oldest = FarmKey.objects.order_by("pk").first()
    return hashlib.sha256(oldest.public_key.encode()).hexdigest()[:12] if oldest else ""


def _buy(claim: Claim[Server]) -> Nap:
    server = claim.row
    try:
        created = provider_at(server).create(_order_of(server))
    except NoCapacity:
        return _record_sold_out(claim)
    except Rejected as error:
        return SOON if is_lost(server) else _after_no(claim, error)
    except NeedsOperator as error:
        return _after_refusal(claim, error)
    mended(project_at(server), created=True)
    point_at_first(project_at(server), timezone.now())
    return _record_made(claim, created.machine, created.actions)


def _after_no(claim: Claim[Server], error: Rejected) -> Nap:
    """What the farm orders is all alike but for its copies: it is the operator's to mend."""
    server = claim.row
    if server.made_from is not None:
        return _record_refused(claim, str(error))
    if error.code != "unknown_image":
        return _after_refusal(claim, _refusal_of(server, error))
    raise NeedsOperator(
        error.code,
        f"{server.provider} knows no image “{server.image}”: mend [images] in farm/catalog.toml."
        f" {error}",
    )


def _refusal_of(server: Server, error: Rejected) -> NeedsOperator:
    return NeedsOperator(
        REFUSED,
        f"{server.provider} refuses what the farm orders ({error.code}): look at the limits and"
        f" settings of its project there, and at [images] in farm/catalog.toml. {error}",
    )


def _after_refusal(claim: Claim[Server], error: NeedsOperator) -> Nap:
    """A closed project: another one within the agreed price, if there is one, else the wait."""
    server = claim.row
    if error.code not in UNMADE or server.agent is None:
        raise error
    pause_for_operator(project_at(server), error, timezone.now())
    if not other_way_is_open(server.agent):
        raise error
    return _record_unmade(claim, UNMADE[error.code])


def _order_of(server: Server) -> MachineOrder:
    install = install_id()
    return MachineOrder(
        name=str(server),
        server_type=server.server_type,
        location=server.location,
        image=server.image,
        user_data=_user_data(server),
        labels={FARM_LABEL: install, SERVER_LABEL: server.uid},
        firewall=firewall_at(server.provider),
    )


def firewall_at(provider: str) -> Firewall:
    """Who reaches this farm's machines at a cloud: the farm their SSH, the edge their gateways."""
    rules = [FirewallRule(22, tuple(settings.SSH_SOURCES))]
    if sources := gateway_sources(provider):
        rules.append(FirewallRule(runtime.PORT, tuple(cidr(source) for source in sources)))
    return Firewall(name=f"farm-{install_id()}", rules=tuple(rules))


def _user_data(server: Server) -> str:
    versions = cloudinit.Versions(node=catalog().node_version, runtime=_runtime_version(server))
    return cloudinit.render(
        cloudinit.CloudInit(
            hostname=str(server),
            principal=server.uid,
            ca_public_keys=authority().public_keys,
            host_key_private=server.first_host_key,
            host_key_public=server.host_key,
            versions=versions,
        )
    )


def _image(server: Server) -> str:
    """The copy that it wakes from, else the newest image with the runtime, else plain Debian."""
    if server.made_from:
        return server.made_from.image
    prebuilt = None
    if server.server_type not in catalog().arm:
        prebuilt = prebuilt_for(server, _runtime_version(server))
    return prebuilt or catalog().images[server.provider]


def image_labels(runtime_version: str) -> dict[str, str]:
    """By what a prebuilt image of this farm is known: that runtime, its Node, and age."""
    return {
        FARM_LABEL: install_id(),
        IMAGE_LABEL: f"{runtime_version}-{catalog().node_version}-age",
    }


def _runtime_version(server: Server) -> str:
    return server.agent.runtime_version if server.agent else catalog().runtime_version


def _record_made(claim: Claim[Server], machine: Machine, actions: tuple[str, ...]) -> Nap:
    note_parts(claim, machine.created_at)
    server, now = claim.row, timezone.now()
    with claim.recording():
        server.provider_id = machine.provider_id
        server.created_at = machine.created_at
        server.ipv4 = machine.ipv4
        set_orders(server, actions)
        move_server(server, ServerPhase.CREATING, now)
        claim.save("provider_id", "created_at", "ipv4", *ORDERED, *MOVED)
        note_server(
            server, "machine_created", now, detail=f"{server.server_type} {server.location}"
        )
    return SOON


def _record_on(claim: Claim[Server], machine: Machine) -> Nap:
    server, now = claim.row, timezone.now()
    with claim.recording():
        server.ipv4 = machine.ipv4
        set_orders(server, ())
        move_server(server, ServerPhase.BOOTING, now)
        claim.save("ipv4", *ORDERED, *MOVED)
        note_server(server, "machine_running", now)
        begin_install(server, now)
    return SOON


def begin_install(server: Server, now: datetime) -> None:
    """The machine is on: its agent's next line begins, unless the agent is to go, or to sleep."""
    key = OperationStep.Key.SWITCH_ON if server.made_from else OperationStep.Key.INSTALL
    if server.agent and server.agent.wanted == Agent.Wanted.RUNNING:
        begin_line(server.agent, key, now)


def _record_sold_out(claim: Claim[Server]) -> Nap:
    """The row ends, and the offer waits for the next look at the cloud's list."""
    server = claim.row
    with claim.recording():
        Offer.objects.filter(
            provider=server.provider, server_type=server.server_type, location=server.location
        ).update(available=False)
    return _record_unmade(claim, "no_capacity")


def _record_unmade(claim: Claim[Server], reason: str) -> Nap:
    """Nothing was made, and nothing will be: its agent looks for another place."""
    server, now = claim.row, timezone.now()
    with claim.recording():
        move_server(server, ServerPhase.GONE, now, reason=reason)
        server.gone_at, server.wanted_gone, server.first_host_key = now, True, ""
        end_parts(server, now)
        claim.save("gone_at", "wanted_gone", "first_host_key", "spans", *MOVED)
        note_server(server, reason, now, detail=f"{server.server_type} {server.location}")
    return None


def _record_refused(claim: Claim[Server], detail: str) -> Nap:
    server, now = claim.row, timezone.now()
    with claim.recording():
        move_server(server, ServerPhase.GONE, now, reason="rejected")
        server.reason_detail = detail[:500]
        server.gone_at, server.wanted_gone, server.first_host_key = now, True, ""
        end_parts(server, now)
        claim.save("gone_at", "wanted_gone", "first_host_key", "spans", *MOVED)
        note_server(server, "rejected", now, detail=detail)
    return None


def _later(server: Server) -> Nap:
    return poll_delay(timezone.now() - server.phase_since, jitter())
