"""`venuecode`, whose consumer asks for its group while no broker is known, as it may right after brokers came back."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient

import infra.cli.main


def _nobody(_: Any) -> None:
    return None


if __name__ == "__main__":
    pytest.MonkeyPatch().setattr(AIOKafkaClient, "get_random_node", _nobody)
    infra.cli.main.main()
