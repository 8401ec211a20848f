"""What the sandbox's clouds ask of the machines behind them: one Protocol, and its values."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class GuestError(Exception):
    """A guest or an image cannot do what was asked; the message is a sentence saying why."""


class GuestNotFoundError(GuestError):
    """There is no guest of that id: it was never created, or its disk was destroyed."""


class ImageNotFoundError(GuestError):
    """There is no image of that name or id to make a disk from."""


class GuestState(StrEnum):
    """What a cloud can see of a machine from the outside: is the power on."""

    RUNNING = "running"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class BaseImage:
    """An image that is there without anybody having made a snapshot.

    Without labels it is a system image of the cloud, known by `name` ("debian-12"); with labels
    the cloud shows it as a snapshot in the project that carries them (an image prebuilt with the
    runtime). `name` is what `GuestSpec.image` takes in both cases.
    """

    name: str
    description: str
    labels: Mapping[str, str] = field(default_factory=dict)
    size_bytes: int = 0


class CloudName(StrEnum):
    """Whose metadata service a machine finds."""

    HETZNER = "hetzner"
    SCALEWAY = "scaleway"


@dataclass(frozen=True, slots=True)
class Nameplate:
    """What only its cloud knows of a machine: its id there, its size, its zone and its tags."""

    cloud: CloudName = CloudName.HETZNER
    uid: str = ""
    server_type: str = ""
    zone: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GuestSpec:
    """All that is needed to make one machine.

    `id` is the cloud's own number of the server and never used twice; `image` is a
    `BaseImage.name` or an `image_id` given to `snapshot`; `user_data` is handed to the machine's
    cloud-init unchanged; `ipv4` comes from `next_ipv4`; without `boot` the disk is made and the
    power stays off. `plate` is what the metadata service tells besides.
    """

    id: int
    name: str
    image: str
    user_data: str
    ipv4: str
    boot: bool = True
    memory_mb: int = 4096
    plate: Nameplate = field(default_factory=Nameplate)

    @property
    def instance_id(self) -> str:
        """By which its cloud-init tells one machine from another."""
        return self.plate.uid or str(self.id)


def read_spec(kept: Mapping[str, object]) -> GuestSpec:
    """A spec from its fields as JSON keeps them, also from before there were plates."""
    fields = dict(kept)
    plate = fields.pop("plate", None)
    if isinstance(plate, dict):
        tags = tuple(plate["tags"])
        fields["plate"] = Nameplate(**{**plate, "cloud": CloudName(plate["cloud"]), "tags": tags})
    return GuestSpec(**fields)  # type: ignore[arg-type]  # a file of our own


@dataclass(frozen=True, slots=True)
class GuestRule:
    """Lets inbound TCP to the machine's `port` through from `sources` (CIDR, such as 0.0.0.0/0).

    `port` counts as the guest sees it: 22 is its sshd, also where `ssh_port` is another number.
    """

    port: int
    sources: tuple[str, ...]


class GuestKind(Protocol):
    """A way of having machines. Everything is called from the sandbox's one event loop.

    State lives in a folder given at construction and survives the process: `close` is a power cut,
    and `start` boots again whatever had its power on. Methods that take an id raise
    GuestNotFoundError for one they do not know, except `destroy`, which is content.
    """

    @property
    def kind(self) -> str:
        """ "real" or "simulated"."""

    @property
    def why(self) -> str:
        """One sentence saying why this kind was chosen or what it is."""

    @property
    def ssh_port(self) -> int:
        """The port at which every guest's sshd is reached at its own address; after `start`."""

    @property
    def service_host(self) -> str:
        """The address at which guests and host alike reach the sandbox's model and chat servers."""

    async def start(self) -> None:
        """Bring up the network and boot again every guest on record whose power was on."""

    async def close(self) -> None:
        """A power cut: every guest stops, disks stay, nothing is left mounted or running."""

    def listen(self, port: int = 0) -> socket.socket:
        """A bound, listening TCP socket at `service_host`; port 0 picks a free one."""

    def images(self) -> tuple[BaseImage, ...]:
        """The images that need no snapshot; one may still be under construction."""

    async def image_ready(self, name: str) -> None:
        """Wait until that image can be booted. ImageNotFoundError if there is none of that name.

        GuestError when building it failed, with what to do.
        """

    def progress(self) -> str:
        """One line about an image being built, "" when none is."""

    def next_ipv4(self) -> str:
        """An address no guest on record has; it is taken until that guest is destroyed."""

    async def create(self, spec: GuestSpec) -> None:
        """Make the disk from its image and, with `spec.boot`, switch on. Idempotent by `spec.id`.

        Answers once the power is on; the guest boots on its own. ImageNotFoundError if the image
        is unknown.
        """

    async def state(self, guest_id: int) -> GuestState:
        """Whether the power is on; a guest that halted itself is off."""

    async def power_on(self, guest_id: int) -> None:
        """Boot from the disk; content if it is on already."""

    async def power_off(self, guest_id: int) -> None:
        """Pull the plug; content if it is off already."""

    async def shutdown(self, guest_id: int) -> None:
        """Press the power button: ask the guest to halt, and answer without waiting for it."""

    async def destroy(self, guest_id: int) -> None:
        """Pull the plug and remove the disk; content if there is no such guest."""

    async def snapshot(self, guest_id: int, image_id: str) -> int:
        """Copy the disk as the image `image_id`; answers its size in bytes."""

    async def delete_image(self, image_id: str) -> None:
        """Remove an image made by `snapshot`; content if there is none."""

    async def firewall(self, guest_id: int, rules: Sequence[GuestRule] | None) -> None:
        """From now on only `rules` let anyone in; None opens every port."""
