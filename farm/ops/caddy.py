"""Caddy as the edge starts it: the program, its file, and every name that the file asks for."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from farm.ops.answer import Trouble

LONGEST_SOCKET = 100
"""Bytes; Linux takes 107, and what comes after a name of ours is Caddy's."""


@dataclass(frozen=True, slots=True)
class Folders:
    """`told` is what the farm writes and Caddy reads, `own` what Caddy alone writes."""

    told: Path
    own: Path

    @property
    def authorities(self) -> Path:
        """Whom the gateways' certificates must come from."""
        return self.told / "authorities.pem"


def caddy_argv() -> tuple[str, ...]:
    """The program that came with the wheel, beside this very Python, and deploy/Caddyfile."""
    scripts = [Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))]
    found = next((path / "caddy" for path in scripts if (path / "caddy").exists()), None)
    if found is None:
        raise Trouble("Caddy is not installed beside this Python: run make setup.", code="caddy")
    file = Path(settings.BASE_DIR) / "deploy" / "Caddyfile"
    return (str(found), "run", "--config", str(file), "--adapter", "caddyfile")


def environment_of_caddy(folders: Folders) -> Mapping[str, str]:
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
        "EDGE_CA": str(folders.authorities),
        "EDGE_CERTIFICATE": settings.EDGE_CERTIFICATE,
        "EDGE_CERTIFICATE_KEY": settings.EDGE_CERTIFICATE_KEY,
        "EDGE_HTTPS_PORT": str(site.port or 443),
        "EDGE_HTTP_PORT": str(settings.EDGE_HTTP_PORT),
        "EDGE_INNER": str(_inner_door(folders.own)),
        "EDGE_PORT": str(agents.port or 443),
        "EDGE_SECRET": settings.EDGE_SECRET,
        "EDGE_STATE": str(folders.own / "caddy"),
        "EDGE_STREAM_SECONDS": str(settings.EDGE_STREAM_SECONDS),
        "EDGE_TLS": settings.EDGE_TLS,
        "PORT": str(settings.PORT),
        "RELAY_PORT": str(settings.RELAY_PORT),
        "SITE_HOST": site.hostname or "",
        "SITE_URL": settings.SITE_URL,
        "XDG_CONFIG_HOME": str(folders.own),
        "XDG_DATA_HOME": str(folders.own),
    }


def _inner_door(folder: Path) -> Path:
    """The socket between Caddy and itself; its name must fit where the system keeps such names."""
    path = folder / "inner"
    if len(os.fsencode(path)) > LONGEST_SOCKET:
        raise Trouble(
            f"The folder {settings.FARM_DATA} has too long a name for the edge's socket: set"
            f" FARM_DATA to one of at most {LONGEST_SOCKET - len('/edge/inner')} letters.",
            code="long_folder",
            field="FARM_DATA",
        )
    return path
