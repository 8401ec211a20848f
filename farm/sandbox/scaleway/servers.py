"""What a project may do with servers: order, look, change, switch, delete."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from farm.sandbox.faults import ActionFault
from farm.sandbox.scaleway.body import Body
from farm.sandbox.scaleway.books import Books, new_uid
from farm.sandbox.scaleway.catalog import ServerType
from farm.sandbox.scaleway.cloud import ScalewayCloud
from farm.sandbox.scaleway.errors import (
    in_transit,
    invalid,
    out_of_stock,
    precondition,
    quota_exceeded,
    unsupported,
)
from farm.sandbox.scaleway.records import Group, Ip, Order, Project, Server, State, Volume
from farm.sandbox.store import living

SMALLEST_VOLUME = 10_000_000_000
ALLOWED = {
    State.STOPPED: (Order.POWERON,),
    State.RUNNING: (Order.POWEROFF, Order.TERMINATE, Order.REBOOT, Order.STOP_IN_PLACE),
    State.STANDBY: (Order.POWERON, Order.POWEROFF, Order.TERMINATE),
}


@dataclass(frozen=True, slots=True)
class _Origin:
    """The image that a server is made from, its snapshot, and what the machine's disk is of."""

    uid: str
    name: str
    snapshot: str
    guest_image: str


@dataclass(frozen=True, slots=True)
class _Wish:
    name: str
    kind: ServerType
    image: _Origin
    ips: tuple[Ip, ...]
    group: Group
    size: int
    tags: tuple[str, ...]
    more: tuple[Volume, ...]


def order_server(cloud: ScalewayCloud, project: Project, zone: str, body: Body) -> Server:
    """Check the order as a whole and put the server on the books, stopped, with its volume."""
    wish = _read_wish(cloud, project, zone, body)
    _check_room(cloud.books, project, zone, wish.kind)
    return _book(cloud.books, project, zone, wish)


def change_server(cloud: ScalewayCloud, server: Server, body: Body) -> Server:
    """Another name, other tags, protection or none, another type."""
    kind = _new_kind(cloud.books, server, body)
    changed = replace(
        server,
        commercial_type=kind.name if kind else server.commercial_type,
        rate=kind.hourly if kind else server.rate,
        name=body.text("name", server.name),
        tags=body.texts("tags") if body.has("tags") else server.tags,
        protected=body.flag("protected", default=server.protected),
        modified=cloud.books.now(),
    )
    return cloud.books.servers.put(changed)


def _new_kind(books: Books, server: Server, body: Body) -> ServerType | None:
    """The type that a server is to become, None for the one that it has."""
    name = body.text("commercial_type", server.commercial_type)
    if name == server.commercial_type:
        return None
    kind = books.catalog.server_type(name, server.zone)
    now = books.catalog.server_type(server.commercial_type, server.zone)
    if kind is None or (now and now.arch != kind.arch):
        raise invalid("commercial_type")
    if server.order or server.state is not State.STOPPED:
        raise precondition("invalid_state", "instance should be powered off")
    return kind


def switch_server(
    cloud: ScalewayCloud, server: Server, word: str, fault: ActionFault | None
) -> Server:
    """Begin an action that the server's state allows."""
    if word not in [order.value for order in Order]:
        raise unsupported(f"the action {word}")
    order = Order(word)
    if server.order:
        raise in_transit("instance_server", server.uid, server.state.value)
    if order not in ALLOWED.get(server.state, ()):
        raise precondition("invalid_state", f"server is {server.state.value}")
    if order is Order.TERMINATE and server.protected:
        raise precondition("resource_protected", "server is protected")
    if order is Order.POWERON and not cloud.books.ips_of(server):
        raise unsupported("servers without a public address")
    shortage = cloud.books.availability(server.commercial_type, server.zone) == "shortage"
    if order is Order.POWERON and server.state is State.STOPPED and shortage:
        # One that is off gave its host back.
        raise out_of_stock(server.commercial_type)
    return cloud.switching.begin(server, order, fault)


def delete_server(cloud: ScalewayCloud, server: Server) -> None:
    """Take one that is off from the books; its volumes and addresses stay."""
    if server.order:
        raise in_transit("instance_server", server.uid, server.state.value)
    if server.state is not State.STOPPED:
        raise precondition("invalid_state", "instance should be powered off")
    if server.protected:
        raise precondition("resource_protected", "server is protected")
    cloud.switching.remove(server)


def _read_wish(cloud: ScalewayCloud, project: Project, zone: str, body: Body) -> _Wish:
    books = cloud.books
    kind = books.catalog.server_type(body.text("commercial_type"), zone)
    if kind is None:
        raise invalid("commercial_type")
    return _Wish(
        name=body.text("name"),
        kind=kind,
        image=_read_image(books, project, zone, body.text("image")),
        ips=tuple(_free_ip(books, project, zone, word) for word in _public_ips(body)),
        group=_group(books, project, zone, body),
        size=_size(body),
        more=tuple(_more_volumes(books, project, zone, body.part("volumes"))),
        tags=body.texts("tags"),
    )


