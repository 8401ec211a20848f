"""The folder in which a sandbox keeps what survives a stop: one sandbox at a time uses it.

lock              held while a sandbox runs, with its process id
identity.json     ports, credentials and the kind of guests, the same at every start (0600)
clock.json        how far its time is ahead of the machine's
mailbox.sqlite3   mails
telegram.sqlite3  bots, people and what they wrote
slack.sqlite3     apps, people and what they wrote
hetzner/          a cloud's books
stripe/           the payment house's books
scaleway/         another cloud's books
guests/           disks of the machines
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import random
import secrets
import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import timedelta
from pathlib import Path

from farm import env
from farm.sandbox.clock import Clock
from farm.sandbox.options import Ports, SandboxError

CLOCK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Identity:
    """What a farm was told about this sandbox and must find again after a restart.

    `kind` is "" until the guests' kind was chosen.
    """

    ports: Ports
    hetzner_token: str
    model_key: str
    scaleway_access_key: str = ""
    scaleway_secret_key: str = ""
    scaleway_project: str = ""
    stripe_key: str = ""
    stripe_webhook_secret: str = ""
    kind: str = ""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Use the folder alone, or SandboxError if another sandbox does."""
    env.own_folder(folder)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise SandboxError(
                f"Another sandbox (process {lock.read().strip()}) keeps its state in {folder}:"
                " stop it, or give another folder."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def identity(folder: Path, wishes: Ports) -> Identity:
    """The identity on record with the ports that are wished now; a new one at the first start.

    The ports are on record once `save_identity` is called: one that was taken must not stick.
    """
    path = folder / "identity.json"
    if not path.exists():
        save_identity(folder, _new_identity())
    known = _read_identity(path)
    if not known.scaleway_project:
        # A folder from before there was a second cloud.
        new = _new_identity()
        known = replace(
            known,
            scaleway_access_key=new.scaleway_access_key,
            scaleway_secret_key=new.scaleway_secret_key,
            scaleway_project=new.scaleway_project,
        )
    if not known.stripe_key:
        # One from before there was a payment house.
        new = _new_identity()
        known = replace(
            known,
            stripe_key=new.stripe_key,
            stripe_webhook_secret=new.stripe_webhook_secret,
        )
    return replace(known, ports=_settled(wishes, known.ports))


def save_identity(folder: Path, kept: Identity) -> None:
    """Write it whole or not at all, for the owner's eyes only."""
    write_whole(folder / "identity.json", json.dumps(asdict(kept), indent=1))


def clock(folder: Path, speed: float) -> Clock:
    """A clock that goes on from where the last one of this folder was left."""
    path = folder / "clock.json"
    seconds = float(json.loads(path.read_text())["ahead"]) if path.exists() else 0.0
    return Clock(speed=speed, ahead=timedelta(seconds=seconds))


@asynccontextmanager
async def kept_clock(folder: Path, speed: float) -> AsyncIterator[Clock]:
    """The folder's clock; how far it is ahead is on record, so that it never runs backwards.

    Also after a kill, but for what it gained in the last CLOCK_SECONDS.
    """
    kept = clock(folder, speed)
    keeping = asyncio.create_task(_keep(folder, kept))
    try:
        yield kept
    finally:
        keeping.cancel()
        _save_clock(folder, kept)


async def _keep(folder: Path, kept: Clock) -> None:
    saved = timedelta()
    while True:
        ahead = kept.ahead
        if ahead - saved > timedelta(seconds=CLOCK_SECONDS):
            _save_clock(folder, kept)
            saved = ahead
        await asyncio.sleep(CLOCK_SECONDS)


def _save_clock(folder: Path, kept: Clock) -> None:
    write_whole(folder / "clock.json", json.dumps({"ahead": kept.ahead.total_seconds()}))


def write_whole(path: Path, content: str) -> None:
    """Replace the file in one step; a kill leaves the old one or the new one (0600)."""
    draft = path.with_name(f"{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    draft.replace(path)


def _read_identity(path: Path) -> Identity:
    try:
        kept = json.loads(path.read_text())
        return Identity(**(kept | {"ports": Ports(**kept["ports"])}))
    except (ValueError, TypeError, KeyError):
        raise SandboxError(f"{path} cannot be read: remove it to get new ports and keys.") from None


def _new_identity() -> Identity:
    return Identity(
        ports=Ports(),
        hetzner_token=secrets.token_hex(32),
        model_key=f"sk-sandbox-{secrets.token_hex(16)}",
        scaleway_access_key=f"SCW{secrets.token_hex(9)[:17].upper()}",
        scaleway_secret_key=str(uuid.uuid4()),
        scaleway_project=str(uuid.uuid4()),
        stripe_key=f"sk_test_{secrets.token_hex(24)}",
        stripe_webhook_secret=f"whsec_{secrets.token_hex(24)}",
    )


def _settled(wishes: Ports, known: Ports) -> Ports:
    """A number for every service: the wished one, else the known one, else a free one."""
    taken = {*asdict(wishes).values(), *asdict(known).values()}
    settled = Ports()
    for service in (field.name for field in fields(Ports)):
        port = getattr(wishes, service) or getattr(known, service) or _free_port(taken)
        taken.add(port)
        settled = replace(settled, **{service: port})
    return settled


def _free_port(taken: set[int]) -> int:
    """Below the ports that the system hands to outgoing connections: free again at a restart."""
    for _ in range(200):
        port = random.randrange(15_000, 32_000)  # noqa: S311  (nothing secret about a port)
        if port not in taken and _is_free(port):
            return port
    raise SandboxError("No free port was found between 15000 and 32000: give the ports yourself.")


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
