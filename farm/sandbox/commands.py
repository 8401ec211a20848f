"""`farm sandbox`: run the outside world in the foreground, and read its books."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from farm import env
from farm.sandbox.main import run_sandbox
from farm.sandbox.options import GuestsWish, Ports, SandboxOptions

app = typer.Typer(
    help="The outside world on one machine: a cloud, a model, Telegram and mail.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

STATE: Final = env.data_folder() / "sandbox"
CACHE: Final = env.folder(
    "FARM_CACHE", env.folder("XDG_CACHE_HOME", Path("~/.cache")) / "agent-farm"
)

State = Annotated[Path, typer.Option("--state", help="The folder that keeps what survives a stop.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0: the last one, or a free one.")]


@app.callback()
def sandbox() -> None:
    """The outside world on one machine: a cloud, a model, Telegram and mail."""


@app.command()
def up(  # noqa: PLR0913  (a port for each service)
    *,
    state: State = STATE,
    guests: Annotated[
        GuestsWish, typer.Option(envvar="GUESTS", help="Which machines stand behind the cloud.")
    ] = GuestsWish.AUTO,
    hetzner_port: Port = 0,
    model_port: Port = 0,
    telegram_port: Port = 0,
    smtp_port: Port = 0,
    mailbox_port: Port = 0,
    control_port: Port = 0,
    speed: Annotated[float, typer.Option(min=0.01, help="How fast its time runs.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Run until Ctrl-C; with --json one line says where everything is, once all of it answers."""
    ports = Ports(
        hetzner=hetzner_port,
        model=model_port,
        telegram=telegram_port,
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
        as_json=as_json,
    )
    raise typer.Exit(run_sandbox(options))
