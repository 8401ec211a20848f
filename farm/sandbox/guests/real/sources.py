"""Where the guests' Debian comes from: the mirrors that this machine itself is set up to use."""

from __future__ import annotations

import platform
from collections.abc import Iterable

from farm.sandbox.guests.real.command import CommandError, run

SUITE = "bookworm"
NONE_FITS = (
    "this machine's apt knows no Debian mirror (add one to /etc/apt/sources.list.d with"
    f" `{SUITE}` as its suite and `main` as its component, then run apt-get update)"
)
_BRANCHES = ("", "-updates", "-security")


async def sources() -> tuple[str, ...]:
    """Lines for apt that bring our suite; none where this machine has no mirror of Debian's."""
    line = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    try:
        told = await run("apt-get", "indextargets", "--format", line, "Created-By: Packages")
    except CommandError:
        return ()
    return debian_sources(told.splitlines(), _own_suite())


def debian_sources(targets: Iterable[str], own: str) -> tuple[str, ...]:
    """Lines for apt from "URI release component" lines, of component main only.

    Where only `own`, this machine's suite of Debian, has a mirror, the same mirrors have ours.
    """
    split = [target.split() for target in sorted(set(targets))]
    main = [(parts[0], parts[1]) for parts in split if parts[2:] == ["main"]]
    return _of_suite(main, SUITE) or _of_suite(main, own)


def _of_suite(main: list[tuple[str, str]], suite: str) -> tuple[str, ...]:
    ours = {f"{suite}{branch}": f"{SUITE}{branch}" for branch in _BRANCHES}
    complete = any(release == suite for _, release in main)
    lines = (f"deb {uri} {ours[release]} main" for uri, release in main if release in ours)
    return tuple(lines) if complete else ()


def _own_suite() -> str:
    """The code name of this machine's Debian, "" for any other system."""
    try:
        told = platform.freedesktop_os_release()
    except OSError:
        return ""
    return told.get("VERSION_CODENAME", "") if told.get("ID") == "debian" else ""
