"""Agents in every state a page can show, made as rows: nothing here waits for a worker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.utils import timezone

from farm.accounts.models import Account, Membership, Role, User
from farm.accounts.services import account_of
from farm.agents.events import note
from farm.agents.models import (
    Agent,
    AgentPhase,
    Backup,
    BackupKind,
    BackupState,
    Message,
    Offer,
    Operation,
    OperationKind,
    OperationState,
    OperationStep,
    Server,
    ServerPhase,
    TelegramLink,
)
from farm.agents.saving import ask_backup
from farm.billing.prices import Rate, pin_prices
from farm.catalog import Place, catalog

Key = OperationStep.Key
STEPS = (Key.RESERVE, Key.INSTALL, Key.PERSONALITY, Key.WAKE, Key.ANSWER)
SECONDS = {Key.RESERVE: 14, Key.INSTALL: 96, Key.PERSONALITY: 8, Key.WAKE: 33, Key.ANSWER: 10}


@dataclass(frozen=True, slots=True)
class People:
    """Alice owns an account, Bob is a member of it, Charlie knows neither."""

    alice: User
    bob: User
    charlie: User
    account: Account


def people() -> People:
    """The three of them; each has an account of their own, too, but Bob."""
    alice, bob, charlie = (person(name) for name in ("alice", "bob", "charlie"))
    account = account_of(user=alice)
    Membership.objects.create(account=account, user=bob, role=Role.MEMBER)
    account_of(user=charlie)
    return People(alice, bob, charlie, account)


def person(name: str) -> User:
    """Somebody with a verified address and no password."""
    user = User.objects.create(email=f"{name}@example.org")
    user.set_unusable_password()
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def prices(*, but: str = "") -> None:
    """What the cloud's list says about everything in the catalogue, `but` one region."""
    hourly = {"small": 7_100, "large": 12_300}
    regions = catalog().regions
    left_out = set(regions.get(but).places) if but else set()
    places = [place for region in regions.items for place in region.places]
    for plan in catalog().plans.items:
        for place in [place for place in places if place not in left_out]:
            for server_type in plan.server_types[place.provider]:
                _offer(place, server_type, hourly.get(plan.key, 20_000))


def _offer(place: Place, server_type: str, hourly: int) -> None:
    """One line of a cloud's list; several regions may stand on the same place."""
    Offer.objects.get_or_create(
        provider=place.provider,
        server_type=server_type,
        location=place.location,
        defaults={
            "available": True,
            "hourly_micros": hourly,
            "monthly_micros": hourly * 620,
            "ipv4_hourly_micros": 800,
            "ipv4_monthly_micros": 500_000,
            "currency": "EUR",
            "seen_at": timezone.now(),
        },
    )


def agent(owner: User, name: str = "Nino", **changes: str) -> Agent:
    """One that was asked for just now: placing, with a wish under way and nothing done."""
    now = timezone.now()
    row = Agent.objects.create(
        account=account_of(user=owner),
        owner=owner,
        name=name,
        host=f"{name.lower()}-{Agent.objects.count()}",
        created_at=now - timedelta(seconds=41),
        blueprint=changes.get("blueprint", "assistant"),
        plan="small",
        region="germany",
        language=changes.get("language", "fr"),
        runtime_version=catalog().runtime_version,
        model_provider="sandbox",
        model="sandbox-1",
        gateway_token="kept-from-pages",
        agreed_hourly_micros=7_900,
        agreed_monthly_micros=4_902_000,
        agreed_currency="EUR",
        phase_since=now,
    )
    Operation.objects.create(
        agent=row, kind=OperationKind.CREATE, generation=1, started_at=row.created_at
    )
    note(row, "asked", at=row.created_at)
    return row


def waiting(row: Agent, *, done: int, reason: str = "") -> Agent:
    """So many lines of the wait are done, and the next is under way."""
    operation = row.operations.latest("pk")
    began = operation.started_at
    for key in STEPS[:done]:
        ended = began + timedelta(seconds=SECONDS[key])
        OperationStep.objects.create(operation=operation, key=key, started_at=began, ended_at=ended)
        began = ended
    if done < len(STEPS):
        OperationStep.objects.create(operation=operation, key=STEPS[done], started_at=began)
    _move(row, AgentPhase.PLACING if done < 2 else AgentPhase.CONFIGURING, reason=reason)
    note(row, "machine_requested", at=timezone.now())
    return row


def failed(row: Agent, reason: str = "machines_do_not_start", detail: str = "") -> Agent:
    """It stopped at its second line."""
    waiting(row, done=1)
    row.operations.update(state=OperationState.FAILED, ended_at=timezone.now())
    row.reason_detail = detail
    _move(row, AgentPhase.FAILED, reason=reason)
    note(row, reason, at=timezone.now())
    return row


