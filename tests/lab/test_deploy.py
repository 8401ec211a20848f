"""deploy/cloud-init.yaml in a bare machine, its set-up page answered, an agent made there."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Error, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.lab.leading import leading_to
from tests.lab.story import PATIENCE
from tests.ops.farms import until
from tests.sandbox.running import RunningSandbox, sandbox

pytestmark = [pytest.mark.lab, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
SITE, AGENTS, OPERATOR = "farm.localhost", "agents-of-it.localhost", "olga@example.org"
TARBALL = "/var/tmp/agent-farm.tar.gz"
INSTALL_SECONDS, IMAGE_SECONDS, START_SECONDS = 1800.0, 1200.0, 300.0
"""Several times what was seen: 100 to 500 for the installation, 28 for the start."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A server of the sandbox's cloud, seen from behind: its first process, and its address."""

    pid: int
    ipv4: str

    def run(self, command: str, stdin: bytes = b"") -> str:
        """A shell command inside as root, past its network; what it said."""
        path = "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
        argv = ["nsenter", f"--target={self.pid}", "--all", "env", "-i", path, "sh", "-c", command]
        done = subprocess.run(argv, input=stdin, capture_output=True, timeout=300, check=False)
        return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


@contextmanager
def told(what: str) -> Iterator[None]:
    """Say a step's seconds."""
    began = time.monotonic()
    yield
    print(f"  {time.monotonic() - began:7.1f} s  {what}", flush=True)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[RunningSandbox]:
    """Real machines, and clouds and mail that they reach."""
    with sandbox(tmp_path / "state", ["--farm-inside"], guests="real") as running:
        yield running


def test_a_bare_machine_becomes_a_farm_that_makes_agents(outside: RunningSandbox) -> None:
    print()
    _wait_for_the_image(outside)
    machine = _bought(outside)
    with told("from bare to the set-up page"):
        token = _token(machine)
    with leading_to(machine.ipv4) as way, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=list(FLAGS),
            proxy={"server": way, "bypass": "<-loopback>"},
        )
        page = browser.new_context(ignore_https_errors=True, locale="en-GB").new_page()
        page.set_default_timeout(PATIENCE)
        with told("set-up page answered, all checked"):
            _answer_set_up(page, outside, machine, token)
        with told("the operator logs in"):
            _log_in(page, outside)
        with told("an agent made, first words"):
            _create(page)
        with told("a turn answered"):
            _ask(page)
        with told("its console opened through the edge"):
            _open(page)
        browser.close()
    with told("kept in order: backup, drill, the same code installed once more"):
        _is_kept_in_order(machine)
    _is_fenced(machine)


def _wait_for_the_image(outside: RunningSandbox) -> None:
    def ready() -> bool:
        guests = httpx.get(f"{outside.control}/status").json()["guests"]
        assert guests["problem"] == ""
        return all(image["ready"] for image in guests["images"])

    until(ready, IMAGE_SECONDS)


def _bought(outside: RunningSandbox) -> Machine:
    """The farm's own machine, as somebody buys it who pastes deploy/cloud-init.yaml."""
    hetzner = outside.report.services.hetzner
    order = {
        "name": "the-farm",
        "server_type": "cx33",
        "image": "debian-12",
        "location": "nbg1",
        "user_data": _user_data(outside),
    }
    headers = {"Authorization": f"Bearer {hetzner.token}"}
    answer = httpx.post(f"{hetzner.endpoint}/servers", json=order, headers=headers, timeout=60)
    assert answer.status_code == 201, answer.text
    ipv4 = answer.json()["server"]["public_net"]["ipv4"]["ip"]
    until(lambda: _first_process() > 0)
    machine = Machine(_first_process(), ipv4)
    until(lambda: "running" in machine.run("cat /proc/1/comm && echo running"))
    machine.run(f"cat > {TARBALL}.new && mv {TARBALL}.new {TARBALL}", _packed())
    return machine


