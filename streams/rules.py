"""What each colour means at the door: the rule set, with the texts a responder reads. Versioned: alerts carry it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from schemas.alert import Action, AlertKind, AlertLevel
from schemas.fast import struct_of
from schemas.health import EffectiveColour
from schemas.visit import Decision

_ActionStruct = struct_of(Action)


@dataclass(frozen=True, slots=True)
class Notice:
    """The alert that a colour raises: how urgent, of what kind, why, and what is to be done (Chinese and English)."""

    level: AlertLevel
    kind: AlertKind
    reason: str
    action: Action


@dataclass(frozen=True, slots=True)
class Rule:
    """What one colour means: the decision at the door, and the alert it raises, if any."""

    decision: Decision
    notice: Notice | None


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One rule for every colour; `version` grows when a rule or its text changes."""

    version: int
    rules: Mapping[EffectiveColour, Rule]


RULES: Final = RuleSet(
    version=1,
    rules=MappingProxyType(
        {
            "green": Rule("admit", None),
            "yellow": Rule(
                "refuse",
                Notice(
                    "yellow",
                    "yellow_scan",
                    "the health code was yellow at the time of the scan",
                    _ActionStruct(
                        code="refuse_and_send_home",
                        zh="禁止进入；告知其做好个人防护，不乘坐公共交通工具，立即回家；由所在街道或社区跟进管理。",
                        en="Deny entry. Tell them to protect themselves, take no public transport and return home at "
                        "once; their street office or community follows up.",
                    ),
                ),
            ),
            "red": Rule(
                "isolate",
                Notice(
                    "red",
                    "red_scan",
                    "the health code was red at the time of the scan",
                    _ActionStruct(
                        code="isolate_and_report",
                        zh="立即就地隔离；报告当地疫情防控办公室；进行核酸检测；根据检测结果和流行病学调查分类处置。",
                        en="Isolate them on the spot at once and report to the local epidemic-control office. Nucleic-"
                        "acid test; classify by its result and by investigation.",
                    ),
                ),
            ),
            "unknown": Rule(
                "check",
                Notice(
                    "review",
                    "unknown_scan",
                    "no health code was in force at the time of the scan",
                    _ActionStruct(
                        code="check_by_hand",
                        zh="由工作人员人工查验健康码和行程卡。",
                        en="Staff look at the health code and the travel card by hand.",
                    ),
                ),
            ),
        }
    ),
)
"""Source: the seed's rules, design section 5."""