def _read_image(books: Books, project: Project, zone: str, uid: str) -> _Origin:
    system = books.catalog.image(uid, zone)
    if system:
        return _Origin(uid, system.name, system.snapshot_uid(zone), system.guest_image)
    image = books.image(project.id, zone, uid)
    snapshot = books.snapshot(project.id, zone, image.snapshot)
    if not snapshot.ready:
        raise in_transit("instance_image", uid, "creating")
    if not snapshot.guest_image:
        raise unsupported("servers whose root volume is empty")
    return _Origin(uid, image.name, snapshot.uid, snapshot.guest_image)


def _public_ips(body: Body) -> tuple[str, ...]:
    """The addresses that are asked for, in the old way of one or the new of several."""
    return body.texts("public_ips") or tuple(filter(None, [body.text("public_ip", "")]))


def _free_ip(books: Books, project: Project, zone: str, word: str) -> Ip:
    ip = books.ip(project.id, zone, word)
    if ip.server is not None:
        raise precondition("resource_still_in_use", "ip is already attached")
    return ip


def _group(books: Books, project: Project, zone: str, body: Body) -> Group:
    if not body.has("security_group"):
        return books.default_group(project.id, zone)
    return books.group(project.id, zone, body.text("security_group"))


def _size(body: Body) -> int:
    root = body.part("volumes").part("0")
    if root.text("volume_type", "sbs_volume") != "sbs_volume":
        raise unsupported("volumes other than sbs_volume")
    size = root.number("size", SMALLEST_VOLUME) or SMALLEST_VOLUME
    if size < SMALLEST_VOLUME:
        raise invalid("volumes.0.size")
    return size


def _more_volumes(books: Books, project: Project, zone: str, volumes: Body) -> Iterator[Volume]:
    """Volumes that are there already and are attached from the start."""
    for place in sorted(volumes.fields, key=int):
        if place != "0":
            volume = books.volume(project.id, zone, volumes.part(place).text("id"))
            yield free_volume(volume)


def free_volume(volume: Volume) -> Volume:
    """The volume, if no server has it."""
    if volume.server is not None:
        raise precondition("resource_still_in_use", "volume is already attached")
    return volume


def attach_volume(cloud: ScalewayCloud, server: Server, volume: Volume) -> Server:
    """Give a server a volume that nobody has."""
    books, now = cloud.books, cloud.books.now()
    books.volumes.put(
        replace(free_volume(volume), server=server.uid, made_for=server.uid, updated=now)
    )
    there = tuple(uid for uid in server.volumes if uid != volume.uid)
    return books.servers.put(replace(server, volumes=(*there, volume.uid), modified=now))


def detach_volume(cloud: ScalewayCloud, server: Server, volume: Volume) -> Server:
    """Take a volume from a server; it is free at once."""
    books, now = cloud.books, cloud.books.now()
    if volume.server != server.uid:
        raise precondition("attribute_must_be_set", "volume is not attached to this server")
    books.volumes.put(replace(volume, server=None, detached=now, updated=now))
    return books.servers.put(replace(server, modified=now))


def _check_room(books: Books, project: Project, zone: str, kind: ServerType) -> None:
    there = len(living(books.servers, project.id))
    if there >= project.server_quota:
        resource = f"cp_servers_type_{kind.name.replace('-', '_')}"
        raise quota_exceeded(resource, project.server_quota, there)
    if books.availability(kind.name, zone) == "shortage":
        raise out_of_stock(kind.name)


def _book(books: Books, project: Project, zone: str, wish: _Wish) -> Server:
    now, uid = books.now(), new_uid()
    volume = books.volumes.put(
        Volume(
            id=books.next_id(),
            uid=new_uid(),
            project=project.id,
            zone=zone,
            name=f"{wish.image.name}_sbs_volume_0",
            created=now,
            updated=now,
            size=wish.size,
            tags=(),
            rate=books.catalog.volume_gb,
            parent_snapshot=wish.image.snapshot,
            server=uid,
            made_for=uid,
        )
    )
    for more in wish.more:
        books.volumes.put(replace(more, server=uid, made_for=more.made_for or uid))
    for ip in wish.ips:
        books.ips.put(replace(ip, server=uid, made_for=ip.made_for or uid))
    return books.servers.put(
        Server(
            id=books.next_id(),
            uid=uid,
            project=project.id,
            zone=zone,
            name=wish.name,
            created=now,
            modified=now,
            state=State.STOPPED,
            detail="",
            commercial_type=wish.kind.name,
            image=wish.image.uid,
            guest_image=wish.image.guest_image,
            tags=wish.tags,
            group=wish.group.uid,
            volumes=(volume.uid, *(more.uid for more in wish.more)),
            rate=wish.kind.hourly,
            user_data={},
        )
    )
