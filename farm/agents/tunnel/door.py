"""The local port: whoever asks for an agent's host name is led to that agent's gateway."""

from __future__ import annotations

import logging
import socket
import threading
from http import HTTPStatus

from django.conf import settings
from django.db import connections
from django.utils import timezone

from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, AgentPhase
from farm.agents.reconciler.troubles import distrust
from farm.agents.services.schedules import note_console_use
from farm.agents.tunnel.heads import BadHead, Head, answer, read_head
from farm.agents.tunnel.lines import Lines
from farm.agents.tunnel.pipes import pipe
from provisioning.errors import HostKeyMismatch, ProvisioningError

logger = logging.getLogger(__name__)
MOST_STREAMS = 256
LISTEN_ON = "127.0.0.1"


def run_tunnel(port: int, stop: threading.Event) -> None:
    """Serve on 127.0.0.1:`port` until `stop` is set. OSError if the port is taken."""
    lines, places = Lines(), threading.BoundedSemaphore(MOST_STREAMS)
    with socket.create_server((LISTEN_ON, port), backlog=128) as door:
        door.settimeout(0.25)
        while not stop.is_set():
            lines.close_idle()
            try:
                client, _ = door.accept()
            except TimeoutError:
                continue
            _receive(client, lines, places)
    lines.close()


def _receive(client: socket.socket, lines: Lines, places: threading.BoundedSemaphore) -> None:
    if not places.acquire(blocking=False):
        client.close()
        return

    def serve() -> None:
        try:
            with client:
                _serve(client, lines)
        except OSError as error:
            logger.info("A visitor left: %s", error)
        finally:
            connections.close_all()
            places.release()

    threading.Thread(target=serve, daemon=True).start()


def _serve(client: socket.socket, lines: Lines) -> None:
    try:
        if head := read_head(client):
            _lead(client, head, lines)
    except BadHead as error:
        client.sendall(answer(error.status, str(error)))


def _lead(client: socket.socket, head: Head, lines: Lines) -> None:
    """Open a stream to the agent that the head names, and pass everything on, both ways."""
    agent = _agent_at(head.host)
    try:
        with lines.stream_to(agent) as channel:
            note_console_use(agent.uid, timezone.now())
            connections.close_all()
            channel.sendall(head.sent)
            pipe(client, channel)
    except HostKeyMismatch as error:
        if server := machine_of(agent):
            distrust(server, error)
        raise _unreachable(agent) from error
    except ProvisioningError as error:
        logger.info("%s: %s", agent, error)
        raise _unreachable(agent) from error


def _agent_at(host: str) -> Agent:
    """The running agent whose host name this is; BadHead with what to say if there is none."""
    name, _, domain = host.partition(".")
    agent = Agent.objects.filter(host=name).first() if domain == settings.AGENTS_DOMAIN else None
    if agent is None or agent.phase == AgentPhase.DELETED:
        raise BadHead(HTTPStatus.NOT_FOUND, "There is no agent at this address.")
    if agent.phase == AgentPhase.STOPPED:
        way = f"{settings.SITE_URL}/agents/{agent.uid}/wake/"
        raise BadHead(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"{agent.name} sleeps. Wake it here: {way} (1-2 minutes).",
        )
    if agent.phase != AgentPhase.RUNNING:
        raise BadHead(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"{agent.name} is not running: look at its page at {settings.SITE_URL}.",
        )
    return agent


def _unreachable(agent: Agent) -> BadHead:
    return BadHead(
        HTTPStatus.BAD_GATEWAY,
        f"{agent.name}'s machine does not answer at the moment: try again in a minute.",
    )
