"""What each cloud's metadata service tells a machine about itself: pure, from path to text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from farm.sandbox.guests.base import CloudName, GuestSpec
from farm.sandbox.wire import Json, JsonObject

PRIVILEGED_PORTS = 1024
"""Below it only root may bind: so Scaleway knows that no other user asks for user-data."""


@dataclass(frozen=True, slots=True)
class Question:
    """One GET of a machine's: path and format as asked, and the port that it came from."""

    path: str
    wants_json: bool = False
    port: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What it is answered."""

    status: int
    text: str = ""


NOTHING = Told(404, "not found\n")


def tell(cloud: CloudName, spec: GuestSpec, question: Question) -> Told:
    """The answer of `cloud`'s service; 404 to machines of another cloud."""
    if spec.plate.cloud is not cloud:
        return NOTHING
    return _TELLING[cloud](spec, question)


def _hetzner(spec: GuestSpec, question: Question) -> Told:
    words: Mapping[str, Json] = {
        "instance-id": spec.id,
        "hostname": spec.name,
        "public-ipv4": spec.ipv4,
        "public-keys": [],
        "region": "eu-central",
    }
    path = question.path.rstrip("/").removeprefix("/hetzner/v1/")
    if path == "userdata":
        return Told(200, spec.user_data)
    if path == "metadata":
        # YAML, of which JSON is a part.
        return Told(200, json.dumps(words, indent=1))
    word = words.get(path.removeprefix("metadata/"))
    if word is None:
        return NOTHING
    return Told(200, word if isinstance(word, str) else json.dumps(word))


def _scaleway(spec: GuestSpec, question: Question) -> Told:
    path = question.path.rstrip("/")
    if path == "/conf":
        conf = _conf(spec)
        return Told(200, json.dumps(conf) if question.wants_json else _as_shell(conf))
    if path.startswith(("/user_data", "/vendor_data")) and question.port >= PRIVILEGED_PORTS:
        return Told(403, "a source port below 1024 is required\n")
    if path == "/user_data":
        return Told(200, "USER_DATA=1\nUSER_DATA_0=cloud-init\n")
    if path == "/user_data/cloud-init" and spec.user_data:
        return Told(200, spec.user_data)
    return NOTHING


def _conf(spec: GuestSpec) -> JsonObject:
    address: JsonObject = {"address": spec.ipv4, "dynamic": False, "family": "inet"}
    return {
        "id": spec.plate.uid,
        "name": spec.name,
        "hostname": spec.name,
        "commercial_type": spec.plate.server_type,
        "tags": list(spec.plate.tags),
        "state_detail": "booted",
        "public_ip": address,
        "public_ips": [address],
        "private_ip": None,
        "ipv6": None,
        "ssh_public_keys": [],
        "timezone": "UTC",
        "location": {"zone_id": spec.plate.zone},
    }


def _as_shell(conf: JsonObject) -> str:
    """As lines that a shell can read: a list's length, an object's names, then what is in them."""
    return "".join(f"{line}\n" for name, value in conf.items() for line in _lines(name, value))


def _lines(name: str, value: Json) -> list[str]:
    key = name.upper()
    if isinstance(value, Mapping):
        inner = [line for part, one in value.items() for line in _lines(f"{name}_{part}", one)]
        return [f"{key}='{' '.join(part.upper() for part in value)}'", *inner]
    if isinstance(value, str) or not isinstance(value, list | tuple):
        return [f"{key}={'' if value is None else value}"]
    inner = [line for n, one in enumerate(value) for line in _lines(f"{name}_{n}", one)]
    return [f"{key}={len(value)}", *inner]


_TELLING: Mapping[CloudName, Callable[[GuestSpec, Question], Told]] = {
    CloudName.HETZNER: _hetzner,
    CloudName.SCALEWAY: _scaleway,
}
