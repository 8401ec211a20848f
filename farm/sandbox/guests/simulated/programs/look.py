"""Programs that look at files without changing them: ls, stat, test, find and their like."""

from __future__ import annotations

import fnmatch
import posixpath
import stat as modes
from datetime import UTC, datetime

from farm.sandbox.guests.simulated.accounts import group_name, user_name
from farm.sandbox.guests.simulated.disk import Node, NodeKind
from farm.sandbox.guests.simulated.files import READ, SEARCH, WRITE, Files
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.programs.arguments import UsageError, read

TYPES = {
    NodeKind.FILE: modes.S_IFREG,
    NodeKind.DIRECTORY: modes.S_IFDIR,
    NodeKind.SYMLINK: modes.S_IFLNK,
    NodeKind.DEVICE: modes.S_IFCHR,
}


def listing(files: Files, path: str, name: str) -> str:
    """One line of ls -l."""
    node = files.stat(path, follow=False)
    at = datetime.fromtimestamp(node.mtime, UTC).strftime("%b %d %H:%M")
    arrow = f" -> {node.content.decode()}" if node.kind is NodeKind.SYMLINK else ""
    owner = f"{user_name(files, node.uid)} {group_name(files, node.gid)}"
    mode = modes.filemode(TYPES[node.kind] | node.mode)
    return f"{mode} 1 {owner} {len(node.content):6d} {at} {name}{arrow}"


async def ls(process: Process) -> int:
    """ls [-l] [-a] [-A] [-d] [-1] [-R] paths."""
    given = read(process.arguments, "laAd1hnRtrF", "", {"all": "a", "almost-all": "A"})
    code = 0
    for path in given.operands or ["."]:
        if process.files.find(path, follow=False) is None:
            code = process.fail(f"cannot access '{path}': No such file or directory", 2)
            continue
        inside = process.files.is_dir(path) and not given.has("d")
        names = process.files.entries(path) if inside else [path]
        dots = [".", ".."] if inside and given.has("a") else []
        for name in [*dots, *names]:
            if inside and name.startswith(".") and not given.has("a", "A"):
                continue
            place = posixpath.join(path, name) if inside else path
            process.say(listing(process.files, place, name) if given.has("l") else name)
    return code


def _facts(files: Files, node: Node, path: str) -> dict[str, str]:
    """What each letter of a stat format stands for."""
    return {
        "a": f"{node.mode:o}",
        "A": modes.filemode(TYPES[node.kind] | node.mode),
        "U": user_name(files, node.uid),
        "G": group_name(files, node.gid),
        "u": str(node.uid),
        "g": str(node.gid),
        "s": str(len(node.content)),
        "n": path,
        "Y": str(int(node.mtime)),
        "F": _kind_words(node),
    }


def _kind_words(node: Node) -> str:
    words = {NodeKind.DIRECTORY: "directory", NodeKind.SYMLINK: "symbolic link"}
    return words.get(node.kind, "regular file" if node.content else "regular empty file")


async def stat(process: Process) -> int:
    """stat [-L] [-c format] paths."""
    given = read(process.arguments, "Lt", "c", {"format=": "c", "printf=": "c", "dereference": "L"})
    form = given.value("c", "%n %s %a %U %G")
    code = 0
    for path in given.operands:
        node = process.files.find(path, follow=given.has("L"))
        if node is None:
            code = process.fail(f"cannot statx '{path}': No such file or directory")
            continue
        shown = form
        for letter, fact in _facts(process.files, node, path).items():
            shown = shown.replace(f"%{letter}", fact)
        process.say(shown)
    return code


async def readlink(process: Process) -> int:
    """readlink [-f] paths."""
    given = read(process.arguments, "fenmqs", "", {"canonicalize": "f"})
    for path in given.operands:
        if given.has("f", "e", "m") or posixpath.basename(process.argv[0]) == "realpath":
            process.say(process.files.place(path))
            continue
        node = process.files.find(path, follow=False)
        if node is None or node.kind is not NodeKind.SYMLINK:
            return 1
        process.say(node.content.decode())
    return 0


def primary(files: Files, operator: str, path: str) -> bool:
    """A unary test on a file."""
    node = files.find(path, follow=operator not in {"-h", "-L"})
    if node is None:
        return False
    if operator in {"-r", "-w", "-x"}:
        return files.may(path, {"-r": READ, "-w": WRITE, "-x": SEARCH}[operator])
    if operator == "-s":
        return len(node.content) > 0
    kinds = {
        "-f": NodeKind.FILE,
        "-d": NodeKind.DIRECTORY,
        "-h": NodeKind.SYMLINK,
        "-L": NodeKind.SYMLINK,
        "-c": NodeKind.DEVICE,
    }
    return operator == "-e" or node.kind is kinds.get(operator)


