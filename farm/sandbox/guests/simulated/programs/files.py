"""Programs that make, move and remove files."""

from __future__ import annotations

import posixpath
import secrets

from farm.sandbox.guests.simulated.accounts import find_group, find_user
from farm.sandbox.guests.simulated.disk import NodeKind
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.programs.arguments import UsageError, mode_of, octal, read

RECURSIVE = {"recursive": "R", "force": "f", "verbose": "v"}


def owner_ids(process: Process, text: str) -> tuple[int, int]:
    """(uid, gid) of user[:group]; -1 for what is not named."""
    user, separator, group = text.replace(".", ":", 1).partition(":")
    uid = gid = -1
    if user:
        found = find_user(process.files, user)
        if found is None:
            raise UsageError(f"invalid user: '{text}'")
        uid, gid = found.uid, found.gid if separator and not group else -1
    if group:
        gid = group_id(process, group)
    return uid, gid


def group_id(process: Process, name: str) -> int:
    """A group's number; UsageError if there is none of that name."""
    found = find_group(process.files, name)
    if found is None:
        raise UsageError(f"invalid group: '{name}'")
    return found.gid


def into(process: Process, source: str, target: str) -> str:
    """Where `source` ends up: inside `target` if that is a directory."""
    if process.files.is_dir(target):
        return posixpath.join(target, posixpath.basename(source.rstrip("/")))
    return target


async def mkdir(process: Process) -> int:
    """mkdir [-p] [-m mode] paths."""
    given = read(process.arguments, "pv", "m", {"parents": "p", "mode=": "m", "verbose": "v"})
    plain = 0o777 & ~process.umask
    mode = mode_of(given.value("m"), plain) if given.value("m") else plain
    if not given.operands:
        return process.fail("missing operand")
    code = 0
    for path in given.operands:
        try:
            process.files.make_dir(path, mode, parents=given.has("p"))
        except OSError as error:
            code = process.fail(f"cannot create directory '{path}': {error.strerror}")
    return code


async def rmdir(process: Process) -> int:
    """rmdir paths."""
    for path in read(process.arguments, "pv").operands:
        process.files.remove_dir(path)
    return 0


async def rm(process: Process) -> int:
    """rm [-rf] paths."""
    given = read(process.arguments, "rRfvdi", "", {"recursive": "r", "force": "f"})
    code = 0
    for path in given.operands:
        try:
            _remove(process, path, tree=given.has("r", "R"))
        except FileNotFoundError as error:
            if not given.has("f"):
                code = process.fail(f"cannot remove '{path}': {error.strerror}")
        except OSError as error:
            code = process.fail(f"cannot remove '{path}': {error.strerror}")
    return code


def _remove(process: Process, path: str, *, tree: bool) -> None:
    if tree:
        if process.files.place(path, follow=False) == "/":
            raise UsageError("it is dangerous to operate recursively on '/'")
        process.files.remove_tree(path)
    else:
        process.files.remove(path)


async def mv(process: Process) -> int:
    """mv [-f] sources target."""
    given = read(process.arguments, "fnvT", "t", {"force": "f", "no-target-directory": "T"})
    *sources, target = [*given.operands, *given.values.get("t", [])]
    for source in sources:
        place = target if given.has("T") else into(process, source, target)
        if given.has("n") and process.files.find(place, follow=False):
            continue
        process.files.rename(source, place)
    return 0


async def cp(process: Process) -> int:
    """cp [-a] [-r] [-p] sources target."""
    given = read(process.arguments, "arRpfvTnd", "t", {"archive": "a", "recursive": "r"})
    *sources, target = [*given.operands, *given.values.get("t", [])]
    if not sources:
        return process.fail(f"missing destination file operand after '{target}'")
    keep, tree = given.has("a", "p"), given.has("a", "r", "R")
    for source in sources:
        if process.files.is_dir(source) and not tree:
            return process.fail(f"-r not specified; omitting directory '{source}'")
        place = target if given.has("T") else into(process, source, target)
        _copy(process, source, place, keep=keep)
    return 0


def _copy(process: Process, source: str, target: str, *, keep: bool) -> None:
    files = process.files
    node = files.stat(source, follow=not keep)
    if node.kind is NodeKind.DIRECTORY:
        if not files.is_dir(target):
            files.make_dir(target, node.mode)
        for name in files.entries(source):
            _copy(process, posixpath.join(source, name), posixpath.join(target, name), keep=keep)
    elif node.kind is NodeKind.SYMLINK:
        files.symlink(node.content.decode(), target)
    else:
        files.write(target, files.read(source), mode=node.mode & ~process.umask)
    if keep and node.kind is not NodeKind.SYMLINK:
        files.chmod(target, node.mode)
        files.chown(target, node.uid, node.gid)


async def install(process: Process) -> int:
    """install [-d] [-D] [-m mode] [-o owner] [-g group] sources target."""
    given = read(
        process.arguments,
        "dDpvTcC",
        "mogt",
        {"directory": "d", "mode=": "m", "owner=": "o", "group=": "g", "target-directory=": "t"},
    )
    mode = octal(given.value("m", "0755"))
    uid = owner_ids(process, given.value("o"))[0] if given.value("o") else -1
    gid = group_id(process, given.value("g")) if given.value("g") else -1
    if given.has("d"):
        made = given.operands
        for path in made:
            process.files.make_dir(path, mode, parents=True)
    else:
        made = await _install_files(
            process, given.has("D"), [*given.operands, *given.values.get("t", [])]
        )
    for path in made:
        process.files.chmod(path, mode)
        process.files.chown(path, uid, gid)
    return 0


