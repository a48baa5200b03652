"""How far sending and storing are, second by second."""

from __future__ import annotations

from dataclasses import dataclass, field

from infra.bench.trend import Trend, trend


@dataclass(slots=True)
class Timeline:
    """Samples by second: scans `sent` (acknowledged by Kafka), and visits `stored` (acknowledged by ClickHouse)."""

    seconds: list[float] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    stored: list[int] = field(default_factory=list)

    @property
    def behind(self) -> list[int]:
        """Sent and not stored."""
        return [max(0, sent - stored) for sent, stored in zip(self.sent, self.stored, strict=True)]

    def growth(self, since_s: float) -> Trend | None:
        """The line through `behind` after the warm-up; null with too few samples."""
        chosen = [number for number, second in enumerate(self.seconds) if second >= since_s]
        if len(chosen) < 3:
            return None
        return trend([self.seconds[n] for n in chosen], [self.behind[n] for n in chosen])

    def rate(self, since_s: float) -> float:
        """Scans stored a second after the warm-up."""
        first = next((n for n, second in enumerate(self.seconds) if second >= since_s), 0)
        took = self.seconds[-1] - self.seconds[first]
        return (self.stored[-1] - self.stored[first]) / took if took else 0.0
