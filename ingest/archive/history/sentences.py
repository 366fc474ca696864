"""Parse the sentences of a project history (pure functions).

No history file with rows is publicly available. The sentences are those of Tracker's activity
messages in recorded API responses (`RECORDED`), and plausible variants of these (`LIKELY`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ingest.archive.project.people import normalised

RECORDED = 0.9
LIKELY = 0.6
UNPARSED = "unparsed_history"

_STORY = r"(?P<type>feature|bug|chore|release|story)"
_STATE = (
    "(?P<state>started|restarted|finished|delivered|accepted|rejected|unstarted|planned|"
    "unscheduled)"
)
_NUMBER = r"(?P<points>\d+(?:\.\d+)?)"


@dataclass(frozen=True)
class ParsedSentence:
    """The meaning of one sentence.

    Attributes:
        kind: Tracker's kind of activity, or `unparsed_history`.
        highlight: the words that name the action.
        resource: the kind of the changed resource.
        change_type: create, update or delete.
        values: the new values that the sentence states.
        confidence: how certain the interpretation is, from 0 to 1.
    """

    kind: str
    highlight: str
    resource: str = "story"
    change_type: str = "update"
    values: dict[str, Any] = field(default_factory=dict)
    confidence: float = RECORDED


def parse_sentence(message: str, performer: str, type_cell: str) -> ParsedSentence:
    """Parse a sentence, with or without the performer's name at the start.

    Args:
        message: the cell `Message`.
        performer: the cell `Performed By`.
        type_cell: the cell `Type`, which decides between story and epic.

    Returns:
        The parsed sentence; of kind `unparsed_history` and confidence 0 if no rule matches.
    """
    action = _without_performer(" ".join(message.split()), performer)
    for pattern, read in _RULES:
        if found := pattern.match(action):
            parsed = read(found)
            is_epic = normalised(type_cell).replace("_", " ").startswith("epic")
            return _as_epic(parsed) if is_epic and parsed.kind.startswith("story_") else parsed
    return ParsedSentence(UNPARSED, "", resource="", confidence=0.0)


def _without_performer(message: str, performer: str) -> str:
    name = " ".join(performer.split())
    if name and message.casefold().startswith(name.casefold() + " "):
        return message[len(name) + 1 :]
    return message


def _as_epic(parsed: ParsedSentence) -> ParsedSentence:
    kind = parsed.kind.replace("story_", "epic_", 1)
    return ParsedSentence(kind, parsed.highlight, "epic", parsed.change_type, {}, parsed.confidence)


def _state(found: re.Match[str]) -> ParsedSentence:
    word = found["state"].lower()
    state = "started" if word == "restarted" else word
    confidence = LIKELY if word in ("restarted", "planned", "unscheduled") else RECORDED
    return ParsedSentence(
        "story_update_activity", word, values={"current_state": state}, confidence=confidence
    )


def _estimate(found: re.Match[str]) -> ParsedSentence:
    values = {"estimate": float(found["points"])}
    return ParsedSentence("story_update_activity", "estimated", values=values)


def _no_estimate(found: re.Match[str]) -> ParsedSentence:
    values = {"estimate": None}
    return ParsedSentence("story_update_activity", found[0], values=values, confidence=LIKELY)


def _owner(key: str) -> Callable[[re.Match[str]], ParsedSentence]:
    def read(found: re.Match[str]) -> ParsedSentence:
        values = {key: [each.strip() for each in re.split(r",| and ", found["names"])]}
        return ParsedSentence("story_update_activity", "edited", values=values, confidence=LIKELY)

    return read


def _created(found: re.Match[str]) -> ParsedSentence:
    values = {} if found["type"] == "story" else {"story_type": found["type"].lower()}
    return ParsedSentence("story_create_activity", found[1].lower(), "story", "create", values)


def _plain(
    kind: str, resource: str = "story", change_type: str = "update", confidence: float = RECORDED
) -> Callable[[re.Match[str]], ParsedSentence]:
    def read(found: re.Match[str]) -> ParsedSentence:
        return ParsedSentence(kind, found[1].lower(), resource, change_type, {}, confidence)

    return read


def _rules(
    *pairs: tuple[str, Callable[[re.Match[str]], ParsedSentence]],
) -> list[tuple[re.Pattern[str], Callable[[re.Match[str]], ParsedSentence]]]:
    return [(re.compile(pattern, re.IGNORECASE), read) for pattern, read in pairs]


_RULES = _rules(
    (rf"{_STATE} this {_STORY}(?: with comments?: .*)?\.?$", _state),
    (rf"estimated this {_STORY} (?:as|at) {_NUMBER} points?\.?$", _estimate),
    (
        rf"(?:unestimated this|removed the estimate (?:of|from) this) {_STORY}\.?$",
        _no_estimate,
    ),
    (rf"(added|created) this {_STORY}\.?$", _created),
    (rf"(deleted) this {_STORY}\.?$", _plain("story_delete_activity", change_type="delete")),
    (r"(deleted) \d+ stories\.?$", _plain("story_delete_activity", "", "delete", LIKELY)),
    (rf"(moved) this {_STORY}\b.*$", _plain("story_move_activity")),
    (rf"(edited) this {_STORY}\.?$", _plain("story_update_activity")),
    (
        r"(?:added|assigned) (?P<names>.+?) as (?:an? |the )?owners?(?: (?:of|to) .*)?\.?$",
        _owner("added_owners"),
    ),
    (r"added owners?:? (?P<names>.+?)\.?$", _owner("added_owners")),
    (
        r"removed (?P<names>.+?) as (?:an? |the )?owners?(?: (?:of|from) .*)?\.?$",
        _owner("removed_owners"),
    ),
    (r"removed owners?:? (?P<names>.+?)\.?$", _owner("removed_owners")),
    (r"(added comment:?)", _plain("comment_create_activity", "comment", "create")),
    (r"(edited) this comment\b", _plain("comment_update_activity", "comment")),
    (
        r"(deleted) (?:this|a) comment\b",
        _plain("comment_delete_activity", "comment", "delete", LIKELY),
    ),
    (r"(added task:)", _plain("task_create_activity", "task", "create")),
    (r"((?:rewrote|completed|uncompleted|moved) task:)", _plain("task_update_activity", "task")),
    (
        r"(deleted) (?:this |a )?task\b",
        _plain("task_delete_activity", "task", "delete", LIKELY),
    ),
    (r"(added blocker:)", _plain("blocker_create_activity", "blocker", "create", LIKELY)),
    (
        r"((?:edited|resolved|unresolved) blocker:)",
        _plain("blocker_update_activity", "blocker", confidence=LIKELY),
    ),
    (r"(created) labels?:", _plain("label_create_activity", "label", "create")),
    (r"(deleted) label:", _plain("label_delete_activity", "label", "delete")),
    (r"(renamed) label\b", _plain("label_update_activity", "label", confidence=LIKELY)),
    (
        r"(added|created) this epic\b",
        _plain("epic_create_activity", "epic", "create", LIKELY),
    ),
    (r"(deleted) this epic\b", _plain("epic_delete_activity", "epic", "delete", LIKELY)),
    (r"(moved) this epic\b", _plain("epic_move_activity", "epic", confidence=LIKELY)),
    (r"(edited) this epic\b", _plain("epic_update_activity", "epic", confidence=LIKELY)),
    (
        r"(edited) this project\b",
        _plain("project_update_activity", "project", confidence=LIKELY),
    ),
    (
        r"(edited) iteration \d+\b",
        _plain("iteration_update_activity", "iteration", confidence=LIKELY),
    ),
)
