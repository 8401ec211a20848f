"""The commands a shell must do itself, because they change it."""

# ruff: noqa: ARG001 - every builtin has the same signature, whether it uses all of it or not.

from __future__ import annotations

import posixpath
from dataclasses import replace

from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.shell.flow import ExitShell, LeaveLoop, ReturnFunction
from farm.sandbox.guests.simulated.shell.interpret import Builtin, Shell
from farm.sandbox.guests.simulated.shell.parse import is_name
from farm.sandbox.guests.simulated.shell.redirect import Streams


async def cd(shell: Shell, arguments: list[str], process: Process) -> int:
    """Change the working directory."""
    given = [argument for argument in arguments if argument not in {"-P", "-L", "--"}]
    target = given[0] if given else shell.scope.variables.get("HOME", "/")
    if target == "-":
        target = shell.scope.variables.get("OLDPWD", process.cwd)
    if not process.files.is_dir(target):
        shell.complain(f"cd: can't cd to {target}")
        return 2
    shell.scope.variables["OLDPWD"] = process.cwd
    cwd = posixpath.normpath(posixpath.join(process.cwd, target))
    shell.process = replace(shell.process, cwd=cwd)
    shell.scope.variables["PWD"] = cwd
    return 0


async def export(shell: Shell, arguments: list[str], process: Process) -> int:
    """Mark variables for the environment of what is run."""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name.startswith("-"):
            continue
        if not is_name(name):
            shell.complain(f"export: {name}: bad variable name")
            return 2
        shell.scope.exported.add(name)
        if equals:
            shell.scope.variables[name] = value
    return 0


async def assign(shell: Shell, arguments: list[str], process: Process) -> int:
    """readonly and local: set variables; neither scope nor protection outlives a short script."""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals:
            shell.scope.variables[name] = value
    return 0


async def unset(shell: Shell, arguments: list[str], process: Process) -> int:
    """Forget variables or functions."""
    for name in arguments:
        shell.scope.variables.pop(name, None)
        shell.scope.exported.discard(name)
        if "-f" in arguments:
            shell.functions.pop(name, None)
    return 0


async def set_options(shell: Shell, arguments: list[str], process: Process) -> int:
    """set -eux, set -o pipefail, set -- positional."""
    rest = list(arguments)
    while rest and rest[0][:1] in {"-", "+"} and len(rest[0]) > 1:
        flag = rest.pop(0)
        if flag == "--":
            break
        names = set(flag[1:])
        if "o" in names:
            names.discard("o")
            names |= {_LONG.get(rest[0], rest[0])} if rest else set()
            rest = rest[1:]
        shell.options = shell.options | names if flag[0] == "-" else shell.options - names
    else:
        if not rest:
            return 0
    shell.scope.positional = rest
    return 0


_LONG = {"errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f"}


async def shift(shell: Shell, arguments: list[str], process: Process) -> int:
    """Drop the first positional parameters."""
    count = int(arguments[0]) if arguments and arguments[0].isdigit() else 1
    if count > len(shell.scope.positional):
        raise ExitShell(2)
    shell.scope.positional = shell.scope.positional[count:]
    return 0


def _code(shell: Shell, arguments: list[str]) -> int:
    text = arguments[0] if arguments else str(shell.scope.status)
    if not text.lstrip("-").isdigit():
        shell.complain(f"Illegal number: {text}")
        return 2
    return int(text) & 0xFF


async def leave(shell: Shell, arguments: list[str], process: Process) -> int:
    """exit."""
    raise ExitShell(_code(shell, arguments))


async def give_back(shell: Shell, arguments: list[str], process: Process) -> int:
    """return."""
    raise ReturnFunction(_code(shell, arguments))


async def break_loop(shell: Shell, arguments: list[str], process: Process) -> int:
    """break."""
    raise LeaveLoop(int(arguments[0]) if arguments else 1, again=False)


async def continue_loop(shell: Shell, arguments: list[str], process: Process) -> int:
    """continue."""
    raise LeaveLoop(int(arguments[0]) if arguments else 1, again=True)


