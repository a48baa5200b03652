"""The key that turns person ids into tokens, kept in a file of its own."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from schemas.errors import ConfigurationError

_BYTES: Final = 32


def read_token_key(path: Path) -> bytes:
    """The key in a file: hexadecimal, at least 16 bytes.

    Raises:
        ConfigurationError: there is no such file, others may read it, or it holds no such key (which is not quoted).
    """
    try:
        text = path.read_text("ascii", errors="replace").strip()
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no token key at {path}; to make a new one, add --create-token-key (tokens made with another key"
            " are other tokens: use the key of your platform if there is one)"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"cannot read the token key {path}: {error.strerror}") from None
    if mode & 0o077:
        raise ConfigurationError(f"others may read the token key {path}; do: chmod 600 {path}")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise ConfigurationError(f"the token key {path} is not hexadecimal") from None
    if len(key) < 16:
        raise ConfigurationError(f"the token key {path} has {len(key)} bytes; it needs at least 16, better {_BYTES}")
    return key


def create_token_key(path: Path) -> bool:
    """Make a key of 32 random bytes, readable by the owner only; an existing file is left as it is.

    Returns:
        Whether a key was made.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise ConfigurationError(f"cannot write the token key {path}: {error.strerror}") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return True
