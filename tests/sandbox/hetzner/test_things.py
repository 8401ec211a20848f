"""Firewalls, primary IPs, SSH keys, and what is on sale."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hcloud import APIException, Client
from hcloud.firewalls import FirewallResource, FirewallResourceLabelSelector, FirewallRule
from hcloud.images import Image
from hcloud.server_types import ServerType
from hcloud.servers import BoundServer, Server

from farm.sandbox.guests.base import GuestRule
from tests.sandbox.hetzner.cloud_at_work import CloudAtWork, eventually
from tests.sandbox.hetzner.test_servers import running

SSH = FirewallRule(direction="in", protocol="tcp", port="22", source_ips=["0.0.0.0/0", "::/0"])
WEB = FirewallRule(direction="in", protocol="tcp", port="80-81", source_ips=["10.0.0.0/8"])
PING = FirewallRule(direction="in", protocol="icmp", source_ips=["0.0.0.0/0"])
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1wW2f3z1eJx0y4rH8kq0n3lqz0G1Zy5m6fKp0vWq2L me"


def rules_of(at_work: CloudAtWork, server: BoundServer) -> Sequence[GuestRule] | None:
    """What the machine's network was told."""
    return at_work.guests.rules[server.id or 0]


def test_a_firewall_reaches_the_machine_before_it_boots(
    at_work: CloudAtWork, client: Client
) -> None:
    firewall = client.firewalls.create(name="farm", rules=[SSH, WEB, PING]).firewall
    server = client.servers.create(
        name="one",
        server_type=ServerType(name="cx23"),
        image=Image(name="debian-12"),
        firewalls=[firewall],
        start_after_create=False,
    )
    server.action.wait_until_finished()
    number = server.server.id or 0
    assert at_work.guests.rules[number] == (
        GuestRule(22, ("0.0.0.0/0", "::/0")),
        GuestRule(80, ("10.0.0.0/8",)),
        GuestRule(81, ("10.0.0.0/8",)),
    )
    firewall.reload()
    assert [one.server.id for one in firewall.applied_to or [] if one.server] == [number]


def test_rules_set_later_reach_the_machine(at_work: CloudAtWork, client: Client) -> None:
    server = running(client)
    assert rules_of(at_work, server) is None
    firewall = client.firewalls.create(name="farm").firewall
    resource = FirewallResource(type="server", server=Server(id=server.id or 0))
    firewall.apply_to_resources([resource])[0].wait_until_finished()
    assert rules_of(at_work, server) == ()
    firewall.set_rules([SSH])[0].wait_until_finished()
    assert rules_of(at_work, server) == (GuestRule(22, ("0.0.0.0/0", "::/0")),)
    firewall.remove_from_resources([resource])[0].wait_until_finished()
    assert rules_of(at_work, server) is None


def test_a_selector_protects_what_carries_the_label(at_work: CloudAtWork, client: Client) -> None:
    server = running(client, env="prod")
    selector = FirewallResourceLabelSelector(selector="env=prod")
    resource = FirewallResource(type="label_selector", label_selector=selector)
    firewall = client.firewalls.create(name="farm", rules=[SSH], resources=[resource]).firewall
    eventually(lambda: rules_of(at_work, server))
    with pytest.raises(APIException, match="resource_in_use"):
        firewall.delete()
    server.update(labels={})
    assert rules_of(at_work, server) is None


def test_an_unused_firewall_goes_and_its_name_is_free(client: Client) -> None:
    firewall = client.firewalls.create(name="farm").firewall
    with pytest.raises(APIException, match="uniqueness_error"):
        client.firewalls.create(name="farm")
    assert firewall.delete()
    assert client.firewalls.get_by_name("farm") is None
    assert client.firewalls.create(name="farm").firewall.name == "farm"


def test_a_deleted_server_frees_its_firewall(client: Client) -> None:
    server = running(client)
    firewall = client.firewalls.create(
        name="farm", resources=[FirewallResource(type="server", server=Server(id=server.id or 0))]
    ).firewall
    server.delete().wait_until_finished()
    assert firewall.delete()


