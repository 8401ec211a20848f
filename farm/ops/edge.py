"""`farm edge`: Caddy in front of the site and of every agent, in the foreground."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path
from typing import Annotated

import typer
from django.conf import settings
from django.db import Error, close_old_connections

from farm.agents.passes import authorities_text
from farm.env import own_folder
from farm.ops.answer import AsJson, Trouble, answering, new_app, print_json
from farm.ops.caddy import Folders, caddy_argv, environment_of_caddy
from farm.ops.children import leash
from farm.ops.endings import until_told
from farm.ops.ready import say_ready
from farm.ops.safety import refuse_unsafe_settings

app = new_app("Lead people to the site and to their agents, through Caddy.")
GLANCE = 0.5
LOOK_SECONDS = 60.0

Apart = Annotated[
    Path | None,
    typer.Option(
        "--apart",
        help="Start no Caddy; write into this folder what one of another user needs, and end"
        " when that changes.",
        show_default=False,
    ),
]


@app.command()
def edge(*, apart: Apart = None, as_json: AsJson = False) -> None:
    """Run Caddy with deploy/Caddyfile until Ctrl-C or SIGTERM; needs EDGE_ADDRESSES."""
    with answering(as_json=as_json):
        refuse_unsafe_settings()
        if not settings.EDGE:
            raise Trouble(
                "This farm has no edge: set EDGE_ADDRESSES to the addresses from which it reaches"
                " the machines.",
                code="no_edge",
                field="EDGE_ADDRESSES",
            )
        if as_json:
            print_json({"edge": "started", "site": settings.SITE_URL})
        if apart:
            tell_caddy(Folders(told=apart, own=apart / "own"), until_told())
        else:
            run_edge(until_told())


def run_edge(stop: threading.Event) -> None:
    """Keep Caddy going until `stop` is set; it is started anew when the authorities change."""
    folder = own_folder(settings.FARM_DATA / "edge")
    folders = Folders(told=folder, own=folder)
    while not stop.is_set():
        believed = authorities_text()
        folders.authorities.write_text(believed)
        caddy = _started(folders)
        try:
            _watch(caddy, believed, stop)
        finally:
            _end(caddy)


def tell_caddy(folders: Folders, stop: threading.Event) -> None:
    """Write all that Caddy needs for whoever may read the folder; then wait for a change of it.

    Whoever started this starts it and Caddy anew when it ends: deploy/units says so.
    """
    believed = authorities_text()
    told = environment_of_caddy(folders)
    _write(folders.authorities, believed)
    _write(folders.told / "environment", "".join(f"{name}={told[name]}\n" for name in told))
    say_ready()
    while not stop.wait(LOOK_SECONDS) and not _changed(believed):
        pass


def _write(path: Path, text: str) -> None:
    """Whole or not at all, for this user and the folder's group."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.chmod(0o640)
    draft.replace(path)


def _started(folders: Folders) -> subprocess.Popen[bytes]:
    parent = os.getpid()
    return subprocess.Popen(
        caddy_argv(),
        env={**os.environ, **environment_of_caddy(folders)},
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: leash(parent),  # noqa: PLW1509  (one thread only)
    )


def _watch(caddy: subprocess.Popen[bytes], believed: str, stop: threading.Event) -> None:
    waited = 0.0
    while not stop.wait(GLANCE):
        if caddy.poll() is not None:
            raise Trouble(f"Caddy ended with exit code {caddy.returncode}.", code="caddy")
        waited += GLANCE
        if waited >= LOOK_SECONDS:
            waited = 0.0
            if _changed(believed):
                return


def _changed(believed: str) -> bool:
    """A database that does not answer now is no news: visitors' streams go on."""
    try:
        close_old_connections()
        return authorities_text() != believed
    except Error:
        return False


def _end(caddy: subprocess.Popen[bytes]) -> None:
    caddy.terminate()
    try:
        caddy.wait(10)
    except subprocess.TimeoutExpired:
        caddy.kill()
        caddy.wait()
