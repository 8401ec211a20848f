"""The gateway's memory of its own starts: too many that did not end well hold the channels back."""

from __future__ import annotations

import json
import posixpath

from farm.sandbox.guests.simulated.process import Process

WINDOW = 300.0
MOST = 3


class Boots:
    """Times of starts, in Unix seconds, that did not end in an orderly stop."""

    def __init__(self, process: Process, state: str) -> None:
        self._process = process
        self._path = posixpath.join(state, "state", "boots.json")

    def begin(self) -> bool:
        """Note a start; True if the last ones crashed and channels are to stay off."""
        now = self._process.machine.seconds()
        recent = [at for at in self._read() if at > now - WINDOW]
        self._write([*recent, now])
        return len(recent) >= MOST

    def end(self) -> None:
        """Note an orderly stop: the starts before it count no longer."""
        self._write([])

    def _read(self) -> list[float]:
        node = self._process.files.find(self._path)
        return [float(at) for at in json.loads(node.content)] if node is not None else []

    def _write(self, times: list[float]) -> None:
        self._process.files.make_dir(posixpath.dirname(self._path), 0o700, parents=True)
        self._process.files.write(self._path, json.dumps(times).encode(), mode=0o600)
