"""A connection to the cluster for looking and arranging, with errors that say what to do."""

from __future__ import annotations

from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from schemas.errors import ConfigurationError, RetryableError, VenuecodeError
from schemas.kafka import ClientConfig

_REFUSED: Final = frozenset((KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError.SASL_AUTHENTICATION_FAILED))
_FORBIDDEN: Final = frozenset(
    (
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
    )
)


def connect(cluster: ClientConfig, timeout: float = 10) -> AdminClient:
    """A client that has spoken to a broker, with the credentials of the settings.

    Args:
        cluster: librdkafka's settings.
        timeout: seconds to wait for an answer.

    Raises:
        ConfigurationError: the brokers refuse the credentials, or a setting is wrong.
        RetryableError: no broker answered.
    """
    refusals: list[KafkaError] = []

    def on_error(problem: KafkaError) -> None:
        if problem.code() in _REFUSED:
            refusals.append(problem)

    where = cluster.get("bootstrap.servers", "the configured brokers")
    config: dict[str, Any] = {**cluster, "error_cb": on_error, "log_level": 2}
    try:
        client = AdminClient(config)
    except KafkaException as error:
        raise ConfigurationError(f"Kafka settings for {where}: {error.args[0].str()}") from error
    try:
        client.list_topics(timeout=timeout)
    except KafkaException as error:
        client.poll(0)  # a refused password is told by the callback; the request itself only times out
        if refusals:
            raise ConfigurationError(
                f"the Kafka brokers at {where} refuse this client: {refusals[0].str()};"
                " check the security protocol, the mechanism, the user name and the password"
            ) from error
        raise explained(
            error, f"no Kafka broker answered at {where}; is it running, and is the address right?"
        ) from error
    return client


def explained(error: KafkaException, what: str) -> VenuecodeError:
    """The project's error for one of librdkafka's: what was being done, and the broker's words."""
    problem: KafkaError = error.args[0]
    text = f"{what} ({problem.str() or problem.name()})"
    if problem.code() in _FORBIDDEN:
        return ConfigurationError(f"{text}; this user lacks a right: grant it, or name another user")
    return RetryableError(text)
