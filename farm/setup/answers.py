"""The answers of the set-up page: one file each in FARM_CONF, which settings read (farm.env)."""

from __future__ import annotations

import os
import re
from pathlib import Path

from farm.env import SET_UP, SettingError, conf_folder

NAME = re.compile(r"[A-Za-z_]{1,60}")
RESTART = "restart"
"""The file that the machine watches: whenever it is written, the farm restarts."""


def keep(name: str, value: str) -> None:
    """Write an answer, whole or not at all, for the farm's own eyes only."""
    path = _path(name)
    draft = path.with_name(f".{name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def kept(name: str) -> str:
    """The answer that is kept, "" without one."""
    path = _path(name)
    return path.read_text().strip() if path.is_file() else ""


def forget(name: str) -> None:
    """Take an answer back; content if there is none."""
    _path(name).unlink(missing_ok=True)


def close() -> None:
    """The set-up is done: from the restart on, which this asks for, the farm serves people."""
    keep(SET_UP, "done")
    keep(RESTART, "asked for by the set-up page")


def _path(name: str) -> Path:
    folder = conf_folder()
    if folder is None:
        raise SettingError("FARM_CONF is not set, so there is no set-up page here.")
    if not NAME.fullmatch(name):
        raise ValueError(name)
    return folder / name
