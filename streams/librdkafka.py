"""What confluent-kafka does not pass on of librdkafka's C interface: batches produced without a call back a record.

confluent-kafka's `produce_batch` takes a dictionary a record, looks up six names in each, and takes the interpreter's
lock once a record to report its delivery, also when nobody wants the report: a microsecond a record with the lock held,
and reports that wait for as long as another thread holds it (docs/decisions/0008-hot-path.md). The C interface takes an
array, and reports what one request carried at once.

The library is the one that confluent-kafka has loaded into this process; only what its public header declares is used.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from ctypes import POINTER, c_char_p, c_int, c_int32, c_size_t, c_void_p
from enum import IntEnum
from functools import cache
from typing import Any, Final

import numpy as np
from confluent_kafka import cimpl

from schemas.errors import ConfigurationError, FatalError

PRODUCER: Final = 0
IN_PLACE: Final = 0x0
"""The value stays where it is, and must until its record is reported; a key is copied all the same."""
COPY: Final = 0x2
DELIVERY: Final = 0x1
ERROR: Final = 0x8

RECORD: Final = np.dtype(
    [
        ("err", "i4"),
        ("topic", "u8"),
        ("partition", "i4"),
        ("payload", "u8"),
        ("len", "u8"),
        ("key", "u8"),
        ("key_len", "u8"),
        ("offset", "i8"),
        ("private", "u8"),
    ],
    align=True,
)
"""An `rd_kafka_message_t`; pointers are numbers."""

PRIVATE_AT: Final = 64
"""Where in an `rd_kafka_message_t` what its producer wrote down for itself is."""


class Argument(IntEnum):
    """What an argument of `rd_kafka_produceva` says."""

    TOPIC = 2
    VALUE = 4
    KEY = 5
    OPAQUE = 6
    FLAGS = 7
    HEADER = 9


ARGUMENT: Final = np.dtype(
    {
        "names": ["kind", "first", "second", "third"],
        "formats": ["i4", "u8", "u8", "u8"],
        "offsets": [0, 8, 16, 24],
        "itemsize": 72,
    }
)
"""An `rd_kafka_vu_t`: a number or a pointer; a pointer and a length; of a header its name, then these."""


class Message(ctypes.Structure):
    """The beginning of an `rd_kafka_message_t`, to be read in place."""

    _fields_ = (("err", c_int), ("topic", c_void_p), ("partition", c_int32))


_SIGNATURES: Final[Mapping[str, tuple[Any, list[Any]]]] = {
    "conf_new": (c_void_p, []),
    "conf_set": (c_int, [c_void_p, c_char_p, c_char_p, c_char_p, c_size_t]),
    "conf_set_events": (None, [c_void_p, c_int]),
    "new": (c_void_p, [c_int, c_void_p, c_char_p, c_size_t]),
    "destroy": (None, [c_void_p]),
    "topic_new": (c_void_p, [c_void_p, c_char_p, c_void_p]),
    "topic_destroy": (None, [c_void_p]),
    "topic_name": (c_char_p, [c_void_p]),
    "produce_batch": (c_int, [c_void_p, c_int32, c_int, c_void_p, c_int]),
    "produceva": (c_void_p, [c_void_p, c_void_p, c_size_t]),
    "err2str": (c_char_p, [c_int]),
    "error_string": (c_char_p, [c_void_p]),
    "error_destroy": (None, [c_void_p]),
    "queue_get_main": (c_void_p, [c_void_p]),
    "queue_poll": (c_void_p, [c_void_p, c_int]),
    "queue_destroy": (None, [c_void_p]),
    "event_type": (c_int, [c_void_p]),
    "event_error": (c_int, [c_void_p]),
    "event_error_string": (c_char_p, [c_void_p]),
    "event_error_is_fatal": (c_int, [c_void_p]),
    "event_message_count": (c_size_t, [c_void_p]),
    "event_message_next": (POINTER(Message), [c_void_p]),
    "event_message_array": (c_size_t, [c_void_p, c_void_p, c_size_t]),
    "event_destroy": (None, [c_void_p]),
}
"""Result and arguments of each function used, its name without `rd_kafka_`."""


@cache
def library() -> Any:
    """The loaded librdkafka; its functions are called by the names in `_SIGNATURES`, without the interpreter's lock.

    Raises:
        FatalError: this build of confluent-kafka hides them.
    """
    return _functions_of(ctypes.CDLL)


@cache
def library_with_lock() -> Any:
    """As `library`, for calls that are short and many: each keeps the interpreter's lock.

    A thread that gives the lock up a thousand times in a row waits for it as often as another thread wants it.

    Raises:
        FatalError: this build of confluent-kafka hides them.
    """
    return _functions_of(ctypes.PyDLL)


def _functions_of(load: Callable[[str], ctypes.CDLL]) -> Any:
    # A symbol is looked for in the libraries that the extension module was linked with, too.
    loaded = load(cimpl.__file__)
    found = type("Library", (), {"__slots__": tuple(_SIGNATURES)})()
    for name, (result, arguments) in _SIGNATURES.items():
        try:
            function = getattr(loaded, f"rd_kafka_{name}")
        except AttributeError as error:
            raise FatalError(f"this build of confluent-kafka hides librdkafka's functions: {error}") from None
        function.restype, function.argtypes = result, arguments
        setattr(found, name, function)
    return found


def new_producer(config: Mapping[str, str | int | float | bool]) -> int:
    """A producer that reports deliveries and errors as events.

    Args:
        config: librdkafka's settings by their own names.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    lib, problem = library(), ctypes.create_string_buffer(512)
    conf = lib.conf_new()
    for name, value in config.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if lib.conf_set(conf, name.encode(), text.encode(), problem, len(problem)):
            raise ConfigurationError(f"the Kafka setting {name} is wrong: {problem.value.decode()}")
    lib.conf_set_events(conf, DELIVERY | ERROR)
    client = lib.new(PRODUCER, conf, problem, len(problem))
    if not client:
        raise ConfigurationError(f"the Kafka settings are wrong: {problem.value.decode()}")
    return int(client)


def address_of(data: bytes) -> np.uint64:
    """Where bytes lie; they stay there for as long as they live."""
    return np.uint64(ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0)
