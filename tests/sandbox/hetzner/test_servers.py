"""The life of a server, seen by the official client."""

from __future__ import annotations

import asyncio

import pytest
from hcloud import APIException, Client
from hcloud.images import Image
from hcloud.locations import Location
from hcloud.server_types import ServerType
from hcloud.servers import BoundServer, CreateServerResponse

from farm.sandbox.wire import Json
from tests.sandbox.hetzner.cloud_at_work import CloudAtWork, eventually


def order(client: Client, name: str = "one", **labels: str) -> CreateServerResponse:
    """A small server at Falkenstein."""
    return client.servers.create(
        name=name,
        server_type=ServerType(name="cx23"),
        image=Image(name="debian-12"),
        location=Location(name="fsn1"),
        user_data="#cloud-config\n",
        labels=labels,
    )


def running(client: Client, name: str = "one", **labels: str) -> BoundServer:
    """A server that runs."""
    ordered = order(client, name, **labels)
    for action in (ordered.action, *ordered.next_actions):
        action.wait_until_finished()
    return seen(client, ordered)


def seen(client: Client, ordered: CreateServerResponse) -> BoundServer:
    """The server as it is now."""
    return client.servers.get_by_id(ordered.server.id or 0)


def test_a_server_is_ordered_made_and_started(at_work: CloudAtWork, client: Client) -> None:
    ordered = order(client, env="prod")
    assert ordered.server.status == "initializing"
    assert ordered.action.command == "create_server"
    assert [action.command for action in ordered.next_actions] == ["start_server"]
    ordered.next_actions[0].wait_until_finished()
    server = client.servers.get_by_name("one")
    assert server is not None
    assert (server.status, server.labels) == ("running", {"env": "prod"})
    spec = at_work.guests.specs[server.id or 0]
    assert server.public_net
    assert server.public_net.ipv4
    assert (server.public_net.ipv4.ip, spec.user_data) == (spec.ipv4, "#cloud-config\n")


def test_a_name_is_given_once(client: Client) -> None:
    order(client)
    with pytest.raises(APIException, match="uniqueness_error") as refused:
        order(client)
    assert refused.value.details == {"fields": [{"name": "name"}]}


def test_a_server_without_boot_stays_off(client: Client) -> None:
    ordered = client.servers.create(
        name="cold",
        server_type=ServerType(name="cx23"),
        image=Image(name="debian-12"),
        start_after_create=False,
    )
    ordered.action.wait_until_finished()
    assert ordered.next_actions == []
    ordered.server.reload()
    assert ordered.server.status == "off"


@pytest.mark.parametrize(
    ("command", "status"),
    [("power_off", "off"), ("shutdown", "off"), ("reboot", "running"), ("reset", "running")],
)
def test_the_switches_of_a_running_server(client: Client, command: str, status: str) -> None:
    server = running(client)
    getattr(server, command)().wait_until_finished()
    server.reload()
    assert server.status == status


def test_a_server_switched_off_can_be_switched_on(client: Client) -> None:
    server = running(client)
    server.power_off().wait_until_finished()
    server.power_on().wait_until_finished()
    server.reload()
    assert server.status == "running"


def test_a_machine_that_halts_by_itself_is_seen_off(at_work: CloudAtWork, client: Client) -> None:
    server = running(client)
    at_work.guests.powered.clear()
    server.reload()
    assert server.status == "off"


def test_a_deleted_server_is_gone_with_its_addresses(at_work: CloudAtWork, client: Client) -> None:
    server = running(client)
    assert len(client.primary_ips.get_all()) == 2
    server.delete().wait_until_finished()
    assert client.servers.get_by_name("one") is None
    assert client.primary_ips.get_all() == []
    assert at_work.guests.specs == {}
    with pytest.raises(APIException, match="not_found"):
        server.reload()


def test_its_name_is_free_again_after_deletion(client: Client) -> None:
    running(client).delete().wait_until_finished()
    assert running(client).status == "running"


def test_a_busy_server_is_locked(at_work: CloudAtWork, client: Client) -> None:
    at_work.order("/faults", {"match": ["POST /servers"], "action": {"delay": 3600}})
    ordered = order(client)
    assert seen(client, ordered).locked
    with pytest.raises(APIException, match="locked"):
        ordered.server.delete()


