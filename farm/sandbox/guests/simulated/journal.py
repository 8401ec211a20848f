"""What a guest's units and its kernel have written, the newest last."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from farm.sandbox.guests.simulated.process import Buffer

REMEMBERED_LINES = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """One entry; `at` is in Unix seconds."""

    at: float
    unit: str
    tag: str
    text: str

    def shown(self) -> str:
        """As journalctl prints it by default."""
        at = datetime.fromtimestamp(self.at, UTC).strftime("%b %d %H:%M:%S")
        return f"{at} guest {self.tag}: {self.text}"


class Journal:
    """Keeps the last lines in memory, as a journal without a folder on disk does."""

    def __init__(self) -> None:
        self.lines: deque[Line] = deque(maxlen=REMEMBERED_LINES)

    def add(self, at: float, unit: str, tag: str, text: str) -> None:
        """Write one entry for each line of `text`."""
        for line in text.splitlines():
            self.lines.append(Line(at, unit, tag, line))

    def of(self, units: list[str]) -> list[Line]:
        """The entries of these units, or all of them."""
        return [line for line in self.lines if not units or line.unit in units]


class JournalSink(Buffer):
    """A program's output on its way into the journal, line by line."""

    def __init__(self, journal: Journal, now: float, unit: str, tag: str) -> None:
        super().__init__()
        self._journal, self._now, self._unit, self._tag = journal, now, unit, tag

    def write(self, content: bytes) -> None:
        """Pass on whole lines."""
        super().write(content)
        *lines, rest = bytes(self.content).split(b"\n")
        self.content = bytearray(rest)
        for line in lines:
            self._journal.add(self._now, self._unit, self._tag, line.decode(errors="replace"))
