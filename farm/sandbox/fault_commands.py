"""`farm sandbox faults`: what is to go wrong, one by one, by a script, or at random by a seed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from farm.sandbox.asking import STATE, AsJson, State, ask
from farm.sandbox.named_faults import SENTENCES, Cloud, FaultName
from farm.sandbox.wire import Json

faults = typer.Typer(
    help="Have clouds and machines fail on demand.",
    no_args_is_help=False,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

PIPED_WIDTH = 200
Seconds = Annotated[
    float, typer.Option(min=0, help="Until a 429's reset, or until the order fails.")
]


@faults.callback()
def show(context: typer.Context, *, state: State = STATE, as_json: AsJson = False) -> None:
    """Have clouds and machines fail on demand. Alone: what is armed, and how many calls passed."""
    if context.invoked_subcommand is not None:
        return
    text = ask(state, "/faults")
    if as_json:
        typer.echo(text)
        return
    told = json.loads(text)
    typer.echo(f"{told['calls']} calls so far.")
    if drawn := told["random"]:
        typer.echo(
            f"At random: seed {drawn['seed']}, {drawn['share']:.1%} of calls,"
            f" {drawn['struck']} struck."
        )
    table = Table("", "Kind", "Calls with", "From", "Times", "Fault", box=box.SIMPLE_HEAD)
    for one in told["armed"]:
        times = "until cleared" if one["times"] is None else str(one["times"])
        words = " ".join(one["match"])
        row = (str(one["id"]), one["kind"] or "any", words, str(one["call"]), times, _effect(one))
        table.add_row(*row)
    if told["armed"]:
        width = None if sys.stdout.isatty() else PIPED_WIDTH
        Console(markup=False, highlight=False, width=width).print(table)


@faults.command()
def names(*, as_json: AsJson = False) -> None:
    """Show every fault that has a name."""
    if as_json:
        typer.echo(json.dumps(dict(SENTENCES)))
        return
    for name, sentence in SENTENCES.items():
        typer.echo(f"{name:<20} {sentence}")


@faults.command()
def arm(  # noqa: PLR0913  (each narrows the fault in its own way)
    name: FaultName,
    *,
    cloud: Annotated[Cloud, typer.Option(help="At which cloud, or at Stripe.")] = Cloud.HETZNER,
    server_type: Annotated[str, typer.Option("--type", help="Only orders of this type.")] = "",
    place: Annotated[str, typer.Option(help="Only orders at this location or zone.")] = "",
    server: Annotated[
        str, typer.Option(help="Only servers with this in their name; for SSH, their address.")
    ] = "",
    match: Annotated[
        list[str] | None, typer.Option(help="Only calls with this word, such as DELETE.")
    ] = None,
    call: Annotated[int, typer.Option(min=1, help="From which such call on.")] = 1,
    times: Annotated[int, typer.Option(min=0, help="How often; 0: until it is cleared.")] = 1,
    seconds: Seconds = 0,
    state: State = STATE,
) -> None:
    """Have one thing go wrong at the next call of its sort, or at a later one."""
    wish: Json = {
        "name": name.value,
        "cloud": cloud.value,
        "server_type": server_type,
        "place": place,
        "server": server,
        "match": match or [],
        "call": call,
        "times": times or None,
        "seconds": seconds,
    }
    ask(state, "/faults", "POST", wish)
    typer.echo(f"Armed: {SENTENCES[name].replace('--', 'the ')}.")


@faults.command()
def script(
    path: Annotated[Path, typer.Argument(help="A JSON list of faults; - reads standard input.")],
    *,
    state: State = STATE,
) -> None:
    """Arm each fault of a script: {"name": "sold-out", "place": "fsn1", "call": 2} and the like."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text()
        wishes: Json = json.loads(text)
    except (OSError, ValueError) as problem:
        typer.echo(f"{path} is no JSON list of faults: {problem}", err=True)
        raise typer.Exit(1) from None
    if not isinstance(wishes, list):
        typer.echo(f"{path} is no JSON list: write [{{...}}, {{...}}].", err=True)
        raise typer.Exit(1)
    ask(state, "/faults", "POST", wishes)
    typer.echo(f"Armed: {len(wishes)}.")


@faults.command()
def random(
    *,
    seed: Annotated[int, typer.Option(help="The same seed strikes the same calls.")] = 1,
    share: Annotated[float, typer.Option(min=0, max=1, help="How many of all calls.")] = 0.05,
    only: Annotated[list[FaultName] | None, typer.Option(help="Of these alone.")] = None,
    seconds: Seconds = 2,
    state: State = STATE,
) -> None:
    """Have a share of all calls suffer what mends itself, until it is cleared."""
    wish: Json = {
        "seed": seed,
        "share": share,
        "names": [name.value for name in only or []],
        "seconds": seconds,
    }
    ask(state, "/faults/random", "POST", wish)
    typer.echo(f"{share:.1%} of all calls fail from now on, by seed {seed}.")


@faults.command()
def clear(*, state: State = STATE) -> None:
    """Have nothing go wrong any more; calls that hang are cut."""
    ask(state, "/faults", "DELETE")
    typer.echo("Nothing goes wrong any more.")


def _effect(one: dict[str, Json]) -> str:
    when = "after the effect" if one["when"] == "after" else "before the effect"
    answer = one["answer"]
    if isinstance(answer, dict):
        return f"answer {answer['status']} {answer['code']}, {when}"
    for effect in ("reset", "hang"):
        if one[effect]:
            return f"{effect}, {when}"
    given = ((word, one[word]) for word in ("signal", "delay", "action", "vanish"))
    return ", ".join(f"{word} {value}" for word, value in given if value is not None)
