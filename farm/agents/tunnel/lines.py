"""SSH connections to agents' machines: one for each agent, shared, and closed when idle."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, Server
from farm.agents.reconciler.machines import shell_of
from farm.agents.tunnel.pipes import TwoWay
from provisioning.errors import Transient
from provisioning.runtime import PORT
from provisioning.ssh import Shell

IDLE_SECONDS = 60.0


@dataclass(slots=True)
class Line:
    """An open connection; `users` are the streams on it."""

    shell: Shell
    closing: ExitStack
    server: int
    users: int = 0
    used_at: float = 0.0


@dataclass(slots=True)
class Lines:
    """The open connections by agent. Safe to use from many threads."""

    open: dict[int, Line] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    dialling: dict[int, threading.Lock] = field(default_factory=dict)

    @contextmanager
    def stream_to(self, agent: Agent) -> Iterator[TwoWay]:
        """A raw stream to the agent's gateway; errors of provisioning.errors if there is none."""
        line = self._line_to(agent)
        try:
            with line.shell.forward(PORT) as channel:
                yield channel
        finally:
            with self.lock:
                line.users -= 1
                line.used_at = time.monotonic()

    def close_idle(self) -> None:
        """Close what nobody used for a minute, and what broke."""
        now = time.monotonic()
        with self.lock:
            idle = [
                agent
                for agent, line in self.open.items()
                if not line.shell.alive or (not line.users and now - line.used_at > IDLE_SECONDS)
            ]
            lines = [self.open.pop(agent) for agent in idle]
        for line in lines:
            line.closing.close()

    def close(self) -> None:
        """Close all."""
        with self.lock:
            lines = list(self.open.values())
            self.open.clear()
        for line in lines:
            line.closing.close()

    def _line_to(self, agent: Agent) -> Line:
        server = machine_of(agent)
        if server is None:
            raise Transient("no_machine", f"{agent} has no machine.")
        with self.lock:
            dialling = self.dialling.setdefault(agent.pk, threading.Lock())
        with dialling:
            line = self.open.get(agent.pk)
            if line is None or not line.shell.alive or line.server != server.pk:
                line = self._dial(agent, server)
            with self.lock:
                line.users += 1
            return line

    def _dial(self, agent: Agent, server: Server) -> Line:
        closing = ExitStack()
        line = Line(closing.enter_context(shell_of(server)), closing, server.pk)
        with self.lock:
            old, self.open[agent.pk] = self.open.get(agent.pk), line
        if old:
            old.closing.close()
        return line
