"""Finds out whether real guests can run on this machine, by trying what they need."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from farm.sandbox.guests.real.command import PATH, CommandError, run
from farm.sandbox.guests.real.disks import usable
from farm.sandbox.guests.real.sources import NONE_FITS, sources

_PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "slirp4netns": "slirp4netns",
    "ip": "iproute2",
    "nft": "nftables",
}
PACKAGES = tuple(_PROGRAMS.values())
"""Debian packages that real guests need on this machine."""

# Everything a guest needs of the kernel, in namespaces that are gone when the line ends.
_TRIAL = """
cd "$1"; mkdir lower upper work root
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work root
mkdir -p /run/netns; mount -t tmpfs tmpfs /run/netns
ip netns add trial
ip link add trial-a netns trial type veth peer name trial-b netns trial
ip netns exec trial nft -f - <<END
table inet trial {
  chain forward { type filter hook forward priority filter; ct state established,related accept; }
  chain nat { type nat hook postrouting priority srcnat; oifname "tap0" masquerade; }
}
END
[ -c /dev/net/tun ]
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether real guests can run here, and the one sentence that says why."""

    possible: bool
    why: str


async def probe(state: Path, cache: Path) -> Verdict:
    """Try it in the folders that would be used; a fraction of a second, and nothing is left."""
    if refusal := _obvious_refusal(state, cache):
        return Verdict(possible=False, why=refusal)
    try:
        await _try_in(state)
    except CommandError as error:
        return Verdict(possible=False, why=f"the kernel refuses it: {error.complaint}")
    if not await sources():
        return Verdict(possible=False, why=NONE_FITS)
    return Verdict(possible=True, why="systemd-nspawn and the kernel have all that guests need")


def missing_packages() -> tuple[str, ...]:
    """What of `PACKAGES` is not installed."""
    return tuple(
        package for program, package in _PROGRAMS.items() if not shutil.which(program, path=PATH)
    )


async def _try_in(state: Path) -> None:
    await run("mkdir", "-p", str(state))
    with tempfile.TemporaryDirectory(prefix=".trial", dir=state) as folder:
        alone = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation=private")
        await run(*alone, "sh", "-ec", _TRIAL, "trial", folder)


def _obvious_refusal(state: Path, cache: Path) -> str:
    if sys.platform != "linux":
        return "systemd-nspawn runs on Linux only"
    if os.geteuid() != 0:
        return "only root may boot guests with systemd-nspawn"
    if missing := missing_packages():
        return f"these Debian packages are missing: {' '.join(missing)} (make setup)"
    if not usable((state, cache)):
        return "the folder of its data or its cache has a colon, comma, quote or backslash in it"
    return ""
