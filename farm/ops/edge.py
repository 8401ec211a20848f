"""`farm edge`: Caddy in front of the site and of every agent, in the foreground."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from farm.agents.passes import authorities_text
from farm.env import own_folder
from farm.ops.answer import AsJson, Trouble, answering, new_app, print_json
from farm.ops.children import leash
from farm.ops.endings import until_told
from farm.ops.safety import refuse_unsafe_settings

app = new_app("Lead people to the site and to their agents, through Caddy.")
GLANCE = 0.5
LOOK_SECONDS = 60.0
LONGEST_SOCKET = 100
"""Bytes; Linux takes 107, and what comes after a name of ours is Caddy's."""


@app.command()
def edge(*, as_json: AsJson = False) -> None:
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
        run_edge(until_told())


def run_edge(stop: threading.Event) -> None:
    """Keep Caddy going until `stop` is set; it is started anew when the authorities change."""
    while not stop.is_set():
        believed = _write_authorities()
        caddy = _started()
        try:
            _watch(caddy, believed, stop)
        finally:
            _end(caddy)


def _started() -> subprocess.Popen[bytes]:
    parent = os.getpid()
    return subprocess.Popen(
        [_caddy(), "run", "--config", str(_caddyfile()), "--adapter", "caddyfile"],
        env={**os.environ, **environment_of_caddy()},
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: leash(parent),  # noqa: PLW1509  (one thread only)
    )


def environment_of_caddy() -> Mapping[str, str]:
    """Every name that deploy/Caddyfile asks for."""
    site, agents = urlsplit(settings.SITE_URL), urlsplit(settings.AGENT_URL)
    if (site.scheme, agents.scheme) != ("https", "https"):
        raise Trouble(
            "An edge speaks https: set SITE_URL and AGENT_URL to https addresses.",
            code="edge_https",
            field="SITE_URL",
        )
    return {
        "AGENTS_DOMAIN": settings.AGENTS_DOMAIN,
        "EDGE_BIND": settings.EDGE_BIND,
        "EDGE_CA": str(_folder() / "authorities.pem"),
        "EDGE_CERTIFICATE": settings.EDGE_CERTIFICATE,
        "EDGE_CERTIFICATE_KEY": settings.EDGE_CERTIFICATE_KEY,
        "EDGE_HTTPS_PORT": str(site.port or 443),
        "EDGE_HTTP_PORT": str(settings.EDGE_HTTP_PORT),
        "EDGE_INNER": str(_inner_door()),
        "EDGE_PORT": str(agents.port or 443),
        "EDGE_SECRET": settings.EDGE_SECRET,
        "EDGE_STATE": str(_folder() / "caddy"),
        "EDGE_STREAM_SECONDS": str(settings.EDGE_STREAM_SECONDS),
        "EDGE_TLS": settings.EDGE_TLS,
        "PORT": str(settings.PORT),
        "RELAY_PORT": str(settings.RELAY_PORT),
        "SITE_HOST": site.hostname or "",
        "SITE_URL": settings.SITE_URL,
        "XDG_CONFIG_HOME": str(_folder()),
        "XDG_DATA_HOME": str(_folder()),
    }


def _watch(caddy: subprocess.Popen[bytes], believed: str, stop: threading.Event) -> None:
    waited = 0.0
    while not stop.wait(GLANCE):
        if caddy.poll() is not None:
            raise Trouble(f"Caddy ended with exit code {caddy.returncode}.", code="caddy")
        waited += GLANCE
        if waited >= LOOK_SECONDS:
            waited = 0.0
            if authorities_text() != believed:
                return


def _end(caddy: subprocess.Popen[bytes]) -> None:
    caddy.terminate()
    try:
        caddy.wait(10)
    except subprocess.TimeoutExpired:
        caddy.kill()
        caddy.wait()


def _write_authorities() -> str:
    believed = authorities_text()
    (_folder() / "authorities.pem").write_text(believed)
    return believed


def _folder() -> Path:
    return own_folder(settings.FARM_DATA / "edge")


def _inner_door() -> Path:
    """The socket between Caddy and itself; its name must fit where the system keeps such names."""
    path = _folder() / "inner"
    if len(os.fsencode(path)) > LONGEST_SOCKET:
        raise Trouble(
            f"The folder {settings.FARM_DATA} has too long a name for the edge's socket: set"
            f" FARM_DATA to one of at most {LONGEST_SOCKET - len('/edge/inner')} letters.",
            code="long_folder",
            field="FARM_DATA",
        )
    return path


def _caddyfile() -> Path:
    return Path(settings.BASE_DIR) / "deploy" / "Caddyfile"


def _caddy() -> str:
    """The program that came with the wheel, beside this very Python."""
    scripts = [Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))]
    found = next((path / "caddy" for path in scripts if (path / "caddy").exists()), None)
    if found is None:
        raise Trouble("Caddy is not installed beside this Python: run make setup.", code="caddy")
    return str(found)
