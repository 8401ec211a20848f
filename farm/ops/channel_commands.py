"""`farm agents channels`: the chat apps of an agent, and taking one away, on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Protocol

import typer

from farm.accounts.models import Door, User
from farm.agents.models import Agent
from farm.agents.selectors.channels import ChannelApp, links_of
from farm.agents.services import unlink_slack, unlink_telegram, unlink_whatsapp
from farm.ops.agent_views import new_table
from farm.ops.answer import AsJson, console, print_json
from farm.ops.finding import agent_called
from farm.ops.people import ActingAs, acting
from farm.ops.refusing import serving


class Unlinking(Protocol):
    """A service that takes a chat app away."""

    def __call__(self, *, actor: User, door: Door, agent: Agent) -> None:
        """Content if there is none."""


UNLINKING: Mapping[ChannelApp, Unlinking] = {
    ChannelApp.TELEGRAM: unlink_telegram,
    ChannelApp.SLACK: unlink_slack,
    ChannelApp.WHATSAPP: unlink_whatsapp,
}


def channels(
    which: Annotated[str, typer.Argument(metavar="AGENT", help="Its name or its uid.")],
    *,
    unlink: Annotated[
        ChannelApp | None, typer.Option(help="Take this chat app away from it.")
    ] = None,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """List the chat apps through which an agent is reached; its page links new ones."""
    with serving(as_json=as_json):
        actor = acting(email)
        agent = agent_called(which, actor)
        if unlink:
            UNLINKING[unlink](actor=actor, door=Door.CLI, agent=agent)
        _show(agent, as_json=as_json)


def _show(agent: Agent, *, as_json: bool) -> None:
    links = links_of(agent)
    if as_json:
        print_json([asdict(link) for link in links])
    elif not links:
        typer.echo(f"{agent.name} is in no chat app: its page links it to one.")
    else:
        table = new_table("App", "State", "As", "Answers")
        for link in links:
            table.add_row(link.app.value.capitalize(), link.words, link.called, link.answers)
        console().print(table)
