"""The sandbox's own doors to its Scaleway: books, projects, stock and quotas."""

from __future__ import annotations

from dataclasses import asdict, replace

from aiohttp import web

from farm.sandbox.scaleway.cloud import ScalewayCloud
from farm.sandbox.scaleway.invoice import Invoice, invoice_of
from farm.sandbox.scaleway.records import Project
from farm.sandbox.scaleway.render import group_json, ip_json, server_json
from farm.sandbox.scaleway.render_block import snapshot_json, volume_json
from farm.sandbox.store import M, Table
from farm.sandbox.wire import (
    BadRequestError,
    Json,
    JsonObject,
    answer,
    integer_of,
    read_object,
    text_of,
)

AVAILABILITIES = ("available", "scarce", "shortage")


def scaleway_routes(cloud: ScalewayCloud) -> list[web.RouteDef]:
    """GET /scaleway/inventory and /invoice (?project=ID); POST /projects, /stock and /limits.

    /scaleway/projects takes {"name", "server_limit"} and answers a fresh project with its keys;
    /scaleway/stock {"server_type", "zone", "availability"}; /scaleway/limits {"project",
    "servers"}.
    """

    async def inventory(request: web.Request) -> web.Response:
        return answer(await inventory_json(cloud, _project_in(request)))

    async def invoice(request: web.Request) -> web.Response:
        return answer(invoice_json(invoice_of(cloud.books, project=_project_in(request))))

    async def add_project(request: web.Request) -> web.Response:
        fields = await read_object(request)
        project = cloud.books.create_project(text_of(fields, "name"))
        limit = integer_of(fields, "server_limit", project.server_quota)
        kept = cloud.books.projects.put(replace(project, server_quota=limit))
        return answer(_project_json(kept), 201)

    async def change_stock(request: web.Request) -> web.Response:
        fields = await read_object(request)
        kind, zone = text_of(fields, "server_type"), text_of(fields, "zone")
        word = text_of(fields, "availability")
        if cloud.books.catalog.server_type(kind, zone) is None or word not in AVAILABILITIES:
            raise BadRequestError("Send a server_type and a zone on sale, and its availability.")
        cloud.books.stock(kind, zone, word)
        return answer({"server_type": kind, "zone": zone, "availability": word})

    async def change_limits(request: web.Request) -> web.Response:
        fields = await read_object(request)
        number = integer_of(fields, "project", cloud.project.id)
        project = cloud.books.projects.get(number)
        if project is None:
            raise BadRequestError(f"There is no project {number}: POST /scaleway/projects first.")
        kept = replace(project, server_quota=integer_of(fields, "servers"))
        return answer(_project_json(cloud.books.projects.put(kept)))

    return [
        web.get("/scaleway/inventory", inventory),
        web.get("/scaleway/invoice", invoice),
        web.post("/scaleway/projects", add_project),
        web.post("/scaleway/stock", change_stock),
        web.post("/scaleway/limits", change_limits),
    ]


async def inventory_json(cloud: ScalewayCloud, project: int | None) -> JsonObject:
    """Everything that exists and could cost something, as the cloud sees it now."""
    books = cloud.books
    servers = [await cloud.observe(server) for server in _there(books.servers, project)]
    return {
        "servers": [server_json(books, server) for server in servers],
        "ips": [ip_json(books, ip) for ip in _there(books.ips, project)],
        "volumes": [volume_json(books, volume) for volume in _there(books.volumes, project)],
        "snapshots": [snapshot_json(books, one) for one in _there(books.snapshots, project)],
        "security_groups": [
            group_json(books, group)
            for group in _there(books.groups, project)
            if not group.is_default
        ],
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


def _project_json(project: Project) -> dict[str, Json]:
    return {
        "id": project.id,
        "uid": project.uid,
        "name": project.name,
        "access_key": project.access_key,
        "secret_key": project.secret_key,
        "read_key": project.read_key,
        "server_limit": project.server_quota,
    }


def _project_in(request: web.Request) -> int | None:
    text = request.query.get("project", "")
    if text and not text.isdecimal():
        raise BadRequestError("project is the number that POST /scaleway/projects answered.")
    return int(text) if text else None
