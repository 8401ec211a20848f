"""`farm billing reconcile|import-invoice|export`: agreeing, differing, refused, and written."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import timezone

from farm.agents.models import Server
from farm.agents.reconciler.metering import meter
from farm.billing.ledger import post
from farm.billing.ledger_rows import LedgerAccount, Transfer
from farm.billing.models import UsageLine
from farm.billing.reconciliation_rows import CloudCharge, CloudInvoice, Difference
from tests.farm.billing.scenes import agent_of, machine_of, swept
from tests.farm.billing.test_reconciling import tampered
from tests.farm.web.scenes import People, people
from tests.ops.test_billing_command import say

pytestmark = pytest.mark.django_db(transaction=True)
HETZNERS = (
    "grouping,product,description,reference,quantity,from,until,condition,unit,external id,price,"
    "total\n"
)


def last_month() -> datetime:
    """Its first moment."""
    first = timezone.now().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first - timedelta(days=1)).replace(day=1)


@pytest.fixture
def us() -> People:
    """Alice, who runs the farm, Bob and Charlie."""
    found = people()
    found.alice.is_superuser = True
    found.alice.save(update_fields=["is_superuser"])
    return found


@pytest.fixture
def ten_hours(us: People) -> Server:
    """Bob's machine that served ten hours of last month; all is metered and posted."""
    began = last_month() + timedelta(days=3, minutes=5)
    ada = agent_of(us.bob, us.account, "Ada", began)
    served = machine_of(
        ada, created=began, serving=began, gone=began + timedelta(hours=9, minutes=30)
    )
    Server.objects.filter(pk=served.pk).update(provider_id="4711")
    swept(timezone.now())
    meter(timezone.now())
    post(timezone.now())
    return served


def invoice(folder: Path, *rows: str, head: str = HETZNERS) -> str:
    """A file with these lines; its path."""
    path = folder / "invoice.csv"
    path.write_text(head + "".join(f"{row}\n" for row in rows))
    return str(path)


def read(path: Path) -> list[dict[str, str]]:
    """Its rows by their columns."""
    return list(csv.DictReader(path.read_text().splitlines()))


def row_of(product: str, hours: str, total: str, *, id_: str = "", reference: str = "") -> str:
    """A line as Hetzner writes it."""
    day = f"{last_month():%Y-%m-%d}"
    return f'"P","{product}",,"{reference}","{hours}",{day},{day},,"Hours","{id_}",,"€ {total}"'


def test_books_that_agree_are_said_to_in_a_grey_line(ten_hours: Server) -> None:
    said = say("reconcile")
    assert said.code == 0, said.out
    assert "0.00\N{NO-BREAK SPACE}EUR of difference; machines and copies compared: 1" in said.out
    found = json.loads(say("reconcile", "--json", "--month", f"{last_month():%Y-%m}").out)
    assert (found["compared"], found["differences"], found["trouble"]) == (1, [], "")


def test_a_lost_line_is_an_alarm_that_names_machine_kind_hours_and_amounts(
    ten_hours: Server,
) -> None:
    lost = UsageLine.objects.filter(server_uid=ten_hours.uid, kind="server")[:1]
    tampered(lambda: UsageLine.objects.filter(pk=lost[0].pk).delete())
    said = say("reconcile")
    assert said.code == 1
    for word in (ten_hours.uid, "machine", "9 h, 0.057600", "10 h, 0.064000"):
        assert word in said.out, word
    (found,) = json.loads(say("reconcile", "--json").out)["differences"]
    assert (found["hours"], found["other_hours"]) == (9, 10)
    assert Difference.objects.filter(gone_at=None).count() == 1
    day = f"{ten_hours.created_at:%Y-%m-%d}"
    assert say("reconcile", "--day", day).code == 1
    assert say("reconcile", "--day", f"{last_month():%Y-%m-%d}").code == 0


def test_a_running_total_that_is_off_is_found(ten_hours: Server) -> None:
    LedgerAccount.objects.filter(book="clouds").update(balance_micros=1)
    said = say("reconcile")
    assert said.code == 1
    assert "running total" in said.out


