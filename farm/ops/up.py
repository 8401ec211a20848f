"""`farm up`: the whole farm on this machine, behind `make run`."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import typer
from rich.text import Text

from farm import settings
from farm.ops.answer import AsJson, Trouble, answering, console, new_app, print_json
from farm.ops.children import Child, farm_argv
from farm.ops.ground import Ground, ground_on, start_sandbox
from farm.ops.processes import of_a_farm
from farm.ops.supervisor import Supervisor
from farm.ops.surroundings import leave_word, take_word_back

app = new_app("Run the whole farm on this machine.")


@dataclass(frozen=True, slots=True)
class Up:
    """What a program reads once the site answers; the sandbox's pages are "" in the real world."""

    url: str
    guests: str
    why: str
    mailbox: str
    phones: str
    logs: str


@app.command()
def up(*, as_json: AsJson = False) -> None:
    """Run the site, the worker, the tunnel and, without HETZNER_TOKEN, the sandbox.

    PORT, FARM_DATA and GUESTS may be set. Ctrl-C ends everything; the data stays.
    """
    with answering(as_json=as_json), _alone(settings.FARM_DATA):
        _refuse_taken_ports()
        supervisor = Supervisor(tell=_on_stderr if as_json else _on_stdout)
        supervisor.listen()
        try:
            if ground := _start(supervisor):
                _announce(ground, as_json=as_json)
                supervisor.run()
        finally:
            supervisor.tell("Stopping.")
            take_word_back()
            supervisor.stop()


def _on_stdout(line: str) -> None:
    # A terminal that was closed must not keep the farm from ending in order.
    with suppress(OSError):
        typer.echo(line)


def _on_stderr(line: str) -> None:
    with suppress(OSError):
        typer.echo(line, err=True)


def _start(supervisor: Supervisor) -> Ground | None:
    """Bring everything up in order; None when the end was asked for meanwhile."""
    logs = settings.FARM_DATA / "logs"
    logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    sandbox = start_sandbox(supervisor, logs)
    _prepare_farm()
    ground = ground_on(sandbox, supervisor)
    if ground is None:
        return None
    supervisor.tell(ground.sentence)
    environ = {**os.environ, **ground.environ}
    ports = {
        "PORT": str(settings.PORT),
        "TUNNEL_PORT": str(settings.TUNNEL_PORT),
        "RELAY_PORT": str(settings.RELAY_PORT),
    }
    leave_word({**ground.environ, **ports})
    for job in of_a_farm(str(settings.PORT)):
        supervisor.add(Child(job, environ, logs))
    return ground if supervisor.wait_for(_site_answers) else None


def _prepare_farm() -> None:
    """Database, translations and static files, while the sandbox comes up."""
    done = subprocess.run(
        farm_argv("prepare"),
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # Ctrl-C is for the supervisor, which ends in order.
    )
    if done.returncode:
        raise Trouble(done.stderr.strip() or done.stdout.strip(), code="prepare")


def _site_answers() -> bool:
    connection = HTTPConnection("127.0.0.1", settings.PORT, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _announce(ground: Ground, *, as_json: bool) -> None:
    logs = str(settings.FARM_DATA / "logs")
    if as_json:
        pages = (ground.mailbox, ground.phones)
        print_json(Up(settings.SITE_URL, ground.kind, ground.sentence, *pages, logs))
        return
    out = console()
    out.print(Text.assemble("The farm is up: ", (settings.SITE_URL, "bold")))
    if ground.mailbox:
        out.print(f"Its mail goes to {ground.mailbox} and nowhere else.")
        out.print(f"A phone with Telegram lies at {ground.phones}")
    out.print(f"Ctrl-C ends it, the data stays in {settings.FARM_DATA}; logs are in {logs}.")


def _refuse_taken_ports() -> None:
    wanted = (
        (settings.PORT, "site"),
        (settings.TUNNEL_PORT, "agents' own pages"),
        (settings.RELAY_PORT, "relay"),
    )
    for port, what in wanted:
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError as error:
            why = os.strerror(error.errno or 0)
            raise Trouble(
                f"Port {port}, wanted for the {what}, cannot be used ({why}): stop the program that"
                f" has it, or choose others, as in: make run PORT={settings.PORT + 10}",
                code="port",
                field="PORT",
            ) from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One farm at a time keeps its data in a folder."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(
                f"A farm is already running on {folder}: stop it, or give another folder with"
                " FARM_DATA.",
                code="running",
                field="FARM_DATA",
            ) from None
        yield
