"""Programs that fetch and unpack: curl, tar, npm, node."""

from __future__ import annotations

import io
import posixpath
import re
import tarfile
from dataclasses import replace

from farm.sandbox.guests.simulated.accounts import find_group, find_user, group_name, user_name
from farm.sandbox.guests.simulated.disk import NodeKind
from farm.sandbox.guests.simulated.outside import Answer, Request, Unreachable
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.programs.arguments import Given, UsageError, read
from farm.sandbox.guests.simulated.programs.openclaw import openclaw
from farm.sandbox.guests.simulated.registry import (
    OLDEST_NODE,
    RUNTIME,
    Package,
    contents,
    program_in,
    published,
)

CURL = {
    "fail": "f",
    "silent": "s",
    "show-error": "S",
    "location": "L",
    "head": "I",
    "insecure": "k",
    "output=": "o",
    "request=": "X",
    "header=": "H",
    "data=": "d",
    "data-binary=": "d",
    "data-raw=": "d",
    "user=": "u",
    "max-time=": "m",
    "retry=": "retry",
    "write-out=": "w",
    "connect-timeout=": "ct",
    "proto=": "proto",
    "retry-connrefused": "rc",
    "retry-delay=": "rd",
    "tlsv1.2": "tls",
    "include": "i",
    "retry-all-errors": "ra",
    "url=": "url",
    "local-port=": "local-port",
    "create-dirs": "create-dirs",
}


async def curl(process: Process) -> int:
    """curl and wget: one HTTP request for each URL, tried again as --retry says."""
    given = read(process.arguments, "fsSLIkiqgN", "oXHdumwAO", CURL)
    code = 0
    for url in [*given.operands, *given.values.get("url", [])]:
        for left in range(int(given.value("retry", "0")), -1, -1):
            code, again = await _fetch(process, given, url)
            if not (again and left):
                break
            await process.machine.sleep(float(given.value("rd", "1")))
    return code


async def _fetch(process: Process, given: Given, url: str) -> tuple[int, bool]:
    """(exit code, whether another attempt may do better)."""
    outside = process.machine.around.outside
    try:
        answer = await outside.ask(process.machine, process.who, _request(given, url))
    except (Unreachable, TimeoutError) as error:
        code = error.code if isinstance(error, Unreachable) else 28
        if not given.has("s") or given.has("S"):
            process.complain(f"curl: ({code}) {error or 'Operation timed out'}")
        return code, given.has("ra") or code == 28 or (code == 7 and given.has("rc"))
    busy = answer.status in {408, 429, 500, 502, 503, 504}
    if busy and given.value("retry"):
        return 22 if given.has("f") else 0, True
    return _deliver(process, given, answer), False


def _request(given: Given, url: str) -> Request:
    headers = dict(_header(line) for line in given.values.get("H", []))
    body = "&".join(given.values.get("d", [])).encode()
    method = given.value("X") or ("POST" if body else "HEAD" if given.has("I") else "GET")
    target = url if "://" in url else f"http://{url}"
    port = int(given.value("local-port", "0").partition("-")[0])
    return Request(method, target, headers, body, float(given.value("m", "60")), port)


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _deliver(process: Process, given: Given, answer: Answer) -> int:
    if given.has("f") and answer.status >= 400:
        if not given.has("s") or given.has("S"):
            process.complain(f"curl: (22) The requested URL returned error: {answer.status}")
        return 22
    if path := given.value("o"):
        if path != "/dev/null":
            process.files.write(path, answer.body, mode=0o666 & ~process.umask)
    else:
        process.stdout.write(answer.body)
    if form := given.value("w"):
        shown = form.replace("%{http_code}", str(answer.status)).replace("\\n", "\n")
        process.stdout.write(shown.encode())
    return 0


TAR = {
    "extract": "x",
    "create": "c",
    "list": "t",
    "gzip": "z",
    "file=": "f",
    "directory=": "C",
    "strip-components=": "strip",
    "touch": "m",
    "preserve-permissions": "p",
    "same-permissions": "p",
    "no-same-owner": "o",
    "same-owner": "s",
    "numeric-owner": "n",
    "verbose": "v",
    "overwrite": "w",
    "xz": "J",
    "absolute-names": "P",
    "no-same-permissions": "q",
}


