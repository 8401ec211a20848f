"""The sandbox's own doors to its Hetzner Cloud: books, projects, stock and limits."""

from __future__ import annotations

from dataclasses import asdict, replace

from aiohttp import web

from farm.sandbox.hetzner.cloud import HetznerCloud
from farm.sandbox.hetzner.invoice import Invoice, invoice_of
from farm.sandbox.hetzner.records import (
    EVERYBODY,
    Firewall,
    Image,
    PrimaryIp,
    Project,
    Server,
    ServerStatus,
    Volume,
)
from farm.sandbox.store import M, Table
from farm.sandbox.wire import (
    BadRequestError,
    Json,
    JsonObject,
    answer,
    flag_of,
    integer_of,
    read_object,
    text_of,
)


def hetzner_routes(cloud: HetznerCloud) -> list[web.RouteDef]:
    """GET /inventory and /invoice (?project=ID); POST /hetzner/projects, /stock and /limits.

    /hetzner/projects takes {"name", "server_limit"} and answers a fresh project with its tokens;
    /hetzner/stock {"server_type", "location", "available"}; /hetzner/limits {"project", "servers"}.
    """

    async def inventory(request: web.Request) -> web.Response:
        return answer(await inventory_json(cloud, _project_in(request)))

    async def invoice(request: web.Request) -> web.Response:
        return answer(invoice_json(invoice_of(cloud.books, project=_project_in(request))))

    async def add_project(request: web.Request) -> web.Response:
        fields = await read_object(request)
        limit = integer_of(fields, "server_limit", cloud.books.catalog.server_limit)
        project = cloud.books.create_project(text_of(fields, "name"), server_limit=limit)
        return answer(_project_json(project), 201)

    async def change_stock(request: web.Request) -> web.Response:
        fields = await read_object(request)
        kind, place = _offer_in(cloud, fields)
        cloud.books.stock(kind, place, available=flag_of(fields, "available"))
        return answer({"server_type": kind, "location": place})

    async def change_limits(request: web.Request) -> web.Response:
        fields = await read_object(request)
        number = integer_of(fields, "project", next(iter(cloud.books.projects)).id)
        project = cloud.books.projects.get(number)
        if project is None:
            raise BadRequestError(f"There is no project {number}: POST /hetzner/projects first.")
        kept = replace(project, server_limit=integer_of(fields, "servers"))
        return answer(_project_json(cloud.books.projects.put(kept)))

    return [
        web.get("/inventory", inventory),
        web.get("/invoice", invoice),
        web.post("/hetzner/projects", add_project),
        web.post("/hetzner/stock", change_stock),
        web.post("/hetzner/limits", change_limits),
    ]


async def inventory_json(cloud: HetznerCloud, project: int | None) -> JsonObject:
    """Everything that exists and could cost something, as the cloud sees it now."""
    books = cloud.books
    servers = [await cloud.observe(server) for server in _there(books.servers, project)]
    own = [image for image in _there(books.images, project) if image.project != EVERYBODY]
    return {
        "servers": [_server_json(cloud, server) for server in servers],
        "primary_ips": [_ip_json(ip) for ip in _there(books.primary_ips, project)],
        "snapshots": [_image_json(image) for image in own],
        "volumes": [_volume_json(volume) for volume in _there(books.volumes, project)],
        "firewalls": [_firewall_json(wall) for wall in _there(books.firewalls, project)],
    }


def invoice_json(invoice: Invoice) -> JsonObject:
    """The invoice with its sum in micros."""
    return {
        "currency": invoice.currency,
        "until": invoice.until.isoformat(),
        "micros": invoice.micros,
        "lines": [asdict(line) for line in invoice.lines],
    }


def _there(table: Table[M], project: int | None) -> list[M]:
    return [one for one in table if one.deleted is None and project in (None, one.project)]


def _server_json(cloud: HetznerCloud, server: Server) -> JsonObject:
    ip = cloud.books.primary_ips.get(server.ipv4)
    return {
        "project": server.project,
        "id": server.id,
        "name": server.name,
        "status": server.status.value,
        "busy": cloud.orders.locked(server) or server.status is ServerStatus.INITIALIZING,
        "server_type": server.server_type,
        "location": server.location,
        "ipv4": ip.ip if ip else None,
        "created": server.created.isoformat(),
        "labels": server.labels,
        "image": server.image,
    }


def _ip_json(ip: PrimaryIp) -> JsonObject:
    return {
        "project": ip.project,
        "id": ip.id,
        "name": ip.name,
        "type": ip.type,
        "ip": ip.ip,
        "server": ip.server,
        "auto_delete": ip.auto_delete,
    }


def _image_json(image: Image) -> JsonObject:
    return {
        "project": image.project,
        "id": image.id,
        "description": image.description,
        "labels": image.labels,
        "size_bytes": image.size_bytes,
    }


def _volume_json(volume: Volume) -> JsonObject:
    return {
        "project": volume.project,
        "id": volume.id,
        "name": volume.name,
        "labels": volume.labels,
        "size": volume.size,
    }


def _firewall_json(firewall: Firewall) -> JsonObject:
    return {
        "project": firewall.project,
        "id": firewall.id,
        "name": firewall.name,
        "servers": firewall.servers,
        "selectors": firewall.selectors,
    }


def _project_json(project: Project) -> dict[str, Json]:
    return {
        "id": project.id,
        "name": project.name,
        "token": project.token,
        "read_token": project.read_token,
        "server_limit": project.server_limit,
    }


def _project_in(request: web.Request) -> int | None:
    text = request.query.get("project", "")
    if text and not text.isdecimal():
        raise BadRequestError("project is the number that POST /hetzner/projects answered.")
    return int(text) if text else None


def _offer_in(cloud: HetznerCloud, fields: JsonObject) -> tuple[str, str]:
    kind = cloud.books.catalog.server_type(text_of(fields, "server_type"))
    place = cloud.books.catalog.location(text_of(fields, "location"))
    if kind is None or place is None:
        raise BadRequestError("Send a server_type and a location that the cloud sells.")
    return kind.name, place.name
