"""`farm sandbox`: run the outside world in the foreground, and read its books."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from farm import env
from farm.sandbox.asking import STATE, AsJson, State, ask
from farm.sandbox.fault_commands import faults
from farm.sandbox.main import run_sandbox
from farm.sandbox.options import GuestsWish, Ports, SandboxOptions

app = typer.Typer(
    help="The outside world on one machine: clouds, a model, chat apps, Stripe and mail.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(faults, name="faults")

CACHE: Final = env.folder(
    "FARM_CACHE", env.folder("XDG_CACHE_HOME", Path("~/.cache")) / "agent-farm"
)

Port = Annotated[int, typer.Option(min=0, max=65535, help="0: the last one, or a free one.")]

Relay = Annotated[str, typer.Option(help="Where a farm's relay listens, for machines to reach it.")]
Webhooks = Annotated[str, typer.Option(help="Where a farm takes Stripe's webhooks, as a URL.")]


@app.callback()
def sandbox() -> None:
    """The outside world on one machine: clouds, a model, chat apps, Stripe and mail."""


@app.command()
def up(  # noqa: PLR0913  (a port for each service)
    *,
    state: State = STATE,
    guests: Annotated[
        GuestsWish, typer.Option(envvar="GUESTS", help="Which machines stand behind the cloud.")
    ] = GuestsWish.AUTO,
    hetzner_port: Port = 0,
    scaleway_port: Port = 0,
    model_port: Port = 0,
    telegram_port: Port = 0,
    slack_port: Port = 0,
    stripe_port: Port = 0,
    relay_port: Port = 0,
    relay: Relay = "",
    webhooks: Webhooks = "",
    smtp_port: Port = 0,
    mailbox_port: Port = 0,
    control_port: Port = 0,
    speed: Annotated[float, typer.Option(min=0.01, help="How fast its time runs.")] = 1.0,
    farm_inside: Annotated[
        bool, typer.Option(help="Let a farm on one of the machines reach clouds and mail.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run until Ctrl-C; with --json one line says where everything is, once all of it answers."""
    ports = Ports(
        hetzner=hetzner_port,
        scaleway=scaleway_port,
        model=model_port,
        telegram=telegram_port,
        slack=slack_port,
        stripe=stripe_port,
        relay=relay_port,
        smtp=smtp_port,
        mailbox=mailbox_port,
        control=control_port,
    )
    options = SandboxOptions(
        state=state.resolve(),
        cache=CACHE,
        guests=guests,
        ports=ports,
        speed=speed,
        farm_inside=farm_inside,
        relay=relay,
        webhooks=webhooks,
        as_json=as_json,
    )
    raise typer.Exit(run_sandbox(options))


@app.command()
def invoice(*, state: State = STATE, as_json: AsJson = False) -> None:
    """Show what each cloud would have invoiced so far, from its own books alone."""
    text = _books(state, "invoice")
    if as_json:
        typer.echo(text)
        return
    table = Table("Month", "What", "Name", "Hours", "Amount", box=box.SIMPLE_HEAD, pad_edge=False)
    for cloud, books in json.loads(text).items():
        for line in books["lines"]:
            amount = _amount(line["micros"], books["currency"])
            table.add_row(line["month"], line["kind"], line["name"], str(line["hours"]), amount)
        total = _amount(books["micros"], books["currency"])
        table.add_row("", "", f"{cloud}, net", "", total, end_section=True)
    Console().print(table)


@app.command()
def inventory(*, state: State = STATE, as_json: AsJson = False) -> None:
    """Show what exists at the clouds at this moment."""
    text = _books(state, "inventory")
    if as_json:
        typer.echo(text)
        return
    table = Table("Server", "Status", "Type", "Place", "IPv4", box=box.SIMPLE_HEAD, pad_edge=False)
    clouds = json.loads(text)
    for server in clouds["hetzner"]["servers"]:
        columns = ("name", "status", "server_type", "location", "ipv4")
        table.add_row(*(str(server[column] or "") for column in columns))
    for server in clouds["scaleway"]["servers"]:
        words = ("name", "state", "commercial_type", "zone")
        addresses = ", ".join(ip["address"] for ip in server["public_ips"])
        table.add_row(*(str(server[word]) for word in words), addresses)
    Console().print(table)


def _books(state: Path, what: str) -> str:
    """What the books of each cloud say, by the cloud, as JSON."""
    paths = {"hetzner": f"/{what}", "scaleway": f"/scaleway/{what}"}
    return json.dumps({cloud: json.loads(ask(state, path)) for cloud, path in paths.items()})


def _amount(micros: int, currency: str) -> str:
    return f"{micros / 1_000_000:.4f} {currency}"
