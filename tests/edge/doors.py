"""Where the edge leads, as Caddy itself understands deploy/Caddyfile."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from farm.accounts.permissions import Action
from tests.edge.stage import ROOT, Stage

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | bool | None"
CADDYFILE = ROOT / "deploy" / "Caddyfile"
RELAY_PORT = "9002"
INNER = "machine's door"
TO_MACHINES = Action.OPEN_CONSOLE

# What may be done behind each: None where nobody is led on, at whatever address.
DOORS: Mapping[str, Action | None] = {
    "site: /edge/auth /edge/enter /edge/ask -> 404": None,
    "site: /relay/* -> relay": Action.SIGN_UP,
    "site: any -> site": Action.SIGN_UP,
    "agents: expression -> 403": None,
    "agents: /.farm/enter -> site": Action.SIGN_UP,
    "agents: vars_regexp -> 404": None,
    "agents: not -> 404": None,
    "agents: any -> site /edge/auth": Action.SIGN_UP,
    f"agents: any -> {INNER}": TO_MACHINES,
    INNER + ": any -> {http.request.header.X-Agent-Upstream}": TO_MACHINES,
}


@dataclass(frozen=True, slots=True)
class Edge:
    """Every way that Caddy has, and the paths of an agent's host that it admits."""

    doors: frozenset[str]
    admitted: Sequence[str]


def edge(playing: Stage) -> Edge:
    """Of the file as it is now."""
    adapted = _adapted(playing)
    servers = _at(adapted, "apps", "http", "servers")
    assert isinstance(servers, dict)
    routes = [route for server in servers.values() for route in _list(server, "routes")]
    names = {
        f"127.0.0.1:{playing.environ['PORT']}": "site",
        f"127.0.0.1:{RELAY_PORT}": "relay",
    }
    doors = frozenset(door for route in routes for door in _doors("", "any", route, names))
    return Edge(doors, tuple(dict.fromkeys(_admitted(routes))))


def _doors(host: str, before: str, route: Json, names: Mapping[str, str]) -> Iterator[str]:
    """Each way of a route and of those within it."""
    matchers = _list(route, "match")
    for matcher in matchers:
        if hosts := _list(matcher, "host"):
            host = "agents" if str(hosts[0]).startswith("*") else "site"
    found = " ".join(_named(matcher) for matcher in matchers if not _list(matcher, "host"))
    for handler in _list(route, "handle"):
        for inner in _list(handler, "routes"):
            yield from _doors(host, found or before, inner, names)
        if target := _target(handler, names):
            yield f"{host or INNER}: {found or before} -> {target}"


def _named(matcher: Json) -> str:
    paths = _list(matcher, "path")
    assert isinstance(matcher, dict)
    return " ".join(map(str, paths)) if set(matcher) == {"path"} else " ".join(matcher)


def _target(handler: Json, names: Mapping[str, str]) -> str:
    """Where a handler leads; "" for one that leads nowhere."""
    kind = _at(handler, "handler")
    if kind == "static_response":
        return str(_at(handler, "status_code"))
    if kind != "reverse_proxy":
        assert kind in ("subroute", "headers", "rewrite", "timeouts"), kind
        return ""
    dial = str(_at(_list(handler, "upstreams")[0], "dial"))
    name = INNER if dial.startswith("unix/") else names.get(dial, dial)
    asked = _at(handler, "rewrite", "uri")
    return f"{name} {asked}" if asked else name


def _admitted(value: Json) -> Iterator[str]:
    """An address for each pattern among those that are not turned away."""
    if isinstance(value, dict):
        for matcher in _list(value, "not"):
            yield from (str(path).replace("*", "x") for path in _list(matcher, "path"))
            if pattern := _at(matcher, "path_regexp", "pattern"):
                yield _sample(str(pattern))
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _admitted(inner)


def _sample(pattern: str) -> str:
    """A path that the pattern fits."""
    made = pattern.removeprefix("^").replace(r"[\w-]+", "x")
    made = re.sub(r"\((\w+)(\|\w+)*\)", r"\1", made)
    assert re.match(pattern, made), made
    return made


def _at(value: Json, *names: str) -> Json:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _list(value: Json, name: str) -> Sequence[Json]:
    found = _at(value, name)
    return found if isinstance(found, list) else ()


def _adapted(playing: Stage) -> Json:
    wanted = set(re.findall(r"\{\$(\w+)\}", CADDYFILE.read_text()))
    values = {
        **dict.fromkeys(wanted, "1"),
        **{name: value for name, value in playing.environ.items() if name in wanted},
        "EDGE_INNER": "/run/inner",
        "EDGE_TLS": "internal",
        "RELAY_PORT": RELAY_PORT,
    }
    argv = [str(Path(sys.executable).parent / "caddy"), "adapt", "--adapter", "caddyfile"]
    told = subprocess.run(
        [*argv, "--config", str(CADDYFILE)],
        env={**os.environ, **values},
        check=True,
        capture_output=True,
    )
    adapted: Json = json.loads(told.stdout)
    return adapted
