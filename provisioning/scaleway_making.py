"""A server at Scaleway takes several calls; every step here finds what an earlier try has done."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from scaleway.instance.v1 import (
    IpType,
    SecurityGroup,
    SecurityGroupPolicy,
    Server,
    ServerAction,
    VolumeServerTemplate,
    VolumeVolumeType,
)
from scaleway.marketplace.v2 import LocalImageType

from provisioning.errors import Rejected
from provisioning.provider import Firewall, MachineOrder
from provisioning.scaleway_errors import ABSENT, Refusal
from provisioning.scaleway_line import Lines, every
from provisioning.scaleway_parts import (
    FREE,
    end_all,
    end_ip,
    end_server,
    end_volume,
    ips_with,
    mark_volumes,
    volumes_with,
)
from provisioning.scaleway_values import (
    NAME_TAG,
    ROOT_BYTES,
    UNFINISHED,
    cloud_rules,
    rule_key,
    state_of,
    tags_of,
)

USER_DATA = "cloud-init"


def complete(lines: Lines, order: MachineOrder, there: Sequence[Server], build: str = "") -> Server:
    """The server of this order, made or made whole, switched on and known as finished.

    It bears the tag `build`, if there is one, and so do its volumes.
    """
    zone, tags = order.location, [*tags_of(order.name, order.labels), *filter(None, [build])]
    server = there[0] if there else _new_server(lines, order, tags)
    for surplus in there[1:]:
        # An order whose answer was lost came through after the next one.
        end_server(lines, zone, surplus)
    if not server.public_ips:
        _give_address(lines, order, server)
    mark_volumes(lines, zone, server)
    if state_of(server) == "stopped":
        content = order.user_data.encode()
        lines.instance.set_server_user_data(
            zone=zone, server_id=server.id, key=USER_DATA, content=content
        )
        lines.instance.server_action(zone=zone, server_id=server.id, action=ServerAction.POWERON)
    # From here on it counts as whole: a crash before this comes back through all of it.
    update = lines.instance._update_server  # noqa: SLF001 - the SDK has no other name for PATCH
    finished: Server = update(zone=zone, server_id=server.id, tags=tags).server
    return finished


def change_type(lines: Lines, zone: str, server: str, kind: str) -> None:
    """Make a server that is off another type."""
    lines.instance._update_server(  # noqa: SLF001 - the SDK has no other name for PATCH
        zone=zone, server_id=server, commercial_type=kind
    )


def undo(lines: Lines, order: MachineOrder) -> None:
    """Leave nothing behind of an order that was refused half-way."""
    end_all(lines, order.location, order.name)
    end_all(lines, order.location, order.name)


def rebuild(
    lines: Lines, order: MachineOrder, there: Sequence[Server], build: str
) -> Server | None:
    """A server with a fresh volume at the address of the old one; None while the old one goes.

    Scaleway has no such order: what does not bear the tag `build` yet is what is to go.
    """
    zone, tags = order.location, [f"{NAME_TAG}={order.name}"]
    new = [server for server in there if build in server.tags]
    if not new:
        # Nothing is ended for an order that can never work.
        _image(lines, order)
    for server in there:
        if server not in new:
            end_server(lines, zone, server)
    if any(state_of(server) != "stopped" for server in there if server not in new):
        return None
    old = [v for v in volumes_with(lines, zone, tags) if build not in v.tags]
    for volume in old:
        end_volume(lines, zone, volume)
    if any(str(volume.status) not in FREE for volume in old):
        return None
    return complete(lines, order, new, build)


def _new_server(lines: Lines, order: MachineOrder, tags: Sequence[str]) -> Server:
    image = _image(lines, order)
    group = _ensured(lines, order)
    made: Server = lines.instance.create_server(
        zone=order.location,
        name=order.name,
        commercial_type=order.server_type,
        image=image,
        dynamic_ip_required=False,
        public_ips=_kept_address(lines, order),
        security_group=group,
        tags=[*tags, UNFINISHED],
        volumes={
            "0": VolumeServerTemplate(
                volume_type=VolumeVolumeType.SBS_VOLUME, boot=True, size=ROOT_BYTES
            )
        },
    ).server
    return made


def _kept_address(lines: Lines, order: MachineOrder) -> list[str]:
    """The address that a machine of this name had, if it is still there; at most one."""
    tags = tags_of(order.name, order.labels)
    kept = [str(ip.id) for ip in ips_with(lines, order.location, tags)]
    for surplus in kept[1:]:
        end_ip(lines, order.location, surplus)
    return kept[:1]


def _give_address(lines: Lines, order: MachineOrder, server: Server) -> None:
    """Only now: it costs an hour at least, and most orders that are refused were so before."""
    lines.instance.create_ip(
        zone=order.location,
        type_=IpType.ROUTED_IPV4,
        tags=tags_of(order.name, order.labels),
        server=server.id,
    )


def _image(lines: Lines, order: MachineOrder) -> str:
    """An image of ours goes by its id, one of the marketplace by its label."""
    if _is_id(order.image):
        return order.image
    try:
        images = every(
            lambda page: lines.market.list_local_images(
                zone=order.location,
                image_label=order.image,
                type_=LocalImageType.INSTANCE_SBS,
                page=page,
            ),
            lambda page: page.local_images,
        )
    except Refusal as refusal:
        if refusal.type not in ABSENT:
            raise
        images = []
    fitting = [i.id for i in images if order.server_type in i.compatible_commercial_types]
    if not fitting and not images:
        raise Rejected("unknown_image", f"Scaleway has no image {order.image} in {order.location}.")
    # A type too new for the image's own list is tried all the same: the API has the last word.
    return str((fitting or [image.id for image in images])[0])


def _is_id(word: str) -> bool:
    try:
        uuid.UUID(word)
    except ValueError:
        return False
    return True


def _ensured(lines: Lines, order: MachineOrder) -> str:
    """The farm's security group in the zone, with these very rules; made or corrected if need be.

    All its machines share it. Two made at once do no harm: the older one is used, neither costs.
    """
    zone, wanted = order.location, order.firewall
    group = _group_named(lines, zone, wanted.name) or _new_group(lines, zone, wanted.name)
    _set_rules(lines, zone, group.id, wanted)
    return str(group.id)


def admit(lines: Lines, zone: str, wanted: Firewall) -> None:
    """Let whom the rules name in to the machines of the zone; content where there are none yet."""
    group = _group_named(lines, zone, wanted.name)
    if group:
        _set_rules(lines, zone, group.id, wanted)


def _group_named(lines: Lines, zone: str, name: str) -> SecurityGroup | None:
    groups = every(
        lambda page: lines.instance.list_security_groups(zone=zone, name=name, page=page),
        lambda page: page.security_groups,
    )
    return min((group for group in groups if group.name == name), key=_age, default=None)


def _age(group: SecurityGroup) -> tuple[str, str]:
    return (str(group.creation_date), group.id)


def _new_group(lines: Lines, zone: str, name: str) -> SecurityGroup:
    return lines.instance.create_security_group(
        zone=zone,
        name=name,
        description="The farm's machines",
        stateful=True,
        inbound_default_policy=SecurityGroupPolicy.DROP,
        outbound_default_policy=SecurityGroupPolicy.ACCEPT,
        enable_default_security=True,
    ).security_group


def _set_rules(lines: Lines, zone: str, group: str, wanted: Firewall) -> None:
    rules = every(
        lambda page: lines.instance.list_security_group_rules(
            zone=zone, security_group_id=group, page=page
        ),
        lambda page: page.rules,
    )
    there = {rule_key(rule) for rule in rules if rule.editable}
    new = cloud_rules(wanted)
    if there != {rule_key(rule) for rule in new}:
        lines.instance.set_security_group_rules(zone=zone, security_group_id=group, rules=new)