def test_an_invoice_that_agrees_is_kept_once_and_confirms_the_month(
    ten_hours: Server, tmp_path: Path
) -> None:
    path = invoice(
        tmp_path,
        row_of("CX23 Cloud Server", "10.0000", "0.0640", id_="4711"),
        row_of("Primary IPv4", "10.0000", "0.0080", id_="99"),
        row_of("Other Cloud Server", "3.0000", "0.0300", id_="12"),
    )
    said = say("import-invoice", path)
    assert said.code == 0, said.err
    assert "All 1 sums agree with months of UTC" in said.out
    assert "3 lines, 2 of them" in said.out
    assert "known already" in say("import-invoice", path).out
    assert (CloudInvoice.objects.count(), CloudCharge.objects.count()) == (1, 3)
    found = say("reconcile", "--month", f"{last_month():%Y-%m}")
    assert found.code == 0, found.out
    assert "charges read: hetzner" in found.out


def test_a_doubled_hour_at_the_cloud_is_an_alarm(ten_hours: Server, tmp_path: Path) -> None:
    path = invoice(
        tmp_path,
        row_of("CX23 Cloud Server", "11.0000", "0.0704", id_="4711"),
        row_of("Primary IPv4", "10.0000", "0.0080"),
        row_of("CX23 Cloud Server", "1.0000", "0.0064", reference="farm-2222222222bb"),
    )
    said = say("import-invoice", path)
    assert "no other month or rounding explains the rest" in said.out
    found = json.loads(say("reconcile", "--json").out)["differences"]
    hours = {one["subject"]: (one["hours"], one["other_hours"]) for one in found}
    assert hours == {"CX23 Cloud Server farm-2222222222bb": (0, 1), ten_hours.uid: (10, 11)}
    assert "hetzner charges 0.070400" in " ".join(one["sentence"] for one in found)


def test_the_sandboxs_own_invoice_is_read_cloud_by_cloud(ten_hours: Server, tmp_path: Path) -> None:
    month, path = f"{last_month():%Y-%m}", tmp_path / "books.json"
    line = {"month": month, "hours": 10, "server": 4711, "project": 1}
    lines = [
        {**line, "kind": "server", "id": 4711, "name": f"farm-{ten_hours.uid}", "micros": 64_000},
        {**line, "kind": "primary_ip", "id": 4712, "name": "primary_ip-1", "micros": 8_000},
        {**line, "kind": "server", "id": 5, "server": 5, "name": "farm-builder-x", "micros": 1},
        {**line, "kind": "primary_ip", "id": 6, "server": 5, "name": "primary_ip-2", "micros": 1},
    ]
    books = {"currency": "EUR", "until": timezone.now().isoformat(), "lines": lines}
    path.write_text(json.dumps({"hetzner": books, "scaleway": {**books, "lines": []}}))
    (found,) = json.loads(say("import-invoice", str(path), "--json").out)
    assert (found["provider"], found["lines"], found["not_ours"]) == ("hetzner", 4, 2)
    assert "All 2 sums" in found["verdict"]
    assert say("reconcile").code == 0, say("reconcile").out


