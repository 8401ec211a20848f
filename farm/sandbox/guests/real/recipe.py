"""Says what the guest image is made of: pure but for reading this machine's own configuration."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from farm.sandbox.guests.base import GuestError
from farm.sandbox.guests.real.network import NAME_SERVER
from farm.sandbox.guests.real.sources import NONE_FITS, SUITE, sources

NAME = "debian-12"
USUAL_SECONDS = 45

PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "udev", "libpam-systemd", "libnss-myhostname", "locales"),
    *("openssh-server", "cloud-init", "sudo", "python3", "unattended-upgrades", "procps"),
    *("ca-certificates", "curl", "wget", "gnupg", "xz-utils"),
    *("iproute2", "netbase", "ifupdown", "isc-dhcp-client", "nftables"),
)
"""What a Debian 12 machine at Hetzner has and setting up an agent relies on."""

_CLOUD_CONFIG = """\
# Guests have no cloud's hardware to be known by; their seed lies on their disk.
datasource_list: [NoCloud, None]
locale: C.UTF-8
manage_etc_hosts: true
"""

_CERTIFICATES = Path("/usr/local/share/ca-certificates")
_TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
_NPM_FILES = (Path("/etc/npmrc"), Path("/usr/local/etc/npmrc"))


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything an image depends on: two with the same digest are the same image."""

    suite: str
    packages: tuple[str, ...]
    sources: tuple[str, ...]
    files: tuple[tuple[str, str], ...]

    @property
    def digest(self) -> str:
        """A short name for exactly this recipe."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:16]


async def recipe() -> Recipe:
    """The recipe on this machine: its mirrors, and what it trusts besides Debian's own list.

    GuestError when this machine has no mirror that the image could be built from.
    """
    found = await sources()
    if not found:
        raise GuestError(f"The guest image cannot be built: {NONE_FITS}.")
    files = {
        "etc/cloud/cloud.cfg.d/90_guest.cfg": _CLOUD_CONFIG,
        "etc/resolv.conf": f"nameserver {NAME_SERVER}\n",
        "etc/machine-id": "",
        **_certificates(),
        **_npm_settings(),
        **_pip_settings(),
    }
    return Recipe(SUITE, PACKAGES, found, tuple(sorted(files.items())))


def _certificates() -> dict[str, str]:
    found = sorted(_CERTIFICATES.glob("*.crt"))
    return {str(path).lstrip("/"): path.read_text() for path in found}


def _npm_settings() -> dict[str, str]:
    """npm brings its own list of authorities: it must be told of ours, and of nothing else."""
    kept = {path: _authority_lines(path) for path in _NPM_FILES if path.exists()}
    return {str(path).lstrip("/"): lines for path, lines in kept.items() if lines}


def _pip_settings() -> dict[str, str]:
    """So does pip: where this machine trusts more than Debian's list, it is told of the whole."""
    trusting = f"[global]\ncert = {_TRUSTED}\n"
    return {"etc/pip.conf": trusting} if _certificates() else {}


def _authority_lines(path: Path) -> str:
    lines = path.read_text().splitlines()
    return "".join(f"{line}\n" for line in lines if line.replace(" ", "").startswith("cafile="))
