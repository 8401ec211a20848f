"""Runs the system's own programs from the event loop and turns their failure into a sentence."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from farm.sandbox.guests.base import GuestError

T = TypeVar("T")
PATH = f"{os.environ.get('PATH', '/usr/bin:/bin')}:/usr/sbin:/sbin"
ENVIRONMENT = {**os.environ, "PATH": PATH, "LC_ALL": "C"}


class CommandError(GuestError):
    """A program failed; `complaint` is the end of what it said about it."""

    def __init__(self, argv: Sequence[str], code: int, complaint: str) -> None:
        super().__init__(
            f"`{' '.join(' '.join(argv).split())[:160]}` ended with {code}: {complaint}"
        )
        self.complaint = complaint


async def run(*argv: str, stdin: str = "") -> str:
    """Run to the end and answer what it printed; CommandError with its complaint if it failed.

    It is killed with the sandbox or its waiting task, wherever in its work it is.
    """
    process = await asyncio.create_subprocess_exec(
        *("setpriv", "--pdeathsig=KILL"),
        *argv,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=ENVIRONMENT,
        start_new_session=True,
    )
    try:
        printed, complaint = await process.communicate(stdin.encode())
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise CommandError(argv, process.returncode, _end(complaint))
    return printed.decode()


async def remove(path: Path) -> None:
    """A folder and all in it, on its own file system; content if it is gone."""
    await run("rm", "-rf", "--one-file-system", str(path))


async def duplicate(folder: Path, copy: Path) -> None:
    """A folder nobody writes to, once more: by links where both are on one file system."""
    try:
        await run("cp", "--archive", "--link", str(folder), str(copy))
    except CommandError:
        await remove(copy)
        await run("cp", "--archive", "--reflink=auto", str(folder), str(copy))


async def spawn(
    *argv: str, stdin: int = DEVNULL, stdout: int, stderr: int, pass_fds: Sequence[int] = ()
) -> Process:
    """Start in a session of its own, so that Ctrl-C at a terminal reaches the sandbox only."""
    return await asyncio.create_subprocess_exec(
        *argv,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        pass_fds=tuple(pass_fds),
        env=ENVIRONMENT,
        start_new_session=True,
    )


def piped(stream: T | None) -> T:
    """The stream of a process that was started with a pipe for it."""
    if stream is None:
        raise GuestError("A program was started without the pipe that is read from it.")
    return stream


def _end(complaint: bytes) -> str:
    return " ".join(complaint.decode(errors="replace").split())[-400:] or "it said nothing"