@pytest.mark.parametrize(
    "rule",
    [
        {"direction": "in", "protocol": "tcp", "source_ips": ["0.0.0.0/0"]},
        {"direction": "in", "protocol": "tcp", "port": "22"},
        {"direction": "in", "protocol": "tcp", "port": "0", "source_ips": ["0.0.0.0/0"]},
        {"direction": "in", "protocol": "tcp", "port": "22", "source_ips": ["1.2.3.4/8"]},
        {"direction": "up", "protocol": "tcp", "port": "22", "source_ips": ["0.0.0.0/0"]},
        {"direction": "in", "protocol": "smtp", "port": "22", "source_ips": ["0.0.0.0/0"]},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(client: Client, rule: dict[str, object]) -> None:
    with pytest.raises(APIException, match="invalid_input"):
        client.request(method="POST", url="/firewalls", json={"name": "x", "rules": [rule]})


def test_a_kept_address_outlives_its_server(client: Client) -> None:
    body = {"name": "kept", "type": "ipv4", "location": "fsn1", "assignee_type": "unassigned"}
    kept = client.request(method="POST", url="/primary_ips", json=body)["primary_ip"]
    answer = client.request(
        method="POST",
        url="/servers",
        json={
            "name": "one",
            "server_type": "cx23",
            "image": "debian-12",
            "location": "fsn1",
            "public_net": {"ipv4": kept["id"], "enable_ipv6": False},
        },
    )
    server = client.servers.get_by_id(answer["server"]["id"])
    assert answer["server"]["public_net"]["ipv4"]["ip"] == kept["ip"]
    assert answer["server"]["public_net"]["ipv6"] is None
    with pytest.raises(APIException, match="must_be_unassigned"):
        client.request(method="DELETE", url=f"/primary_ips/{kept['id']}")
    eventually(lambda: client.servers.get_by_id(server.id or 0).locked is False)
    server.delete().wait_until_finished()
    (left,) = client.primary_ips.get_all()
    assert (left.name, left.assignee_id) == ("kept", None)
    assert client.primary_ips.delete(left)


def test_keys_are_kept_once(client: Client) -> None:
    key = client.ssh_keys.create(name="mine", public_key=KEY, labels={"a": "b"})
    assert client.ssh_keys.get_by_fingerprint(key.fingerprint or "").name == "mine"  # type: ignore[union-attr]
    with pytest.raises(APIException, match="uniqueness_error"):
        client.ssh_keys.create(name="other", public_key=KEY)
    with pytest.raises(APIException, match="invalid_input"):
        client.ssh_keys.create(name="other", public_key="ssh-ed25519 ?")
    assert key.update(name="ours").name == "ours"
    assert key.delete()
    assert client.ssh_keys.get_all() == []


def test_prices_are_decimal_strings_with_their_ipv4_apart(client: Client) -> None:
    pricing = client.request(method="GET", url="/pricing")["pricing"]
    (cx23,) = (kind for kind in pricing["server_types"] if kind["name"] == "cx23")
    (fsn1,) = (price for price in cx23["prices"] if price["location"] == "fsn1")
    assert Decimal(fsn1["price_hourly"]["net"]) == Decimal("0.0064")
    assert Decimal(fsn1["price_hourly"]["gross"]) == Decimal("0.0064") * Decimal("1.19")
    ipv4 = {ip["type"]: ip["prices"] for ip in pricing["primary_ips"]}["ipv4"]
    assert {Decimal(price["price_monthly"]["net"]) for price in ipv4} == {Decimal("0.5")}


def test_a_type_ends_place_by_place(client: Client) -> None:
    kind = client.server_types.get_by_name("cpx11")
    assert kind is not None
    offers = {one.location.name: one for one in kind.locations or []}
    assert not offers["fsn1"].available
    assert offers["fsn1"].deprecation is not None
    assert offers["ash"].available
    assert offers["ash"].deprecation is None


def test_the_rest_of_the_catalogue_answers(at_work: CloudAtWork, client: Client) -> None:
    assert {place.name for place in client.locations.get_all()} >= {"fsn1", "nbg1", "hel1", "ash"}
    assert client.locations.get_by_id(1).name == "fsn1"
    assert client.server_types.get_by_id(114).name == "cx23"
    image = client.images.get_by_name_and_architecture("debian-12", "x86")
    assert image is not None
    assert client.images.get_by_id(image.id or 0).type == "system"
    assert at_work.ask("GET", "/images/7").status_code == 404


def test_actions_are_listed_by_thing_and_by_id(client: Client) -> None:
    server = running(client)
    first, second = server.get_actions()
    assert (first.command, second.command) == ("create_server", "start_server")
    assert {one.id for one in client.servers.actions.get_all()} == {first.id, second.id}
    assert client.servers.actions.get_by_id(first.id).command == "create_server"
    body = client.request(method="GET", url="/actions", params={"id": [first.id, second.id, 7]})
    assert [one["progress"] for one in body["actions"]] == [100, 100]
    assert server.get_actions(status=["error"]) == []
