"""Another size, another place, a fresh machine: what each wish changes, and who may utter it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from farm.accounts.models import AuditEntry, Door, User
from farm.agents import services
from farm.agents.machine_of import machine_of
from farm.agents.models import (
    Agent,
    AgentPhase,
    Backup,
    BackupKind,
    Change,
    MachineWish,
    Offer,
    Operation,
    OperationKind,
    OperationState,
    Server,
    ServerPhase,
)
from farm.agents.reconciler.persona import settings_of
from farm.agents.refusals import Refused
from farm.agents.selectors.changes import returns_from
from farm.agents.services.changes import (
    move_agent_to,
    rebuild_agent,
    resize_agent,
    take_back_change,
)
from farm.billing.models import Limit
from farm.billing.payers import assign, default_payer
from tests.farm.web import scenes
from tests.farm.web.scenes import People

SMALL, LARGE = 7_900, 13_100


@pytest.fixture
def agent(people: People) -> Agent:
    """One of Alice's that runs, paid by her account's payer."""
    row = scenes.running(scenes.agent(people.alice))
    assign(
        agent_uid=row.uid,
        agent_name=row.name,
        payer=default_payer(row.account),
        cost_centre="",
        person=people.alice,
        monthly_micros=row.agreed_monthly_micros,
        at=row.created_at,
    )
    return row


def resize(actor: User, agent: Agent, plan: str = "large") -> Operation:
    return resize_agent(actor=actor, door=Door.WEB, agent=agent, plan=plan)


def move(actor: User, agent: Agent, region: str = "finland") -> Operation:
    return move_agent_to(actor=actor, door=Door.WEB, agent=agent, region=region)


def rebuild(actor: User, agent: Agent, *, from_backup: bool = False) -> Operation:
    return rebuild_agent(actor=actor, door=Door.WEB, agent=agent, from_backup=from_backup)


def take_back(actor: User, agent: Agent) -> Operation:
    return take_back_change(actor=actor, door=Door.WEB, agent=agent)


def lose(agent: Agent) -> None:
    """Somebody deleted its machine at the cloud."""
    Server.objects.filter(agent=agent).update(phase=ServerPhase.LOST, gone_at=timezone.now())
    Agent.objects.filter(pk=agent.pk).update(phase=AgentPhase.FAILED, reason="server_lost")


def refusal(wish: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        wish()
    return f"{refused.value.field}:{refused.value.code}"


def test_a_resize_agrees_to_the_price_of_its_plan_at_once(people: People, agent: Agent) -> None:
    operation = resize(people.alice, agent)
    agent.refresh_from_db()
    assert operation.kind == OperationKind.RESIZE
    assert (agent.plan, agent.machine_wish) == ("large", MachineWish.RESIZE)
    assert agent.agreed_hourly_micros == LARGE
    assert AuditEntry.objects.get(verb="resize agent").actor == people.alice


def test_a_move_taken_back_leaves_all_as_it_was(people: People, agent: Agent) -> None:
    Offer.objects.filter(location="hel1").update(hourly_micros=9_000)
    operation = move(people.alice, agent)
    agent.refresh_from_db()
    assert (agent.region, agent.agreed_hourly_micros) == ("finland", 9_800)

    assert move(people.alice, agent, "germany") == operation
    agent.refresh_from_db()
    operation.refresh_from_db()
    assert (agent.region, agent.agreed_hourly_micros) == ("germany", SMALL)
    assert (agent.machine_wish, operation.state) == ("", OperationState.REPLACED)
    assert not Change.objects.exists()


def test_a_change_is_taken_back_until_it_is_being_done(people: People, agent: Agent) -> None:
    resize(people.alice, agent)
    Agent.objects.update(phase=AgentPhase.RESIZING)
    assert refusal(lambda: take_back(people.alice, agent)) == ":too_late"
    Agent.objects.update(phase=AgentPhase.RUNNING)
    take_back(people.alice, agent)
    assert refusal(lambda: take_back(people.alice, agent)) == ":no_change"


def test_what_is_not_on_sale_or_no_change_is_refused_at_its_field(
    people: People, agent: Agent
) -> None:
    alice = people.alice
    assert refusal(lambda: resize(alice, agent, "huge")) == "plan:plan_unknown"
    assert refusal(lambda: resize(alice, agent, "small")) == "plan:same_plan"
    assert refusal(lambda: move(alice, agent, "moon")) == "region:region_unknown"
    assert refusal(lambda: move(alice, agent, "germany")) == "region:same_region"


def test_what_is_sold_out_or_has_no_price_is_refused(people: People, agent: Agent) -> None:
    Offer.objects.update(available=False)
    assert refusal(lambda: resize(people.alice, agent)) == "plan:sold_out"
    Offer.objects.all().delete()
    assert refusal(lambda: resize(people.alice, agent)) == "plan:price_unknown"
    assert refusal(lambda: move(people.alice, agent)) == "region:price_unknown"


def test_a_sold_out_place_may_be_waited_for(people: People, agent: Agent) -> None:
    Offer.objects.filter(location="hel1").update(available=False)
    assert move(people.alice, agent).state == OperationState.UNDER_WAY


def test_one_change_at_a_time(people: People, agent: Agent) -> None:
    resize(people.alice, agent)
    assert refusal(lambda: move(people.alice, agent)) == ":change_under_way"
    assert refusal(lambda: rebuild(people.alice, agent)) == ":change_under_way"


@pytest.mark.parametrize("phase", [AgentPhase.CONFIGURING, AgentPhase.STOPPED, AgentPhase.FAILED])
def test_only_an_agent_that_runs_is_changed(
    people: People, agent: Agent, phase: AgentPhase
) -> None:
    Agent.objects.update(phase=phase)
    assert refusal(lambda: resize(people.alice, agent)) == ":not_running"
    assert refusal(lambda: move(people.alice, agent)) == ":not_running"


def test_a_limit_holds_for_a_larger_machine_too(people: People, agent: Agent) -> None:
    most = agent.agreed_monthly_micros + 1
    Limit.objects.create(
        payer=default_payer(agent.account), person=people.alice, monthly_micros=most
    )
    assert refusal(lambda: resize(people.alice, agent)) == ":over_limit"
    agent.refresh_from_db()
    assert agent.plan == "small"


def test_a_deletion_gives_a_change_up(people: People, agent: Agent) -> None:
    operation = resize(people.alice, agent)
    services.delete_agent(actor=people.alice, door=Door.WEB, agent=agent)
    agent.refresh_from_db()
    operation.refresh_from_db()
    assert (agent.plan, agent.machine_wish) == ("small", "")
    assert operation.state == OperationState.REPLACED


def test_a_restart_meanwhile_does_not_take_the_place_of_a_move(
    people: People, agent: Agent
) -> None:
    operation = move(people.alice, agent)
    services.restart_agent(actor=people.alice, door=Door.WEB, agent=agent)
    operation.refresh_from_db()
    assert operation.state == OperationState.UNDER_WAY


def test_its_program_may_use_what_its_machine_has_not_what_is_wished(
    people: People, agent: Agent
) -> None:
    resize(people.alice, agent)
    agent.refresh_from_db()
    assert settings_of(agent).heap_mb == 1_536
    Server.objects.update(server_type="cx33")
    assert settings_of(agent).heap_mb == 3_072


def test_a_lost_agent_is_never_begun_empty_while_a_backup_is_kept(
    people: People, agent: Agent
) -> None:
    backup = scenes.backup(agent, BackupKind.NIGHTLY)
    assert returns_from(agent) is None
    lose(agent)
    assert returns_from(agent) == backup
    services.retry_agent(actor=people.alice, door=Door.WEB, agent=agent)
    agent.refresh_from_db()
    assert agent.restore_from == backup


def test_a_rebuild_from_a_backup_needs_one(people: People, agent: Agent) -> None:
    assert refusal(lambda: rebuild(people.alice, agent, from_backup=True)) == ":backup_gone"
    lose(agent)
    assert refusal(lambda: rebuild(people.alice, agent)) == ":backup_gone"
    scenes.backup(agent, BackupKind.NIGHTLY)
    rebuild(people.alice, agent)
    agent.refresh_from_db()
    assert agent.restore_from == Backup.objects.get()
    assert agent.wanted == Agent.Wanted.RUNNING
    assert agent.generation > agent.fulfilled_generation


def test_the_machine_that_serves_counts_until_another_took_over(
    people: People, agent: Agent
) -> None:
    own, now = machine_of(agent), timezone.now()
    successor = Server.objects.create(
        agent=agent, requested_at=now, joined_at=now, phase_since=now, takes_over_from=own
    )
    assert machine_of(agent) == own
    Server.objects.filter(pk=successor.pk).update(took_over_at=now)
    assert machine_of(agent) == successor


Wish = Callable[[User, Agent], object]


@pytest.mark.parametrize("wish", [resize, move, rebuild, take_back])
@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_nobody_else_may_wish_anything(people: People, agent: Agent, who: str, wish: Wish) -> None:
    actor = {"bob": people.bob, "charlie": people.charlie}[who]
    before = AuditEntry.objects.count()
    with pytest.raises(PermissionDenied):
        wish(actor, agent)
    assert AuditEntry.objects.count() == before
