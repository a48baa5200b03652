"""Who may ask: one user, with a password or without."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.embedded.clickhouse.errors import AUTHENTICATION_FAILED, ServerError


@dataclass(frozen=True, slots=True)
class Credentials:
    """The one user of the server; an empty password lets everybody of this name in, whatever they send."""

    user: str = "default"
    password: str = field(default="", repr=False)

    def check(self, names: Mapping[str, str], headers: Mapping[str, str]) -> None:
        """Compare with a request's credentials.

        They come as `X-ClickHouse-User` and `X-ClickHouse-Key`, or as basic authentication, or as `user` and `password`
        in the address, in this order; none at all means the user `default` without a password.

        Raises:
            ServerError: they do not fit (AUTHENTICATION_FAILED).
        """
        user, password = _given(names, headers)
        right_user = hmac.compare_digest(user.encode(), self.user.encode())
        right_password = not self.password or hmac.compare_digest(password.encode(), self.password.encode())
        if not (right_user and right_password):
            raise ServerError(
                AUTHENTICATION_FAILED,
                f"{user}: Authentication failed: password is incorrect, or there is no user with such name.",
                "AUTHENTICATION_FAILED",
            )


def gives_credentials(names: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    """Whether a request says who it comes from."""
    return "authorization" in headers or "x-clickhouse-user" in headers or "user" in names


def _given(names: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    if "x-clickhouse-user" in headers or "x-clickhouse-key" in headers:
        return headers.get("x-clickhouse-user", "default"), headers.get("x-clickhouse-key", "")
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return user or "default", password
    if scheme:
        return "", ""
    return names.get("user") or "default", names.get("password", "")
