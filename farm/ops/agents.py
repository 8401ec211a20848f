"""`farm agents`: what the site does with agents, on the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from farm.accounts.models import Door, User
from farm.accounts.services import account_of
from farm.agents.models import Agent, AgentPhase
from farm.agents.selectors import agents_of
from farm.agents.services import (
    AgentWish,
    create_agent,
    create_agent_for,
    delete_agent,
    note_look,
    retry_agent,
)
from farm.ops.agent_backups import backup, backups, restore, returnable
from farm.ops.agent_views import (
    agent_row,
    events_table,
    events_view,
    first_words,
    print_agent,
    rows_table,
    whole_agent,
)
from farm.ops.agreeing import agree_to_create
from farm.ops.answer import AsJson, Trouble, console, new_app, print_json
from farm.ops.budget_commands import budget, renew_key
from farm.ops.channel_commands import channels
from farm.ops.finding import agent_called
from farm.ops.machine_commands import logs, restart, ssh
from farm.ops.people import ActingAs, acting, acting_or_new
from farm.ops.refusing import serving
from farm.ops.schedule_commands import schedule
from farm.ops.secret_files import secret_in
from farm.ops.sleep_commands import move, rebuild, resize, stop, wake
from farm.ops.waiting import wait_for_phase, wait_for_prices

app = new_app("Create, list, show and delete agents.")

Which = Annotated[str, typer.Argument(metavar="AGENT", help="Its name or its uid.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Answer at once; a worker does the rest.")]
Seconds = Annotated[int, typer.Option("--timeout", min=1, help="How long to wait, in seconds.")]
SecretFile = Annotated[
    Path | None,
    typer.Option(dir_okay=False, help="A file, or - for standard input."),
]


@app.callback()
def agents() -> None:
    """Create, list, show and delete agents."""


@app.command()
def create(  # noqa: PLR0913  (one per field of the wish)
    name: Annotated[str, typer.Argument(help="What the agent is called.")],
    *,
    blueprint: Annotated[str, typer.Option(help="Which kind of agent.")] = "",
    plan: Annotated[str, typer.Option(help="Which size.")] = "",
    region: Annotated[str, typer.Option(help="Where.")] = "",
    language: Annotated[str, typer.Option(help="en or fr; yours unless given.")] = "",
    model: Annotated[str, typer.Option(help="Whose model answers.")] = "",
    model_key_file: SecretFile = None,
    shared_key: Annotated[str, typer.Option(help="Whose shared key, by its uid.")] = "",
    telegram_token_file: SecretFile = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Agree to the price; --json does so too.")
    ] = False,
    email: ActingAs = "",
    no_wait: NoWait = False,
    timeout: Seconds = 900,
    as_json: AsJson = False,
) -> None:
    """Create an agent at the price that is said, wait until it answers, show its first words."""
    with serving(as_json=as_json):
        actor = acting_or_new(email)
        wish = AgentWish(
            name=name,
            blueprint=blueprint,
            plan=plan,
            region=region,
            language=language or (actor.language if actor else ""),
            model_provider=model,
            model_key=secret_in(model_key_file, "--model-key-file"),
            shared_key_uid=shared_key,
            telegram_bot_token=secret_in(telegram_token_file, "--telegram-token-file"),
        )
        wait_for_prices()
        agree_to_create(actor, wish, asked=yes or as_json)
        agent = (
            _created(actor, wish)
            if actor
            else create_agent_for(email=email, door=Door.CLI, wish=wish)
        )
        if not no_wait:
            wait_for_phase(agent, AgentPhase.RUNNING, seconds=timeout, quiet=as_json)
        _show(agent, agent.owner, as_json=as_json)


@app.command("list")
def list_agents(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Deleted ones too.")] = False,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """List the agents, the newest last."""
    with serving(as_json=as_json):
        found = agents_of(acting(email), deleted=everything).order_by("pk")
        rows = [agent_row(agent) for agent in found]
        if as_json:
            print_json(rows)
        elif rows:
            console().print(rows_table(rows))
        else:
            typer.echo("No agent yet: make one with `farm agents create NAME`.")


@app.command()
def show(which: Which, *, email: ActingAs = "", as_json: AsJson = False) -> None:
    """Show one agent: how it is, where, what it costs, what it waits for."""
    with serving(as_json=as_json):
        actor = acting(email)
        agent = agent_called(which, actor)
        note_look(actor=actor, door=Door.CLI, agent=agent)
        _show(agent, actor, as_json=as_json)


@app.command()
def events(which: Which, *, email: ActingAs = "", as_json: AsJson = False) -> None:
    """Tell what happened to an agent, the oldest first."""
    with serving(as_json=as_json):
        actor = acting(email)
        agent = agent_called(which, actor)
        note_look(actor=actor, door=Door.CLI, agent=agent)
        happened = events_view(agent)
        if as_json:
            print_json(happened)
        else:
            console().print(events_table(happened))


@app.command()
def retry(
    which: Which,
    *,
    email: ActingAs = "",
    no_wait: NoWait = False,
    timeout: Seconds = 900,
    as_json: AsJson = False,
) -> None:
    """Start an agent that failed again, with a fresh machine, and wait until it answers."""
    with serving(as_json=as_json):
        actor = acting(email)
        agent = agent_called(which, actor)
        retry_agent(actor=actor, door=Door.CLI, agent=agent)
        if not no_wait:
            wait_for_phase(agent, AgentPhase.RUNNING, seconds=timeout, quiet=as_json)
        _show(agent, actor, as_json=as_json)


@app.command()
def delete(
    which: Which,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    without_backup: Annotated[
        bool, typer.Option("--without-backup", help="Do not save what it has first.")
    ] = False,
    email: ActingAs = "",
    no_wait: NoWait = False,
    timeout: Seconds = 1200,
    as_json: AsJson = False,
) -> None:
    """Save what an agent has, delete it with its machine, and wait until it is gone."""
    with serving(as_json=as_json):
        actor = acting(email)
        agent = agent_called(which, actor)
        _confirm(agent, yes=yes, saved=not without_backup)
        delete_agent(actor=actor, door=Door.CLI, agent=agent, without_backup=without_backup)
        if not no_wait:
            wait_for_phase(agent, AgentPhase.DELETED, seconds=timeout, quiet=as_json)
        agent.refresh_from_db()
        if as_json:
            print_json(whole_agent(agent, actor))
        else:
            typer.echo(f"{agent.name} is {agent.get_phase_display()}.{returnable(agent)}")


for command in (channels, ssh, logs, restart, budget, renew_key, backup, backups, restore):
    app.command()(command)
for about_machine in (stop, wake, resize, move, rebuild, schedule):
    app.command()(about_machine)


def _created(actor: User, wish: AgentWish) -> Agent:
    account = account_of(user=actor, door=Door.CLI)
    return create_agent(actor=actor, account=account, door=Door.CLI, wish=wish)


def _show(agent: Agent, actor: User, *, as_json: bool) -> None:
    agent.refresh_from_db()
    shown = whole_agent(agent, actor)
    if as_json:
        print_json(shown)
        return
    print_agent(shown, console())
    if words := first_words(agent, actor):
        typer.echo(f"\n{agent.name}: {words}")


def _confirm(agent: Agent, *, yes: bool, saved: bool) -> None:
    lost = f"{agent.name}, its machine and every file on it are lost for good."
    if saved:
        lost = f"{agent.name} and its machine go; what it has is saved first, if it can be."
    if yes or _is_gone(agent):
        return
    if not sys.stdin.isatty():
        raise Trouble(f"{lost} Say --yes to delete it.", code="not_confirmed", field="yes")
    if not typer.confirm(f"{lost} Delete it?"):
        raise Trouble("Nothing was deleted.", code="not_confirmed", field="yes")


def _is_gone(agent: Agent) -> bool:
    return agent.phase == AgentPhase.DELETED
