"""Programs about users and groups: all of it lives in /etc/passwd, /etc/group and /etc/shadow."""

from __future__ import annotations

import hashlib
import posixpath
import secrets
from datetime import date

from farm.sandbox.guests.simulated.accounts import (
    find_group,
    find_user,
    group_name,
    groups,
    replace_line,
    shadow,
    user_name,
    users,
)
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.programs.arguments import UsageError, read

USER_OPTIONS = {
    "system": "r",
    "user-group": "U",
    "no-user-group": "N",
    "create-home": "m",
    "no-create-home": "M",
    "home-dir=": "d",
    "home=": "d",
    "shell=": "s",
    "uid=": "u",
    "gid=": "g",
    "groups=": "G",
    "comment=": "c",
    "gecos=": "c",
    "password=": "p",
    "append": "a",
    "lock": "L",
    "unlock": "U",
    "login=": "l",
    "expiredate=": "e",
    "inactive=": "f",
    "move-home": "m",
}


def hashed(password: str) -> str:
    """A password as it stands in /etc/shadow, in a scheme of our own that no one can mistake."""
    salt = secrets.token_hex(8)
    return f"$simulated${salt}${hashlib.sha256((salt + password).encode()).hexdigest()}"


async def whoami(process: Process) -> int:
    """whoami."""
    process.say(user_name(process.files, process.who.uid))
    return 0


async def identify(process: Process) -> int:
    """id [-u|-g|-G] [-n] [user]."""
    given = read(
        process.arguments, "ugGnr", "", {"user": "u", "group": "g", "groups": "G", "name": "n"}
    )
    name = given.operands[0] if given.operands else str(process.who.uid)
    user = find_user(process.files, name)
    if user is None:
        return process.fail(f"'{name}': no such user")
    member = [g.gid for g in groups(process.files) if user.name in g.members and g.gid != user.gid]
    names = given.has("n")
    if given.has("u"):
        process.say(user.name if names else str(user.uid))
    elif given.has("g", "G"):
        gids = [user.gid, *(member if given.has("G") else [])]
        process.say(" ".join(group_name(process.files, gid) if names else str(gid) for gid in gids))
    else:
        all_groups = ",".join(
            f"{gid}({group_name(process.files, gid)})" for gid in [user.gid, *member]
        )
        primary = group_name(process.files, user.gid)
        process.say(f"uid={user.uid}({user.name}) gid={user.gid}({primary}) groups={all_groups}")
    return 0


async def show_groups(process: Process) -> int:
    """groups [user]."""
    return await process.run(["id", "-Gn", *process.arguments])


async def getent(process: Process) -> int:
    """getent passwd|group|shadow|hosts [key]."""
    database, *keys = process.arguments or ["", ""]
    path = {"passwd": "/etc/passwd", "group": "/etc/group", "shadow": "/etc/shadow"}.get(database)
    if path is None:
        return process.fail(f"Unknown database: {database}", 1)
    found = False
    for line in process.files.text(path).splitlines():
        fields = line.split(":")
        if not keys or fields[0] in keys or (len(fields) > 2 and fields[2] in keys):
            process.say(line)
            found = True
    return 0 if found else 2


def free_number(taken: set[int], *, system: bool) -> int:
    """The number the next user or group gets."""
    ordered = range(999, 100, -1) if system else range(1000, 60000)
    return next(number for number in ordered if number not in taken)


