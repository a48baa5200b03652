"""From the settings to what the parts take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.settings import Settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from sinks.clickhouse.target import ClickHouseTarget


def clickhouse_target(settings: Settings) -> ClickHouseTarget:
    """Where ClickHouse is, as the settings say."""
    from sinks.clickhouse.target import ClickHouseTarget  # the verbs import this module, and must start quickly

    chosen = settings.clickhouse
    return ClickHouseTarget(
        host=chosen.host,
        port=chosen.port,
        user=chosen.user,
        password=chosen.password.get_secret_value(),
        secure=chosen.secure,
        database=chosen.database,
    )


def limit_questions(client: Client, settings: Settings) -> None:
    """Set the limits of the settings for all that a client asks from here on.

    Where the server does not let its user change one (`readonly`), the server's own is in force.
    """
    from sinks.clickhouse.limits import Limits

    for name, value in Limits(**settings.questions.model_dump()).settings().items():
        known = client.server_settings.get(name)
        if known is None or not known.readonly:
            client.set_client_setting(name, value)


def kept_days(settings: Settings) -> int | None:
    """Days that movements are kept; None on a platform for historical files, which keeps them."""
    return None if settings.retention.analysis else settings.retention.days
