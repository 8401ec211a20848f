"""A cloud that was stopped goes on where it was."""

from __future__ import annotations

import asyncio
from pathlib import Path

from farm.sandbox.guests.base import BaseImage
from tests.sandbox.hetzner.cloud_at_work import cloud_at_work, eventually
from tests.sandbox.hetzner.memory_guests import MemoryGuests
from tests.sandbox.hetzner.test_servers import order, running


def test_everything_is_found_again(tmp_path: Path) -> None:
    guests = MemoryGuests()
    with cloud_at_work(tmp_path, guests=guests) as first:
        token, client = first.cloud.token, first.client()
        server = running(client, env="prod")
        copy = server.create_image(type="snapshot", description="copy")
        copy.action.wait_until_finished()
        client.firewalls.create(name="farm")
        before = first.ask("GET", "/servers").json()
    with cloud_at_work(tmp_path, guests=guests) as second:
        assert second.cloud.token == token
        assert second.ask("GET", "/servers").json() == before
        client = second.client()
        assert [one.name for one in client.firewalls.get_all()] == ["farm"]
        assert [one.description for one in client.images.get_all(type=["snapshot"])] == ["copy"]
        assert client.actions.get_by_id(copy.action.id).status == "success"
        assert order(client, "two").server.id not in (server.id, copy.image.id)


def test_a_create_that_was_cut_off_is_carried_out(tmp_path: Path) -> None:
    guests = MemoryGuests()
    with cloud_at_work(tmp_path, guests=guests) as first:
        guests.building["debian-12"] = asyncio.Event()
        ordered = order(first.client())
    guests.building.clear()
    with cloud_at_work(tmp_path, guests=guests) as second:
        client = second.client()
        client.actions.get_by_id(ordered.next_actions[0].id).wait_until_finished()
        assert client.servers.get_by_id(ordered.server.id or 0).status == "running"
        assert len(guests.specs) == 1


def test_a_deletion_that_was_cut_off_is_carried_out(tmp_path: Path) -> None:
    guests = MemoryGuests()
    with cloud_at_work(tmp_path, guests=guests) as first:
        server = running(first.client())
        first.order("/faults", {"match": ["DELETE"], "action": {"delay": 0.2}})
        action = server.delete()
        assert guests.specs
    with cloud_at_work(tmp_path, guests=guests) as second:
        second.client().actions.get_by_id(action.id).wait_until_finished()
        assert second.client().servers.get_all() == []
    assert guests.specs == {}


def test_a_machine_switched_off_in_the_dark_is_seen_off(tmp_path: Path) -> None:
    guests = MemoryGuests()
    with cloud_at_work(tmp_path, guests=guests) as first:
        server = running(first.client())
    guests.powered.clear()
    with cloud_at_work(tmp_path, guests=guests) as second:
        assert second.client().servers.get_by_id(server.id or 0).status == "off"


def test_prebuilt_images_come_and_go_with_the_guests(tmp_path: Path) -> None:
    vanilla = BaseImage("debian-12", "Debian 12")
    golden = BaseImage("golden", "With the runtime", {"farm-image": "v3"}, 3_000_000_000)
    guests = MemoryGuests(offered=(vanilla, golden))
    guests.building["golden"] = asyncio.Event()
    with cloud_at_work(tmp_path, guests=guests) as at_work:
        client = at_work.client()
        (image,) = client.images.get_all(label_selector="farm-image=v3")
        assert (image.type, image.name, image.status) == ("snapshot", None, "creating")
        at_work.loop.call_soon_threadsafe(guests.building["golden"].set)
        eventually(lambda: client.images.get_by_id(image.id or 0).status == "available")
        guests.offered = (vanilla,)
        assert client.images.get_all(label_selector="farm-image=v3") == []
        guests.offered = (vanilla, golden)
        assert [one.id for one in client.images.get_all(label_selector="farm-image")] == [image.id]
