"""Programs that read text and print text."""

from __future__ import annotations

import base64 as encoding
import hashlib
import posixpath
import re
import secrets

from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.programs.arguments import read


async def content_of(process: Process, paths: list[str]) -> bytes:
    """The files' content one after the other; standard input for none or "-"."""
    parts = [
        await process.stdin.read() if path in {"-", "/dev/stdin"} else process.files.read(path)
        for path in paths or ["-"]
    ]
    return b"".join(parts)


async def lines_of(process: Process, paths: list[str]) -> list[str]:
    """The same as lines of text."""
    return (await content_of(process, paths)).decode(errors="surrogateescape").splitlines()


async def cat(process: Process) -> int:
    """cat files, going on after one that cannot be read."""
    given = read(process.arguments, "nAEsvetTu")
    code = 0
    for path in given.operands or ["-"]:
        try:
            process.stdout.write(await content_of(process, [path]))
        except OSError as error:
            code = process.fail(f"{path}: {error.strerror}")
    return code


ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "\\": "\\",
}


def unescaped(text: str) -> str:
    r"""Text with \n, \t, \xHH and \NNN replaced by what they mean."""
    numbers = re.sub(
        r"\\(?:x([0-9a-fA-F]{1,2})|0?([0-7]{3}))",
        lambda m: chr(int(m.group(1), 16) if m.group(1) else int(m.group(2), 8)),
        text,
    )
    return re.sub(r"\\([ntr0abe\\])", lambda m: ESCAPES[m.group(1)], numbers)


async def echo(process: Process) -> int:
    """echo [-n] words, with escapes as dash has them."""
    words = process.arguments
    newline = words[:1] != ["-n"]
    text = unescaped(" ".join(words if newline else words[1:]))
    process.stdout.write((text + "\n" * newline).encode(errors="surrogateescape"))
    return 0


async def printf(process: Process) -> int:
    """printf format arguments; the format is used again until no argument is left."""
    if not process.arguments:
        return process.fail("usage: printf format [arg ...]", 2)
    form, *values = process.arguments
    printed, taken = _formatted(form, values)
    while values and taken:
        values = values[taken:]
        more, taken = _formatted(form, values) if values else ("", 0)
        printed += more
    process.stdout.write(printed.encode(errors="surrogateescape"))
    return 0


def _formatted(form: str, values: list[str]) -> tuple[str, int]:
    taken = 0

    def shown(found: re.Match[str]) -> str:
        nonlocal taken
        if found.group(0) == "%%":
            return "%"
        value = values[taken] if taken < len(values) else ""
        taken += 1
        return one_value(found.group(1), found.group(2), value)

    return re.sub(r"%([-0 ]?\d*(?:\.\d+)?)([sdiuxXocbq%])|%%", shown, unescaped(form)), taken


def one_value(width: str, letter: str, value: str) -> str:
    """One conversion of printf."""
    if letter in "diuxXo":
        number = int(value, 0) if re.fullmatch(r"[-+]?(0x)?[0-9a-fA-F]+", value) else 0
        return f"%{width}{'d' if letter in 'iu' else letter}" % number
    text = {"b": unescaped(value), "c": value[:1], "q": "'" + value.replace("'", "'\\''") + "'"}
    return f"%{width}s" % text.get(letter, value)


async def head(process: Process) -> int:
    """head and tail: [-n count] [-c bytes] files."""
    given = read(
        [re.sub(r"^-(\d+)$", r"-n\1", a) for a in process.arguments],
        "qvfF",
        "nc",
        {"lines=": "n", "bytes=": "c"},
    )
    content = await content_of(process, given.operands)
    end = posixpath.basename(process.argv[0]) == "tail"
    if given.value("c"):
        count = int(given.value("c"))
        process.stdout.write(content[-count:] if end else content[:count])
        return 0
    lines, lines_wanted = content.splitlines(keepends=True), given.value("n", "10")
    if end and lines_wanted.startswith("+"):
        chosen = lines[int(lines_wanted) - 1 :]
    else:
        number = abs(int(lines_wanted))
        chosen = (lines[-number:] if number else []) if end else lines[:number]
    process.stdout.write(b"".join(chosen))
    return 0


async def wc(process: Process) -> int:
    """wc [-l] [-c] [-w] files."""
    given = read(process.arguments, "lcwm")
    content = await content_of(process, given.operands)
    counts = {"l": content.count(b"\n"), "w": len(content.split()), "c": len(content)}
    process.say(
        " ".join(str(n) for letter, n in counts.items() if not given.flags or letter in given.flags)
    )
    return 0


async def cut(process: Process) -> int:
    """cut -d delimiter -f fields, or -c characters."""
    given = read(process.arguments, "s", "dfc", {"delimiter=": "d", "fields=": "f"})
    for line in await lines_of(process, given.operands):
        if given.value("c"):
            process.say("".join(_chosen(list(line), given.value("c"))))
        else:
            mark = given.value("d", "\t")
            parts = line.split(mark)
            process.say(line if len(parts) == 1 else mark.join(_chosen(parts, given.value("f"))))
    return 0


def _chosen(parts: list[str], ranges: str) -> list[str]:
    chosen: list[str] = []
    for one in ranges.split(","):
        first, dash, last = one.partition("-")
        start = int(first or 1)
        chosen.extend(parts[start - 1 : (int(last) if last else None) if dash else start])
    return chosen


