"""What only a real machine and the real OpenClaw show of the farm's user-data and config."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import sync_playwright

from farm.sandbox.guests.base import GuestState
from farm.sandbox.model.keys import KEY_WITHOUT_CREDIT
from provisioning import cloudinit, runtime
from provisioning.errors import Rejected, Transient
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.lab.opened import opened
from tests.sandbox.guests.house import GATEWAY_TOKEN, VERSIONS, House, Machine, new_papers

pytestmark = pytest.mark.lab

BAKED = "baked"
FORGOTTEN = (
    "/etc/farm/warm.json",
    "/etc/systemd/system/farm-seal.service",
    "/root/.bash_history",
    "/root/.npm",
    "/usr/local/sbin/farm-seal",
    "/usr/local/sbin/farm-warm",
    "/usr/local/sbin/farm-channel",
    "/var/lib/openclaw/.openclaw/config-journal-fingerprint.key",
    "/var/lib/openclaw/.openclaw/tmp",
    "/var/lib/openclaw/channels",
)
BOOKS = "/var/lib/openclaw/.openclaw/state/openclaw.sqlite"
NOBODYS = {
    "config_health_entries",
    "config_machine_state",
    "diagnostic_events",
    "migration_runs",
    "schema_meta",
    "sqlite_sequence",
}
"""What OpenClaw's books may hold before there is an agent: which software there is."""
FULL_TABLES = """
import sqlite3, sys
base = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
tables = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
for (name,) in tables.fetchall():
    try:
        full = base.execute('SELECT 1 FROM "' + name + '" LIMIT 1').fetchone()
    except sqlite3.OperationalError:
        continue
    if full:
        print(name)
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House("real", tmp_path_factory.mktemp("house"))
    yield house
    house.close()


@pytest.fixture(scope="module")
def baking(house: House) -> Machine:
    """The machine that was baked, off again; its disk is the image BAKED."""
    machine = house.create(cloudinit.render_image(VERSIONS), new_papers())
    house.wait_until(
        lambda: house.wait(house.guests.state(machine.id)) is GuestState.OFF,
        "The machine being baked does not switch itself off.",
    )
    house.wait(house.guests.snapshot(machine.id, BAKED))
    house.destroy(machine)
    return machine


def from_the_image(house: House) -> Machine:
    papers = new_papers()
    machine = house.create(house.user_data(papers), papers, image=BAKED)
    outcome = machine.installed()
    assert outcome.state is runtime.InstallationState.INSTALLED, outcome.detail
    return machine


@pytest.fixture(scope="module")
def machine(house: House, baking: Machine) -> Iterator[Machine]:
    """A machine made from the baked image."""
    del baking
    machine = from_the_image(house)
    yield machine
    house.destroy(machine)


def shown(machine: Machine, *argv: str) -> str:
    with machine.shell() as shell:
        return shell.run(argv).stdout.decode()


def run(machine: Machine, settings: runtime.RuntimeSettings) -> None:
    with machine.shell() as shell:
        shell.write(runtime.files(settings))
        runtime.validate(shell)
        runtime.restart(shell)

    def good() -> bool:
        try:
            with machine.shell() as shell:
                return runtime.readiness(shell, GATEWAY_TOKEN).good
        except Transient:
            return False

    machine.house.wait_until(good, "The agent never gets ready.")


def test_the_machines_own_cloud_init_finds_nothing_to_say(machine: Machine) -> None:
    checked = shown(machine, "cloud-init", "schema", "--system")
    assert "Valid" in checked
    status = json.loads(shown(machine, "cat", "/run/cloud-init/result.json"))
    assert status["v1"]["errors"] == []
    assert "WARNING" not in shown(machine, "cat", "/var/log/cloud-init.log")


def test_an_image_remembers_nothing_of_the_machine_it_was(house: House, machine: Machine) -> None:
    twin = from_the_image(house)
    try:
        ids = {shown(one, "cat", "/etc/machine-id") for one in (machine, twin)}
        assert len(ids) == 2
        for path in FORGOTTEN:
            assert shown(twin, "ls", path) == "", path
        assert set(shown(twin, "python3", "-c", FULL_TABLES, BOOKS).split()) <= NOBODYS
        keys = shown(twin, "sh", "-c", "ls /etc/ssh/ssh_host_*").split()
        assert keys == ["/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key.pub"]
        assert "pip3" not in shown(twin, "cat", "/var/log/farm-install.log")
    finally:
        house.destroy(twin)


def test_an_image_has_the_gateways_code_compiled(machine: Machine) -> None:
    kilobytes = int(shown(machine, "du", "-sk", "/var/cache/openclaw").split()[0])
    assert kilobytes > 10_000


def test_root_has_no_password_and_nobody_elses_keys(machine: Machine) -> None:
    assert shown(machine, "getent", "shadow", "root").split(":")[1] == "*"
    assert shown(machine, "cat", "/root/.ssh/authorized_keys") == ""
    accepted = shown(machine, "sshd", "-T")
    for line in (
        "passwordauthentication no",
        "kbdinteractiveauthentication no",
        "authorizedkeysfile none",
        "permitrootlogin without-password",
        "allowusers root",
    ):
        assert line in accepted


def test_opening_the_agent_takes_one_click_and_another_origin_does_not_get_in(
    house: House, machine: Machine
) -> None:
    with machine.shell() as shell, opened(shell) as port:
        origin = f"http://ada.agents.localhost:{port}"
        run(machine, replace(house.settings(), control_ui_origin=origin))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
            page = browser.new_page()
            page.goto(runtime.open_url(origin, GATEWAY_TOKEN))
            page.get_by_text("Ada").first.wait_for(timeout=60_000)
            assert "token" not in page.url
            stranger = browser.new_page()
            stranger.goto(runtime.open_url(f"http://eve.agents.localhost:{port}", GATEWAY_TOKEN))
            stranger.get_by_text("Browser origin not allowed").wait_for(timeout=60_000)
            browser.close()


def test_a_name_like_a_variable_shows_no_secret(house: House, machine: Machine) -> None:
    run(machine, replace(house.settings(), agent_name="Ada ${OPENCLAW_GATEWAY_TOKEN}"))
    headers = {"Authorization": f"Bearer {GATEWAY_TOKEN}", "Content-Type": "application/json"}
    asked = json.dumps({"method": "agents.list", "params": {}}).encode()
    with machine.shell() as shell:
        path = "/api/v1/admin/rpc"
        answer = shell.http(runtime.PORT, "POST", path, headers=headers, body=asked)
    (agent,) = json.loads(answer.body)["payload"]["agents"]
    assert agent["name"] == "Ada ${OPENCLAW_GATEWAY_TOKEN}"


def test_a_key_without_credit_is_told_as_such(house: House, machine: Machine) -> None:
    poor = runtime.ModelAccess("sandbox", "sandbox-1", KEY_WITHOUT_CREDIT, house.model_url)
    run(machine, replace(house.settings(), model=poor))
    with machine.shell() as shell, pytest.raises(Rejected) as refused:
        runtime.say(shell, GATEWAY_TOKEN, "Hello", user="farm")
    assert refused.value.code == "model_no_credit"
