"""The API's doors to servers, their user-data and their actions."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from aiohttp import web

from farm.sandbox.scaleway.books import new_uid
from farm.sandbox.scaleway.calls import Call, answered, listed, nothing
from farm.sandbox.scaleway.copies import back_up
from farm.sandbox.scaleway.errors import not_found
from farm.sandbox.scaleway.records import Server, Volume
from farm.sandbox.scaleway.render import moment, server_json
from farm.sandbox.scaleway.servers import (
    attach_volume,
    change_server,
    delete_server,
    detach_volume,
    order_server,
    switch_server,
)
from farm.sandbox.store import living

TASKS = {"poweron": "server_batch_poweron"}


def _server(call: Call) -> Server:
    return call.cloud.books.server(call.project.id, call.zone, call.path["id"])


async def list_servers(call: Call) -> web.Response:
    """Filtered by name, tags, state and type, the newest first."""
    call.check_project("project")
    there = [
        server
        for server in living(call.cloud.books.servers, call.project.id)
        if server.zone == call.zone
        and call.wish("name") in server.name
        and call.wish("commercial_type") in ("", server.commercial_type)
        and call.tagged(server.tags)
    ]
    seen = await asyncio.gather(*(call.cloud.observe(server) for server in there))
    chosen = [server for server in seen if call.wish("state") in ("", server.state.value)]
    newest = sorted(chosen, key=lambda server: server.id, reverse=True)
    return listed(call, "servers", [server_json(call.cloud.books, one) for one in newest])


async def get_server(call: Call) -> web.Response:
    """One server."""
    server = await call.cloud.observe(_server(call))
    return answered({"server": server_json(call.cloud.books, server)})


async def create_server(call: Call) -> web.Response:
    """Order a server; it is stopped when this answers."""
    call.check_project("project", "organization")
    server = order_server(call.cloud, call.project, call.zone, call.body)
    return answered({"server": server_json(call.cloud.books, server)}, 201)


async def update_server(call: Call) -> web.Response:
    """Another name, other tags."""
    server = change_server(call.cloud, _server(call), call.body)
    return answered({"server": server_json(call.cloud.books, server)})


async def remove_server(call: Call) -> web.Response:
    """Delete one that is off."""
    delete_server(call.cloud, _server(call))
    return nothing()


async def act_on_server(call: Call) -> web.Response:
    """Begin an action; its task cannot be asked about."""
    before = await call.cloud.observe(_server(call))
    word = call.body.text("action", "poweron")
    if word == "backup":
        name = call.body.text("name", before.name)
        image = back_up(call.cloud, before, name, call.fault)
        return _begun(call, "instance_backup", f"/images/{image.uid}")
    server = switch_server(call.cloud, before, word, call.fault)
    return _begun(call, TASKS.get(word, f"server_{word}"), f"/servers/{server.uid}")


def _begun(call: Call, description: str, result: str) -> web.Response:
    task = {
        "id": new_uid(),
        "description": description,
        "status": "pending",
        "href_from": f"/servers/{call.path['id']}/action",
        "href_result": result,
        "started_at": moment(call.cloud.books.now()),
        "terminated_at": None,
        "progress": 0,
        "zone": call.zone,
    }
    return answered({"task": task}, 202)


async def attach_one_volume(call: Call) -> web.Response:
    """Give a server a volume that nobody has."""
    server = attach_volume(call.cloud, _server(call), _meant_volume(call))
    return answered({"server": server_json(call.cloud.books, server)})


async def detach_one_volume(call: Call) -> web.Response:
    """Take a volume from a server."""
    server = detach_volume(call.cloud, _server(call), _meant_volume(call))
    return answered({"server": server_json(call.cloud.books, server)})


def _meant_volume(call: Call) -> Volume:
    uid = call.body.text("volume_id")
    return call.cloud.books.volume(call.project.id, call.zone, uid)


async def list_actions(call: Call) -> web.Response:
    """What the state allows."""
    server = await call.cloud.observe(_server(call))
    return answered({"actions": server_json(call.cloud.books, server)["allowed_actions"]})


async def list_user_data(call: Call) -> web.Response:
    """The keys that are set."""
    return answered({"user_data": sorted(_server(call).user_data)})


async def get_user_data(call: Call) -> web.Response:
    """The content of a key, as it was set."""
    content = _server(call).user_data.get(call.path["key"])
    if content is None:
        raise not_found("instance_user_data", call.path["key"])
    return web.Response(text=content, content_type="text/plain")


async def set_user_data(call: Call) -> web.Response:
    """Set a key; the machine reads it at its first boot."""
    server = _server(call)
    kept = {**server.user_data, call.path["key"]: call.raw.decode(errors="replace")}
    call.cloud.books.servers.put(replace(server, user_data=kept))
    return nothing()


async def delete_user_data(call: Call) -> web.Response:
    """Forget a key."""
    server = _server(call)
    kept = {key: text for key, text in server.user_data.items() if key != call.path["key"]}
    call.cloud.books.servers.put(replace(server, user_data=kept))
    return nothing()
