"""The secret file: made once, for its owner only, and refused when it is empty."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clickhouse.errors import BadUserInputError
from gateway.secret import token_secret
from gateway.settings import Settings


def test_the_secret_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(secret_file=str(tmp_path / "keys" / "secret"))
    first = token_secret(settings)
    assert len(first) == 64
    assert token_secret(settings) == first
    assert os.listdir(tmp_path / "keys") == ["secret"]
    assert Path(settings.secret_file).stat().st_mode & 0o777 == 0o600


def test_an_empty_secret_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    with pytest.raises(BadUserInputError, match="is empty"):
        token_secret(Settings(secret_file=str(tmp_path / "secret")))


def test_a_secret_file_may_hold_any_bytes(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\xff\x00\xfe\n")
    assert token_secret(Settings(secret_file=str(tmp_path / "secret"))) == b"\xff\x00\xfe"


def test_a_given_secret_leaves_the_file_alone(tmp_path: Path) -> None:
    settings = Settings(secret="given", secret_file=str(tmp_path / "secret"))
    assert token_secret(settings) == b"given"
    assert os.listdir(tmp_path) == []