def test_a_month_that_ends_elsewhere_is_told(us: People, tmp_path: Path) -> None:
    end = last_month().replace(day=28) + timedelta(days=4)
    end = end.replace(day=1) - timedelta(hours=5)
    ada = agent_of(us.bob, us.account, "Ada", end)
    over = machine_of(ada, created=end, serving=end, gone=end + timedelta(hours=10))
    swept(timezone.now())
    meter(timezone.now())
    ahead = (end + timedelta(hours=5)).astimezone(ZoneInfo("Europe/Berlin")).utcoffset()
    hours = 5 - (ahead or timedelta(0)) // timedelta(hours=1)
    plain = f"farm-{over.uid},server,{last_month():%Y-%m},{hours},{hours * 0.0064:.4f}"
    path = invoice(tmp_path, plain, head="resource,kind,month,hours,net\n")
    said = say("import-invoice", path, "--provider", "hetzner").out
    assert "only with months of Europe/Berlin" in said


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no invoice that the farm can read"),
        ("a,b\n1,2\n", "its first line must have the columns"),
        (HETZNERS, "no line of an invoice"),
        (HETZNERS + '"P","Server"\n', "Line 2 cannot be read"),
        ("resource,kind,month,net\nx,server,2026-11,much\n", 'Line 2 cannot be read: "much"'),
        ("resource,kind,month,net\nx,server,soon,1\n", '"soon" is no month'),
        ("resource,kind,month,net\nx,tea,2026-11,1\n", "its kind is none of"),
        ('resource,kind,month,net\n"x,server\n', "quotes do not close"),
        ("{", "no invoice of the sandbox"),
    ],
)
def test_a_broken_invoice_is_refused_by_its_line(
    us: People, tmp_path: Path, text: str, word: str
) -> None:
    said = say("import-invoice", invoice(tmp_path, head=text))
    assert said.code == 1
    assert word in said.err
    assert not CloudInvoice.objects.exists()


def test_a_file_that_is_no_text_or_not_there_is_refused(us: People, tmp_path: Path) -> None:
    (tmp_path / "paper.pdf").write_bytes(b"%PDF\xff\xfe")
    assert "not the PDF" in say("import-invoice", str(tmp_path / "paper.pdf")).err
    assert "cannot be read" in say("import-invoice", str(tmp_path / "none.csv")).err


@pytest.mark.parametrize("words", [("reconcile",), ("import-invoice", "x.csv"), ("export",)])
def test_strangers_are_shown_nothing(us: People, tmp_path: Path, words: tuple[str, ...]) -> None:
    more = ("--journal", str(tmp_path / "x.csv")) if words == ("export",) else ()
    said = say(*words, *more, by="charlie@example.org")
    assert said.code == 1
    assert "not yours to do" in said.err


def test_lines_are_exported_for_everybody_or_for_an_account(
    ten_hours: Server, us: People, tmp_path: Path
) -> None:
    month, path = f"{last_month():%Y-%m}", tmp_path / "lines.csv"
    assert say("export", "--month", month, "--to", str(path)).out == f"{path}: 20 rows\n"
    rows = read(path)
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("0.072000")
    assert {row["person"] for row in rows} == {"bob@example.org"}
    assert say("export", "--month", month, "--to", str(path), by="charlie@example.org").code == 0
    assert read(path) == []
    assert say("export", "--to", str(path), by="bob@example.org").code == 1
    assert say("export").code == 1
    assert say("export", "--to", "x.xls").code == 1


def test_the_journal_is_balanced_and_comes_to_the_ledger(ten_hours: Server, tmp_path: Path) -> None:
    path, month = tmp_path / "journal.csv", f"{last_month():%Y-%m}"
    assert say("export", "--month", month, "--journal", str(path)).code == 0
    rows = read(path)
    entries = {row["entry"] for row in rows}
    assert len(rows) == 2 * len(entries) == 2 * Transfer.objects.count()
    debit, credit = (sum(Decimal(row[side] or 0) for row in rows) for side in ("debit", "credit"))
    assert debit == credit == Decimal("0.14")
    assert {row["account"] for row in rows} == {"1400", "8400", "3100", "1600"}


def test_the_operators_numbers_stand_in_the_journal(
    ten_hours: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, month = tmp_path / "journal.csv", f"{last_month():%Y-%m}"
    monkeypatch.setattr(settings, "JOURNAL_ACCOUNTS", ["payer=10000"])
    assert say("export", "--month", month, "--journal", str(path)).code == 0
    assert "10000" in path.read_text()
    monkeypatch.setattr(settings, "JOURNAL_ACCOUNTS", ["tea=1"])
    said = say("export", "--month", month, "--journal", str(path))
    assert "JOURNAL_ACCOUNTS: tea=1 is not understood" in said.err