async def evaluate(shell: Shell, arguments: list[str], process: Process) -> int:
    """eval."""
    return await shell.run_text(" ".join(arguments))


async def source(shell: Shell, arguments: list[str], process: Process) -> int:
    """. file."""
    try:
        script = process.files.text(arguments[0])
    except (OSError, IndexError):
        shell.complain(f".: cannot open {' '.join(arguments)}: No such file")
        raise ExitShell(2) from None
    try:
        return await shell.run_text(script)
    except ReturnFunction as end:
        return end.code


async def execute(shell: Shell, arguments: list[str], process: Process) -> int:
    """exec: become another program, or with redirections alone keep them."""
    if not arguments:
        shell.streams = Streams(
            process.stdin, {**shell.streams.sinks, 1: process.stdout, 2: process.stderr}
        )
        return 0
    raise ExitShell(await process.machine.run(replace(process, argv=arguments)))


async def command(shell: Shell, arguments: list[str], process: Process) -> int:
    """command -v, or run a program past functions."""
    if arguments[:1] in (["-v"], ["-V"]):
        return _where(shell, arguments[1:], process)
    if not arguments:
        return 0
    builtin = shell.builtins.get(arguments[0])
    inner = replace(process, argv=arguments)
    if builtin is not None:
        return await builtin(shell, arguments[1:], inner)
    return await process.machine.run(inner)


def _where(shell: Shell, names: list[str], process: Process) -> int:
    status = 0
    for name in names:
        if name in shell.functions or name in shell.builtins:
            process.say(name)
        elif (path := process.machine.find_program(process, name)) is not None:
            process.say(path)
        else:
            status = 127
    return status


async def read(shell: Shell, arguments: list[str], process: Process) -> int:
    """read [-r] names: one line into variables."""
    names = [argument for argument in arguments if not argument.startswith("-")] or ["REPLY"]
    line = await process.stdin.line()
    text = line.decode(errors="replace").rstrip("\n")
    separators = shell.scope.variables.get("IFS", " \t\n")
    blank = separators.strip() == ""
    values = (
        text.split(None, len(names) - 1) if blank else text.split(separators[0], len(names) - 1)
    )
    if separators == "":
        values = [text]
    for at, name in enumerate(names):
        shell.scope.variables[name] = (
            values[at].rstrip(" \t" if blank else "") if at < len(values) else ""
        )
    return 0 if line.endswith(b"\n") else 1


async def umask(shell: Shell, arguments: list[str], process: Process) -> int:
    """Show or set the mask of new files' modes."""
    if not arguments:
        process.say(f"{process.umask:04o}")
        return 0
    shell.process = replace(shell.process, umask=int(arguments[0], 8))
    return 0


async def trap(shell: Shell, arguments: list[str], process: Process) -> int:
    """Remember what to run at the shell's end; no other signal reaches a script here."""
    for signal in arguments[1:]:
        shell.traps["EXIT" if signal == "0" else signal] = (
            "" if arguments[0] == "-" else arguments[0]
        )
    return 0


async def wait(shell: Shell, arguments: list[str], process: Process) -> int:
    """Wait for what runs in the background."""
    await process.machine.wait_for_background()
    return 0


async def nothing(shell: Shell, arguments: list[str], process: Process) -> int:
    """: does nothing, and well."""
    return 0


async def kind_of(shell: Shell, arguments: list[str], process: Process) -> int:
    """type."""
    return _where(shell, arguments, process)


BUILTINS: dict[str, Builtin] = {
    ":": nothing,
    ".": source,
    "source": source,
    "break": break_loop,
    "cd": cd,
    "command": command,
    "continue": continue_loop,
    "eval": evaluate,
    "exec": execute,
    "exit": leave,
    "export": export,
    "local": assign,
    "read": read,
    "readonly": assign,
    "return": give_back,
    "set": set_options,
    "shift": shift,
    "trap": trap,
    "type": kind_of,
    "umask": umask,
    "unset": unset,
    "wait": wait,
}
