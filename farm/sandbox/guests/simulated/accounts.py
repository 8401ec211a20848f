"""Users and groups of a guest, as its /etc/passwd, /etc/group and /etc/shadow have them."""

from __future__ import annotations

from dataclasses import dataclass

from farm.sandbox.guests.simulated.files import Credentials, Files


@dataclass(frozen=True, slots=True)
class User:
    """One line of /etc/passwd."""

    name: str
    uid: int
    gid: int
    gecos: str
    home: str
    shell: str


@dataclass(frozen=True, slots=True)
class Group:
    """One line of /etc/group."""

    name: str
    gid: int
    members: tuple[str, ...]


def _lines(files: Files, path: str, fields: int) -> list[list[str]]:
    node = files.find(path)
    text = node.content.decode(errors="replace") if node is not None else ""
    return [parts for line in text.splitlines() if len(parts := line.split(":")) == fields]


def users(files: Files) -> list[User]:
    """All users, in the file's order."""
    return [
        User(name, int(uid), int(gid), gecos, home, shell)
        for name, _, uid, gid, gecos, home, shell in _lines(files, "/etc/passwd", 7)
        if uid.isdigit() and gid.isdigit()
    ]


def groups(files: Files) -> list[Group]:
    """All groups, in the file's order."""
    return [
        Group(name, int(gid), tuple(member for member in members.split(",") if member))
        for name, _, gid, members in _lines(files, "/etc/group", 4)
        if gid.isdigit()
    ]


def find_user(files: Files, name: str) -> User | None:
    """The user of that name or, if it is a number, of that id."""
    return next((u for u in users(files) if name in (u.name, str(u.uid))), None)


def find_group(files: Files, name: str) -> Group | None:
    """The group of that name or, if it is a number, of that id."""
    return next((g for g in groups(files) if name in (g.name, str(g.gid))), None)


def user_name(files: Files, uid: int) -> str:
    """The name of an id; the number where no user has it."""
    return next((user.name for user in users(files) if user.uid == uid), str(uid))


def group_name(files: Files, gid: int) -> str:
    """The name of a group's id; the number where no group has it."""
    return next((group.name for group in groups(files) if group.gid == gid), str(gid))


def home_of(files: Files, name: str) -> str | None:
    """A user's home; "" asks for that of whoever reads."""
    user = find_user(files, name or str(files.who.uid))
    return user.home if user is not None else None


def credentials(files: Files, user: User) -> Credentials:
    """What a process of this user may do."""
    extra = frozenset(group.gid for group in groups(files) if user.name in group.members)
    return Credentials(user.uid, user.gid, extra)


def shadow(files: Files, name: str) -> list[str]:
    """The user's nine fields of /etc/shadow, or [] if there is no such line."""
    return next((line for line in _lines(files, "/etc/shadow", 9) if line[0] == name), [])


def replace_line(files: Files, path: str, name: str, line: str | None) -> None:
    """Change, add or, with None, remove the line of `name` in one of these files."""
    kept: list[str] = []
    found = False
    for present in files.text(path).splitlines():
        if present.split(":", 1)[0] != name:
            kept.append(present)
        elif line is not None and not found:
            kept.append(line)
        found = found or present.split(":", 1)[0] == name
    if line is not None and not found:
        kept.append(line)
    files.write(path, "".join(f"{text}\n" for text in kept).encode())
