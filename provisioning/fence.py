"""The machine's own packet filter: who may knock at the gateway, whatever the cloud lets in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from pathlib import Path

from provisioning.errors import Rejected
from provisioning.remotefiles import RemoteFile

FENCE = "/etc/farm/nftables.conf"
_BASE = Path(__file__).resolve().parent.parent / "templates/cloud-init/files/nftables.conf"


def fence(port: int, sources: Sequence[str]) -> RemoteFile:
    """The whole filter; only `sources`, addresses or CIDR, reach `port` from outside the machine.

    Rejected for a source that is no address.
    """
    gate = f"""table inet farm_gateway
delete table inet farm_gateway
table inet farm_gateway {{
	chain input {{
		type filter hook input priority 0; policy accept;
		iifname "lo" accept
{"".join(_admissions(port, sources))}		tcp dport {port} drop
	}}
}}
"""
    return RemoteFile(FENCE, (_BASE.read_text() + gate).encode(), 0o644, "root:root")


def _admissions(port: int, sources: Sequence[str]) -> Iterable[str]:
    try:
        networks = [ip_network(source, strict=False) for source in sources]
    except ValueError as error:
        raise Rejected("bad_address", f"The edge has an address that is none: {error}") from error
    for version, family in ((4, "ip"), (6, "ip6")):
        listed = ", ".join(str(network) for network in networks if network.version == version)
        if listed:
            yield f"\t\ttcp dport {port} {family} saddr {{ {listed} }} accept\n"
