"""An agent's files say what its owner wants, and the machine's own word decides what stands."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from provisioning import runtime, ssh
from provisioning.errors import Rejected, Transient
from provisioning.quoting import environment_line, plain
from provisioning.runtime import (
    InstallationState,
    ModelAccess,
    RuntimeSettings,
    Telegram,
    Tools,
)
from provisioning.ssh import Shell
from tests.provisioning.machine import Machine, new_authority, now, running_machine

SETTINGS = RuntimeSettings(
    agent_name="Ada",
    member="Zoé",
    language="fr",
    soul="Tu es Ada.",
    tools=Tools.FULL,
    model=ModelAccess("sandbox", "sandbox-1", "model-key-secret", "http://198.18.0.1:1/v1"),
    gateway_token="gateway-token-secret",
    control_ui_origin="http://ada-1.agents.localhost:8001",
    heap_mb=1536,
    runtime_version="2026.9.6",
    telegram=Telegram("123:bot-token-secret", (777, 888), "http://198.18.0.1:2"),
)


def contents(settings: RuntimeSettings) -> dict[str, str]:
    return {file.path.rpartition("/")[2]: file.content.decode() for file in runtime.files(settings)}


def test_secrets_are_only_in_files_for_one_reader() -> None:
    holding = {
        file.path: (file.mode, file.owner)
        for file in runtime.files(SETTINGS)
        if b"-secret" in file.content
    }
    assert holding == {
        "/etc/openclaw/openclaw.env": (0o600, "root:root"),
        "/etc/openclaw/keys.json": (0o600, "openclaw:openclaw"),
    }


def test_no_secret_is_in_what_a_log_would_show() -> None:
    shown = repr((SETTINGS, runtime.files(SETTINGS), new_authority().certify("server-1", now())))
    assert "Ada" in shown
    assert "secret" not in shown
    assert "PRIVATE KEY" not in shown


def test_what_a_blueprint_allows_is_not_the_agents_to_change() -> None:
    (config,) = (file for file in runtime.files(SETTINGS) if file.path.endswith("openclaw.json"))
    assert (config.mode, config.owner, config.keep) == (0o640, "root:openclaw", False)


def test_the_persona_is_the_agents_own_once_it_is_there() -> None:
    persona = [file for file in runtime.files(SETTINGS) if file.path.endswith(".md")]
    assert len(persona) == 4
    assert all(file.keep and file.owner == "openclaw:openclaw" for file in persona)


def test_an_agent_that_works_may_run_commands_and_one_that_talks_may_not() -> None:
    assert 'exec: { host: "gateway", mode: "full" }' in contents(SETTINGS)["openclaw.json"]
    talker = contents(replace(SETTINGS, tools=Tools.TALK))
    assert 'exec: { mode: "deny" }' in talker["openclaw.json"]
    assert "no commands" in talker["AGENTS.md"]


def test_telegram_answers_the_linked_people_only() -> None:
    config = contents(SETTINGS)["openclaw.json"]
    assert 'dmPolicy: "allowlist", allowFrom: ["777", "888"]' in config
    assert 'ownerAllowFrom: ["telegram:777", "telegram:888"]' in config
    assert 'apiRoot: "http://198.18.0.1:2"' in config
    silent = contents(replace(SETTINGS, telegram=None))
    assert "telegram" not in silent["openclaw.json"]
    assert "TELEGRAM" not in silent["openclaw.env"]


SLACK = runtime.Slack("xoxb-1-secret", "xapp-1-secret", ("U012ABC",), "http://198.18.0.1:3/api/")


def test_slack_answers_the_linked_people_only_and_keeps_its_tokens_out_of_the_config() -> None:
    written = contents(replace(SETTINGS, telegram=None, slack=SLACK))
    config, secrets = written["openclaw.json"], written["openclaw.env"]
    assert 'mode: "socket"' in config
    assert 'dmPolicy: "allowlist", allowFrom: ["U012ABC"], groupPolicy: "disabled"' in config
    assert 'ownerAllowFrom: ["slack:U012ABC"]' in config
    assert "-secret" not in config
    for line in (
        'SLACK_BOT_TOKEN="xoxb-1-secret"',
        'SLACK_APP_TOKEN="xapp-1-secret"',
        'SLACK_API_URL="http://198.18.0.1:3/api/"',
    ):
        assert line in secrets.splitlines()
    usual = contents(replace(SETTINGS, slack=replace(SLACK, api_url=None)))
    assert "SLACK_API_URL" not in usual["openclaw.env"]


def test_whatsapp_answers_the_members_own_number_only() -> None:
    linked = replace(SETTINGS, whatsapp=runtime.WhatsApp(("+33612345678",)))
    config = contents(linked)["openclaw.json"]
    assert 'dmPolicy: "allowlist", allowFrom: ["+33612345678"], groupPolicy: "disabled"' in config
    owners = '["telegram:777", "telegram:888", "whatsapp:+33612345678"]'
    assert f"ownerAllowFrom: {owners}" in config
    assert runtime.digest(linked) != runtime.digest(SETTINGS)


@pytest.mark.parametrize(
    ("access", "expected"),
    [
        (ModelAccess("anthropic", "claude", "k"), ['primary: "anthropic/claude"']),
        (ModelAccess("openrouter", "openrouter/auto", "k"), ['primary: "openrouter/auto"']),
        (
            ModelAccess("mistral", "large", "k", "https://api.mistral.ai/v1"),
            ['primary: "farm/large"', 'api: "openai-completions"', 'id: "large"'],
        ),
        (
            ModelAccess("google", "gemini", "k", "http://model.example/v1beta"),
            [
                'primary: "google/gemini"',
                'api: "google-generative-ai"',
                'baseUrl: "http://model.example/v1',
            ],
        ),
        (
            ModelAccess("openai", "gpt", "k", "http://model.example/v1"),
            ['primary: "openai/gpt"', 'api: "openai-completions"'],
        ),
    ],
)
def test_each_provider_is_spoken_to_in_its_own_way(
    access: ModelAccess, expected: Sequence[str]
) -> None:
    config = contents(replace(SETTINGS, model=access))["openclaw.json"]
    for words in expected:
        assert words in config


def test_an_unknown_provider_needs_an_address() -> None:
    with pytest.raises(Rejected) as caught:
        runtime.files(replace(SETTINGS, model=ModelAccess("else", "m", "k")))
    assert caught.value.code == "model_without_address"


@pytest.mark.parametrize(
    "name", ['"}, gateway: {}', "a\nb", "\u2028", "</script>", "{{ settings }}", "// x", "\x00"]
)
def test_a_hostile_name_stays_a_name(name: str) -> None:
    config = contents(replace(SETTINGS, agent_name=name))["openclaw.json"]
    assert f'entries: {{ "main": {{ name: {json.dumps(name)}, ' in config
    assert len(config.splitlines()) == len(contents(SETTINGS)["openclaw.json"].splitlines())


def test_a_name_that_looks_like_a_variable_is_not_replaced_by_a_secret() -> None:
    config = contents(replace(SETTINGS, agent_name="${FARM_MODEL_KEY} ${x}"))["openclaw.json"]
    assert 'name: "$${FARM_MODEL_KEY} ${x}"' in config


def test_a_key_with_a_line_break_is_refused() -> None:
    with pytest.raises(Rejected) as caught:
        runtime.files(replace(SETTINGS, gateway_token="a\nNODE_OPTIONS=--inspect"))
    assert caught.value.code == "bad_secret"


def test_a_secret_is_quoted_as_systemd_reads_it() -> None:
    assert environment_line("KEY", 'a "b" $c `d` \\e #f') == (
        'KEY="a \\"b\\" \\$c \\`d\\` \\\\e #f"\n'
    )


def test_the_digest_follows_every_setting_and_tells_no_secret() -> None:
    digests = {
        runtime.digest(settings)
        for settings in (
            SETTINGS,
            replace(SETTINGS, gateway_token="other"),
            replace(SETTINGS, model=replace(SETTINGS.model, key="other")),
            replace(SETTINGS, heap_mb=768),
            replace(SETTINGS, telegram=None),
            replace(SETTINGS, tools=Tools.TALK),
            replace(SETTINGS, runtime_version="2026.9.7"),
        )
    }
    assert len(digests) == 7
    assert runtime.digest(SETTINGS) == runtime.digest(replace(SETTINGS))
    assert all(len(digest) == 64 for digest in digests)


def test_untrusted_text_loses_escapes_and_hidden_letters_and_keeps_lines() -> None:
    hostile = "\x1b[2J\x1b]8;;http://x.example\x1b\\a\x1b(B\x9b31m\u202eb\u200b\r\n\tc\x07\x00\x1b"
    assert plain(hostile) == "ab\n\tc"
    assert plain(b"\xff\x1b[31mx", limit=10) == "\ufffdx"
    assert plain("abcdef", limit=3) == "def"


@pytest.fixture
def machine() -> Iterator[Machine]:
    with running_machine() as machine:
        yield machine


@pytest.fixture
def shell(machine: Machine) -> Iterator[Shell]:
    with ssh.connect(machine.target, machine.authority, now()) as shell:
        yield shell


def answer(machine: Machine, argv: Sequence[str], code: int, output: bytes) -> None:
    machine.answers[shlex.join(argv)] = (code, output)


def test_a_machine_is_installed_when_it_shows_it(machine: Machine, shell: Shell) -> None:
    answer(machine, runtime.SETUP_STATE, 1, b"")
    assert runtime.installed(shell).state is InstallationState.INSTALLING
    answer(machine, runtime.SETUP_STATE, 0, b"installing\n")
    assert runtime.installed(shell).state is InstallationState.INSTALLING
    answer(machine, runtime.SETUP_STATE, 0, b"installed\n")
    answer(machine, runtime.ASSERT_INSTALLED, 0, b"999\nnode 24.21.0 openclaw 2026.9.6\nactive\n")
    assert runtime.installed(shell).state is InstallationState.INSTALLED


def test_a_machine_that_says_installed_but_shows_otherwise_failed(
    machine: Machine, shell: Shell
) -> None:
    answer(machine, runtime.SETUP_STATE, 0, b"installed\n")
    answer(machine, runtime.ASSERT_INSTALLED, 3, b"999\n\x1b[31minactive\n")
    shown = runtime.installed(shell)
    assert shown.state is InstallationState.FAILED
    assert shown.detail == "999\ninactive\n"


def test_a_failed_installation_shows_the_end_of_its_log(machine: Machine, shell: Shell) -> None:
    answer(machine, runtime.SETUP_STATE, 0, b"failed\n")
    answer(machine, runtime.SETUP_LOG, 0, b"E: \x1b[1mno network\n")
    assert runtime.installed(shell).detail == "E: no network\n"


def test_a_config_the_runtime_refuses_is_said(machine: Machine, shell: Shell) -> None:
    answer(machine, runtime.VALIDATE, 1, b'{"valid": false, "path": "logging"}')
    with pytest.raises(Rejected) as caught:
        runtime.validate(shell)
    assert caught.value.code == "config_invalid"
    assert "logging" in str(caught.value)
    answer(machine, runtime.VALIDATE, 0, b'{"valid": true}')
    runtime.validate(shell)


def test_starting_also_clears_what_failed_before(machine: Machine, shell: Shell) -> None:
    for argv in (runtime.ENABLE, runtime.RESET, runtime.START):
        answer(machine, argv, 0, b"")
    runtime.start(shell)
    expected = [shlex.join(argv) for argv in (runtime.ENABLE, runtime.RESET, runtime.START)]
    assert machine.commands == expected


def test_a_unit_that_cannot_be_started_is_transient(machine: Machine, shell: Shell) -> None:
    answer(machine, runtime.ENABLE, 1, b"Unit openclaw.service does not exist\n")
    with pytest.raises(Transient) as caught:
        runtime.start(shell)
    assert "does not exist" in str(caught.value)


def test_the_next_host_key_is_read_before_it_is_used(machine: Machine, shell: Shell) -> None:
    answer(machine, runtime.MAKE_HOST_KEY, 0, b"")
    answer(machine, runtime.READ_HOST_KEY, 0, b"ssh-ed25519 AAAAC3 root@x\n")
    assert runtime.rotate_host_key(shell) == "ssh-ed25519 AAAAC3"
    assert shlex.join(runtime.USE_HOST_KEY) not in machine.commands


@pytest.mark.parametrize("line", [b"", b"ssh-rsa AAAA\n", b"ssh-ed25519 AAAA\nssh-ed25519 B\n"])
def test_a_host_key_of_another_sort_is_not_taken(
    machine: Machine, shell: Shell, line: bytes
) -> None:
    answer(machine, runtime.MAKE_HOST_KEY, 0, b"")
    answer(machine, runtime.READ_HOST_KEY, 0, line)
    with pytest.raises(Transient):
        runtime.rotate_host_key(shell)