def _user_data(outside: RunningSandbox) -> str:
    """The file as it is, with its one value, and where this world's endpoints are."""
    text = (ROOT / "deploy" / "cloud-init.yaml").read_text()
    text, found = re.subn(r"content: https://\S+", f"content: file://{TARBALL}", text)
    assert found == 1
    inside = outside.report.services.model.endpoint.split("//")[1].split(":")[0]
    env = {name: value.replace("127.0.0.1", inside) for name, value in outside.env.items()}
    env |= {"LAB": "1", "EDGE_TLS": "internal"}
    lines = "".join(f"      {name}={value}\n" for name, value in env.items() if name not in ASKED)
    file = f'  - path: /etc/agent-farm/farm.env\n    permissions: "0644"\n    content: |\n{lines}'
    return text.replace("runcmd:\n", f"{file}runcmd:\n")


ASKED = ("HETZNER_TOKEN", "EMAIL_HOST", "EMAIL_PORT", "SCALEWAY_ACCESS_KEY", "SCALEWAY_SECRET_KEY",
         "SCALEWAY_PROJECT_ID", "SSH_SOURCES", "EDGE_ADDRESSES", "RELAY_URL", "SANDBOX_MAILBOX_URL",
         "SANDBOX_CONTROL_URL", "SANDBOX_HOST_ADDRESS", "DEFAULT_FROM_EMAIL")  # fmt: skip
"""What the set-up page asks, or what is not there on such a machine."""


def _packed() -> bytes:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    names = [
        name for name in listed.stdout.split(b"\0") if name and (ROOT / name.decode()).exists()
    ]
    packed = subprocess.run(
        ["tar", "-cz", "--null", "-T", "-"], cwd=ROOT, input=b"\0".join(names),
        capture_output=True, check=True,
    )  # fmt: skip
    return packed.stdout


