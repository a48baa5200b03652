"""Where ClickHouse is and how to talk to it."""

from __future__ import annotations

from dataclasses import dataclass, field

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from schemas.errors import ConfigurationError, RetryableError

_UNKNOWN_DATABASE = 81


@dataclass(frozen=True, slots=True)
class ClickHouseTarget:
    """A ClickHouse server behind its HTTP interface, and the database that holds the tables."""

    host: str = "127.0.0.1"
    port: int = 8123
    user: str = "default"
    password: str = field(default="", repr=False)
    secure: bool = False
    database: str = "venuecode"

    def client(
        self, *, use_database: bool = True, timeout: float = 300, connect_timeout: float = 10, compress: bool = True
    ) -> Client:
        """A connected client; safe to use from several threads. Times come back with their zone.

        Args:
            use_database: False before the database exists.
            timeout: seconds to wait for an answer to a statement.
            connect_timeout: seconds to connect, and to send one body: the driver has no other limit for sending.
            compress: whether the server compresses its answers.

        Raises:
            RetryableError: no server answers there.
            ConfigurationError: the server answers and does not let us in, or there is no such database.
        """
        try:
            return clickhouse_connect.get_client(
                host=self.host,
                port=self.port,
                username=self.user,
                password=self.password,
                interface="https" if self.secure else "http",
                database=self.database if use_database else "default",
                autogenerate_session_id=False,
                connect_timeout=connect_timeout,
                send_receive_timeout=timeout,
                compress=compress,
                tz_mode="aware",
            )
        except DatabaseError as error:
            if error.code == _UNKNOWN_DATABASE:
                message = f"ClickHouse has no database {self.database!r}: run `venuecode migrate up`"
            elif error.code is not None:
                message = f"ClickHouse at {self.host}:{self.port} refused the connection: {error}"
            else:
                raise RetryableError(f"ClickHouse at {self.host}:{self.port} does not answer: {error}") from error
            raise ConfigurationError(message) from error
        except (ClickHouseError, OSError) as error:
            raise RetryableError(f"ClickHouse at {self.host}:{self.port} does not answer: {error}") from error
