"""Keeps the processes of a farm running until it is told to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType

from farm.ops.children import Child

TICK_SECONDS = 0.2
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Children in the order of their start; `tell` gets each line meant for the console."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell = tell
        self.children: list[Child] = []
        self._stop = threading.Event()

    def listen(self) -> None:
        """From now on Ctrl-C, SIGTERM and a closed window ask for the end."""
        for number in ENDING:
            signal.signal(number, self._end)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    @property
    def ending(self) -> bool:
        """True once the end was asked for."""
        return self._stop.is_set()

    def add(self, child: Child) -> None:
        """Start a child and keep it running."""
        child.start()
        self.children.append(child)

    def wait_for(self, condition: Callable[[], bool], alive: Sequence[Child] = ()) -> bool:
        """Wait until it holds: False if the end was asked for, or one of `alive` ended, before."""
        while not condition():
            if self._stop.wait(TICK_SECONDS) or any(c.exit_code is not None for c in alive):
                return False
            self._pass_on()
        return True

    def run(self) -> None:
        """Restart what dies, with growing pauses, until the end is asked for."""
        while not self._stop.wait(TICK_SECONDS):
            self._pass_on()
            for child in self.children:
                if sentence := child.tend():
                    self.tell(sentence)

    def stop(self) -> None:
        """End all that stand on the ground at once, then the ground."""
        standing = [child for child in self.children if not child.job.ground]
        for child in standing:
            child.ask_to_end()
        for child in (*standing, *self.children):
            child.stop()
        self._pass_on()

    def _pass_on(self) -> None:
        for child in self.children:
            if child.job.ground:
                for line in child.news():
                    self.tell(f"{child.job.name}: {line}")
