"""Programs about the machine itself: names, memory, swap, packages, cloud-init, keys, firewall."""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re

from asyncssh import KeyImportError, generate_private_key, import_private_key, import_public_key

from farm.sandbox.guests.simulated.binaries import binary
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.programs.arguments import UsageError, read


async def hostname(process: Process) -> int:
    """hostname [-f] [name]."""
    given = read(process.arguments, "fsIi", "", {"fqdn": "f"})
    if given.has("I", "i"):
        process.say(process.machine.identity.ipv4)
    elif given.operands:
        process.files.write("/etc/hostname", f"{given.operands[0]}\n".encode())
    else:
        process.say(process.machine.files.text("/etc/hostname").strip())
    return 0


async def hostnamectl(process: Process) -> int:
    """hostnamectl set-hostname name."""
    if process.arguments[:1] in (["set-hostname"], ["hostname"]) and len(process.arguments) > 1:
        process.files.write("/etc/hostname", f"{process.arguments[-1]}\n".encode())
    return 0


async def uname(process: Process) -> int:
    """uname [-a|-r|-m|-n|-s]."""
    name = process.machine.files.text("/etc/hostname").strip()
    values = {"s": "Linux", "n": name, "r": "6.1.0-simulated", "m": "x86_64", "o": "GNU/Linux"}
    given = read(process.arguments, "asnrmopv")
    letters = [k for k in values if k in given.flags or "a" in given.flags] or ["s"]
    process.say(" ".join(values[letter] for letter in letters))
    return 0


async def nproc(process: Process) -> int:
    """nproc."""
    process.say("2")
    return 0


async def uptime(process: Process) -> int:
    """uptime [-s]."""
    seconds = process.machine.seconds() - process.machine.started_at
    process.say(f"up {int(seconds // 60)} minutes, load average: 0.00, 0.00, 0.00")
    return 0


async def free(process: Process) -> int:
    """free [-m|-b]."""
    unit = 1 if "-m" in process.arguments else 1024
    total = process.machine.identity.memory_mb * unit
    swap = 2048 * unit if process.machine.swaps else 0
    process.say("               total        used        free")
    process.say(f"Mem:  {total:12d} {total // 4:12d} {total - total // 4:12d}")
    process.say(f"Swap: {swap:12d} {0:12d} {swap:12d}")
    return 0


async def fallocate(process: Process) -> int:
    """fallocate -l size path: the space is counted, not kept."""
    given = read(process.arguments, "", "lo", {"length=": "l"})
    if not re.fullmatch(r"\d+[KMGT]?i?B?", given.value("l")):
        return process.fail("invalid length value specified")
    process.files.write(given.operands[0], b"", mode=0o644)
    return 0


async def mkswap(process: Process) -> int:
    """mkswap path."""
    path = read(process.arguments, "fq", "LU").operands[0]
    process.files.write(path, b"SWAPSPACE2")
    process.say("Setting up swapspace version 1")
    return 0


async def swapon(process: Process) -> int:
    """swapon [-a] [--show] [path]."""
    given = read(process.arguments, "as", "p", {"show": "show", "all": "a", "noheadings": "q"})
    if given.has("show", "s"):
        for path in sorted(process.machine.swaps):
            process.say(f"{path} file 2G 0B -2")
    for path in given.operands:
        if process.files.read(path) != b"SWAPSPACE2":
            return process.fail(f"{path}: read swap header failed", 255)
        process.machine.swaps.add(process.files.place(path))
    return 0


async def swapoff(process: Process) -> int:
    """swapoff [-a] paths."""
    given = read(process.arguments, "a")
    gone = set(process.machine.swaps) if given.has("a") else set(given.operands)
    process.machine.swaps -= gone
    return 0


async def content(_process: Process) -> int:
    """sync, sysctl, modprobe, update-ca-certificates and others with nothing to do here."""
    return 0


async def locale(process: Process) -> int:
    """locale."""
    process.say("LANG=C.UTF-8")
    return 0


