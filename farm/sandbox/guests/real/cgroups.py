"""Gives each guest a control group: to bound its memory, and to hold it still for a snapshot."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
LEGACY = ("systemd", "memory", "freezer", "unified")
"""Hierarchies of a machine that still has version 1, as far as a guest needs them."""


_PAUSE = 0.02
_PATIENCE = 250
"""Pauses until something that takes a moment is given up: it was best effort."""


def sandbox_groups(name: str) -> tuple[Path, ...]:
    """The folders in which the groups of one sandbox's guests are made; () without cgroups."""
    if (ROOT / "cgroup.controllers").exists():
        return (ROOT / name,)
    return tuple(ROOT / top / name for top in LEGACY if (ROOT / top / "cgroup.procs").exists())


def make_group(parent: Path, name: str, *, memory_mb: int) -> Path:
    """A group for one guest. The memory limit is best effort: not every kernel lets us set it."""
    parent.mkdir(exist_ok=True)
    with suppress(OSError):
        (parent / "cgroup.subtree_control").write_text("+memory")
    group = parent / name
    group.mkdir(exist_ok=True)
    for limit in ("memory.max", "memory.limit_in_bytes"):
        if (group / limit).exists():
            with suppress(OSError):
                (group / limit).write_text(str(memory_mb * 1024 * 1024))
    return group


async def hold_still(group: Path) -> None:
    """Freeze every process of a group, and answer once none of them moves."""
    if (group / "cgroup.freeze").exists():
        (group / "cgroup.freeze").write_text("1")
        await _until(group / "cgroup.events", "frozen 1")
    elif (group / "freezer.state").exists():
        (group / "freezer.state").write_text("FROZEN")
        await _until(group / "freezer.state", "FROZEN")


def let_go(group: Path) -> None:
    """Let the processes of a frozen group go on."""
    if (group / "cgroup.freeze").exists():
        (group / "cgroup.freeze").write_text("0")
    elif (group / "freezer.state").exists():
        (group / "freezer.state").write_text("THAWED")


async def _until(told: Path, word: str) -> None:
    for _ in range(_PATIENCE):
        if _tells(told, word):
            return
        await asyncio.sleep(_PAUSE)


def _tells(told: Path, word: str) -> bool:
    return word in told.read_text()


async def remove_group(group: Path) -> None:
    """Remove a group whose processes are ending; content if it is gone."""
    for _ in range(_PATIENCE):
        if _removed(group):
            return
        await asyncio.sleep(_PAUSE)


def _removed(group: Path) -> bool:
    inner = sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True)
    for path in (*inner, group):
        with suppress(OSError):
            path.rmdir()
    return not group.exists()
