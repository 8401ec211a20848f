"""What changes a server without making another: its type, its disk, its protection."""

from __future__ import annotations

from dataclasses import replace

from farm.sandbox.faults import ActionFault
from farm.sandbox.hetzner.body import Body
from farm.sandbox.hetzner.catalog import ServerType
from farm.sandbox.hetzner.cloud import HetznerCloud
from farm.sandbox.hetzner.errors import (
    ApiError,
    invalid_input,
    locked,
    protected,
    sold_out,
)
from farm.sandbox.hetzner.images import find_image
from farm.sandbox.hetzner.records import (
    Action,
    Command,
    Image,
    PrimaryIp,
    Project,
    Server,
    ServerStatus,
    Target,
    Tariff,
)
from farm.sandbox.hetzner.render_catalog import is_retired
from farm.sandbox.hetzner.servers import check_disk, read_user_data


def change_type(
    cloud: HetznerCloud, server: Server, body: Body, fault: ActionFault | None
) -> Action:
    """Begin to make a server that is off another type; from here on it costs what that costs."""
    kind = cloud.books.catalog.server_type(body.id_or_name("server_type"))
    if kind is None:
        raise invalid_input("server_type", "server type not found")
    grows = body.flag("upgrade_disk", default=False)
    _check_change(cloud, server, kind)
    _retype(cloud, server, kind, grows=grows)
    cloud.orders.mark(server.id, ServerStatus.MIGRATING)
    return _begun(cloud, server, Command.CHANGE_TYPE, fault)


def rebuild(
    cloud: HetznerCloud, project: Project, server: Server, body: Body, fault: ActionFault | None
) -> Action:
    """Begin to overwrite its disk with an image."""
    kind = cloud.books.catalog.server_type(server.server_type)
    architecture = kind.architecture if kind else "x86"
    image = find_image(cloud, project, body.id_or_name("image"), architecture)
    check_disk(image, server.disk_gb or (kind.disk if kind else 0))
    user_data = read_user_data(body) if body.has("user_data") else server.user_data
    if cloud.orders.locked(server):
        raise locked("server")
    if server.protected:
        raise protected("server")
    cloud.books.servers.put(
        replace(
            server,
            image=image.id,
            guest_image=image.guest_image,
            user_data=user_data,
            status=ServerStatus.REBUILDING,
        )
    )
    return _begun(cloud, server, Command.REBUILD_SERVER, fault)


def protect_server(cloud: HetznerCloud, server: Server, body: Body) -> Action:
    """Protect it against its deletion and rebuild, or no longer."""
    wishes = {body.flag(word, default=server.protected) for word in ("delete", "rebuild")}
    if len(wishes) > 1:
        raise invalid_input("rebuild", "must have the same value as delete")
    cloud.books.servers.put(replace(server, protected=wishes.pop()))
    return done(cloud, server.project, Command.CHANGE_PROTECTION, Target("server", server.id))


def protect_image(cloud: HetznerCloud, image: Image, body: Body) -> Action:
    """Protect a snapshot against its deletion, or no longer."""
    if image.type != "snapshot" or not image.project:
        raise invalid_input("type", "only snapshots can be protected")
    wish = body.flag("delete", default=image.protected)
    cloud.books.images.put(replace(image, protected=wish))
    return done(cloud, image.project, Command.CHANGE_PROTECTION, Target("image", image.id))


def protect_ip(cloud: HetznerCloud, ip: PrimaryIp, body: Body) -> Action:
    """Protect an address against its deletion, or no longer."""
    wish = body.flag("delete", default=ip.protected)
    cloud.books.primary_ips.put(replace(ip, protected=wish))
    return done(cloud, ip.project, Command.CHANGE_PROTECTION, Target("primary_ip", ip.id))


def _check_change(cloud: HetznerCloud, server: Server, kind: ServerType) -> None:
    books = cloud.books
    now = books.catalog.server_type(server.server_type)
    if cloud.orders.locked(server):
        raise locked("server")
    if server.status is not ServerStatus.OFF:
        raise ApiError(422, "server_not_stopped", "server must be stopped")
    unfit = server.location not in kind.prices or is_retired(books, kind, server.location)
    if unfit or now is None or now.architecture != kind.architecture:
        raise ApiError(422, "invalid_server_type", "the server type does not fit or is deprecated")
    if kind.disk < (server.disk_gb or now.disk):
        message = "the selected server_type has not sufficient disk space"
        raise ApiError(422, "invalid_server_type", f"cannot change type because {message}")
    if books.is_sold_out(kind.name, server.location):
        raise sold_out()


def _retype(cloud: HetznerCloud, server: Server, kind: ServerType, *, grows: bool) -> None:
    now = cloud.books.now()
    before = Tariff(server.server_type, server.rate, server.retyped or server.created, now)
    cloud.books.servers.put(
        replace(
            server,
            server_type=kind.name,
            rate=kind.prices[server.location],
            disk_gb=kind.disk if grows else server.disk_gb,
            retyped=now,
            past=(*server.past, before),
        )
    )


def _begun(
    cloud: HetznerCloud, server: Server, command: Command, fault: ActionFault | None
) -> Action:
    target = [Target("server", server.id)]
    action = cloud.orders.begin(server.project, command, target, fault)
    cloud.orders.follow(action)
    return action


def done(cloud: HetznerCloud, project: int, command: Command, target: Target) -> Action:
    """An action that was over when it began."""
    action = cloud.orders.begin(project, command, [target], None)
    now = cloud.books.now()
    return cloud.books.actions.put(replace(action, status="success", progress=100, finished=now))