def running(row: Agent) -> Agent:
    """It answered for the first time two hours ago, on a machine with a pinned price."""
    began = timezone.now() - timedelta(hours=2)
    operation = row.operations.latest("pk")
    operation.started_at, operation.ended_at = began, began + timedelta(seconds=161)
    operation.state = OperationState.DONE
    operation.save()
    waiting(row, done=len(STEPS))
    row.running_since = operation.ended_at
    row.fulfilled_generation = row.generation
    _move(row, AgentPhase.RUNNING)
    server = _server(row, began)
    note(row, "machine_created", at=began, server_uid=server.uid)
    note(row, "running", at=operation.ended_at, server_uid=server.uid)
    says(row, Message.Author.AGENT, _hello(row))
    return row


def deleting(row: Agent) -> Agent:
    """Its owner wants it gone; its machine is still there."""
    now = timezone.now()
    row.wanted, row.generation = Agent.Wanted.DELETED, row.generation + 1
    operation = Operation.objects.create(
        agent=row, kind=OperationKind.DELETE, generation=row.generation, started_at=now
    )
    OperationStep.objects.create(operation=operation, key=Key.REMOVE, started_at=now)
    _move(row, AgentPhase.DELETING)
    note(row, "delete_asked", at=now)
    return row


def gone(row: Agent) -> Agent:
    """The provider shows its machine no more."""
    deleting(row)
    row.deleted_at = timezone.now()
    row.servers.update(gone_at=row.deleted_at, phase=ServerPhase.GONE)
    row.operations.filter(kind=OperationKind.DELETE).update(
        state=OperationState.DONE, ended_at=row.deleted_at
    )
    _move(row, AgentPhase.DELETED)
    note(row, "deleted", at=row.deleted_at)
    return row


def backup(row: Agent, kind: BackupKind = BackupKind.NIGHTLY, *, days: int = 0) -> Backup:
    """One of it that was made so many days ago and is kept for a fortnight."""
    made = timezone.now() - timedelta(days=days)
    kept = _backup(row, kind, BackupState.KEPT)
    kept.made_at, kept.expires_at = made, made + timedelta(days=14)
    kept.size, kept.sha256 = 162_345, "0" * 64
    kept.save()
    return kept


def failed_backup(row: Agent, kind: BackupKind, reason: str) -> Backup:
    """One that could not be made."""
    failed = _backup(row, kind, BackupState.FAILED)
    failed.reason = reason
    failed.save()
    return failed


def _backup(row: Agent, kind: BackupKind, state: BackupState) -> Backup:
    asked = ask_backup(row, kind, timezone.now())
    asked.state, asked.store, asked.due_at = state, "disk", None
    return asked


def says(
    row: Agent,
    author: Message.Author,
    text: str,
    state: Message.State | None = None,
    reason: str = "",
) -> Message:
    """One line of the conversation."""
    return Message.objects.create(
        agent=row,
        author=author,
        text=text,
        at=timezone.now(),
        state=state or Message.State.ANSWERED,
        reason=reason,
    )


def telegram(row: Agent, state: TelegramLink.State) -> TelegramLink:
    """A bot on its way to the agent, or there."""
    now = timezone.now()
    linked = state == TelegramLink.State.LINKED
    return TelegramLink.objects.create(
        agent=row,
        bot_token="1234:kept-from-pages",
        bot_username="nino_alice_bot",
        code="7K2QXA",
        state=state,
        user_id="4711" if linked else "",
        user_name="Alice" if linked else "",
        asked_at=now,
        linked_at=now if linked else None,
    )


def _hello(row: Agent) -> str:
    """Its first words, as its blueprint has them."""
    shelf = catalog()
    place = shelf.regions.get(row.region).name.in_language(row.language)
    words = shelf.blueprints.get(row.blueprint).hello.in_language(row.language)
    return words.format(member=row.owner.called, agent=row.name, place=place)


def _server(row: Agent, began: datetime) -> Server:
    server = Server.objects.create(
        agent=row,
        provider="hetzner",
        server_type="cx23",
        location="nbg1",
        requested_at=began,
        phase=ServerPhase.READY,
        phase_since=began,
        created_at=began,
        serving_since=began + timedelta(seconds=161),
    )
    pin_prices(
        server_uid=server.uid,
        at=began,
        server=Rate(7_100, 4_402_000, "EUR"),
        ipv4=Rate(800, 500_000, "EUR"),
    )
    return server


def _move(row: Agent, phase: AgentPhase, reason: str = "") -> None:
    row.phase, row.phase_since, row.reason = phase, timezone.now(), reason
    row.save()