def _first_process() -> int:
    """Process 1 of the one machine whose name in this world is the-farm, 0 before it is there."""
    found = subprocess.run(
        ["pgrep", "-f", r"^systemd-nspawn .*--hostname=the-farm"], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    for pid in found.stdout.split():
        children = Path(f"/proc/{pid}/task/{pid}/children")
        if children.exists() and (inside := children.read_text().split()):
            return int(inside[0])
    return 0


def _token(machine: Machine) -> str:
    log = "cat /var/log/cloud-init-output.log"
    until(lambda: re.search(r"token: \S+|this failed|Failed to run", machine.run(log)) is not None,
          INSTALL_SECONDS)  # fmt: skip
    said = machine.run(log)
    found = re.search(r"token: (\S+)", said)
    assert found, said[-4000:]
    return found[1]


def _answer_set_up(page: Page, outside: RunningSandbox, machine: Machine, token: str) -> None:
    services = outside.report.services
    inside = services.model.endpoint.split("//")[1].split(":")[0]
    page.goto(f"https://{machine.ipv4}/")
    page.get_by_label("The token").fill("a wrong guess")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("This is not the token").wait_for()
    page.get_by_label("The token").fill(token)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Host name of the site").fill(SITE)
    page.get_by_label("Domain of the agents' own pages").fill(AGENTS)
    page.get_by_label("Your e-mail address").fill(OPERATOR)
    page.get_by_label("Your name").fill("Olga")
    page.get_by_label("API token of a Hetzner").fill("a" * 64)
    page.get_by_label("Mail server").fill(inside)
    page.get_by_label("Port", exact=True).fill(services.mail.smtp.rpartition(":")[2])
    page.get_by_label("Encryption").select_option("open")
    page.get_by_label("Sender of the farm's mail").fill("farm@example.org")
    page.get_by_role("button", name="Check everything").click()
    page.get_by_text("Hetzner does not take this token").wait_for()
    expect(page.locator("p.error")).to_have_count(1)
    page.get_by_label("API token of a Hetzner").fill(services.hetzner.token)
    page.get_by_role("button", name="Check everything").click()
    page.get_by_role("heading", name="The farm starts").wait_for()


def _log_in(page: Page, outside: RunningSandbox) -> None:
    until(lambda: _shows(page, f"https://{SITE}/account/login/"), START_SECONDS)
    page.get_by_text("nothing on this farm is real").wait_for()
    page.locator("input[type=email]").first.fill(OPERATOR)
    page.locator("main form button[type=submit]").first.click()
    page.get_by_label("The code").fill(_code(outside))
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(lambda url: "/account/" not in url)


def _shows(page: Page, url: str) -> bool:
    """Whether the page is there; the farm starts anew meanwhile."""
    try:
        answer = page.goto(url, timeout=10_000)
    except Error:
        return False
    return answer is not None and answer.status == 200 and page.url == url


def _code(outside: RunningSandbox) -> str:
    found: list[str] = []

    def arrived() -> bool:
        box = outside.report.services.mail.page.rstrip("/")
        shown = httpx.get(f"{box}/messages", params={"to": OPERATOR}).json()
        found.extend(re.findall(r"\b\d{6}\b", " ".join(m["text"] for m in shown["messages"])))
        return bool(found)

    until(arrived, START_SECONDS)
    return found[0]


def _create(page: Page) -> None:
    create = page.get_by_role("button", name=re.compile("^Create - "))
    # A farm that began a moment ago may still be asking the cloud what its machines cost.
    offered = f"https://{SITE}/agents/new/"
    until(lambda: _shows(page, offered) and create.count() > 0, START_SECONDS)
    page.get_by_label("Its name").fill("Ada")
    create.click()
    page.get_by_text("I am Ada").first.wait_for()


def _ask(page: Page) -> None:
    page.get_by_label("Write to Ada").fill("Run `echo $((20 + 22))` and tell me what it says")
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator(".said:not(.mine)", has_text="42").first.wait_for()


def _open(page: Page) -> None:
    """One click; what it shows came over its WebSocket from the agent's own machine."""
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open its console").click()
    console = opened.value
    console.set_default_timeout(PATIENCE)
    console.get_by_text("Connected").first.wait_for()
    assert urlsplit(console.url).hostname == f"ada.{AGENTS}"
    console.close()


def _is_kept_in_order(machine: Machine) -> None:
    """Every service runs, its backup can be restored, and installing once more keeps everything."""
    _all_runs(machine)
    assert "farm-2" in machine.run("systemctl start farm-backup && ls /var/backups/agent-farm")
    assert "whole" in machine.run("systemctl start farm-drill && journalctl -u farm-drill -o cat")
    assert "rows came back" in machine.run("farm")
    again = machine.run("/opt/agent-farm/current/deploy/install 2>&1 | tail -n 3")
    assert "up to date" in again
    assert "Ada" in machine.run(f"FARM_USER={OPERATOR} farm agents list")
    assert machine.run("stat -c %a /etc/agent-farm/conf/HETZNER_TOKEN").strip() == "600"
    _all_runs(machine)


def _all_runs(machine: Machine) -> None:
    units = "web steps long beat relay edge caddy"
    states = machine.run(f"for u in {units}; do systemctl is-active farm-$u; done").split()
    assert states == ["active"] * 7


def _is_fenced(machine: Machine) -> None:
    """Of all users Caddy's alone gets to the agent's gateway, and Caddy goes with what it is told.

    That holds too while Debian's own rules come and go, which forget all others.
    """
    shown = json.loads(machine.run(f"FARM_USER={OPERATOR} farm agents show Ada --json"))
    ask = f"curl -sk -o /dev/null --max-time 20 -w '%{{http_code}}' https://{shown['ipv4']}:18789/"
    for deed in ("start", "reload", "restart", "stop"):
        machine.run(f"systemctl {deed} nftables")
        assert "farm-edge" in machine.run("nft list ruleset | sed s/$(id -u farm-edge)/farm-edge/")
    for user, gets_there in (("farm", False), ("root", False), ("farm-edge", True)):
        answered = machine.run(f"runuser -u {user} -- {ask}").strip()
        assert (answered != "000") == gets_there, f"{user}: {answered}"
    assert "Nobody but the edge connects" in machine.run("farm doctor")
    assert "denied" in machine.run("runuser -u farm-edge -- ls /etc/agent-farm/conf")
    pid = "systemctl show -P MainPID farm-caddy"
    before = machine.run(pid)
    machine.run("systemctl kill farm-edge")
    until(lambda: machine.run(pid) not in (before, "0\n"), START_SECONDS)