async def _install_files(process: Process, parents: bool, operands: list[str]) -> list[str]:  # noqa: FBT001
    *sources, target = operands
    made: list[str] = []
    for source in sources:
        place = into(process, source, target)
        if parents:
            process.files.make_dir(posixpath.dirname(place) or ".", parents=True)
        content = (
            await process.stdin.read() if source == "/dev/stdin" else process.files.read(source)
        )
        if process.files.find(place, follow=False):
            process.files.remove(place)
        process.files.write(place, content)
        made.append(place)
    return made


async def ln(process: Process) -> int:
    """ln [-s] [-f] [-n] target link; a hard link is a copy, as nodes never change."""
    given = read(
        process.arguments, "sfnvrT", "", {"symbolic": "s", "force": "f", "no-dereference": "n"}
    )
    target, *rest = given.operands
    place = rest[0] if rest else posixpath.basename(target)
    if not given.has("n", "T") or process.files.find(place, follow=False) is None:
        place = into(process, target, place)
    if given.has("f") and process.files.find(place, follow=False) is not None:
        process.files.remove(place)
    if given.has("s"):
        process.files.symlink(target, place)
    else:
        process.files.write(place, process.files.read(target), mode=process.files.stat(target).mode)
    return 0


async def chmod(process: Process) -> int:
    """chmod [-R] mode paths; a mode such as -x is no option."""
    options = [a for a in process.arguments if a in {"-R", "--recursive", "-f", "-v", "--"}]
    mode, *paths = [a for a in process.arguments if a not in options]
    for path in paths:
        for place in tree(process, path, recursive="-R" in options):
            node = process.files.stat(place)
            directory = node.kind is NodeKind.DIRECTORY
            process.files.chmod(place, mode_of(mode, node.mode, directory=directory))
    return 0


async def chown(process: Process) -> int:
    """chown [-R] [-h] owner[:group] paths."""
    given = read(process.arguments, "Rhfv", "", {**RECURSIVE, "no-dereference": "h"})
    owner, *paths = given.operands
    group_only = posixpath.basename(process.argv[0]) == "chgrp"
    uid, gid = (-1, group_id(process, owner)) if group_only else owner_ids(process, owner)
    for path in paths:
        for place in tree(process, path, recursive=given.has("R")):
            process.files.chown(place, uid, gid, follow=not given.has("h", "R"))
    return 0


def tree(process: Process, path: str, *, recursive: bool) -> list[str]:
    """The path, and all below it when asked."""
    process.files.stat(path, follow=False)
    if not recursive:
        return [path]
    place = process.files.place(path)
    return [place, *process.files.disk.below(place)]


async def touch(process: Process) -> int:
    """touch [-c] paths."""
    given = read(process.arguments, "cam", "dtr", {"no-create": "c", "date=": "d"})
    for path in given.operands:
        if not given.has("c") or process.files.find(path):
            process.files.touch(path, 0o666 & ~process.umask)
    return 0


async def truncate(process: Process) -> int:
    """truncate -s size paths."""
    given = read(process.arguments, "c", "s", {"size=": "s", "no-create": "c"})
    size = int(given.value("s", "0"))
    for path in given.operands:
        node = process.files.find(path)
        content = node.content if node is not None else b""
        process.files.write(path, content[:size].ljust(size, b"\0"), mode=0o666 & ~process.umask)
    return 0


async def mktemp(process: Process) -> int:
    """mktemp [-d] [-p folder] [template]."""
    given = read(process.arguments, "dqut", "p", {"directory": "d", "tmpdir=": "p", "tmpdir": "t"})
    template = given.operands[0] if given.operands else "tmp.XXXXXXXXXX"
    marks = len(template) - len(template.rstrip("X"))
    if marks < 3:
        return process.fail(f"too few X's in template '{template}'")
    name = template[: len(template) - marks] + secrets.token_hex(marks)[:marks]
    folder = given.value("p") or ("" if given.operands and "t" not in given.flags else "/tmp")  # noqa: S108
    path = posixpath.join(folder, name)
    if given.has("d"):
        process.files.make_dir(path, 0o700)
    else:
        process.files.write(path, b"", mode=0o600)
    process.say(path)
    return 0


async def shred(process: Process) -> int:
    """shred [-u] paths: nothing of it can be read afterwards."""
    given = read(process.arguments, "uzfv", "n", {"remove": "u"})
    for path in given.operands:
        process.files.write(path, b"\0" * len(process.files.read(path)))
        if given.has("u"):
            process.files.remove(path)
    return 0


FILES = {
    "chgrp": chown,
    "chmod": chmod,
    "chown": chown,
    "cp": cp,
    "install": install,
    "ln": ln,
    "mkdir": mkdir,
    "mktemp": mktemp,
    "mv": mv,
    "rm": rm,
    "rmdir": rmdir,
    "shred": shred,
    "touch": touch,
    "truncate": truncate,
}
