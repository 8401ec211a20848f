"""What the kernel does with a path it is to run: a program of the image, or a script."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from farm.sandbox.faults import Severed
from farm.sandbox.guests.simulated.binaries import MAGIC
from farm.sandbox.guests.simulated.disk import NodeKind
from farm.sandbox.guests.simulated.files import SEARCH, allowed
from farm.sandbox.guests.simulated.process import DEFAULT_PATH, BrokenPipe, Process
from farm.sandbox.guests.simulated.programs import PROGRAMS
from farm.sandbox.guests.simulated.programs.arguments import UsageError

INTERPRETERS = 4


def find_program(process: Process, name: str) -> str | None:
    """The path that `name` would run, by this process's PATH."""
    if "/" in name:
        return name if process.files.may(name, SEARCH) else None
    for folder in process.env.get("PATH", DEFAULT_PATH).split(":"):
        path = posixpath.join(folder or process.cwd, name)
        node = process.files.find(path)
        if node is not None and node.kind is NodeKind.FILE and process.files.may(path, SEARCH):
            return path
    return None


async def execute(process: Process) -> int:
    """Run `process.argv` to its end, with the errors a shell would print."""
    name = process.argv[0]
    path = find_program(process, name)
    if path is None:
        return _not_found(process, name)
    node = process.files.stat(path)
    if node.kind is NodeKind.DIRECTORY or not allowed(node, process.who, SEARCH):
        process.complain(f"sh: 1: {name}: Permission denied")
        return 126
    return await _load(process, path, node.content, INTERPRETERS)


def _not_found(process: Process, name: str) -> int:
    if "/" in name and process.files.find(name) is not None:
        process.complain(f"sh: 1: {name}: Permission denied")
        return 126
    process.complain(f"sh: 1: {name}: not found")
    return 127


async def _load(process: Process, path: str, content: bytes, depth: int) -> int:
    if content.startswith(MAGIC):
        return await _program(process, content[len(MAGIC) :].split(b"\n", 1)[0].decode())
    first = content.split(b"\n", 1)[0].decode(errors="replace")
    if not first.startswith("#!"):
        argv = ["/bin/sh", path, *process.arguments]
    else:
        argv = [*first[2:].split(None, 1), path, *process.arguments]
    interpreter = process.files.find(argv[0])
    if interpreter is None or depth == 0:
        process.complain(f"sh: 1: {process.argv[0]}: not found")
        return 127
    return await _load(replace(process, argv=argv), argv[0], interpreter.content, depth - 1)


async def _program(process: Process, name: str) -> int:
    await _fault(process)
    program = PROGRAMS.get(name)
    if program is None:
        process.complain(f"sh: 1: {process.argv[0]}: Exec format error")
        return 126
    try:
        return await program(process)
    except UsageError as error:
        return process.fail(str(error), error.code)
    except OSError as error:
        return process.fail(f"{error.filename}: {error.strerror}")
    except BrokenPipe:
        return 141


async def _fault(process: Process) -> None:
    """A fault of kind "program" is a power cut in mid-command: counted only where one is armed."""
    gate = process.machine.around.gate
    if not gate.expects("program"):
        return
    try:
        async with gate.passage(
            "program", f"{process.machine.identity.ipv4} {' '.join(process.argv)}"
        ):
            pass
    except Severed:
        process.machine.halt(False)  # noqa: FBT003  the Callable has no names
        raise BrokenPipe from None