async def tar(process: Process) -> int:
    """tar: create, list and extract, plain or compressed by gzip."""
    words = list(process.arguments)
    if words and not words[0].startswith("-"):
        words[0] = f"-{words[0]}"
    given = read(words, "xctzvmpoJPn", "fC", TAR)
    folder = posixpath.join(process.cwd, given.value("C", "."))
    if given.has("c"):
        return _pack(process, given, folder)
    path = given.value("f", "-")
    packed = await process.stdin.read() if path == "-" else process.files.read(path)
    inside = replace(process, cwd=posixpath.normpath(folder))
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for member in archive:
                _member(inside, given, archive, member)
    except tarfile.TarError:
        return process.fail("This does not look like a tar archive", 2)
    return 0


def _member(
    process: Process, given: Given, archive: tarfile.TarFile, member: tarfile.TarInfo
) -> None:
    wanted = given.operands
    name = member.name.removeprefix("./")
    if wanted and not any(name == w or name.startswith(f"{w.rstrip('/')}/") for w in wanted):
        return
    if given.has("t"):
        process.say(f"{name}/" if member.isdir() else name)
        return
    path = "/".join(name.split("/")[int(given.value("strip", "0")) :])
    if not path or ".." in path.split("/"):
        return
    process.files.make_dir(posixpath.dirname(path) or ".", parents=True)
    _place(process, path, archive, member, keep_mode=given.has("p") or process.who.uid == 0)


def _place(
    process: Process,
    path: str,
    archive: tarfile.TarFile,
    member: tarfile.TarInfo,
    *,
    keep_mode: bool,
) -> None:
    files = process.files
    mode = member.mode if keep_mode else member.mode & ~process.umask
    present = files.find(path, follow=False)
    if member.isdir():
        if present is None:
            files.make_dir(path, mode)
        return
    if present is not None:
        files.remove(path)
    if member.issym():
        files.symlink(member.linkname, path)
        return
    stream = archive.extractfile(member)
    files.write(path, stream.read() if stream is not None else b"", mode=mode)
    files.chmod(path, mode)
    if process.who.uid == 0:
        user, group = find_user(files, member.uname), find_group(files, member.gname)
        files.chown(path, user.uid if user else member.uid, group.gid if group else member.gid)


def _pack(process: Process, given: Given, folder: str) -> int:
    buffer, inside = io.BytesIO(), replace(process, cwd=posixpath.normpath(folder))
    with tarfile.open(fileobj=buffer, mode="w:gz" if given.has("z") else "w") as archive:
        for operand in given.operands:
            root = inside.files.place(operand, follow=False)
            for path in [root, *inside.files.disk.below(root)]:
                _add(inside, archive, path, operand.rstrip("/") + path.removeprefix(root))
    if given.value("f", "-") == "-":
        process.stdout.write(buffer.getvalue())
    else:
        process.files.write(given.value("f"), buffer.getvalue())
    return 0


def _add(process: Process, archive: tarfile.TarFile, path: str, name: str) -> None:
    node = process.files.stat(path, follow=False)
    entry = tarfile.TarInfo(name.lstrip("/"))
    entry.mode, entry.uid, entry.gid, entry.mtime = node.mode, node.uid, node.gid, node.mtime
    entry.uname, entry.gname = (
        user_name(process.files, node.uid),
        group_name(process.files, node.gid),
    )
    if node.kind is NodeKind.DIRECTORY:
        entry.type = tarfile.DIRTYPE
    elif node.kind is NodeKind.SYMLINK:
        entry.type, entry.linkname = tarfile.SYMTYPE, node.content.decode()
    else:
        entry.size = len(node.content)
        archive.addfile(entry, io.BytesIO(process.files.read(path)))
        return
    archive.addfile(entry)


def node_version(process: Process) -> tuple[int, int]:
    """Major and minor version of the node that PATH finds; (0, 0) for none."""
    path = process.machine.find_program(process, "node")
    text = process.files.read(path).decode(errors="replace") if path else ""
    found = re.search(r"\n(\d+)\.(\d+)", text)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