class Condition:
    """The expression of test(1)."""

    UNARY = frozenset("-e -f -d -r -w -x -s -h -L -c -z -n -b -p -S -t -u -g -k".split())  # noqa: SIM905
    BINARY = frozenset("= == != -eq -ne -lt -le -gt -ge -nt -ot -ef < >".split())  # noqa: SIM905

    def __init__(self, files: Files, words: list[str]) -> None:
        self._files, self._words, self._at = files, words, 0

    def holds(self) -> bool:
        """The value of the whole expression; UsageError if it is none."""
        if not self._words:
            return False
        value = self._or()
        if self._at < len(self._words):
            raise UsageError(f"{self._words[self._at]}: unexpected operator", 2)
        return value

    def _peek(self, ahead: int = 0) -> str | None:
        at = self._at + ahead
        return self._words[at] if at < len(self._words) else None

    def _or(self) -> bool:
        value = self._and()
        while self._peek() == "-o":
            self._at += 1
            other = self._and()
            value = value or other
        return value

    def _and(self) -> bool:
        value = self._not()
        while self._peek() == "-a":
            self._at += 1
            other = self._not()
            value = value and other
        return value

    def _not(self) -> bool:
        if self._peek() == "!" and self._peek(1) is not None and self._peek(1) not in self.BINARY:
            self._at += 1
            return not self._not()
        if self._peek() == "(" and self._peek(1) is not None:
            self._at += 1
            value = self._or()
            if self._peek() != ")":
                raise UsageError("missing ]", 2)
            self._at += 1
            return value
        return self._primary()

    def _primary(self) -> bool:
        first, operator, second = self._peek(), self._peek(1), self._peek(2)
        if first is None:
            raise UsageError("argument expected", 2)
        if operator in self.BINARY and second is not None:
            self._at += 3
            return self._binary(first, operator or "", second)
        if first in self.UNARY and operator is not None:
            self._at += 2
            return self._unary(first, operator)
        self._at += 1
        return first != ""

    def _unary(self, operator: str, word: str) -> bool:
        if operator in {"-z", "-n"}:
            return (word == "") == (operator == "-z")
        return primary(self._files, operator, word)

    def _binary(self, left: str, operator: str, right: str) -> bool:
        if operator in {"=", "==", "!="}:
            return (left == right) != (operator == "!=")
        if operator in {"<", ">"}:
            return left < right if operator == "<" else left > right
        if operator in {"-nt", "-ot", "-ef"}:
            return self._ages(left, operator, right)
        numbers = [self._number(left), self._number(right)]
        difference = numbers[0] - numbers[1]
        return {
            "-eq": difference == 0,
            "-ne": difference != 0,
            "-lt": difference < 0,
            "-le": difference <= 0,
            "-gt": difference > 0,
            "-ge": difference >= 0,
        }[operator]

    def _ages(self, left: str, operator: str, right: str) -> bool:
        one, other = self._files.find(left), self._files.find(right)
        if operator == "-ef" or one is None or other is None:
            return one is not None and one is other
        return one.mtime > other.mtime if operator == "-nt" else one.mtime < other.mtime

    def _number(self, text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise UsageError(f"Illegal number: {text}", 2) from None


async def test(process: Process) -> int:
    """test and [."""
    words = process.arguments
    if posixpath.basename(process.argv[0]) == "[":
        if not words or words[-1] != "]":
            return process.fail("missing ]", 2)
        words = words[:-1]
    return int(not Condition(process.files, words).holds())


async def find(process: Process) -> int:
    """find paths [-type t] [-name n] [-maxdepth d] [-delete|-print] and -exec."""
    words = list(process.arguments)
    roots: list[str] = []
    while words and not words[0].startswith(("-", "!", "(")):
        roots.append(words.pop(0))
    command = _taken_command(words)
    code = 0
    for root in roots or ["."]:
        process.files.stat(root, follow=False)
        for path in reversed(_matching(process, root, words)):
            if "-delete" in words:
                process.files.remove_tree(path)
            elif command:
                code = (
                    await process.run([path if word == "{}" else word for word in command]) or code
                )
            else:
                process.say(path)
    return code


def _taken_command(words: list[str]) -> list[str]:
    if "-exec" not in words:
        return []
    start = words.index("-exec")
    end = next(i for i in range(start, len(words)) if words[i] in {";", "+"})
    command = words[start + 1 : end]
    del words[start : end + 1]
    return command


def _option(words: list[str], name: str) -> str | None:
    return words[words.index(name) + 1] if name in words else None


def _matching(process: Process, root: str, words: list[str]) -> list[str]:
    place = process.files.place(root)
    kind, name = _option(words, "-type"), _option(words, "-name")
    deepest, least = int(_option(words, "-maxdepth") or 99), int(_option(words, "-mindepth") or 0)
    kinds = {"f": NodeKind.FILE, "d": NodeKind.DIRECTORY, "l": NodeKind.SYMLINK}
    found: list[str] = []
    for path in [place, *process.files.disk.below(place)]:
        node = process.files.find(path, follow=False)
        depth = path.removeprefix(place).count("/")
        fits = node is not None and (kind is None or node.kind is kinds.get(kind))
        named = name is None or fnmatch.fnmatchcase(posixpath.basename(path), name)
        if fits and named and least <= depth <= deepest:
            found.append(root.rstrip("/") + path.removeprefix(place) if path != place else root)
    return found


async def du(process: Process) -> int:
    """du [-s] paths: bytes of content in KiB."""
    given = read(process.arguments, "shbkxc", "", {"summarize": "s", "bytes": "b"})
    for path in given.operands or ["."]:
        place = process.files.place(path)
        nodes = [process.files.disk.find(p) for p in [place, *process.files.disk.below(place)]]
        size = sum(len(node.content) for node in nodes if node is not None)
        process.say(f"{size if given.has('b') else -(-size // 1024)}\t{path}")
    return 0


async def df(process: Process) -> int:
    """df: one disk of 38 GB."""
    given = read(process.arguments, "hkPTBm", "", {"output=": "o"})
    used = process.files.disk.size() // 1024
    process.say("Filesystem     1K-blocks    Used Available Use% Mounted on")
    for _ in given.operands or ["/"]:
        process.say(f"/dev/sda1       39000000 {used:7d} {39000000 - used:9d}   1% /")
    return 0


LOOK = {
    "[": test,
    "df": df,
    "du": du,
    "find": find,
    "ls": ls,
    "readlink": readlink,
    "realpath": readlink,
    "stat": stat,
    "test": test,
}
