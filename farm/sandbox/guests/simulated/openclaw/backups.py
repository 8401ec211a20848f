"""The runtime's own backups: an archive of state and config, and its restore to a folder."""

from __future__ import annotations

import io
import json
import posixpath
import tarfile
import zlib
from dataclasses import dataclass

from farm.sandbox.guests.simulated.disk import NodeKind
from farm.sandbox.guests.simulated.openclaw.config import config_path
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.programs.arguments import read

REGENERABLE = ("cache", "npm", "plugin-skills", "tmp")
PAYLOAD = "payload/posix"
CREATE = {
    "output=": "output",
    "verify": "verify",
    "json": "json",
    "dry-run": "dry-run",
    "only-config": "only-config",
    "no-include-workspace": "no-include-workspace",
}
RESTORE = {"target=": "target", "json": "json"}


class BackupError(Exception):
    """What the command complains of."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of an archive that was found good."""

    member: tarfile.TarInfo
    content: bytes


def backup(process: Process, version: str) -> int:
    """backup create [--output path] [--verify], verify archive, restore archive --target folder."""
    verbs = {"create": _create, "verify": _verify, "restore": _restore}
    verb = verbs.get(process.arguments[1] if len(process.arguments) > 1 else "")
    if verb is None:
        process.complain("error: unknown command 'backup'")
        return 1
    try:
        verb(process, version)
    except BackupError as error:
        process.complain(f"[openclaw] The CLI command failed.\n[openclaw] Reason: {error}")
        return 1
    return 0


def _create(process: Process, version: str) -> None:
    given = read(process.arguments[2:], "", "", CREATE)
    stamp = f"{process.machine.seconds():.3f}"
    root = f"{stamp}-openclaw-backup"
    output = posixpath.join(process.cwd, given.value("output", "."))
    path = posixpath.join(output, f"{root}.tar.gz") if process.files.is_dir(output) else output
    state = state_path(process)
    if f"{path}/".startswith(f"{state}/"):
        raise BackupError("Backup output must not be written inside a source path.")
    if process.files.find(path):
        raise BackupError(f"Refusing to overwrite existing backup archive: {path}")
    sources = _sources(process, state)
    manifest = {"schemaVersion": 1, "archiveRoot": root, "runtimeVersion": version}
    process.files.write(path, _packed(process, root, sources, json.dumps(manifest)), mode=0o600)
    verified = given.has("verify")
    process.say(json.dumps({"archivePath": path, "archiveRoot": root, "verified": verified}))


def state_path(process: Process) -> str:
    """Where the runtime keeps what it has."""
    home = process.env.get("HOME", "/root")
    return process.env.get("OPENCLAW_STATE_DIR", posixpath.join(home, ".openclaw"))


def _sources(process: Process, state: str) -> list[str]:
    """Every path that goes in, parents first."""
    if not process.files.is_dir(state):
        raise BackupError(f"There is no state at {state}.")
    left_out = tuple(f"{state}/{name}" for name in REGENERABLE)
    below = [
        path
        for path in process.files.disk.below(process.files.place(state))
        if not any(path == name or path.startswith(f"{name}/") for name in left_out)
    ]
    return [config_path(process), state, *sorted(below)]


def _packed(process: Process, root: str, sources: list[str], manifest: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path in sources:
            _add(process, archive, f"{root}/{PAYLOAD}{path}", path)
        entry = tarfile.TarInfo(f"{root}/manifest.json")
        entry.size = len(manifest)
        archive.addfile(entry, io.BytesIO(manifest.encode()))
    return buffer.getvalue()


def _add(process: Process, archive: tarfile.TarFile, name: str, path: str) -> None:
    node = process.files.stat(path, follow=False)
    entry = tarfile.TarInfo(name)
    entry.mode, entry.mtime = node.mode, node.mtime
    content = b""
    if node.kind is NodeKind.DIRECTORY:
        entry.type = tarfile.DIRTYPE
    elif node.kind is NodeKind.SYMLINK:
        entry.type, entry.linkname = tarfile.SYMTYPE, node.content.decode()
    else:
        content = process.files.read(path)
        entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _verify(process: Process, _version: str) -> None:
    given = read(process.arguments[2:], "", "", {"json": "json"})
    _checked(process, given.operands[0])


def _restore(process: Process, _version: str) -> None:
    given = read(process.arguments[2:], "", "", RESTORE)
    target = given.value("target")
    entries = _checked(process, given.operands[0])
    if process.files.is_dir(target) and process.files.entries(target):
        raise BackupError(f"Restore target must be empty: {target}")
    for entry in entries:
        _unpack(process, posixpath.join(target, entry.member.name), entry)
    process.say(json.dumps({"ok": True, "targetPath": target, "entryCount": len(entries)}))


def _checked(process: Process, path: str) -> list[Entry]:
    """Every entry of the archive; BackupError for one that would leave its folder."""
    said = f"Backup archive verification failed: {path}."
    try:
        entries = _entries(process.files.read(path))
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise BackupError(f"{said} Archive could not be read or parsed. {error}") from error
    links = {entry.member.name for entry in entries if entry.member.issym()}
    for entry in entries:
        name = entry.member.name
        parents = {name[:at] for at, letter in enumerate(name) if letter == "/"}
        if name.startswith("/"):
            raise BackupError(f"{said} Archive entry must be relative: {name}")
        if ".." in name.split("/"):
            raise BackupError(f"{said} Archive entry contains path traversal segments: {name}")
        if parents & links:
            raise BackupError(f"{said} Archive entry is beneath a symbolic link: {name}")
    if not any(entry.member.name.count("/") == 1 for entry in entries):
        raise BackupError(f"{said} Archive is not a valid OpenClaw backup.")
    return entries


def _entries(packed: bytes) -> list[Entry]:
    found = []
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            found.append(Entry(member, stream.read() if stream else b""))
    return found


def _unpack(process: Process, path: str, entry: Entry) -> None:
    member, files = entry.member, process.files
    if member.isdir():
        files.make_dir(path, parents=True)
        files.chmod(path, member.mode)
        return
    files.make_dir(posixpath.dirname(path), parents=True)
    if member.issym():
        files.symlink(member.linkname, path)
    else:
        files.write(path, entry.content, mode=member.mode)
