"""The API's doors to what is on sale, and to actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiohttp import web

from farm.sandbox.hetzner.calls import Call, Operation, answered
from farm.sandbox.hetzner.errors import ApiError, invalid_input, not_found
from farm.sandbox.hetzner.records import Action
from farm.sandbox.hetzner.render import action_json
from farm.sandbox.hetzner.render_catalog import location_json, pricing_json, server_type_json

ANNOUNCEMENT = "https://docs.hetzner.cloud/changelog#2026-06-02-datacenters-deprecated"


async def list_locations(call: Call) -> web.Response:
    """Every place, filtered by name."""
    named = call.asked("name")
    places = [place for place in call.cloud.books.catalog.locations if named(place.name)]
    page = call.page(places, {"id": lambda p: p.id, "name": lambda p: p.name})
    return call.listed("locations", page, [location_json(place) for place in page.items])


async def get_location(call: Call) -> web.Response:
    """One place."""
    place = call.cloud.books.catalog.location(call.number("location"))
    if place is None:
        raise not_found("location", call.path["id"])
    return answered({"location": location_json(place)})


async def list_server_types(call: Call) -> web.Response:
    """Every type, filtered by name."""
    named, books = call.asked("name"), call.cloud.books
    kinds = [kind for kind in books.catalog.server_types if named(kind.name)]
    page = call.page(kinds, {"id": lambda k: k.id})
    return call.listed("server_types", page, [server_type_json(books, k) for k in page.items])


async def get_server_type(call: Call) -> web.Response:
    """One type."""
    kind = call.cloud.books.catalog.server_type(call.number("server type"))
    if kind is None:
        raise not_found("server type", call.path["id"])
    return answered({"server_type": server_type_json(call.cloud.books, kind)})


async def get_pricing(call: Call) -> web.Response:
    """The whole price list."""
    return answered({"pricing": pricing_json(call.cloud.books)})


def none_of(kind: str) -> Operation:
    """The list of what this cloud sells none of."""

    async def operation(call: Call) -> web.Response:
        nothing: list[Action] = []
        return call.listed(kind, call.page(nothing, {"id": lambda thing: thing.id}), [])

    return operation


async def removed(_: Call) -> web.Response:
    """What the official API took away in 2026."""
    raise ApiError(
        410,
        "deprecated_api_endpoint",
        "API functionality was removed",
        {"announcement": ANNOUNCEMENT},
    )


def _mine(call: Call) -> list[Action]:
    return [action for action in call.cloud.books.actions if action.project == call.project.id]


async def get_actions(call: Call) -> web.Response:
    """The actions of these ids; those of other projects and unknown ones are left out."""
    wanted = call.wishes("id")
    if not wanted:
        raise invalid_input("id", "is required")
    numbers = dict.fromkeys(int(word) for word in wanted if word.isdecimal())
    known = (call.cloud.books.actions.get(number) for number in numbers)
    found = [action for action in known if action and action.project == call.project.id]
    return answered({"actions": [action_json(action) for action in found]})


def get_action(name: str = "id") -> Operation:
    """One action, whose id is in the path under `name`."""

    async def operation(call: Call) -> web.Response:
        action = call.cloud.books.actions.get(call.number("action", name))
        if action is None or action.project != call.project.id:
            raise not_found("action", call.path[name])
        return answered({"action": action_json(action)})

    return operation


def list_actions(kind: str, *, of_one: bool) -> Operation:
    """The actions about things of that kind, or about the one in the path."""

    async def operation(call: Call) -> web.Response:
        wanted, stands = call.asked("id"), call.asked("status", ("running", "success", "error"))
        number = call.number(kind) if of_one else None
        chosen = [
            action
            for action in _mine(call)
            if (about := action.about(kind)) is not None
            and (number is None or about == number)
            and (of_one or wanted(str(action.id)))
            and stands(action.status)
        ]
        return _listed(call, chosen)

    return operation


def _listed(call: Call, actions: Sequence[Action]) -> web.Response:
    page = call.page(actions, ACTION_KEYS)
    return call.listed("actions", page, [action_json(action) for action in page.items])


ACTION_KEYS: dict[str, Callable[[Action], int | str]] = {
    "id": lambda a: a.id,
    "command": lambda a: a.command.value,
    "status": lambda a: a.status,
    "started": lambda a: a.started.isoformat(),
    "finished": lambda a: a.finished.isoformat() if a.finished else "",
}