async def dpkg(process: Process) -> int:
    """dpkg --print-architecture, -s package; dpkg-query likewise."""
    if "--print-architecture" in process.arguments:
        process.say("amd64")
        return 0
    wanted = [word for word in process.arguments if not word.startswith("-")]
    present = process.machine.files.text("/var/lib/dpkg/status")
    for name in wanted:
        if f"Package: {name}\n" not in present:
            return process.fail(f"package '{name}' is not installed", 1)
        process.say(f"Package: {name}\nStatus: install ok installed")
    return 0


ARCHIVE = frozenset(
    {
        "age",
        "apt-transport-https",
        "build-essential",
        "ca-certificates",
        "cloud-init",
        "cron",
        "curl",
        "fail2ban",
        "git",
        "gnupg",
        "htop",
        "jq",
        "less",
        "locales",
        "nano",
        "nftables",
        "openssh-server",
        "python3",
        "python3-pip",
        "rsync",
        "sudo",
        "tmux",
        "ufw",
        "unattended-upgrades",
        "unzip",
        "vim",
        "wget",
        "xz-utils",
        "zstd",
    }
)
"""The packages this machine's archive has."""
BRINGS = {"age": ("age",), "python3-pip": ("pip", "pip3")}
"""Programs that are not there before their package is."""


APT_OPTIONS = {
    "yes": "y",
    "quiet": "q",
    "assume-yes": "y",
    "no-install-recommends": "n",
    "option=": "o",
    "purge": "p",
    "quiet=": "q2",
    "fix-broken": "f",
    "allow-downgrades": "a",
}


async def apt(process: Process) -> int:
    """apt-get update, install, upgrade, clean and so on, from an archive of our own."""
    given = read(
        process.arguments,
        "qyfmd",
        "ot",
        APT_OPTIONS,
    )
    if process.who.uid:
        return process.fail("Could not open lock file /var/lib/dpkg/lock-frontend", 100)
    verb, *names = given.operands or [""]
    await process.machine.sleep(process.machine.around.timings.install)
    if verb in {"install", "reinstall"}:
        return _install(process, names)
    if verb not in {
        "update",
        "upgrade",
        "dist-upgrade",
        "clean",
        "autoremove",
        "autoclean",
        "remove",
        "purge",
    }:
        return process.fail(f"Invalid operation {verb}", 100)
    if verb == "update":
        process.files.make_dir("/var/lib/apt/lists", parents=True)
    process.say("Reading package lists...")
    return 0


def _install(process: Process, names: list[str]) -> int:
    for name in names:
        package = name.split("=", 1)[0]
        if package not in ARCHIVE:
            process.complain(f"E: Unable to locate package {package}")
            return 100
        present = process.files.text("/var/lib/dpkg/status")
        if f"Package: {package}\n" not in present:
            line = f"Package: {package}\nStatus: install ok installed\n\n"
            process.files.write("/var/lib/dpkg/status", line.encode(), append=True)
        for program in BRINGS.get(package, ()):
            process.files.write(f"/usr/bin/{program}", binary(program), mode=0o755)
        process.say(f"Setting up {package} ...")
    return 0


async def cloud_init(process: Process) -> int:
    """cloud-init status [--wait] [--long], and clean."""
    verb = process.arguments[:1]
    if verb == ["clean"]:
        for path in ("/var/lib/cloud/instances", "/var/lib/cloud/instance", "/var/lib/cloud/data"):
            if process.files.find(path, follow=False):
                process.files.remove_tree(path)
        return 0
    if verb != ["status"]:
        return process.fail(f"invalid choice: {' '.join(verb)!r}", 2)
    while "--wait" in process.arguments and process.machine.cloud_init in {
        "running",
        "not started",
    }:
        await process.machine.sleep(0.02)
    state = process.machine.cloud_init
    if "--format" in process.arguments:
        process.say(json.dumps({"status": state}))
    else:
        process.say(f"status: {state}")
    return int(state == "error")


