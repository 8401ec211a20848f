"""What the cloud knows, one frozen dataclass per kind of thing; nothing is ever forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from farm.sandbox.hetzner.catalog import Rate

# The project of what every project sees.
EVERYBODY = 0
GIGABYTE = 1_000_000_000


class ServerStatus(StrEnum):
    """The official words that this cloud uses."""

    INITIALIZING = "initializing"
    STARTING = "starting"
    RUNNING = "running"
    OFF = "off"
    MIGRATING = "migrating"
    REBUILDING = "rebuilding"
    DELETING = "deleting"
    UNKNOWN = "unknown"


class Command(StrEnum):
    """The official names of the actions that this cloud carries out."""

    CREATE_SERVER = "create_server"
    START_SERVER = "start_server"
    STOP_SERVER = "stop_server"
    SHUTDOWN_SERVER = "shutdown_server"
    REBOOT_SERVER = "reboot_server"
    RESET_SERVER = "reset_server"
    DELETE_SERVER = "delete_server"
    CREATE_IMAGE = "create_image"
    CHANGE_TYPE = "change_server_type"
    REBUILD_SERVER = "rebuild_server"
    CHANGE_PROTECTION = "change_protection"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of an action
    CREATE_VOLUME = "create_volume"
    SET_FIREWALL_RULES = "set_firewall_rules"
    APPLY_FIREWALL = "apply_firewall"
    REMOVE_FIREWALL = "remove_firewall"
    ASSIGN_PRIMARY_IP = "assign_primary_ip"
    UNASSIGN_PRIMARY_IP = "unassign_primary_ip"


@dataclass(frozen=True, slots=True)
class Project:
    """A project with its two tokens; `server_limit` is the account's."""

    id: int
    name: str
    token: str
    read_token: str
    server_limit: int


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a server was, and cost, from one moment until another."""

    server_type: str
    rate: Rate
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Server:
    """One server from its order on; `deleted` is set when it is gone.

    `image` is the id that the API shows, `guest_image` what the machine's disk is made from;
    `rate` is pinned at the order, and again when it became another type (`retyped`); `past` is
    what it was before. `disk_gb` grows with the type only if that was asked for.
    """

    id: int
    project: int
    name: str
    created: datetime
    status: ServerStatus
    server_type: str
    location: str
    image: int
    guest_image: str
    user_data: str
    labels: Mapping[str, str]
    rate: Rate
    ipv4: int | None
    ipv6: int | None
    disk_gb: int = 0
    protected: bool = False
    retyped: datetime | None = None
    past: tuple[Tariff, ...] = ()
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class PrimaryIp:
    """An address; with `auto_delete` it vanishes with its server.

    `server` has it now, `made_for` is the one whose order made it.
    """

    id: int
    project: int
    name: str
    created: datetime
    type: str
    ip: str
    location: str
    labels: Mapping[str, str]
    auto_delete: bool
    rate: Rate | None
    server: int | None
    made_for: int | None = None
    protected: bool = False
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A snapshot that somebody ordered, or an image of EVERYBODY that the guests brought along.

    `type` is "system" or "snapshot"; only system images have a `name`. `failed` is a copy that
    came to nothing.
    """

    id: int
    project: int
    type: str
    name: str | None
    created: datetime
    description: str
    labels: Mapping[str, str]
    guest_image: str
    disk_gb: int
    architecture: str
    os_flavor: str
    os_version: str
    rate_gb_month: str
    server: int | None = None
    server_name: str = ""
    size_bytes: int | None = None
    failed: bool = False
    protected: bool = False
    deleted: datetime | None = None


def shown_size(image: Image) -> float | None:
    """An image's gigabytes as the API shows them, and as it is charged by them."""
    return None if image.size_bytes is None else round(image.size_bytes / GIGABYTE, 3)


@dataclass(frozen=True, slots=True)
class Volume:
    """A block volume that no server has, of `size` gigabytes; its rate is pinned at its order."""

    id: int
    project: int
    name: str
    created: datetime
    size: int
    location: str
    labels: Mapping[str, str]
    format: str | None
    rate_gb_month: str
    protected: bool = False
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a firewall as it was set; `port` is a port, a range "80-85" or None."""

    direction: str
    protocol: str
    port: str | None
    source_ips: tuple[str, ...]
    destination_ips: tuple[str, ...]
    description: str | None


@dataclass(frozen=True, slots=True)
class Firewall:
    """A firewall, applied to servers by their ids and by label selectors."""

    id: int
    project: int
    name: str
    created: datetime
    labels: Mapping[str, str]
    rules: tuple[Rule, ...]
    servers: tuple[int, ...] = ()
    selectors: tuple[str, ...] = ()
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class SshKey:
    """A public key."""

    id: int
    project: int
    name: str
    created: datetime
    fingerprint: str
    public_key: str
    labels: Mapping[str, str]
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What an action is about: ("server", 42)."""

    type: str
    id: int


@dataclass(frozen=True, slots=True)
class ActionError:
    """How an action failed."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Action:
    """One asynchronous order. `status` is running, success or error; `progress` in percent."""

    id: int
    project: int
    command: Command
    started: datetime
    targets: tuple[Target, ...]
    status: str = "running"
    progress: int = 0
    finished: datetime | None = None
    error: ActionError | None = None
    doomed: ActionError | None = None
    delay: float = 0.0

    def about(self, kind: str) -> int | None:
        """The id of the target of that kind."""
        return next((target.id for target in self.targets if target.type == kind), None)


@dataclass(frozen=True, slots=True)
class SoldOut:
    """A type that is not to be had at a place, until `deleted`."""

    id: int
    server_type: str
    location: str
    deleted: datetime | None = None
