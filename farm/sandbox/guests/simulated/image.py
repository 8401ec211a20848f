"""The system image: the files of a small Debian 12 before its first boot."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from functools import cache

from farm.sandbox.guests.simulated.binaries import binary
from farm.sandbox.guests.simulated.disk import Node, NodeKind
from farm.sandbox.guests.simulated.programs import PROGRAMS

NAME = "debian-12"
SUPERUSER = frozenset(
    {"chpasswd", "groupadd", "nft", "sshd", "swapon", "useradd", "userdel", "usermod"}
)
INSTALLED_LATER = frozenset({"age", "node", "npm", "pip", "pip3"})
FOLDERS = {
    "/": 0o755,
    "/dev": 0o755,
    "/etc": 0o755,
    "/etc/apt/apt.conf.d": 0o755,
    "/etc/cloud/cloud.cfg.d": 0o755,
    "/etc/ssh/sshd_config.d": 0o755,
    "/etc/ssl/certs": 0o755,
    "/etc/sudoers.d": 0o755,
    "/etc/systemd/system/multi-user.target.wants": 0o755,
    "/home": 0o755,
    "/mnt": 0o755,
    "/opt": 0o755,
    "/root": 0o700,
    "/root/.ssh": 0o700,
    "/run/systemd/system": 0o755,
    "/srv": 0o755,
    "/tmp": 0o1777,  # noqa: S108
    "/usr/bin": 0o755,
    "/usr/lib/systemd/system": 0o755,
    "/usr/local/bin": 0o755,
    "/usr/local/sbin": 0o755,
    "/usr/sbin": 0o755,
    "/var/cache": 0o755,
    "/var/lib/cloud": 0o755,
    "/var/lib/dpkg": 0o755,
    "/var/lib/systemd": 0o755,
    "/var/log": 0o755,
    "/var/tmp": 0o1777,  # noqa: S108
}
WANTED = "/etc/systemd/system/multi-user.target.wants"
UNITS = "/usr/lib/systemd/system"
LINKS = {
    "/bin": "usr/bin",
    "/sbin": "usr/sbin",
    "/lib": "usr/lib",
    "/var/run": "/run",
    f"{WANTED}/ssh.service": f"{UNITS}/ssh.service",
    "/etc/systemd/system/sshd.service": f"{UNITS}/ssh.service",
}
DEVICES = ("full", "null", "random", "stderr", "stdin", "stdout", "tty", "urandom", "zero")
SSH_UNIT = """[Unit]
Description=OpenBSD Secure Shell server

[Service]
ExecStartPre=/usr/sbin/sshd -t
ExecStart=/usr/sbin/sshd -D
ExecReload=/usr/sbin/sshd -t
ExecReload=/bin/kill -HUP $MAINPID
KillMode=process
Restart=on-failure
RestartPreventExitStatus=255
Type=simple
RuntimeDirectory=sshd

[Install]
WantedBy=multi-user.target
Alias=sshd.service
"""
TEXTS = {
    "/etc/cloud/cloud.cfg": "# cloud-init\n",
    "/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n",
    "/etc/group": "root:x:0:\nadm:x:4:\nsudo:x:27:\nusers:x:100:\n"
    "systemd-journal:x:101:\n"
    "nogroup:x:65534:\n",
    "/etc/hostname": "localhost\n",
    "/etc/hosts": "127.0.0.1 localhost\n",
    "/etc/machine-id": "",
    "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n'
    "VERSION_CODENAME=bookworm\n",
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\n"
    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
    "sshd:x:105:65534::/run/sshd:/usr/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\n"
    "KbdInteractiveAuthentication no\n"
    "UsePAM yes\nX11Forwarding yes\nPrintMotd no\nAcceptEnv LANG LC_*\n"
    "Subsystem sftp /usr/lib/openssh/sftp-server\n",
    "/etc/ssl/certs/ca-certificates.crt": "",
    "/usr/lib/systemd/system/ssh.service": SSH_UNIT,
    "/var/lib/dpkg/status": "".join(
        f"Package: {name}\nStatus: install ok installed\n\n"
        for name in ("ca-certificates", "cloud-init", "curl", "openssh-server", "sudo")
    ),
}
SHADOW = "root:*:20000:0:99999:7:::\nsshd:!:20000::::::\nnobody:*:20000:0:99999:7:::\n"


@cache
def system_image() -> Mapping[str, Node]:
    """Every node of the image; shared by all disks, as nodes never change."""
    nodes: dict[str, Node] = {}
    for path, mode in FOLDERS.items():
        _folder(nodes, path)
        nodes[path] = Node(NodeKind.DIRECTORY, mode)
    for path, target in LINKS.items():
        nodes[path] = Node(NodeKind.SYMLINK, 0o777, content=target.encode())
    for path, text in TEXTS.items():
        nodes[path] = Node(NodeKind.FILE, 0o644, content=text.encode())
    for name in DEVICES:
        nodes[f"/dev/{name}"] = Node(NodeKind.DEVICE, 0o666)
    nodes["/etc/shadow"] = Node(NodeKind.FILE, 0o640, content=SHADOW.encode())
    for name in PROGRAMS:
        if name not in INSTALLED_LATER:
            folder = "/usr/sbin" if name in SUPERUSER else "/usr/bin"
            nodes[f"{folder}/{name}"] = Node(NodeKind.FILE, 0o755, content=binary(name))
    return nodes


def _folder(nodes: dict[str, Node], path: str) -> None:
    while path not in nodes:
        nodes[path] = Node(NodeKind.DIRECTORY, 0o755)
        path = posixpath.dirname(path)
