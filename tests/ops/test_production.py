"""With DEBUG off nothing starts on a sandbox unless it says that it is a lab, and then it warns."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ops.farms import Surroundings

GOOD = {
    "DEBUG": "0",
    "SECRET_KEY": "s" * 48,
    "FIELD_KEY": "f" * 48,
    "EDGE_SECRET": "e" * 48,
    "SITE_URL": "https://farm.example.org",
    "ALLOWED_HOSTS": "farm.example.org",
    "AGENTS_DOMAIN": "agents.example.net",
    "SSH_SOURCES": "9.9.9.9/32",
    "EDGE_ADDRESSES": "9.9.9.9",
    "EDGE_TLS": "on-demand",
    "HETZNER_TOKEN": "a" * 64,
    "EMAIL_HOST": "mail.example.org",
}
SANDBOX = {"HETZNER_ENDPOINT": "http://198.18.0.1:8080/v1"}


def prepared(data: Path, **environ: str) -> tuple[int, str]:
    """What `farm prepare` answers there, and says."""
    done = Surroundings(data, 0, 0, extra={"PORT": "8000", **environ}).farm("prepare")
    return done.returncode, done.stdout + done.stderr


def test_a_farm_for_people_starts(tmp_path: Path) -> None:
    code, said = prepared(tmp_path, **GOOD)
    assert code == 0, said


def test_on_a_sandbox_it_does_not(tmp_path: Path) -> None:
    code, said = prepared(tmp_path, **GOOD, **SANDBOX)
    assert code == 1
    assert "HETZNER_ENDPOINT is on this machine" in said


def test_what_agents_think_does_not_travel_over_an_open_line(tmp_path: Path) -> None:
    code, said = prepared(tmp_path, **GOOD, RELAY_URL="http://farm.example.org/relay")
    assert code == 1
    assert "set it to https://farm.example.org/relay" in said


def test_a_lab_does_and_is_told_so(tmp_path: Path) -> None:
    code, said = prepared(tmp_path, **GOOD, **SANDBOX, LAB="1")
    assert code == 0, said
    doctor = Surroundings(tmp_path, 0, 0, extra={"PORT": "8000", **GOOD, **SANDBOX, "LAB": "1"})
    assert "LAB" in doctor.farm("doctor").stdout


@pytest.mark.parametrize("missing", ["SECRET_KEY", "FIELD_KEY"])
def test_a_farm_that_is_being_set_up_needs_its_secrets_alone(tmp_path: Path, missing: str) -> None:
    conf = tmp_path / "conf"
    conf.mkdir()
    secrets = {name: GOOD[name] for name in ("DEBUG", "SECRET_KEY", "FIELD_KEY", "EDGE_SECRET")}
    secrets["FARM_CONF"] = str(conf)
    assert prepared(tmp_path, **secrets)[0] == 0
    code, said = prepared(tmp_path, **{name: secrets[name] for name in secrets if name != missing})
    assert code == 1
    assert "no place for it" in said


def test_an_answer_of_the_set_up_page_is_a_setting(tmp_path: Path) -> None:
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "set_up").write_text("done")
    rest = {name: value for name, value in GOOD.items() if name != "SITE_URL"}
    code, said = prepared(tmp_path, **rest, FARM_CONF=str(conf))
    assert code == 1
    assert "SITE_URL" in said
    (conf / "SITE_URL").write_text(GOOD["SITE_URL"])
    code, said = prepared(tmp_path, **rest, FARM_CONF=str(conf))
    assert code == 0, said
