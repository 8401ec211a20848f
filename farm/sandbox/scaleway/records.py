"""What the cloud knows, one frozen dataclass per kind of thing; nothing is ever forgotten.

`id` is the cloud's own number, `uid` the one that its API shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """The official words for a server's state."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STANDBY = "stopped in place"
    LOCKED = "locked"


class Order(StrEnum):
    """The official names of the actions that this cloud carries out."""

    POWERON = "poweron"
    POWEROFF = "poweroff"
    REBOOT = "reboot"
    STOP_IN_PLACE = "stop_in_place"
    TERMINATE = "terminate"


@dataclass(frozen=True, slots=True)
class Key:
    """What opens a project, for one that was given out before."""

    project: str
    access_key: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class Project:
    """A project with its key, and one that may only read; `server_quota` is the organization's."""

    id: int
    uid: str
    name: str
    access_key: str
    secret_key: str
    server_quota: int
    read_key: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which a server's compute is charged for: from power on until power off.

    `rate` is that of the type it was then.
    """

    since: datetime
    until: datetime | None = None
    rate: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """One server from its order on; `order` is the action under way, `made` says it has a disk.

    `rate` is that of its type, pinned when it became it; `volumes` are uids, the root one first.
    """

    id: int
    uid: str
    project: int
    zone: str
    name: str
    created: datetime
    modified: datetime
    state: State
    detail: str
    commercial_type: str
    image: str
    guest_image: str
    tags: tuple[str, ...]
    group: str
    volumes: tuple[str, ...]
    rate: str
    user_data: Mapping[str, str]
    protected: bool = False
    made: bool = False
    order: str = ""
    spans: tuple[Span, ...] = ()
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ip:
    """A flexible address; `server` has it now, `made_for` was the first."""

    id: int
    uid: str
    project: int
    zone: str
    created: datetime
    address: str
    tags: tuple[str, ...]
    rate: str
    server: str | None = None
    made_for: str | None = None
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Volume:
    """A block volume; `detaching` between a server's end and its being free."""

    id: int
    uid: str
    project: int
    zone: str
    name: str
    created: datetime
    updated: datetime
    size: int
    tags: tuple[str, ...]
    rate: str
    parent_snapshot: str | None
    server: str | None
    made_for: str | None = None
    detaching: bool = False
    detached: datetime | None = None
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of a volume; `ready` once the machine's disk was copied, unless it `failed`."""

    id: int
    uid: str
    project: int
    zone: str
    name: str
    created: datetime
    size: int
    tags: tuple[str, ...]
    volume: str
    guest_image: str
    rate: str
    server: str | None = None
    ready: bool = False
    failed: bool = False
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A project's own image, which stands on a snapshot; `extras` are those of further volumes."""

    id: int
    uid: str
    project: int
    zone: str
    name: str
    created: datetime
    tags: tuple[str, ...]
    arch: str
    snapshot: str
    extras: tuple[str, ...] = ()
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a security group as it was set."""

    uid: str
    protocol: str
    direction: str
    action: str
    ip_range: str
    port_from: int | None
    port_to: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """A security group; `is_default` is the one that a zone has of itself."""

    id: int
    uid: str
    project: int
    zone: str
    name: str
    description: str
    created: datetime
    modified: datetime
    tags: tuple[str, ...]
    stateful: bool
    inbound: str
    outbound: str
    default_security: bool
    is_default: bool = False
    rules: tuple[Rule, ...] = ()
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stock:
    """What `availability` a type has in a zone, until `deleted`."""

    id: int
    commercial_type: str
    zone: str
    availability: str
    deleted: datetime | None = None
