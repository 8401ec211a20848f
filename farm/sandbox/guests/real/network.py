"""One routed network for the guests of a sandbox, with an uplink, firewalls and a way in for us."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import socket
from asyncio.subprocess import DEVNULL
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypedDict

from farm.sandbox.guests.base import CloudName, GuestError, GuestRule
from farm.sandbox.guests.real import nft
from farm.sandbox.guests.real.command import run
from farm.sandbox.guests.real.keeper import Keeper
from farm.sandbox.guests.real.slices import PREFIX, Slice

METADATA_HOSTS = {CloudName.HETZNER: "169.254.169.254", CloudName.SCALEWAY: "169.254.42.42"}
"""Where each cloud's machines are told about themselves."""
NAME_SERVER = "10.0.2.3"
"""Where the uplink answers DNS, with whatever name server this machine has."""

_CLOUD = "cloud"
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_UPLINK_PATIENCE = 20

# A guest cannot use another's address (rp_filter), and asks us for every neighbour (proxy_arp).
_SWITCHES = """
cd /proc/sys/net/ipv4
echo 1 > ip_forward
echo 1 > conf/all/rp_filter; echo 1 > conf/default/rp_filter
echo 1 > conf/default/proxy_arp
"""

# A neighbour asked for by proxy is otherwise answered up to 0.8 s late.
_PROMPTLY = 'echo 0 > "/proc/sys/net/ipv4/neigh/$1/proxy_delay"'


class _Address(TypedDict):
    local: str


class _Interface(TypedDict):
    addr_info: list[_Address]


class GuestNetwork:
    """The network of one sandbox: `slice` tells who has which address."""

    def __init__(self, keeper: Keeper, address_slice: Slice) -> None:
        self.slice = address_slice
        self._keeper = keeper

    async def start(self) -> None:
        """Bring up the gateway, the link to this machine, the firewalls and the uplink."""
        await self._keeper.run("ip", "netns", "add", _CLOUD)
        await self._keeper.run("sh", "-ec", _SWITCHES, network=_CLOUD)
        await self._remove_left_link()
        await self._keeper.run("ip", "-batch", "-", stdin=self._host_side())
        await self._ip(self._cloud_side())
        await self._answer_promptly(nft.HOST_LINK)
        await self._nft(nft.ruleset(await _host_addresses()))
        await self._uplink()

    async def plug(self, link: str, ipv4: str, rules: Sequence[GuestRule] | None) -> None:
        """A network /run/netns/`link` for one guest, wired to the others' behind its firewall."""
        await self._nft(nft.refence(await _host_addresses()) + nft.admission(link, rules))
        await self._keeper.run("ip", "netns", "add", link)
        await self._ip(
            f"link add {link} type veth peer name eth0 netns {link}\n"
            f"link set {link} up\n"
            f"route add {ipv4}/32 dev {link} src {self.slice.gateway}\n"
        )
        await self._answer_promptly(link)

    async def unplug(self, link: str) -> None:
        """Take the wire out, whatever of it there is: a guest may have cut its own end."""
        with suppress(GuestError):
            await self._keeper.run("ip", "link", "delete", link, network=_CLOUD)
        with suppress(GuestError):
            await self._keeper.run("ip", "netns", "delete", link)
        with suppress(GuestError):
            await self._nft(nft.removal(link))

    async def admit(self, link: str, rules: Sequence[GuestRule] | None) -> None:
        """Change the firewall of a guest that is plugged in."""
        await self._nft(nft.admission(link, rules))

    def listen(self, host: str, port: int) -> socket.socket:
        """A listening TCP socket inside the guests' network.

        A socket stays in the network in which it was made, so a thread that goes there for it
        and ends is enough: the process itself never leaves the machine's network.
        """
        with ThreadPoolExecutor(1) as visitor:
            return visitor.submit(self._listen_inside, host, port).result()

    def _listen_inside(self, host: str, port: int) -> socket.socket:
        with self._keeper.path(f"/run/netns/{_CLOUD}").open("rb") as network:
            if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _NEW_NETWORK):
                raise GuestError(f"The guests' network is shut: {os.strerror(ctypes.get_errno())}")
        try:
            return socket.create_server((host, port), backlog=128)
        except OSError as error:
            raise GuestError(f"Nothing can listen on {host}:{port}: {error.strerror}") from error

    def _host_side(self) -> str:
        here = self.slice
        return (
            f"link add {here.link} type veth peer name {nft.HOST_LINK} netns {_CLOUD}\n"
            f"address add {here.host}/{PREFIX} dev {here.link}\n"
            f"link set {here.link} up\n"
        )

    def _cloud_side(self) -> str:
        here = self.slice
        told = "".join(f"address add {host}/32 dev lo\n" for host in METADATA_HOSTS.values())
        return (
            "link set lo up\n"
            f"address add {here.gateway}/32 dev lo\n"
            f"{told}"
            f"link set {nft.HOST_LINK} up\n"
            f"route add {here.host}/32 dev {nft.HOST_LINK} src {here.gateway}\n"
        )

    async def _remove_left_link(self) -> None:
        """A killed sandbox's link dies with its network, which the kernel clears a moment later."""
        await run("sh", "-c", f"ip link delete {self.slice.link} 2>/dev/null || true")

    async def _uplink(self) -> None:
        """A user-space router; to the world, guests' traffic is this machine's own."""
        told, tells = os.pipe()
        await self._keeper.spawn(
            *("slirp4netns", "--configure", "--mtu=1500", "--disable-host-loopback"),
            *(f"--ready-fd={tells}", "--netns-type=path", f"/run/netns/{_CLOUD}", nft.UPLINK),
            output=DEVNULL,
            pass_fds=[tells],
        )
        os.close(tells)
        ready = await asyncio.wait_for(asyncio.to_thread(os.read, told, 1), _UPLINK_PATIENCE)
        os.close(told)
        if not ready:
            raise GuestError("The guests' uplink did not come up: can slirp4netns run here?")

    async def _answer_promptly(self, link: str) -> None:
        await self._keeper.run("sh", "-ec", _PROMPTLY, "promptly", link, network=_CLOUD)

    async def _ip(self, batch: str) -> None:
        await self._keeper.run("ip", "-batch", "-", network=_CLOUD, stdin=batch)

    async def _nft(self, rules: str) -> None:
        await self._keeper.run("nft", "-f", "-", network=_CLOUD, stdin=rules)


async def _host_addresses() -> set[str]:
    """Every IPv4 address of this machine: what a guest must not reach through the uplink."""
    interfaces: list[_Interface] = json.loads(await run("ip", "-json", "-4", "address", "show"))
    return {address["local"] for interface in interfaces for address in interface["addr_info"]}
