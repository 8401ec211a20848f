"""The API's doors to servers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping

from aiohttp import web

from farm.sandbox.hetzner.calls import Call, answered
from farm.sandbox.hetzner.changes import change_type, done, protect_server, rebuild
from farm.sandbox.hetzner.errors import ApiError, unsupported
from farm.sandbox.hetzner.records import Command, Server, ServerStatus, Target
from farm.sandbox.hetzner.render import action_json, image_json, server_json
from farm.sandbox.hetzner.servers import copy_server, order_server, rename_server, switch_server
from farm.sandbox.store import living
from farm.sandbox.wire import JsonObject

COMMANDS = {
    "poweron": Command.START_SERVER,
    "poweroff": Command.STOP_SERVER,
    "shutdown": Command.SHUTDOWN_SERVER,
    "reboot": Command.REBOOT_SERVER,
    "reset": Command.RESET_SERVER,
}
STATUSES = frozenset(ServerStatus) | {"stopping"}
NOT_OFFERED = frozenset(
    {
        "add_to_placement_group",
        "attach_iso",
        "attach_to_network",
        "change_alias_ips",
        "change_dns_ptr",
        "detach_from_network",
        "detach_iso",
        "disable_backup",
        "disable_rescue",
        "enable_backup",
        "enable_rescue",
        "remove_from_placement_group",
        "request_console",
    }
)


def _server(call: Call) -> Server:
    books = call.cloud.books
    return books.mine(books.servers, call.project.id, call.number("server"), "server")


async def list_servers(call: Call) -> web.Response:
    """Filtered by name, labels and status."""
    named, selects, wanted = call.asked("name"), call.selects(), call.asked("status", STATUSES)
    there = living(call.cloud.books.servers, call.project.id)
    chosen = [server for server in there if named(server.name) and selects(server.labels)]
    seen = await asyncio.gather(*(call.cloud.observe(server) for server in chosen))
    page = call.page(
        [server for server in seen if wanted(server.status.value)],
        {"id": lambda s: s.id, "name": lambda s: s.name, "created": lambda s: s.id},
    )
    return call.listed("servers", page, [server_json(call.cloud, s) for s in page.items])


async def get_server(call: Call) -> web.Response:
    """One server."""
    server = await call.cloud.observe(_server(call))
    return answered({"server": server_json(call.cloud, server)})


async def create_server(call: Call) -> web.Response:
    """Order a server; its making is under way when this answers."""
    ordered = order_server(call.cloud, call.project, call.body, call.fault)
    body: JsonObject = {
        "server": server_json(call.cloud, ordered.server),
        "action": action_json(ordered.action),
        "next_actions": [action_json(action) for action in ordered.next_actions],
        "root_password": ordered.root_password,
    }
    return answered(body, 201)


async def update_server(call: Call) -> web.Response:
    """Another name, other labels."""
    server = rename_server(call.cloud, _server(call), call.body)
    await call.cloud.orders.protect(server)
    return answered({"server": server_json(call.cloud, server)})


async def delete_server(call: Call) -> web.Response:
    """Begin its end."""
    server = _server(call)
    action = switch_server(call.cloud, server, Command.DELETE_SERVER, call.fault)
    return answered({"action": action_json(action)})


async def act_on_server(call: Call) -> web.Response:
    """One of the actions that this cloud offers."""
    server, word = await call.cloud.observe(_server(call)), call.path["command"]
    if word in CHANGES:
        return answered(CHANGES[word](call, server), 201)
    if word == "create_image":
        image, action = copy_server(call.cloud, server, call.body, call.fault)
        return answered(
            {"image": image_json(call.cloud, image), "action": action_json(action)}, 201
        )
    if word in NOT_OFFERED:
        raise unsupported(f"the action {word}")
    if word not in COMMANDS:
        raise ApiError(404, "not_found", "api route not found")
    action = switch_server(call.cloud, server, COMMANDS[word], call.fault)
    return answered({"action": action_json(action)}, 201)


def _change_type(call: Call, server: Server) -> JsonObject:
    return {"action": action_json(change_type(call.cloud, server, call.body, call.fault))}


def _rebuild(call: Call, server: Server) -> JsonObject:
    action = rebuild(call.cloud, call.project, server, call.body, call.fault)
    return {"action": action_json(action), "root_password": secrets.token_urlsafe(15)}


def _protect(call: Call, server: Server) -> JsonObject:
    return {"action": action_json(protect_server(call.cloud, server, call.body))}


def _reset_password(call: Call, server: Server) -> JsonObject:
    target = Target("server", server.id)
    action = done(call.cloud, server.project, Command.RESET_PASSWORD, target)
    return {"action": action_json(action), "root_password": secrets.token_urlsafe(15)}


CHANGES: Mapping[str, Callable[[Call, Server], JsonObject]] = {
    "change_type": _change_type,
    "rebuild": _rebuild,
    "change_protection": _protect,
    "reset_password": _reset_password,
}
