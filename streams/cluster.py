"""The cluster as Faust wants to be told, and the check that it can be used, before anything is started."""

from __future__ import annotations

import ssl
from typing import Any, Final

import faust
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from schemas.errors import ConfigurationError, RetryableError
from schemas.kafka import ClientConfig
from schemas.topics import Topics

_TIMEOUT_S: Final = 10.0
_CREDENTIALS: Final = frozenset(
    {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._SSL}  # codes, not secrets
)


def broker_urls(cluster: ClientConfig) -> list[str]:
    """The bootstrap servers as Faust's broker URLs."""
    return [f"kafka://{server.strip()}" for server in str(cluster["bootstrap.servers"]).split(",")]


def credentials(cluster: ClientConfig) -> Any:
    """What Faust needs to log in, from the same settings librdkafka uses; null for a plain cluster.

    Raises:
        ConfigurationError: a SASL protocol without a user name or password.
    """
    protocol = str(cluster.get("security.protocol", "PLAINTEXT"))
    context: ssl.SSLContext | None = None
    if protocol.endswith("SSL"):
        authorities = cluster.get("ssl.ca.location")
        context = ssl.create_default_context(cafile=None if authorities is None else str(authorities))
    if not protocol.startswith("SASL"):
        return None if context is None else faust.SSLCredentials(context)
    user, password = cluster.get("sasl.username"), cluster.get("sasl.password")
    if user is None or password is None:
        raise ConfigurationError(
            f"{protocol} needs VENUECODE_KAFKA__SASL_USERNAME and VENUECODE_KAFKA__SASL_PASSWORD, and one is not set"
        )
    return faust.SASLCredentials(
        username=str(user),
        password=str(password),
        mechanism=str(cluster.get("sasl.mechanism", "PLAIN")),
        ssl_context=context,
    )


def check_cluster(cluster: ClientConfig, topics: Topics) -> int:
    """See that the brokers answer, take the credentials, and have the topics, laid out as the worker needs them.

    Returns:
        The number of partitions of the scans.

    Raises:
        ConfigurationError: the credentials are refused, a topic is missing, or scans, statuses and visits are not
            co-partitioned.
        RetryableError: no broker answers.
    """
    where = cluster["bootstrap.servers"]
    problems: list[KafkaError] = []
    config: dict[str, Any] = {**cluster, "error_cb": problems.append, "log_level": 2}
    try:
        admin = AdminClient(config)
    except KafkaException as error:
        raise ConfigurationError(f"the Kafka settings for {where} are wrong: {error.args[0].str()}") from error
    try:
        found = admin.list_topics(timeout=_TIMEOUT_S).topics
    except KafkaException as error:
        admin.poll(0)  # the request itself only times out; that the credentials are refused is told to the callback
        refused = [problem for problem in problems if problem.code() in _CREDENTIALS]
        if refused:
            raise ConfigurationError(
                f"the brokers at {where} refuse these credentials ({refused[0].str()}); look at "
                "VENUECODE_KAFKA__SASL_* and VENUECODE_KAFKA__SECURITY_PROTOCOL"
            ) from error
        raise RetryableError(
            f"no broker answers at {where} ({error.args[0].str()}); is it running, and is "
            "VENUECODE_KAFKA__BOOTSTRAP_SERVERS right?"
        ) from error
    needed = (topics.scans, topics.statuses, topics.venues, topics.visits, topics.dead_letters, *topics.all_alerts)
    missing = [name for name in needed if name not in found]
    if missing:
        raise ConfigurationError(
            f"topics are missing on {where}: {', '.join(missing)}; create them with `venuecode topics apply`"
        )
    scans, statuses = len(found[topics.scans].partitions), len(found[topics.statuses].partitions)
    if scans != statuses:
        raise ConfigurationError(
            f"{topics.scans} has {scans} partitions and {topics.statuses} {statuses}: a person's scans and status must "
            "lie in the same partition number, so both need the same number; see `venuecode topics plan`"
        )
    if len(found[topics.visits].partitions) < scans:
        raise ConfigurationError(
            f"{topics.visits} has fewer partitions than {topics.scans}: a visit goes into the partition number of its "
            "scan; see `venuecode topics plan`"
        )
    return scans
