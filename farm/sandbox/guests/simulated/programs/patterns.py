"""Programs that look for patterns: grep and sed, with regular expressions of Python's making."""

from __future__ import annotations

import re
from dataclasses import dataclass

from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.programs.arguments import read
from farm.sandbox.guests.simulated.programs.text import lines_of


async def grep(process: Process) -> int:
    """grep [-qvxicEFnohs] pattern files."""
    given = read(
        process.arguments, "qvxicEFGPnohHslrw", "emA", {"quiet": "q", "fixed-strings": "F"}
    )
    patterns, paths = given.values.get("e", []), given.operands
    if not patterns:
        patterns, paths = paths[:1], paths[1:]
    expression = "|".join(
        _regular(p, fixed=given.has("F"), extended=given.has("E", "P")) for p in patterns
    )
    if given.has("x"):
        expression = f"^(?:{expression})$"
    found = re.compile(expression, re.IGNORECASE if given.has("i") else 0)
    try:
        lines = await lines_of(process, paths)
    except OSError as error:
        return 2 if given.has("s") else process.fail(f"{error.filename}: {error.strerror}", 2)
    chosen = [line for line in lines if (found.search(line) is not None) != given.has("v")]
    if given.has("c"):
        process.say(str(len(chosen)))
    elif given.has("l"):
        process.say(paths[0] if chosen and paths else "(standard input)")
    elif not given.has("q"):
        for line in chosen:
            matched = found.search(line) if given.has("o") else None
            process.say(matched.group() if matched else line)
    return int(not chosen)


def _regular(pattern: str, *, fixed: bool, extended: bool) -> str:
    if fixed:
        return re.escape(pattern)
    text = pattern if extended else re.sub(r"(\\?)([+?{}()|])", _basic, pattern)
    for name, meaning in {"[:space:]": r"\s", "[:digit:]": "0-9", "[:alnum:]": "a-zA-Z0-9"}.items():
        text = text.replace(name, meaning)
    return text


def _basic(found: re.Match[str]) -> str:
    return found.group(2) if found.group(1) else "\\" + found.group(2)


async def sed(process: Process) -> int:
    """sed [-n] [-i] [-E] scripts of s///, d, p with /pattern/ or line addresses."""
    arguments = [word for word in process.arguments if word not in IN_PLACE]
    in_place = len(arguments) < len(process.arguments)
    given = read(arguments, "nErsz", "e", {"quiet": "n", "expression=": "e"})
    scripts, paths = given.values.get("e", []), given.operands
    if not scripts:
        scripts, paths = paths[:1], paths[1:]
    commands = [one.strip() for script in scripts for one in re.split(BETWEEN, script)]
    edit = Edit([one for one in commands if one], given.has("n"), given.has("E", "r"))
    if not in_place:
        process.stdout.write(edit.result(await lines_of(process, paths)))
        return 0
    for path in paths:
        process.files.write(path, edit.result(await lines_of(process, [path])))
    return 0


IN_PLACE = frozenset({"-i", "--in-place"})
BETWEEN = r"[\n;](?![^/]*/[gp]*$)"
"""Where one command of a script ends: not at a semicolon inside s///."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What one sed does to every line."""

    commands: list[str]
    quiet: bool
    extended: bool

    def result(self, lines: list[str]) -> bytes:
        """The lines as they come out."""
        edited = [
            line
            for at, text in enumerate(lines, 1)
            for line in _edited(text, at, self.commands, quiet=self.quiet, extended=self.extended)
        ]
        return "".join(f"{line}\n" for line in edited).encode(errors="surrogateescape")


def _edited(line: str, at: int, commands: list[str], *, quiet: bool, extended: bool) -> list[str]:
    printed: list[str] = []
    for command in commands:
        address = re.match(r"(\d+)|\$|/((?:[^/\\]|\\.)*)/", command)
        action = command[address.end() :].strip() if address else command
        if address and not _addressed(address, line, at, extended=extended):
            continue
        if action == "d":
            return printed
        if action == "p":
            printed.append(line)
        elif action.startswith("s"):
            line = substituted(line, action, extended=extended)
    return printed if quiet else [*printed, line]


def _addressed(address: re.Match[str], line: str, at: int, *, extended: bool) -> bool:
    if address.group(1):
        return at == int(address.group(1))
    return (
        re.search(_regular(address.group(2) or "", fixed=False, extended=extended), line)
        is not None
    )


def substituted(line: str, command: str, *, extended: bool) -> str:
    """One s/pattern/replacement/flags on a line."""
    mark = re.escape(command[1])
    parts = re.split(rf"(?<!\\){mark}", command[2:])
    pattern, replacement, flags = (*parts, "", "")[:3]
    regular = _regular(
        pattern.replace("\\" + command[1], command[1]), fixed=False, extended=extended
    )
    python = re.sub(r"(?<!\\)&", r"\\g<0>", replacement.replace("\\" + command[1], command[1]))
    return re.sub(
        regular,
        python,
        line,
        count=0 if "g" in flags else 1,
        flags=re.IGNORECASE if "i" in flags.lower() else 0,
    )


PATTERNS = {"egrep": grep, "grep": grep, "sed": sed}
