"""sshd's configuration as its files say it: the first value of a keyword counts."""

from __future__ import annotations

import fnmatch
import posixpath
from dataclasses import dataclass

from farm.sandbox.guests.simulated.files import Files

KNOWN = frozenset(
    [
        "acceptenv",
        "addressfamily",
        "allowagentforwarding",
        "allowgroups",
        "allowstreamlocalforwarding",
        "allowtcpforwarding",
        "allowusers",
        "authenticationmethods",
        "authorizedkeyscommand",
        "authorizedkeyscommanduser",
        "authorizedkeysfile",
        "authorizedprincipalscommand",
        "authorizedprincipalscommanduser",
        "authorizedprincipalsfile",
        "banner",
        "casignaturealgorithms",
        "challengeresponseauthentication",
        "chrootdirectory",
        "ciphers",
        "clientalivecountmax",
        "clientaliveinterval",
        "compression",
        "denygroups",
        "denyusers",
        "disableforwarding",
        "exposeauthinfo",
        "fingerprinthash",
        "forcecommand",
        "gatewayports",
        "gssapiauthentication",
        "hostbasedauthentication",
        "hostcertificate",
        "hostkey",
        "hostkeyagent",
        "hostkeyalgorithms",
        "ignorerhosts",
        "ignoreuserknownhosts",
        "include",
        "ipqos",
        "kbdinteractiveauthentication",
        "kexalgorithms",
        "listenaddress",
        "logingracetime",
        "loglevel",
        "macs",
        "match",
        "maxauthtries",
        "maxsessions",
        "maxstartups",
        "passwordauthentication",
        "permitemptypasswords",
        "permitlisten",
        "permitopen",
        "permitrootlogin",
        "permittty",
        "permittunnel",
        "permituserenvironment",
        "permituserrc",
        "pidfile",
        "port",
        "printlastlog",
        "printmotd",
        "pubkeyacceptedalgorithms",
        "pubkeyauthentication",
        "rekeylimit",
        "revokedkeys",
        "strictmodes",
        "subsystem",
        "syslogfacility",
        "tcpkeepalive",
        "trustedusercakeys",
        "usedns",
        "usepam",
        "versionaddendum",
        "x11displayoffset",
        "x11forwarding",
        "x11uselocalhost",
    ]
)
REPEATABLE = frozenset({"hostkey", "acceptenv", "subsystem", "allowusers"})
DEFAULT_HOST_KEYS = ("/etc/ssh/ssh_host_ed25519_key",)


class ConfigError(Exception):
    """sshd refuses to start; the message is what it prints."""


@dataclass(frozen=True, slots=True)
class SshdConfig:
    """The keywords in lower case with their values; one that may be repeated has several."""

    values: dict[str, tuple[str, ...]]

    def word(self, keyword: str, default: str) -> str:
        """The value of a keyword."""
        return self.values.get(keyword, (default,))[0]

    def yes(self, keyword: str, *, default: bool) -> bool:
        """A keyword that is yes or no."""
        return self.word(keyword, "yes" if default else "no").lower() == "yes"

    @property
    def host_keys(self) -> tuple[str, ...]:
        """Paths of the private host keys."""
        return self.values.get("hostkey", DEFAULT_HOST_KEYS)

    def admits(self, user: str) -> bool:
        """What AllowUsers, DenyUsers and PermitRootLogin say of a user."""
        allowed = " ".join(self.values.get("allowusers", ())).split()
        if user in self.word("denyusers", "").split():
            return False
        if user == "root" and self.word("permitrootlogin", "prohibit-password").lower() == "no":
            return False
        return not allowed or any(fnmatch.fnmatchcase(user, pattern) for pattern in allowed)

    def may_open(self, host: str, port: int) -> bool:
        """What AllowTcpForwarding and PermitOpen say of a local forward."""
        if self.word("allowtcpforwarding", "yes").lower() not in {"yes", "all", "local"}:
            return False
        if self.yes("disableforwarding", default=False):
            return False
        places = self.word("permitopen", "any").split()
        wanted = {f"{name}:{number}" for name in (host, "*") for number in (str(port), "*")}
        return "any" in places or any(place in wanted for place in places)


def read_config(files: Files, path: str) -> SshdConfig:
    """The configuration; ConfigError where sshd would refuse it."""
    values: dict[str, tuple[str, ...]] = {}
    if files.find(path) is None:
        raise ConfigError(f"{path}: No such file or directory")
    _read(files, path, values)
    config = SshdConfig(values)
    if not any(files.find(key) for key in config.host_keys):
        raise ConfigError("sshd: no hostkeys available -- exiting.")
    return config


def _read(files: Files, path: str, values: dict[str, tuple[str, ...]]) -> None:
    for number, line in enumerate(files.text(path).splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        keyword, _, value = stripped.replace("=", " ", 1).partition(" ")
        keyword, value = keyword.lower(), value.strip().strip('"')
        if keyword not in KNOWN:
            raise ConfigError(f"{path}: line {number}: Bad configuration option: {keyword}")
        if not value:
            raise ConfigError(f'{path} line {number}: no argument after keyword "{keyword}"')
        if keyword == "match":
            return
        if keyword == "include":
            _include(files, value, values)
        elif keyword in REPEATABLE:
            values[keyword] = (*values.get(keyword, ()), value)
        else:
            values.setdefault(keyword, (value,))


def _include(files: Files, pattern: str, values: dict[str, tuple[str, ...]]) -> None:
    absolute = posixpath.join("/etc/ssh", pattern)
    folder, name = posixpath.split(absolute)
    if files.is_dir(folder):
        for entry in files.entries(folder):
            if fnmatch.fnmatchcase(entry, name):
                _read(files, posixpath.join(folder, entry), values)
