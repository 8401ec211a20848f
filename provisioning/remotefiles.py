"""Files for a machine: packed so that one command puts all of them in place, each atomically."""

from __future__ import annotations

import io
import shlex
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field

_STAGED = ".farm-new"
_NOBODY = 65534
"""Whom a file belongs to where its owner is unknown to the machine."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file as it shall be; `owner` is "user:group". With `keep` an existing one stays."""

    path: str
    content: bytes = field(repr=False)
    mode: int
    owner: str
    keep: bool = False


def as_tar(files: Sequence[RemoteFile]) -> bytes:
    """All files under names of their own beside the final ones, as an uncompressed archive."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for file in files:
            tar.addfile(_member(file), io.BytesIO(file.content))
    return archive.getvalue()


def install_command(files: Sequence[RemoteFile]) -> tuple[str, ...]:
    """The command that reads `as_tar(files)` and moves each file to its name."""
    unpack = "tar --extract --touch --preserve-permissions --file=- --directory=/"
    return ("sh", "-c", " && ".join([unpack, *(_move(file) for file in files)]))


def _member(file: RemoteFile) -> tarfile.TarInfo:
    member = tarfile.TarInfo(file.path.lstrip("/") + _STAGED)
    member.size, member.mode = len(file.content), file.mode
    member.uname, member.gname = file.owner.split(":")
    member.uid = 0 if member.uname == "root" else _NOBODY
    member.gid = 0 if member.gname == "root" else _NOBODY
    return member


def _move(file: RemoteFile) -> str:
    staged, final = shlex.quote(file.path + _STAGED), shlex.quote(file.path)
    if file.keep:
        return f"mv -n -T {staged} {final} && rm -f {staged}"
    return f"mv -f -T {staged} {final}"
