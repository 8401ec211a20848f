"""sshd: reads its configuration, lets connections in while it runs, and reads it anew on SIGHUP."""

from __future__ import annotations

import asyncio

from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.programs.arguments import read
from farm.sandbox.guests.simulated.sshd_config import ConfigError, SshdConfig, read_config


async def sshd(process: Process) -> int:
    """sshd -t checks, sshd -D serves until it is stopped."""
    given = read(process.arguments, "DtTqe", "fo")
    try:
        config = read_config(process.machine.files, given.value("f", "/etc/ssh/sshd_config"))
    except ConfigError as error:
        process.complain(str(error))
        return 255
    if given.has("t", "T"):
        return 0
    return await _serve(process, config)


async def _serve(process: Process, config: SshdConfig) -> int:
    machine = process.machine
    machine.sshd = config

    def hang_up() -> None:
        try:
            machine.sshd = read_config(machine.files, "/etc/ssh/sshd_config")
        except ConfigError as error:
            # A real sshd that cannot read its file on SIGHUP ends.
            process.complain(str(error))
            broken.set()

    broken = asyncio.Event()
    own = asyncio.current_task()
    for running in machine.processes.values():
        if running.task is own:
            running.hang_up = hang_up
    try:
        await broken.wait()
    finally:
        machine.sshd = None
    return 255


DAEMONS = {"sshd": sshd}
