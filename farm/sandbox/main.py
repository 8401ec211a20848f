"""Starting a sandbox in the foreground, and ending it on a signal."""

from __future__ import annotations

import asyncio
import signal
import sys

from rich.console import Console

from farm.sandbox import state
from farm.sandbox.app import running
from farm.sandbox.guests.base import GuestError
from farm.sandbox.options import SandboxError, SandboxOptions
from farm.sandbox.report import Report, as_line, print_table

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_sandbox(options: SandboxOptions) -> int:
    """Run until a signal ends it. Exit code 0, or 1 after a sentence on standard error."""
    try:
        with state.locked(options.state):
            asyncio.run(_run_until_told(options))
    except (SandboxError, GuestError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        # Ctrl-C before the loop could take the signal: nothing was started yet.
        return 0
    return 0


async def _run_until_told(options: SandboxOptions) -> None:
    loop = asyncio.get_running_loop()
    serving = asyncio.create_task(_serve(options))
    for number in _ENDINGS:
        loop.add_signal_handler(number, _end, serving)
    await asyncio.wait([serving])
    if not serving.cancelled():
        serving.result()


def _end(serving: asyncio.Task[None]) -> None:
    # A second Ctrl-C would interrupt the tidying up, which takes a few seconds at most.
    if not serving.cancelling():
        serving.cancel()


async def _serve(options: SandboxOptions) -> None:
    async with running(options) as report:
        _show(report, as_json=options.as_json)
        await asyncio.Event().wait()


def _show(report: Report, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(f"{as_line(report)}\n")
        sys.stdout.flush()
    else:
        print_table(report, Console())
