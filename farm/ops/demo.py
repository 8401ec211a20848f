"""`farm demo`: tries a running farm through its pages, as a new member would."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Annotated

import httpx
import typer

from farm import settings
from farm.ops.answer import AsJson, Trouble, answering, new_app, print_json
from farm.ops.demo_story import Story
from farm.ops.visitor import Visitor

app = new_app("Try a running farm through its pages.")


@dataclass(frozen=True, slots=True)
class Lap:
    """One step of the story and how long it took."""

    step: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Demo:
    """The whole story; it is only told when all of it held."""

    url: str
    steps: tuple[Lap, ...]
    answered_after_seconds: float


class Laps:
    """Times the steps, and tells each as soon as it is done."""

    def __init__(self, *, quiet: bool) -> None:
        self.done: list[Lap] = []
        self._quiet = quiet

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """One step; a Trouble inside is told with the step's name."""
        began = time.monotonic()
        try:
            yield
        except (httpx.ConnectError, httpx.UnsupportedProtocol) as error:
            raise Trouble(
                f"{step}: no farm answers there ({error}). Start one with `make run`, or give its"
                " address, as in: farm demo --url http://localhost:8000",
                code=step,
                field="url",
            ) from None
        except (httpx.HTTPError, LookupError) as error:
            raise Trouble(f"{step}: {error}", code=step) from None
        lap = Lap(step, round(time.monotonic() - began, 1))
        self.done.append(lap)
        if not self._quiet:
            typer.echo(f"{lap.seconds:7.1f} s  {lap.step}")

    def total(self, *steps: str) -> float:
        """The seconds of these steps together."""
        return round(sum(lap.seconds for lap in self.done if lap.step in steps), 1)


@app.command()
def demo(
    *,
    url: Annotated[
        str,
        typer.Option(help="The address of the farm; that of the one on FARM_DATA unless given."),
    ] = "",
    mailbox: Annotated[
        str, typer.Option(help="The sandbox's mailbox; found on the site unless given.")
    ] = "",
    timeout: Annotated[int, typer.Option(min=1, help="For each wait, in seconds.")] = 600,
    as_json: AsJson = False,
) -> None:
    """Sign up, create an agent, have a turn answered, delete it; exit 0 only if all of it held."""
    url = url or settings.SITE_URL
    with answering(as_json=as_json), closing(Visitor(url)) as visitor:
        lap = Laps(quiet=as_json)
        story = Story(visitor, mailbox, timeout)
        with lap("sign up"):
            story.sign_up()
        with lap("create"):
            story.create()
        with lap("wait"):
            story.wait_until_home()
        with lap("turn"):
            story.have_a_turn_answered()
        answered = lap.total("create", "wait", "turn")
        with lap("delete"):
            story.delete()
        if as_json:
            print_json(Demo(url, tuple(lap.done), answered))
        else:
            typer.echo(f"All of it held: answered {answered} s after Create was pressed.")
