"""Sleep, changes and schedules through the API: the same services, rights and refusals."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from farm.accounts.models import AuditEntry, Door
from farm.accounts.tokens import Scope
from farm.agents.models import Agent, AgentPhase, Offer, Operation, OperationKind, Schedule
from tests.farm.api.conftest import Caller, caller
from tests.farm.web import scenes, sleep_scenes

HOURS = ["08:00-20:00"] * 5 + ["", ""]
VERBS: tuple[tuple[str, object], ...] = (
    ("stop", None),
    ("wake", {}),
    ("resize", {"plan": "large"}),
    ("move", {"region": "finland"}),
    ("rebuild", None),
    ("machine/back", None),
    ("keep", {"until": None}),
)


@pytest.fixture
def nino(people: scenes.People) -> Agent:
    """Alice's running agent."""
    sleep_scenes.copy_prices()
    return sleep_scenes.placed(scenes.running(scenes.agent(people.alice)))


def test_it_is_put_to_sleep_and_woken(nino: Agent, alice: Caller) -> None:
    begun = alice.post(f"agents/{nino.uid}/stop/")
    assert (begun.status_code, begun.data["kind"]) == (202, OperationKind.STOP)
    assert alice.get(f"agents/{nino.uid}/").data["wanted"] == "stopped"
    assert AuditEntry.objects.get(verb="stop agent").door == Door.API
    assert alice.post(f"agents/{nino.uid}/wake/", {}).data["kind"] == OperationKind.WAKE


def test_its_machine_is_told_with_its_prices(nino: Agent, alice: Caller) -> None:
    told = alice.get(f"agents/{nino.uid}/machine/").data
    assert told["placement"]["location"] == "nbg1"
    assert told["placement"]["passed"][0]["reason"] == "sold_out"
    assert told["sleep"]["awake"]["hourly_micros"] == 7_900
    assert told["sleep"]["asleep"]["monthly_micros"] < told["sleep"]["awake"]["monthly_micros"]
    assert told["wake"] is None
    sleep_scenes.asleep(nino)
    told = alice.get(f"agents/{nino.uid}/machine/").data
    assert (told["placement"], told["sleep"]) == (None, None)
    assert told["wake"]["awake"]["hourly_micros"] == 7_900


def test_a_dearer_machine_is_taken_only_within_what_is_agreed(nino: Agent, alice: Caller) -> None:
    sleep_scenes.asleep(nino)
    Offer.objects.update(hourly_micros=9_000)
    path = f"agents/{nino.uid}/wake/"
    assert alice.post(path, {"at_most_hourly_micros": 9_000}).status_code == 202
    nino.refresh_from_db()
    assert nino.agreed_hourly_micros == 7_900
    sleep_scenes.move(nino, AgentPhase.WAKING)
    assert alice.post(path, {"at_most_hourly_micros": 9_800}).status_code == 202
    nino.refresh_from_db()
    assert nino.agreed_hourly_micros == 9_800


def test_size_and_place_are_changed_and_refused_at_their_fields(nino: Agent, alice: Caller) -> None:
    for verb, body, field in (
        ("resize", {"plan": "small"}, "plan"),
        ("resize", {"plan": "huge"}, "plan"),
        ("move", {"region": "germany"}, "region"),
    ):
        refused = alice.post(f"agents/{nino.uid}/{verb}/", body)
        assert (refused.status_code, refused.data["field"]) == (422, field)
    assert alice.post(f"agents/{nino.uid}/move/", {}).data["field"] == "region"
    moved = alice.post(f"agents/{nino.uid}/move/", {"region": "finland"})
    assert (moved.status_code, moved.data["kind"]) == (202, OperationKind.MOVE)
    assert alice.post(f"agents/{nino.uid}/resize/", {"plan": "large"}).status_code == 422
    assert alice.post(f"agents/{nino.uid}/machine/back/").data["state"] == "replaced"


def test_a_schedule_is_set_shown_and_cleared(nino: Agent, alice: Caller) -> None:
    path = f"agents/{nino.uid}/schedule/"
    assert alice.get(path).data["hours"] == [""] * 7
    wish = {"zone": "Europe/Paris", "hours": HOURS, "quiet_days": ["2099-12-24"], "idle_hours": 3}
    told = alice.client.put(f"/api/v1/{path}", wish, format="json")
    assert told.status_code == 200, told.data
    assert told.data["hours"] == HOURS
    assert told.data["sleeps"]["state"] == "asleep"
    assert alice.get(path).data["idle_hours"] == 3
    until = (timezone.now() + timedelta(hours=5)).isoformat()
    kept = alice.post(f"agents/{nino.uid}/keep/", {"until": until})
    assert kept.data["keep_until"] is not None
    assert alice.delete(path).data["zone"] == "UTC"
    assert not Schedule.objects.exists()


def test_what_is_wrong_in_a_schedule_is_told_at_its_field(nino: Agent, alice: Caller) -> None:
    path = f"/api/v1/agents/{nino.uid}/schedule/"
    for wish, status, field in (
        ({}, 400, "zone"),
        ({"zone": "Paris"}, 422, "zone"),
        ({"zone": "UTC", "hours": ["8-9", *[""] * 6]}, 422, "hours_0"),
        ({"zone": "UTC", "quiet_days": ["24.12."]}, 422, "quiet_days"),
        ({"zone": "UTC", "idle_hours": 0}, 400, "idle_hours"),
    ):
        refused = alice.client.put(path, wish, format="json")
        assert (refused.status_code, refused.data["field"]) == (status, field)
    assert not Schedule.objects.exists()


def test_team_mates_and_strangers_learn_nothing(nino: Agent, bob: Caller, charlie: Caller) -> None:
    for other in (bob, charlie):
        for verb, body in VERBS:
            assert other.post(f"agents/{nino.uid}/{verb}/", body).status_code == 404
        for path in ("machine", "schedule"):
            assert other.get(f"agents/{nino.uid}/{path}/").status_code == 404
        assert other.delete(f"agents/{nino.uid}/schedule/").status_code == 404
    assert Operation.objects.count() == 1


def test_a_token_that_reads_changes_nothing(people: scenes.People, nino: Agent) -> None:
    reader = caller(people.alice, Scope.AGENTS_READ)
    for path in ("machine", "schedule"):
        assert reader.get(f"agents/{nino.uid}/{path}/").status_code == 200
    for verb, body in VERBS:
        assert reader.post(f"agents/{nino.uid}/{verb}/", body).status_code == 403
    assert Operation.objects.count() == 1
