"""Block volumes: made, listed, charged for as long as they are there."""

from __future__ import annotations

import pytest
from hcloud import APIException, Client
from hcloud.locations import Location

from tests.sandbox.hetzner.cloud_at_work import CloudAtWork
from tests.sandbox.hetzner.test_invoice import billed, line, noon, pass_time

__all__ = ["billed", "noon"]
FSN1 = Location(name="fsn1")


def test_a_volume_is_made_changed_and_deleted(client: Client) -> None:
    made = client.volumes.create(size=10, name="v", location=FSN1)
    made.volume.update(labels={"a": "b"})
    made.action.wait_until_finished()
    (volume,) = client.volumes.get_all(label_selector="a=b")
    assert (volume.id, volume.size, volume.status) == (made.volume.id, 10, "available")
    assert volume.update(name="w", labels={}).name == "w"
    volume.change_protection(delete=True).wait_until_finished()
    with pytest.raises(APIException, match="protected"):
        volume.delete()
    volume.change_protection(delete=False).wait_until_finished()
    assert volume.delete()
    assert client.volumes.get_all() == []


@pytest.mark.parametrize(
    ("size", "place"), [(9, "fsn1"), (10241, "fsn1"), (10, "moon")], ids=["small", "big", "moon"]
)
def test_a_volume_that_makes_no_sense_is_refused(client: Client, size: int, place: str) -> None:
    with pytest.raises(APIException, match="invalid_input"):
        client.volumes.create(size=size, name="v", location=Location(name=place))


def test_a_name_is_given_once(client: Client) -> None:
    client.volumes.create(size=10, name="v", location=FSN1)
    with pytest.raises(APIException, match="uniqueness_error"):
        client.volumes.create(size=10, name="v", location=FSN1)


def test_a_volume_is_charged_by_its_size_until_it_is_deleted(billed: CloudAtWork) -> None:
    volume = billed.client().volumes.create(size=100, name="v", location=FSN1).volume
    pass_time(billed, hours=2)
    volume.delete()
    pass_time(billed, hours=9)
    charged = line(billed, "volume", "2027-01")
    assert (charged.hours, charged.id) == (2, volume.id)
    assert charged.micros == round(charged.monthly * 2 / 744)