async def useradd(process: Process) -> int:
    """useradd: a line in each of the three files, and a home with -m."""
    given = read(process.arguments, "rUNmMl", "dsugGcpek", USER_OPTIONS)
    (name,) = given.operands or [""]
    if not name or ":" in name or name.startswith("-"):
        return process.fail(f"invalid user name '{name}'", 3)
    if find_user(process.files, name) is not None:
        return process.fail(f"user '{name}' already exists", 9)
    system = given.has("r")
    taken = {user.uid for user in users(process.files)} | {
        group.gid for group in groups(process.files)
    }
    uid = int(given.value("u")) if given.value("u") else free_number(taken, system=system)
    gid = _primary_group(process, name, given.value("g"), uid)
    home = given.value("d", f"/home/{name}")
    shell = given.value("s", "/bin/sh")
    replace_line(
        process.files,
        "/etc/passwd",
        name,
        f"{name}:x:{uid}:{gid}:{given.value('c')}:{home}:{shell}",
    )
    days = int(process.machine.seconds() // 86400)
    replace_line(
        process.files, "/etc/shadow", name, f"{name}:{given.value('p', '!')}:{days}:0:99999:7:::"
    )
    for group in [g for g in given.value("G").split(",") if g]:
        join(process, name, group)
    if given.has("m"):
        _make_home(process, home, uid, gid)
    return 0


def _make_home(process: Process, home: str, uid: int, gid: int) -> None:
    if not process.files.is_dir(home):
        process.files.make_dir(home, 0o755, parents=True)
        process.files.chown(home, uid, gid)


def _primary_group(process: Process, name: str, wanted: str, uid: int) -> int:
    if wanted:
        group = find_group(process.files, wanted)
        if group is None:
            raise UsageError(f"group '{wanted}' does not exist", 6)
        return group.gid
    if find_group(process.files, name) is None:
        replace_line(process.files, "/etc/group", name, f"{name}:x:{uid}:")
        return uid
    raise UsageError(
        f"group {name} exists - if you want to add this user to that group, use -g.", 9
    )


def join(process: Process, name: str, group: str) -> None:
    """Make a user a member of a group."""
    found = find_group(process.files, group)
    if found is None:
        raise UsageError(f"group '{group}' does not exist", 6)
    members = ",".join(dict.fromkeys([*found.members, name]))
    replace_line(process.files, "/etc/group", found.name, f"{found.name}:x:{found.gid}:{members}")


async def groupadd(process: Process) -> int:
    """groupadd [-r] [-g number] name."""
    given = read(process.arguments, "rf", "g", {"system": "r", "gid=": "g", "force": "f"})
    (name,) = given.operands
    if find_group(process.files, name) is not None:
        return 0 if given.has("f") else process.fail(f"group '{name}' already exists", 9)
    taken = {group.gid for group in groups(process.files)}
    gid = int(given.value("g")) if given.value("g") else free_number(taken, system=given.has("r"))
    replace_line(process.files, "/etc/group", name, f"{name}:x:{gid}:")
    return 0


async def userdel(process: Process) -> int:
    """userdel [-r] name."""
    given = read(process.arguments, "rf", "", {"remove": "r", "force": "f"})
    user = find_user(process.files, given.operands[0])
    if user is None:
        return process.fail(f"user '{given.operands[0]}' does not exist", 6)
    for path in ("/etc/passwd", "/etc/shadow", "/etc/group"):
        replace_line(process.files, path, user.name, None)
    if given.has("r") and process.files.is_dir(user.home):
        process.files.remove_tree(user.home)
    return 0


async def usermod(process: Process) -> int:
    """usermod: change a user's password field, shell, home or groups."""
    given = read(process.arguments, "aLUmo", "dsugGcpelf", USER_OPTIONS)
    user = find_user(process.files, given.operands[0])
    if user is None:
        return process.fail(f"user '{given.operands[0]}' does not exist", 6)
    home, shell = given.value("d", user.home), given.value("s", user.shell)
    uid, comment = given.value("u", str(user.uid)), given.value("c", user.gecos)
    line = f"{user.name}:x:{uid}:{user.gid}:{comment}:{home}:{shell}"
    replace_line(process.files, "/etc/passwd", user.name, line)
    if "p" in given.values or given.has("L", "U"):
        _password(process, user.name, given.value("p"), lock=given.has("L"), unlock=given.has("U"))
    for group in [g for g in given.value("G").split(",") if g]:
        join(process, user.name, group)
    return 0


def _password(process: Process, name: str, value: str, *, lock: bool, unlock: bool) -> None:
    line = shadow(process.files, name) or [name, "!", "0", "0", "99999", "7", "", "", ""]
    field = value or line[1]
    if lock:
        field = f"!{field.lstrip('!')}"
    if unlock:
        field = field.lstrip("!")
    today = str(int(process.machine.seconds() // 86400))
    changed = [line[0], field, today if value else line[2], *line[3:]]
    replace_line(process.files, "/etc/shadow", name, ":".join(changed))


async def passwd(process: Process) -> int:
    """passwd -l|-u|-d|-S user, or a new password twice on standard input."""
    given = read(
        process.arguments, "ludSe", "", {"lock": "l", "unlock": "u", "delete": "d", "status": "S"}
    )
    name = given.operands[0] if given.operands else user_name(process.files, process.who.uid)
    line = shadow(process.files, name)
    if not line:
        return process.fail(f"user '{name}' does not exist")
    if given.has("S"):
        state = "L" if line[1][:1] in {"!", "*"} else ("P" if line[1] else "NP")
        process.say(f"{name} {state} 2026-01-01 0 99999 7 -1")
    elif given.has("d"):
        replace_line(process.files, "/etc/shadow", name, ":".join([name, "", *line[2:]]))
    elif given.has("l", "u"):
        _password(process, name, "", lock=given.has("l"), unlock=given.has("u"))
    else:
        new = (await process.stdin.line()).decode().rstrip("\n")
        _password(process, name, hashed(new), lock=False, unlock=False)
    return 0


async def chpasswd(process: Process) -> int:
    """chpasswd [-e]: name:password lines."""
    given = read(process.arguments, "e", "", {"encrypted": "e"})
    for line in (await process.stdin.read()).decode().splitlines():
        name, _, password = line.partition(":")
        if find_user(process.files, name) is None:
            return process.fail(f"line 1: user '{name}' does not exist")
        _password(
            process,
            name,
            password if given.has("e") else hashed(password),
            lock=False,
            unlock=False,
        )
    return 0


CHAGE = {"d": 2, "m": 3, "M": 4, "W": 5, "I": 6, "E": 7}


async def chage(process: Process) -> int:
    """chage: days in /etc/shadow, and -l to read them."""
    given = read(
        process.arguments,
        "l",
        "dmMWIE",
        {
            "lastday=": "d",
            "mindays=": "m",
            "maxdays=": "M",
            "warndays=": "W",
            "inactive=": "I",
            "expiredate=": "E",
            "list": "l",
        },
    )
    line = shadow(process.files, given.operands[0])
    if not line:
        return process.fail(f"user '{given.operands[0]}' does not exist in /etc/passwd")
    if given.has("l"):
        expired = "password must be changed" if line[2] == "0" else "never"
        process.say(f"Password expires\t\t\t\t\t: {expired}")
        return 0
    for letter, at in CHAGE.items():
        if letter in given.values:
            line[at] = _days(given.value(letter))
    replace_line(process.files, "/etc/shadow", line[0], ":".join(line))
    return 0


def _days(text: str) -> str:
    if text == "-1":
        return ""
    if text.isdigit():
        return text
    try:
        return str((date.fromisoformat(text) - date(1970, 1, 1)).days)
    except ValueError:
        raise UsageError(f"invalid date '{text}'") from None


def password_expired(line: list[str], today: int) -> bool:
    """Whether a line of /etc/shadow makes its user change the password first (or never return)."""
    if len(line) != 9:
        return False
    changed, longest, expires = line[2], line[4], line[7]
    if changed == "0" or (expires and today >= int(expires)):
        return True
    return bool(changed and longest and int(longest) >= 0 and today > int(changed) + int(longest))


async def loginctl(process: Process) -> int:
    """loginctl enable-linger: noted in the file systemd keeps for it."""
    if process.arguments[:1] == ["enable-linger"]:
        process.files.make_dir("/var/lib/systemd/linger", parents=True)
        process.files.touch(posixpath.join("/var/lib/systemd/linger", process.arguments[-1]))
    return 0


PEOPLE = {
    "adduser": useradd,
    "chage": chage,
    "chpasswd": chpasswd,
    "getent": getent,
    "groupadd": groupadd,
    "groups": show_groups,
    "id": identify,
    "loginctl": loginctl,
    "passwd": passwd,
    "useradd": useradd,
    "userdel": userdel,
    "usermod": usermod,
    "whoami": whoami,
}