async def nft(process: Process) -> int:
    """nft -f file, nft list ruleset|table, nft flush ruleset."""
    given = read(process.arguments, "anj", "f", {"file=": "f", "check": "c"})
    if process.who.uid:
        return process.fail("Operation not permitted (you must be root)")
    if given.value("f"):
        text = (
            (await process.stdin.read()).decode()
            if given.value("f") == "-"
            else process.files.text(given.value("f"))
        )
        if text.count("{") != text.count("}"):
            return process.fail(f"{given.value('f')}: syntax error, unexpected end of file")
        process.machine.ruleset = text
        return 0
    if given.operands[:1] == ["list"]:
        return _list_rules(process, given.operands[1:])
    if given.operands[:2] == ["flush", "ruleset"]:
        process.machine.ruleset = ""
        return 0
    raise UsageError(f"syntax error, unexpected {' '.join(given.operands)}")


def _list_rules(process: Process, what: list[str]) -> int:
    wanted = " ".join(what)
    if what[:1] == ["table"] and not re.search(
        rf"^\s*{re.escape(wanted)}\s*\{{", process.machine.ruleset, re.M
    ):
        return process.fail(f"Error: No such file or directory\nlist {wanted}")
    process.stdout.write(process.machine.ruleset.encode())
    return 0


async def ssh_keygen(process: Process) -> int:
    """ssh-keygen: make a key pair, -y, -l, and -A for the machine's own."""
    given = read(process.arguments, "qylBA", "tNCfbEIsVnzD")
    path = given.value("f")
    if given.has("A"):
        return _own_keys(process)
    if given.has("y"):
        return _public_half(process, path, given.value("P"))
    if given.has("l"):
        return _fingerprint(process, path)
    if given.value("t", "ed25519") != "ed25519":
        return process.fail("this machine makes ed25519 keys only")
    path = path or posixpath.join(process.env.get("HOME", "/root"), ".ssh/id_ed25519")
    if process.files.find(path) and not (await process.stdin.line()).lower().startswith(b"y"):
        process.say(f"{path} already exists.\nOverwrite (y/n)? ")
        return 1
    write_key_pair(process, path, given.value("C", "root@guest"))
    if not given.has("q"):
        process.say(f"Your identification has been saved in {path}")
    return 0


def _own_keys(process: Process) -> int:
    path = "/etc/ssh/ssh_host_ed25519_key"
    if process.files.find(path) is None:
        write_key_pair(process, path, "root@guest")
    return 0


def _public_half(process: Process, path: str, passphrase: str) -> int:
    try:
        key = import_private_key(process.files.read(path), passphrase or None)
    except KeyImportError:
        return process.fail(f'Load key "{path}": error in libcrypto', 255)
    process.stdout.write(key.export_public_key("openssh"))
    return 0


def write_key_pair(process: Process, path: str, comment: str) -> None:
    """A fresh ed25519 key with its public half beside it."""
    key = generate_private_key("ssh-ed25519", comment=comment)
    process.files.write(path, key.export_private_key("openssh"), mode=0o600)
    process.files.chmod(path, 0o600)
    process.files.write(f"{path}.pub", key.export_public_key("openssh"), mode=0o644)


def _fingerprint(process: Process, path: str) -> int:
    public = path if path.endswith(".pub") else f"{path}.pub"
    try:
        key = import_public_key(process.files.read(public))
    except KeyImportError:
        return process.fail(f"{path} is not a public key file.", 255)
    digest = base64.b64encode(hashlib.sha256(key.public_data).digest()).decode().rstrip("=")
    process.say(f"256 SHA256:{digest} {key.get_comment()} (ED25519)")
    return 0


SYSTEM = {
    "apt": apt,
    "apt-get": apt,
    "cloud-init": cloud_init,
    "dpkg": dpkg,
    "dpkg-query": dpkg,
    "fallocate": fallocate,
    "free": free,
    "hostname": hostname,
    "hostnamectl": hostnamectl,
    "ldconfig": content,
    "locale": locale,
    "locale-gen": content,
    "mkswap": mkswap,
    "modprobe": content,
    "mount": content,
    "nft": nft,
    "nproc": nproc,
    "ssh-keygen": ssh_keygen,
    "swapoff": swapoff,
    "swapon": swapon,
    "sync": content,
    "sysctl": content,
    "timedatectl": content,
    "udevadm": content,
    "umount": content,
    "uname": uname,
    "update-ca-certificates": content,
    "uptime": uptime,
}
