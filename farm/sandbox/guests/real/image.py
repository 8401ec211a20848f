"""Builds the guest image once per machine and recipe, beside whatever else is running."""

from __future__ import annotations

import asyncio
import fcntl
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

from farm.sandbox.guests.base import GuestError
from farm.sandbox.guests.real.command import piped, remove, run, spawn
from farm.sandbox.guests.real.recipe import NAME, USUAL_SECONDS, Recipe, recipe

_STEPS = {
    "running apt-get update": "reading the package lists",
    "downloading packages": "downloading packages",
    "extracting archives": "unpacking",
    "installing essential packages": "installing the base system",
    "installing remaining packages": "installing packages",
    "cleaning": "cleaning up",
}
_UPDATE_CERTIFICATES = 'chroot "$1" update-ca-certificates'
_FORGET_IDENTITY = 'rm -f "$1"/etc/ssh/ssh_host_*; : > "$1/etc/machine-id"'


class Image:
    """The image in `cache`/guests/<digest>/root, as `wanted` tells what it is made of."""

    def __init__(self, cache: Path, wanted: Callable[[], Awaitable[Recipe]] = recipe) -> None:
        self.bases = cache / "guests"
        self._wanted = wanted
        self._digest = ""
        self._step = ""
        self._began = 0.0

    @property
    def layer(self) -> str:
        """What a fresh disk stands on; known once `prepare` is through."""
        return f"base/{self._digest}"

    def progress(self) -> str:
        """One line while the image is being built, "" before and after."""
        if not self._step:
            return ""
        elapsed = round(monotonic() - self._began)
        return (
            f"Building the guest image {NAME}: {self._step}"
            f" ({elapsed} s; usually {USUAL_SECONDS} s, once per machine)"
        )

    async def prepare(self) -> None:
        """Build it unless it is there; a second builder waits for the first.

        GuestError when it cannot be built, with the builder's complaint.
        """
        wanted = await self._wanted()
        self._digest = wanted.digest
        if self._path.exists():
            return
        self._began = monotonic()
        self.bases.mkdir(parents=True, exist_ok=True)
        try:
            async with self._alone():
                if not self._path.exists():
                    await self._build(wanted)
        finally:
            self._step = ""

    @property
    def _path(self) -> Path:
        return self.bases / self._digest

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        with (self.bases / f"{self._digest}.lock").open("w") as lock:
            while not _taken(lock.fileno()):
                self._step = "another sandbox is at it"
                await asyncio.sleep(0.2)
            yield

    async def _build(self, wanted: Recipe) -> None:
        """In a draft folder that becomes the image in one step; drafts of killed builders go."""
        self._step = "starting"
        for left in self.bases.glob(f".{self._digest}.*"):
            await remove(left)
        draft = _draft(self.bases, wanted)
        try:
            await self._bootstrap(draft, wanted)
            await remove(draft / "files")
            await run("mv", "--no-target-directory", str(draft), str(self._path))
        except BaseException:
            await asyncio.shield(remove(draft))
            raise

    async def _bootstrap(self, draft: Path, wanted: Recipe) -> None:
        """The builder's processes and mounts are in namespaces that die with this process."""
        process = await spawn(
            *("setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--pid", "--fork"),
            *("--kill-child", "--mount-proc", "mmdebstrap", "--mode=root", "--variant=minbase"),
            *("--format=directory", f"--include={','.join(wanted.packages)}"),
            f"--customize-hook=sync-in '{draft / 'files'}' /",
            f"--customize-hook={_UPDATE_CERTIFICATES}",
            f"--customize-hook={_FORGET_IDENTITY}",
            *(wanted.suite, str(draft / "root"), "-"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        try:
            said = await self._follow(process, "\n".join(wanted.sources))
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        if process.returncode:
            raise GuestError(
                f"The guest image could not be built: {said}. Check that this machine reaches"
                " its Debian mirrors (apt-get update), then start again."
            )

    async def _follow(self, process: Process, sources: str) -> str:
        """Tell its steps while it works; answers its first complaint, which is the cause."""
        requests = piped(process.stdin)
        requests.write(sources.encode())
        requests.close()
        complaint = ""
        async for raw in piped(process.stderr):
            line = raw.decode(errors="replace").strip()
            self._step = next((told for key, told in _STEPS.items() if key in line), self._step)
            complaint = complaint or (line if line.startswith(("E:", "Err:", "Error:")) else "")
        await process.wait()
        return complaint or "it gave no reason"


def _draft(bases: Path, wanted: Recipe) -> Path:
    draft = Path(tempfile.mkdtemp(prefix=f".{wanted.digest}.", dir=bases))
    draft.chmod(0o755)
    _write_files(draft / "files", wanted)
    return draft


def _write_files(folder: Path, wanted: Recipe) -> None:
    folder.mkdir()
    for name, content in wanted.files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
