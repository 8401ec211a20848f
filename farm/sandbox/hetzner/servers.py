"""What a project may do with servers: order, look, rename, switch, copy, delete."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace

from farm.sandbox.faults import ActionFault
from farm.sandbox.hetzner.addresses import automatic_ips, free_ip
from farm.sandbox.hetzner.body import Body
from farm.sandbox.hetzner.catalog import Location, ServerType
from farm.sandbox.hetzner.cloud import HetznerCloud
from farm.sandbox.hetzner.errors import (
    ApiError,
    invalid_input,
    limit_exceeded,
    locked,
    not_unique,
    protected,
    sold_out,
    unsupported,
)
from farm.sandbox.hetzner.images import find_image
from farm.sandbox.hetzner.records import (
    Action,
    Command,
    Firewall,
    Image,
    PrimaryIp,
    Project,
    Server,
    ServerStatus,
    Target,
)
from farm.sandbox.hetzner.render_catalog import is_retired
from farm.sandbox.store import living

MAX_USER_DATA = 32768
NOT_OFFERED = ("volumes", "networks", "placement_group", "ssh_keys")


@dataclass(frozen=True, slots=True)
class Ordered:
    """A server that was ordered, the action that makes it, and those that follow."""

    server: Server
    action: Action
    next_actions: tuple[Action, ...]
    root_password: str


@dataclass(frozen=True, slots=True)
class _Wish:
    name: str
    kind: ServerType
    place: Location
    image: Image
    firewalls: tuple[Firewall, ...]
    user_data: str
    labels: dict[str, str]
    own_ips: dict[str, PrimaryIp]
    automatic_ips: tuple[str, ...]
    boot: bool


def order_server(
    cloud: HetznerCloud, project: Project, body: Body, fault: ActionFault | None
) -> Ordered:
    """Check the order as a whole, put the server on the books, and have it made."""
    wish = _read_wish(cloud, project, body)
    _check_room(cloud, project, wish)
    server = _book(cloud, project, wish)
    target = [Target("server", server.id)]
    action = cloud.orders.begin(project.id, Command.CREATE_SERVER, target, fault)
    following: tuple[Action, ...] = ()
    if wish.boot:
        following = (cloud.orders.begin(project.id, Command.START_SERVER, target, None),)
    cloud.orders.follow(action, *following)
    return Ordered(server, action, following, secrets.token_urlsafe(15))


def _read_wish(cloud: HetznerCloud, project: Project, body: Body) -> _Wish:
    for field in NOT_OFFERED:
        if body.fields.get(field):
            raise unsupported(f"{field} when a server is created")
    name = body.hostname()
    kind = cloud.books.catalog.server_type(body.id_or_name("server_type"))
    if kind is None:
        raise invalid_input("server_type", "server type not found")
    place = _place(cloud, body, kind)
    public_net = body.part("public_net")
    own_ips = _own_ips(cloud, project, public_net, place)
    image = find_image(cloud, project, body.id_or_name("image"), kind.architecture)
    check_disk(image, kind.disk)
    return _Wish(
        name=name,
        kind=kind,
        place=place,
        image=image,
        firewalls=tuple(_firewalls(cloud, project, body.parts("firewalls"))),
        user_data=read_user_data(body),
        labels=body.labels(),
        own_ips=own_ips,
        automatic_ips=tuple(v for v in _versions(public_net) if v not in own_ips),
        boot=body.flag("start_after_create", default=True),
    )


def _place(cloud: HetznerCloud, body: Body, kind: ServerType) -> Location:
    if not body.has("location"):
        return next(p for p in cloud.books.catalog.locations if p.name in kind.prices)
    place = cloud.books.catalog.location(body.id_or_name("location"))
    if place is None:
        raise invalid_input("location", "location not found")
    if place.name not in kind.prices:
        raise invalid_input("location", "unsupported location for server type")
    return place


def check_disk(image: Image, disk_gb: int) -> None:
    """Refuse an image that does not fit on such a disk."""
    if image.disk_gb > disk_gb:
        raise ApiError(422, "invalid_input", "image disk is bigger than server type disk")


def read_user_data(body: Body) -> str:
    """The user-data of an order."""
    user_data = body.text("user_data", "")
    if len(user_data.encode()) > MAX_USER_DATA:
        raise invalid_input("user_data", "is too long")
    return user_data


def _firewalls(cloud: HetznerCloud, project: Project, parts: Iterable[Body]) -> Iterable[Firewall]:
    there = {firewall.id: firewall for firewall in living(cloud.books.firewalls, project.id)}
    for part in parts:
        if (number := part.number("firewall")) not in there:
            raise invalid_input("firewalls", f"firewall with ID '{number}' not found")
        yield there[number]


def _versions(public_net: Body) -> tuple[str, ...]:
    if not public_net.flag("enable_ipv4", default=True):
        raise unsupported("servers without a public IPv4 address")
    return ("ipv4", "ipv6") if public_net.flag("enable_ipv6", default=True) else ("ipv4",)


def _own_ips(
    cloud: HetznerCloud, project: Project, public_net: Body, place: Location
) -> dict[str, PrimaryIp]:
    given = [version for version in _versions(public_net) if public_net.has(version)]
    return {
        version: free_ip(cloud.books, project, public_net.number(version), version, place)
        for version in given
    }


def _check_room(cloud: HetznerCloud, project: Project, wish: _Wish) -> None:
    there = living(cloud.books.servers, project.id)
    if any(server.name == wish.name for server in there):
        raise not_unique("server")
    if len(there) >= project.server_limit:
        raise limit_exceeded("server_limit")
    if is_retired(cloud.books, wish.kind, wish.place.name):
        raise invalid_input("server_type", "server type is deprecated in this location")
    if cloud.books.is_sold_out(wish.kind.name, wish.place.name):
        raise sold_out()


def _book(cloud: HetznerCloud, project: Project, wish: _Wish) -> Server:
    books = cloud.books
    number = books.next_id()
    ips = automatic_ips(cloud, project, number, wish.place, wish.automatic_ips)
    for version, ip in wish.own_ips.items():
        ips[version] = books.primary_ips.put(replace(ip, server=number))
    for firewall in wish.firewalls:
        books.firewalls.put(replace(firewall, servers=(*firewall.servers, number)))
    return books.servers.put(
        Server(
            id=number,
            project=project.id,
            name=wish.name,
            created=books.now(),
            status=ServerStatus.INITIALIZING,
            server_type=wish.kind.name,
            location=wish.place.name,
            image=wish.image.id,
            guest_image=wish.image.guest_image,
            user_data=wish.user_data,
            labels=wish.labels,
            rate=wish.kind.prices[wish.place.name],
            ipv4=ips["ipv4"].id,
            ipv6=ips["ipv6"].id if "ipv6" in ips else None,
            disk_gb=wish.kind.disk,
        )
    )


def rename_server(cloud: HetznerCloud, server: Server, body: Body) -> Server:
    """Give it another name or other labels."""
    name = body.hostname(server.name)
    others = (other for other in living(cloud.books.servers, server.project) if other != server)
    if any(other.name == name for other in others):
        raise not_unique("server")
    return cloud.books.servers.put(
        replace(server, name=name, labels=body.labels(default=server.labels))
    )


def switch_server(
    cloud: HetznerCloud, server: Server, command: Command, fault: ActionFault | None
) -> Action:
    """Begin an action on a server that no other action holds."""
    if cloud.orders.locked(server):
        raise locked("server")
    if command is Command.DELETE_SERVER and server.protected:
        raise protected("server")
    target = [Target("server", server.id)]
    action = cloud.orders.begin(server.project, command, target, fault)
    if command is Command.DELETE_SERVER:
        cloud.orders.mark(server.id, ServerStatus.DELETING)
    cloud.orders.follow(action)
    return action


def copy_server(
    cloud: HetznerCloud, server: Server, body: Body, fault: ActionFault | None
) -> tuple[Image, Action]:
    """Begin a snapshot of its disk."""
    if body.text("type", "snapshot") != "snapshot":
        raise unsupported("backups")
    if cloud.orders.locked(server):
        raise locked("server")
    image = _book_image(cloud, server, body)
    targets = [Target("server", server.id), Target("image", image.id)]
    action = cloud.orders.begin(server.project, Command.CREATE_IMAGE, targets, fault)
    cloud.orders.follow(action)
    return image, action


def _book_image(cloud: HetznerCloud, server: Server, body: Body) -> Image:
    books = cloud.books
    number = books.next_id()
    kind = books.catalog.server_type(server.server_type)
    disk_gb = server.disk_gb or (kind.disk if kind else 0)
    origin = books.images.get(server.image)
    return books.images.put(
        Image(
            id=number,
            project=server.project,
            type="snapshot",
            name=None,
            created=books.now(),
            description=body.text("description", f"{server.name} {books.now():%Y-%m-%d}"),
            labels=body.labels(),
            guest_image=f"image-{number}",
            disk_gb=disk_gb,
            architecture=kind.architecture if kind else "x86",
            os_flavor=origin.os_flavor if origin else "unknown",
            os_version=origin.os_version if origin else "",
            rate_gb_month=books.catalog.image_gb_month,
            server=server.id,
            server_name=server.name,
        )
    )
