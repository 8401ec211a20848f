"""A clock that is ahead of the world's, for the processes that are started with its settings."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


@dataclass(slots=True)
class MovedClock:
    """How far the machine is ahead of the world, in a file that every process reads."""

    file: Path
    seconds: int = 0

    def leap(self, seconds: int) -> None:
        """So much later at once, for everybody."""
        self.seconds += seconds
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"+{self.seconds}\n")
        fresh.replace(self.file)

    @property
    def settings(self) -> Mapping[str, str]:
        """The environment of a process that lives by it."""
        return {
            "LD_PRELOAD": str(LIBRARIES[-1]),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    @contextmanager
    def moving(self) -> Iterator[None]:
        """Processes that are started in here live by it."""
        settings = self.settings
        os.environ.update(settings)
        try:
            yield
        finally:
            for name in settings:
                del os.environ[name]