async def node(process: Process) -> int:
    """node --version, and the programs of packages."""
    words = list(process.arguments)
    if words[:1] in (["--version"], ["-v"]):
        process.say("v" + _text_of_node(process).split("\n")[1])
        return 0
    while words and words[0].startswith("-"):
        words.pop(0)
    if not words:
        return 0
    program = program_in(process.files.text(words[0]))
    if program is None:
        process.complain(f"node: {words[0]}: this machine's node runs packages' programs only")
        return 1
    child = replace(process, argv=words)
    if program[0] in {"npm", "npx"}:
        return await npm(child, program[1])
    return await openclaw(child, program[1]) if program[0] == RUNTIME else 0


def _text_of_node(process: Process) -> str:
    path = process.machine.find_program(
        process, process.argv[0] if "/" in process.argv[0] else "node"
    )
    return process.files.text(path or "/usr/bin/node") + "\n"


NPM_OPTIONS = {
    "global": "g",
    "prefix=": "prefix",
    "no-fund": "q",
    "no-audit": "q",
    "loglevel=": "l",
    "no-update-notifier": "q",
    "allow-scripts=": "a",
    "omit=": "o",
    "silent": "s",
    "cafile=": "c",
    "no-progress": "q",
    "cache=": "cache",
    "ignore-scripts": "q",
    "registry=": "r",
}


async def npm(process: Process, version: str) -> int:
    """npm install -g --prefix folder packages, and --version."""
    if process.arguments[:1] in (["--version"], ["-v"]):
        process.say(version)
        return 0
    given = read(
        process.arguments,
        "gsq",
        "",
        NPM_OPTIONS,
    )
    verb, *wanted = given.operands or [""]
    if verb not in {"install", "i", "add", "uninstall", "cache"}:
        process.complain(f'Unknown command: "{verb}"')
        return 1
    if verb in {"install", "i", "add"}:
        return await _npm_install(process, given, wanted)
    return 0


async def _npm_install(process: Process, given: Given, wanted: list[str]) -> int:
    prefix = given.value("prefix", "/usr/local")
    for text in wanted:
        name, _, version = text.partition("@")
        package = published(name, version)
        if package is None:
            process.complain(
                f"npm error code ETARGET\nnpm error notarget No matching version found for {text}."
            )
            return 1
        if package.name == RUNTIME and node_version(process) < OLDEST_NODE:
            process.complain(
                f"npm warn EBADENGINE Unsupported engine {text}: node {node_version(process)}"
            )
        await process.machine.sleep(process.machine.around.timings.install)
        place_package(process, prefix, package)
    process.say(f"\nadded {len(wanted)} packages in 1s")
    return 0


def place_package(process: Process, prefix: str, package: Package) -> None:
    """The package's files under `prefix` as npm -g lays them out, with its programs in bin."""
    files, home = process.files, f"{prefix}/lib/node_modules/{package.name}"
    for name, content in contents(package).items():
        path = posixpath.join(home, name)
        files.make_dir(posixpath.dirname(path), parents=True)
        files.write(path, content, mode=0o755)
    files.make_dir(f"{prefix}/bin", parents=True)
    link, target = (
        f"{prefix}/bin/{package.name}",
        f"../lib/node_modules/{package.name}/{package.name}.mjs",
    )
    if files.find(link, follow=False):
        files.remove(link)
    files.symlink(target, link)


async def npm_program(process: Process) -> int:
    """The distribution's own npm, too old for what the farm asks."""
    return await npm(process, "9.2.0")


async def git(process: Process) -> int:
    """git --version, and init of an empty repository."""
    if process.arguments[:1] == ["--version"]:
        process.say("git version 2.39.5")
        return 0
    if process.arguments[:1] == ["init"]:
        process.files.make_dir(".git", parents=True)
        return 0
    raise UsageError(
        f"'{' '.join(process.arguments[:1])}' needs a network this machine does not have", 128
    )


PACKAGES = {"curl": curl, "git": git, "node": node, "npm": npm_program, "tar": tar, "wget": curl}