def test_labels_and_name_change(client: Client) -> None:
    server = running(client, env="prod")
    changed = server.update(name="two", labels={"env": "test"})
    assert (changed.name, changed.labels) == ("two", {"env": "test"})


def test_a_snapshot_becomes_available_and_makes_servers(client: Client) -> None:
    server = running(client)
    copy = server.create_image(type="snapshot", description="golden", labels={"farm-image": "v3"})
    copy.action.wait_until_finished()
    (image,) = client.images.get_all(type=["snapshot"], label_selector="farm-image=v3")
    assert image.status == "available"
    assert (image.id, image.image_size, image.description) == (copy.image.id, 2.0, "golden")
    twin = client.servers.create(
        name="twin", server_type=ServerType(name="cx23"), image=Image(id=image.id)
    )
    twin.action.wait_until_finished()
    assert client.images.delete(image)
    assert client.images.get_all(type=["snapshot"]) == []


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("name", "not a hostname", "name"),
        ("name", None, "name"),
        ("server_type", "cx9000", "server_type"),
        ("server_type", "cpx11", "server_type"),
        ("image", "windows-95", "image"),
        ("location", "moon", "location"),
        ("location", "sin", "location"),
        ("user_data", "x" * 32769, "user_data"),
        ("labels", {"-": "x"}, "labels"),
        ("labels", {"hetzner.cloud/a": "x"}, "labels"),
        ("firewalls", [{"firewall": 1}], "firewalls"),
        ("start_after_create", "yes", "start_after_create"),
    ],
)
def test_a_bad_order_is_refused_at_its_field(
    client: Client, field: str, value: object, named: str
) -> None:
    body = {"name": "one", "server_type": "cx23", "image": "debian-12", "location": "fsn1"}
    with pytest.raises(APIException, match="invalid_input") as refused:
        client.request(method="POST", url="/servers", json={**body, field: value})
    assert refused.value.details["fields"][0]["name"] == named
    assert client.servers.get_all() == []


def test_a_full_account_says_which_limit(at_work: CloudAtWork, client: Client) -> None:
    at_work.order("/hetzner/limits", {"servers": 1})
    order(client)
    with pytest.raises(APIException, match="resource_limit_exceeded") as refused:
        order(client, "two")
    assert refused.value.details == {"limits": [{"name": "server_limit"}]}


def test_what_is_sold_out_is_shown_and_refused(at_work: CloudAtWork, client: Client) -> None:
    stock: dict[str, Json] = {"server_type": "cx23", "location": "fsn1", "available": False}
    at_work.order("/hetzner/stock", stock)
    kind = client.server_types.get_by_name("cx23")
    assert kind is not None
    places = {place.location.name: place.available for place in kind.locations or []}
    assert places == {"fsn1": False, "nbg1": True, "hel1": True}
    with pytest.raises(APIException, match="resource_unavailable"):
        order(client)
    at_work.order("/hetzner/stock", stock | {"available": True})
    assert order(client).server.name == "one"


def test_a_create_waits_for_an_image_that_is_being_built(
    at_work: CloudAtWork, client: Client
) -> None:
    ready = at_work.guests.building["debian-12"] = asyncio.Event()
    ordered = order(client)
    assert client.actions.get_by_id(ordered.action.id).status == "running"
    assert seen(client, ordered).status == "initializing"
    at_work.loop.call_soon_threadsafe(ready.set)
    ordered.next_actions[0].wait_until_finished()
    assert seen(client, ordered).status == "running"


def test_two_projects_see_nothing_of_each_other(at_work: CloudAtWork, client: Client) -> None:
    order(client)
    other = at_work.client(at_work.order("/hetzner/projects", {"name": "x"}).json()["token"])
    assert other.servers.get_all() == []
    assert order(other).server.name == "one"
    eventually(lambda: len(at_work.guests.specs) == 2)


def test_a_network_without_a_free_address_is_sold_out(at_work: CloudAtWork, client: Client) -> None:
    at_work.guests.room = 0
    with pytest.raises(APIException, match="resource_unavailable"):
        order(client)
    assert client.servers.get_all() == []
