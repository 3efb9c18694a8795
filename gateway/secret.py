"""The secret that tokens are hashed with: of the settings, or of a file that is made on first use."""

from __future__ import annotations

import secrets
from pathlib import Path

from clickhouse.errors import BadUserInputError
from gateway.settings import Settings


def token_secret(settings: Settings) -> bytes:
    """Raises BadUserInputError when the file cannot be read or made, or is empty."""
    if settings.secret:
        return settings.secret.encode()
    try:
        return _secret_of(Path(settings.secret_file))
    except OSError as error:
        raise BadUserInputError(f"The secret file cannot be used: {error}. Set HEATGRAPH_SECRET or HEATGRAPH_SECRET_FILE.") from error


def _secret_of(path: Path) -> bytes:
    """What is in the file, which is made when it is missing; raises OSError."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32) + "\n")
        try:
            path.hardlink_to(draft)  # fails if another process was first, so that all agree on one secret
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    if not (secret := path.read_bytes().strip()):
        raise OSError(f"{path} is empty; delete it to have a new secret made (tokens made before stop working)")
    return secret
