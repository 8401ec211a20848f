"""Another type, a fresh disk, protection: what changes a server without making another."""

from __future__ import annotations

import pytest
from hcloud import APIException, Client
from hcloud.images import Image
from hcloud.server_types import ServerType
from hcloud.servers import BoundServer

from tests.sandbox.hetzner.cloud_at_work import CloudAtWork
from tests.sandbox.hetzner.test_servers import running

CX33 = ServerType(name="cx33")
CX23 = ServerType(name="cx23")


def off(client: Client) -> BoundServer:
    """A server that is switched off."""
    server = running(client)
    server.power_off().wait_until_finished()
    return server


def test_a_server_that_is_off_becomes_another_type(client: Client) -> None:
    server = off(client)
    server.change_type(CX33, upgrade_disk=False).wait_until_finished()
    server.reload()
    assert server.server_type
    assert (server.server_type.name, server.primary_disk_size, server.status) == (
        "cx33",
        40,
        "running",
    )


def test_the_way_back_is_open_until_the_disk_grew(client: Client) -> None:
    server = off(client)
    for kind, grows in ((CX33, False), (CX23, False), (CX33, True)):
        server.change_type(kind, upgrade_disk=grows).wait_until_finished()
        server.power_off().wait_until_finished()
    with pytest.raises(APIException, match="invalid_server_type"):
        server.change_type(CX23, upgrade_disk=False)
    server.reload()
    assert server.primary_disk_size == 80


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("cx9000", "invalid_input"),
        ("cax11", "invalid_server_type"),
        ("cpx11", "invalid_server_type"),
    ],
)
def test_a_type_that_does_not_fit_is_refused(client: Client, kind: str, code: str) -> None:
    server = off(client)
    with pytest.raises(APIException, match=code):
        server.change_type(ServerType(name=kind), upgrade_disk=False)


def test_a_server_that_runs_keeps_its_type(client: Client) -> None:
    with pytest.raises(APIException, match="server_not_stopped"):
        running(client).change_type(CX33, upgrade_disk=False)


def test_a_type_that_is_sold_out_is_none_to_change_to(at_work: CloudAtWork, client: Client) -> None:
    server = off(client)
    at_work.order("/hetzner/stock", {"server_type": "cx33", "location": "fsn1", "available": False})
    with pytest.raises(APIException, match="resource_unavailable"):
        server.change_type(CX33, upgrade_disk=False)


def test_a_rebuilt_server_has_a_fresh_disk_and_what_it_had(
    at_work: CloudAtWork, client: Client
) -> None:
    server = running(client)
    before = at_work.guests.specs[server.id or 0]
    answer = server.rebuild(Image(name="debian-12"), user_data="#cloud-config\nnew: true\n")
    answer.action.wait_until_finished()
    after = at_work.guests.specs[server.id or 0]
    assert after is not before
    assert (after.ipv4, after.user_data) == (before.ipv4, "#cloud-config\nnew: true\n")
    server.reload()
    assert server.status == "running"
    server.rebuild(Image(name="debian-12")).action.wait_until_finished()
    assert at_work.guests.specs[server.id or 0].user_data == after.user_data
    with pytest.raises(APIException, match="invalid_input"):
        server.rebuild(Image(name="windows-95"))


def test_what_is_protected_stays(client: Client) -> None:
    server = running(client)
    server.change_protection(delete=True, rebuild=True).wait_until_finished()
    for forbidden in (server.delete, lambda: server.rebuild(Image(name="debian-12"))):
        with pytest.raises(APIException, match="protected"):
            forbidden()
    with pytest.raises(APIException, match="invalid_input"):
        server.change_protection(delete=False, rebuild=True)
    server.change_protection(delete=False, rebuild=False).wait_until_finished()
    server.delete().wait_until_finished()


def test_a_protected_snapshot_stays(client: Client) -> None:
    copy = running(client).create_image(type="snapshot", description="golden")
    copy.action.wait_until_finished()
    copy.image.change_protection(delete=True).wait_until_finished()
    with pytest.raises(APIException, match="protected"):
        copy.image.delete()
    copy.image.change_protection(delete=False).wait_until_finished()
    assert copy.image.delete()


def test_a_copy_that_failed_is_never_available(at_work: CloudAtWork, client: Client) -> None:
    server = running(client)
    failing = {"code": "action_failed", "message": "no"}
    at_work.order("/faults", {"match": ["create_image"], "action": failing})
    copy = server.create_image(type="snapshot", description="golden")
    with pytest.raises(Exception, match="no"):
        copy.action.wait_until_finished()
    assert client.images.get_by_id(copy.image.id or 0).status == "unavailable"


def test_an_image_of_a_bigger_disk_makes_no_smaller_server(client: Client) -> None:
    server = off(client)
    server.change_type(CX33, upgrade_disk=True).wait_until_finished()
    copy = server.create_image(type="snapshot", description="big")
    copy.action.wait_until_finished()
    with pytest.raises(APIException, match="image disk is bigger"):
        client.servers.create(name="small", server_type=CX23, image=Image(id=copy.image.id))
