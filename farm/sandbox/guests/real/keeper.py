"""Keeps whatever guests need in namespaces that vanish with the sandbox, even by SIGKILL.

The keeper is two shells that read a pipe of ours. When the sandbox ends in whatever way, the
kernel closes the pipe: the inner shell, process 1 of its PID namespace, ends, the kernel kills
every process in there, and with the last one go the mounts and the networks. The outer shell then
removes the empty control groups, which no kernel does by itself, and last lets go of the lock.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path

from farm.sandbox.guests.base import GuestError
from farm.sandbox.guests.real.command import piped, run, spawn

# While /proc is still the machine's, /proc/self/stat tells the process id as the machine knows it.
# Guests held still for a snapshot must move again: a frozen process of cgroups v1 cannot be killed.
INNER = """
set -e
read -r pid rest < /proc/self/stat
mount -t proc proc /proc
mkdir -p /run/netns /run/systemd/nspawn
mount -t tmpfs -o mode=755 tmpfs /run/netns
mount -t tmpfs -o mode=755 tmpfs /run/systemd/nspawn
echo "$pid"
cat > /dev/null
for group; do
  for state in "$group"/*/freezer.state; do
    [ ! -e "$state" ] || echo THAWED > "$state"
  done
done
exit 0
"""

OUTER = """
inner=$1; shift
unshare --mount --pid --fork --kill-child --propagation private sh -c "$inner" keeper "$@" ||
  exit
for try in 1 2 3 4 5 6 7 8 9 10; do
  left=
  for group; do
    [ -d "$group" ] || continue
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || left=yes
  done
  [ -n "$left" ] || break
  sleep 0.1
done
"""

_LOCK_TAKEN = 75
_PATIENCE = 20
"""Seconds a new sandbox waits for what a killed one left to be gone; it takes well under one."""


class Keeper:
    """Where guests live: mounts, processes and networks apart from the machine's own."""

    def __init__(self, *, lock: Path, groups: Sequence[Path]) -> None:
        self._lock = lock
        self._groups = tuple(groups)
        self._process: Process | None = None
        self._pid = 0

    async def start(self) -> None:
        """GuestError when the kernel refuses namespaces, or another sandbox's guests still live."""
        self._process = await spawn(
            *("flock", "--timeout", str(_PATIENCE), "--conflict-exit-code", str(_LOCK_TAKEN)),
            *(str(self._lock), "sh", "-c", OUTER, "keeper", INNER, *map(str, self._groups)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        line = await piped(self._process.stdout).readline()
        if not line:
            raise GuestError(await self._why_not(self._process))
        self._pid = int(line)

    async def close(self) -> None:
        """End every guest at once, and wait until nothing of them is left."""
        process, self._process = self._process, None
        if process is None:
            return
        piped(process.stdin).close()
        await process.wait()

    def path(self, inside: str) -> Path:
        """The machine's way to a path as the keeper sees it."""
        return Path(f"/proc/{self._pid}/root{inside}")

    async def run(self, *argv: str, network: str = "", stdin: str = "") -> str:
        """Run a program among the guests, in the named network or the machine's own."""
        return await run(*self._enter(network), *argv, stdin=stdin)

    async def spawn(self, *argv: str, output: int, pass_fds: Sequence[int] = ()) -> Process:
        """Start a program that dies with the keeper; `output` takes what it prints."""
        return await spawn(*self._enter(""), *argv, stdout=output, stderr=output, pass_fds=pass_fds)

    def _enter(self, network: str) -> tuple[str, ...]:
        entered = ("nsenter", f"--target={self._pid}", "--mount", "--pid")
        return (*entered, f"--net={self.path(f'/run/netns/{network}')}") if network else entered

    async def _why_not(self, process: Process) -> str:
        self._process = None
        _, complaint = await asyncio.wait_for(process.communicate(), _PATIENCE)
        if process.returncode == _LOCK_TAKEN:
            return f"Guests of another sandbox still use {self._lock.parent}: stop that one first."
        return f"The kernel refuses guests their namespaces: {complaint.decode().strip()[-300:]}"