async def tr(process: Process) -> int:
    """tr [-d] set1 [set2]."""
    given = read(process.arguments, "dsc")
    source = _characters(given.operands[0])
    text = (await process.stdin.read()).decode(errors="surrogateescape")
    if given.has("d"):
        inside = given.has("c")
        result = "".join(char for char in text if (char in source) == inside)
    else:
        target = _characters(given.operands[1]) if len(given.operands) > 1 else source
        padded = target.ljust(len(source), target[-1:])
        result = text.translate(str.maketrans(source, padded[: len(source)]))
    process.stdout.write(result.encode(errors="surrogateescape"))
    return 0


def _characters(text: str) -> str:
    text = (
        text.replace("[:upper:]", "A-Z").replace("[:lower:]", "a-z").replace("[:space:]", " \t\n\r")
    )
    return re.sub(
        r"(.)-(.)",
        lambda m: "".join(chr(c) for c in range(ord(m.group(1)), ord(m.group(2)) + 1)),
        unescaped(text),
    )


async def sort(process: Process) -> int:
    """sort [-u] [-r] [-n]."""
    given = read(process.arguments, "urnVf", "kt")
    lines = await lines_of(process, given.operands)
    numbers = given.has("n")
    ordered = sorted(
        lines,
        key=lambda line: (int((re.match(r"\s*-?\d+", line) or ["0"])[0]) if numbers else 0, line),
        reverse=given.has("r"),
    )
    for line in dict.fromkeys(ordered) if given.has("u") else ordered:
        process.say(line)
    return 0


async def uniq(process: Process) -> int:
    """uniq: neighbours that are the same, once."""
    previous: str | None = None
    for line in await lines_of(process, read(process.arguments, "cd").operands):
        if line != previous:
            process.say(line)
        previous = line
    return 0


async def tee(process: Process) -> int:
    """tee [-a] files."""
    given = read(process.arguments, "a", "", {"append": "a"})
    content = await process.stdin.read()
    for path in given.operands:
        process.files.write(path, content, mode=0o666 & ~process.umask, append=given.has("a"))
    process.stdout.write(content)
    return 0


async def checksum(process: Process) -> int:
    """sha256sum, sha512sum, md5sum: print, or check a list with -c."""
    algorithm = posixpath.basename(process.argv[0]).removesuffix("sum")
    given = read(
        process.arguments,
        "cbtqw",
        "",
        {"check": "c", "status": "q", "quiet": "q", "strict": "s", "ignore-missing": "i"},
    )
    if given.has("c"):
        return await _check(process, algorithm, given.operands, quiet=given.has("q"))
    for path in given.operands or ["-"]:
        process.say(
            f"{hashlib.new(algorithm, await content_of(process, [path])).hexdigest()}  {path}"
        )
    return 0


async def _check(process: Process, algorithm: str, lists: list[str], *, quiet: bool) -> int:
    failed = 0
    for line in await lines_of(process, lists):
        wanted, _, name = line.partition(" ")
        name = name.lstrip(" *")
        held = hashlib.new(algorithm, process.files.read(name)).hexdigest() == wanted
        failed += not held
        if not (held and quiet):
            process.say(f"{name}: {'OK' if held else 'FAILED'}")
    if failed:
        return process.fail(f"WARNING: {failed} computed checksum did NOT match")
    return 0


async def base64(process: Process) -> int:
    """base64 [-d] [-w columns]."""
    given = read(process.arguments, "di", "w", {"decode": "d", "wrap=": "w"})
    content = await content_of(process, given.operands)
    if given.has("d"):
        process.stdout.write(encoding.b64decode(content))
        return 0
    text, width = encoding.b64encode(content).decode(), int(given.value("w", "76"))
    process.stdout.write(
        "".join(f"{text[i : i + width]}\n" for i in range(0, len(text), width)).encode()
        if width
        else text.encode()
    )
    return 0


async def openssl(process: Process) -> int:
    """openssl rand [-hex|-base64] count."""
    if process.arguments[:1] != ["rand"]:
        return process.fail(
            f"{' '.join(process.arguments)}: this machine's openssl only knows rand"
        )
    count = int(process.arguments[-1])
    random = secrets.token_bytes(count)
    process.say(
        random.hex() if "-hex" in process.arguments else encoding.b64encode(random).decode()
    )
    return 0


async def cmp(process: Process) -> int:
    """cmp and diff [-s|-q] one other: 0 if they are the same."""
    given = read(process.arguments, "sqruN", "", {"silent": "s", "quiet": "s", "brief": "q"})
    one, other = [await content_of(process, [path]) for path in given.operands[:2]]
    if one != other and not given.has("s"):
        process.say(f"{given.operands[0]} {given.operands[1]} differ")
    return int(one != other)


TEXT = {
    "base64": base64,
    "cat": cat,
    "cmp": cmp,
    "cut": cut,
    "diff": cmp,
    "echo": echo,
    "head": head,
    "md5sum": checksum,
    "openssl": openssl,
    "printf": printf,
    "sha256sum": checksum,
    "sha512sum": checksum,
    "sort": sort,
    "tail": head,
    "tee": tee,
    "tr": tr,
    "uniq": uniq,
    "wc": wc,
}
