"""Sealed backups on the farm's own disk, readable by the farm's user only."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from farm.agents.stores.port import Found
from farm.env import own_folder
from provisioning.errors import Rejected, Transient

PART = ".part"


class DiskStore:
    """Files below one folder; a half-written one has a name of its own."""

    name = "disk"

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, place: str, sealed: BinaryIO, *, size: int, sha256: str) -> None:
        """Write beside, have it on the disk, then give it its name."""
        path = self._path(place)
        part = path.with_name(path.name + PART)
        with _working():
            own_folder(path.parent)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                shutil.copyfileobj(sealed, file)
                file.flush()
                os.fsync(file.fileno())
            if part.stat().st_size != size:
                raise Transient("store_unreachable", f"{sha256[:12]} was not written whole.")
            part.replace(path)
            _settle(path.parent)

    @contextmanager
    def read(self, place: str) -> Iterator[BinaryIO]:
        """The open file."""
        with _working():
            try:
                file = self._path(place).open("rb")
            except FileNotFoundError:
                raise Rejected("backup_gone", f"{place} is not there any more.") from None
        with file:
            yield file

    def delete(self, place: str) -> None:
        """Remove it, and its folder when it was the last."""
        path = self._path(place)
        with _working():
            path.unlink(missing_ok=True)
            if path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()

    def found(self) -> Iterator[Found]:
        """Every file below the folder."""
        with _working():
            for path in self._root.rglob("*"):
                if path.is_file():
                    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    yield Found(str(path.relative_to(self._root)), written)

    def _path(self, place: str) -> Path:
        return self._root / place


@contextmanager
def _working() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        sentence = f"The farm's disk does not keep backups: {error.strerror}."
        raise Transient("store_unreachable", sentence) from error


def _settle(folder: Path) -> None:
    """Have the name itself on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
