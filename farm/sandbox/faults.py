"""The gate that every outside call passes before and after its effect, and what can go wrong there.

A call is one HTTP request to a sandbox service, or one SSH connection, exec, transfer or forward.
Services write `async with gate.passage(kind, detail) as passage: <the effect>`.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from farm.sandbox.wire import JsonObject

REMEMBERED_CALLS = 2000


class When(StrEnum):
    """On which side of the call's effect a fault strikes."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answers instead of its own word.

    With `text` the body is that text as it is; without, the service wraps `code` and `message` in
    its own error envelope, with `details` where it has them. `retry_after` is in seconds and told
    the way the service tells it.
    """

    status: int
    code: str = ""
    message: str = ""
    text: str | None = None
    retry_after: float | None = None
    details: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class ActionFault:
    """The asynchronous order begun by the call takes `delay` seconds more.

    With a `code` it then ends in this error and has no effect.
    """

    code: str = ""
    message: str = ""
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong at the `call`-th matching call from now, and `times` calls in all.

    A call matches if its kind is `kind` (None: any) and all words of `match`, but none of `unless`,
    occur in its detail.
    `times` None means until it is cleared. Exactly one effect is set: `signal` (SIGKILL to that
    pid), `answer`, `reset` (the connection), `hang` (no answer ever), `delay` (in real seconds),
    `action` (what becomes of the order that the call begins) or `vanish` (the first server with
    that in its name is gone). A call that is killed, reset or answered before has no effect; after,
    it has had all of it.
    """

    kind: str | None = None
    match: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    call: int = 1
    times: int | None = 1
    when: When = When.BEFORE
    signal: int | None = None
    answer: Answer | None = None
    reset: bool = False
    hang: bool = False
    delay: float | None = None
    action: ActionFault | None = None
    vanish: str | None = None

    def fits(self, call: Call) -> bool:
        """Whether it is about such calls."""
        excluded = any(word in call.detail for word in self.unless)
        meant = not excluded and all(word in call.detail for word in self.match)
        return meant and self.kind in (None, call.kind)


@dataclass(frozen=True, slots=True)
class Call:
    """One outside call as the gate counted it, from 1."""

    number: int
    kind: str
    detail: str


class Drawn(Protocol):
    """Faults that nobody armed one by one."""

    def draw(self, call: Call) -> Fault | None:
        """What this call suffers, if anything."""


class Severed(Exception):  # noqa: N818
    """The connection is to be cut without another byte."""


class Refused(Exception):  # noqa: N818
    """The service is to send `answer` and nothing else."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.message or answer.code)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Passage:
    """A call under way: `action` is what happens to the order that it begins."""

    call: Call
    action: ActionFault | None


@dataclass(slots=True)
class _Armed:
    id: int
    fault: Fault
    seen: int = 0

    def strikes(self, call: Call) -> bool:
        """Count `call` if it matches, and say whether it is one of those to strike."""
        fault = self.fault
        if not fault.fits(call):
            return False
        self.seen += 1
        last = None if fault.times is None else fault.call + fault.times - 1
        return self.seen >= fault.call and (last is None or self.seen <= last)

    def spent(self) -> bool:
        fault = self.fault
        return fault.times is not None and self.seen >= fault.call + fault.times - 1


@dataclass(slots=True)
class Gate:
    """Counts outside calls and lets the armed faults strike them, and those that `chance` draws.

    `vanishers` have the first server of a cloud with that in its name be gone, by the cloud.
    """

    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=REMEMBERED_CALLS))
    count: int = 0
    chance: Drawn | None = None
    vanishers: dict[str, Callable[[str], Awaitable[None]]] = field(default_factory=dict)
    _armed: list[_Armed] = field(default_factory=list)
    _issued: int = 0
    _release: asyncio.Event = field(default_factory=asyncio.Event)

    def arm(self, fault: Fault) -> int:
        """Set `fault`; its calls are counted from here. Answers its id."""
        self._issued += 1
        self._armed.append(_Armed(self._issued, fault))
        return self._issued

    def armed(self) -> tuple[tuple[int, Fault], ...]:
        """The faults that may still strike, with their ids."""
        return tuple((armed.id, armed.fault) for armed in self._armed)

    def expects(self, kind: str) -> bool:
        """Whether calls of a kind that is counted only for its faults may suffer one."""
        armed = any(one.fault.kind == kind for one in self._armed)
        return armed or self.chance is not None

    def clear(self) -> None:
        """Disarm everything, cut the calls that hang, and count from 0 again."""
        self._armed.clear()
        self.chance = None
        self.calls.clear()
        self.count = 0
        self._release.set()
        self._release = asyncio.Event()

    @asynccontextmanager
    async def passage(self, kind: str, detail: str) -> AsyncIterator[Passage]:
        """Let one call through; raises Severed or Refused where a fault says so."""
        call = self._counted(kind, detail)
        faults = self._striking(call)
        for fault in faults:
            if fault.when is When.BEFORE:
                await self._strike(fault, call)
        yield Passage(call, next((f.action for f in faults if f.action), None))
        for fault in faults:
            if fault.when is When.AFTER:
                await self._strike(fault, call)

    def _counted(self, kind: str, detail: str) -> Call:
        self.count += 1
        call = Call(self.count, kind, detail)
        self.calls.append(call)
        return call

    def _striking(self, call: Call) -> tuple[Fault, ...]:
        striking = tuple(armed.fault for armed in self._armed if armed.strikes(call))
        self._armed = [armed for armed in self._armed if not armed.spent()]
        drawn = self.chance.draw(call) if self.chance else None
        return (*striking, drawn) if drawn else striking

    async def _strike(self, fault: Fault, call: Call) -> None:
        if fault.vanish is not None and call.kind in self.vanishers:
            await self.vanishers[call.kind](fault.vanish)
        if fault.delay is not None:
            await asyncio.sleep(fault.delay)
        if fault.signal is not None:
            _kill(fault.signal)
            raise Severed
        if fault.answer is not None:
            raise Refused(fault.answer)
        if fault.reset:
            raise Severed
        if fault.hang:
            await self._release.wait()
            raise Severed


def _kill(pid: int) -> None:
    # A process that is gone already was killed by an earlier call: nothing is left to do.
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
