"""The `farm` command: every entry by its name; what one needs is imported when it is asked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module

import typer

from farm.env import SettingError
from farm.ops.surroundings import stand_on_running_sandbox


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: the module whose `app` it is, and whether Django must be set up first."""

    name: str
    help: str
    module: str
    django: bool = True


MORNING = Entry("morning", "What is to be done, and how the fleet is.", "farm.ops.morning")
ENTRIES = (
    MORNING,
    Entry("up", "Run the whole farm on this machine.", "farm.ops.up", django=False),
    Entry("agents", "Create, list, show and delete agents.", "farm.ops.agents"),
    Entry("people", "List, invite and remove people of an account.", "farm.ops.people_commands"),
    Entry("keys", "Share model keys with the agents of an account.", "farm.ops.keys"),
    Entry("tokens", "Make, list and revoke keys to the API.", "farm.ops.tokens"),
    Entry("billing", "What is used, and who pays for it.", "farm.ops.billing"),
    Entry("doctor", "Look for trouble, and say what mends it.", "farm.ops.doctor"),
    Entry("demo", "Try a running farm through its pages.", "farm.ops.demo"),
    Entry("worker", "Drive agents and servers to what is wanted.", "farm.ops.worker"),
    Entry("beat", "Have Celery's workers look for what is due.", "farm.ops.beat"),
    Entry("relay", "Carry the agents' calls to models by shared keys.", "farm.ops.relay"),
    Entry("tunnel", "Lead browsers to the agents' own pages.", "farm.ops.tunnel"),
    Entry("edge", "Lead people to the site and to their agents, through Caddy.", "farm.ops.edge"),
    Entry("servers", "Show the machines, and what is nobody's.", "farm.ops.servers"),
    Entry("sweep", "Hold what the clouds charge for against the rows.", "farm.ops.sweep"),
    Entry("prices", "Tell of a cloud's change of prices.", "farm.ops.price_commands"),
    Entry("pool", "Show and set how many machines are kept ready.", "farm.ops.pool_commands"),
    Entry("projects", "Show and add projects at clouds.", "farm.ops.project_commands"),
    Entry("images", "Build server images that hold the runtime.", "farm.ops.images"),
    Entry(
        "prepare", "Bring database, translations and static files up to date.", "farm.ops.prepare"
    ),
    Entry("backup", "Back up the farm itself.", "farm.ops.backup"),
    Entry("restore", "Bring a farm back from its backup.", "farm.ops.restore"),
    Entry("drill", "Try whether the newest backup of the farm can be restored.", "farm.ops.drill"),
    Entry("setup", "The set-up page of a new farm.", "farm.ops.setup"),
    Entry("sandbox", "The outside world on one machine.", "farm.sandbox.commands", django=False),
)

# Everything behind the command's name goes on unread, its --help too.
UNREAD = {
    "allow_extra_args": True,
    "allow_interspersed_args": False,
    "ignore_unknown_options": True,
    "help_option_names": [],
}

app = typer.Typer(
    name="farm",
    help="A self-service farm of OpenClaw agents. Alone: the operator's morning.",
    no_args_is_help=False,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def alone(context: typer.Context) -> None:
    """A self-service farm of OpenClaw agents. Alone: the operator's morning."""
    if context.invoked_subcommand is None:
        load(MORNING)(args=[], prog_name="farm")


def register(entry: Entry) -> None:
    """Put the entry's line into the help, and its module behind it."""

    def run(context: typer.Context) -> None:
        load(entry)(args=context.args, prog_name=f"farm {entry.name}")

    app.command(entry.name, help=entry.help, context_settings=UNREAD)(run)


def load(entry: Entry) -> typer.Typer:
    """The Typer application of this entry; exits 1 with a sentence when a setting is wrong."""
    try:
        if entry.django:
            _set_up_django()
        loaded: typer.Typer = import_module(entry.module).app
    except SettingError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    return loaded


def _set_up_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "farm.settings")
    stand_on_running_sandbox()
    # Only now: the help must not wait for Django.
    import_module("django").setup()


for known in ENTRIES:
    register(known)


def main() -> None:
    """The console script `farm`."""
    app(prog_name="farm")


if __name__ == "__main__":
    main()
