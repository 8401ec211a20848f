"""Secrets on the command line: from a file, or from standard input."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from farm.ops import agents, keys, project_commands
from farm.ops.answer import Trouble
from farm.ops.secret_files import secret_in

pytestmark = pytest.mark.django_db

COMMANDS: tuple[tuple[typer.Typer, tuple[str, ...]], ...] = (
    (keys.app, ("add", "openai", "--key-file")),
    (agents.app, ("create", "Ada", "--telegram-token-file")),
    (agents.app, ("restore", "Ada", "--model-key-file")),
    (project_commands.app, ("add", "hetzner", "second", "--token-file")),
)


@pytest.mark.parametrize(("app", "words"), COMMANDS)
def test_a_dash_is_standard_input_and_no_file(app: typer.Typer, words: tuple[str, ...]) -> None:
    told = CliRunner().invoke(app, [*words, "-"], input="something\n")
    assert "-file" not in told.output, "what is left to refuse is not the file"
    assert told.exit_code == 1


def test_what_cannot_be_read_names_its_option(tmp_path: Path) -> None:
    picture = tmp_path / "picture"
    picture.write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(Trouble, match=r"^--key-file .*it holds no text"):
        secret_in(picture, "--key-file")
    with pytest.raises(Trouble, match=r"^--key-file .*No such file"):
        secret_in(tmp_path / "nowhere", "--key-file")
    picture.write_text("  sk-1\n")
    assert secret_in(picture, "--key-file") == "sk-1"
