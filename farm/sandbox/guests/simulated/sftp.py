"""SFTP on a guest's disk, as the user who logged in."""

from __future__ import annotations

import errno
import posixpath
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncssh import (
    FXF_APPEND,
    FXF_CREAT,
    FXF_EXCL,
    FXF_READ,
    FXF_TRUNC,
    FXF_WRITE,
    SFTPAttrs,
    SFTPName,
    SFTPServer,
)

from farm.sandbox.guests.simulated.disk import Node, refuse
from farm.sandbox.guests.simulated.programs.look import TYPES

if TYPE_CHECKING:
    from asyncssh import SSHServerChannel

    from farm.sandbox.guests.simulated.sshd import Login


@dataclass(slots=True)
class OpenFile:
    """A handle: the path it was opened at."""

    path: str
    append: bool


class GuestSftp(SFTPServer):
    """Each operation is an outside call and passes the gate."""

    def __init__(self, chan: SSHServerChannel[bytes], login: Login) -> None:
        super().__init__(chan)
        self._login = login
        self._files = login.process(["sftp-server"]).files

    def _path(self, path: bytes) -> str:
        return posixpath.join(self._login.home, path.decode(errors="surrogateescape"))

    async def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> OpenFile:
        """Open or make a file."""
        name = self._path(path)
        async with self._login.call(f"sftp open {name}"):
            present = self._files.find(name)
            if present is None and not pflags & FXF_CREAT:
                raise refuse(errno.ENOENT, name)
            if present is not None and pflags & FXF_EXCL:
                raise refuse(errno.EEXIST, name)
            if pflags & FXF_WRITE and (present is None or pflags & FXF_TRUNC):
                mode = attrs.permissions & 0o7777 if attrs.permissions is not None else 0o644
                self._files.write(name, b"", mode=mode)
            if pflags & FXF_READ:
                self._files.read(name)
            return OpenFile(name, bool(pflags & FXF_APPEND))

    async def close(self, file_obj: object) -> None:
        """Nothing is buffered."""

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """A piece of a file."""
        return self._files.read(_open(file_obj).path)[offset : offset + size]

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Put a piece into a file."""
        handle = _open(file_obj)
        async with self._login.call(f"sftp write {handle.path}"):
            content = self._files.read(handle.path)
            at = len(content) if handle.append else offset
            whole = content[:at].ljust(at, b"\0") + data + content[at + len(data) :]
            self._files.write(handle.path, whole)
        return len(data)

    async def lstat(self, path: bytes) -> SFTPAttrs:
        """What is at a path, links not followed."""
        return attributes(self._files.stat(self._path(path), follow=False))

    async def stat(self, path: bytes) -> SFTPAttrs:
        """What a path leads to."""
        return attributes(self._files.stat(self._path(path)))

    async def fstat(self, file_obj: object) -> SFTPAttrs:
        """What is open."""
        return attributes(self._files.stat(_open(file_obj).path))

    async def setstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Change mode, owner or size."""
        name = self._path(path)
        async with self._login.call(f"sftp setstat {name}"):
            if attrs.size is not None:
                content = self._files.read(name)
                self._files.write(name, content[: attrs.size].ljust(attrs.size, b"\0"))
            if attrs.permissions is not None:
                self._files.chmod(name, attrs.permissions & 0o7777)
            if attrs.uid is not None and attrs.gid is not None:
                self._files.chown(name, attrs.uid, attrs.gid)

    async def fsetstat(self, file_obj: object, attrs: SFTPAttrs) -> None:
        """The same for what is open."""
        await self.setstat(_open(file_obj).path.encode(), attrs)

    async def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        """The entries of a directory."""
        folder = self._path(path)
        for name in [".", "..", *self._files.entries(folder)]:
            node = self._files.stat(posixpath.join(folder, name), follow=False)
            yield SFTPName(name.encode(), attrs=attributes(node))

    async def remove(self, path: bytes) -> None:
        """Remove a file."""
        async with self._login.call(f"sftp remove {self._path(path)}"):
            self._files.remove(self._path(path))

    async def mkdir(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Make a directory."""
        mode = attrs.permissions & 0o7777 if attrs.permissions is not None else 0o755
        async with self._login.call(f"sftp mkdir {self._path(path)}"):
            self._files.make_dir(self._path(path), mode)

    async def rmdir(self, path: bytes) -> None:
        """Remove an empty directory."""
        async with self._login.call(f"sftp rmdir {self._path(path)}"):
            self._files.remove_dir(self._path(path))

    async def realpath(self, path: bytes) -> bytes:
        """The absolute path without links."""
        return self._files.place_for_dir(self._path(path)).encode()

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename, never over a file."""
        if self._files.find(self._path(newpath), follow=False) is not None:
            raise refuse(errno.EEXIST, self._path(newpath))
        await self.posix_rename(oldpath, newpath)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename as rename(2) does."""
        old, new = self._path(oldpath), self._path(newpath)
        async with self._login.call(f"sftp rename {old} {new}"):
            self._files.rename(old, new)

    async def readlink(self, path: bytes) -> bytes:
        """A link's target."""
        return self._files.stat(self._path(path), follow=False).content

    async def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        """Make a link."""
        async with self._login.call(f"sftp symlink {self._path(newpath)}"):
            self._files.symlink(oldpath.decode(), self._path(newpath))

    async def fsync(self, file_obj: object) -> None:
        """Everything is on the disk already."""


def _open(file_obj: object) -> OpenFile:
    if not isinstance(file_obj, OpenFile):
        raise refuse(errno.EBADF, "")
    return file_obj


def attributes(node: Node) -> SFTPAttrs:
    """A node as SFTP shows it."""
    return SFTPAttrs(
        size=len(node.content),
        uid=node.uid,
        gid=node.gid,
        permissions=TYPES[node.kind] | node.mode,
        atime=int(node.mtime),
        mtime=int(node.mtime),
    )
