"""What a sentence of a project history says was done: pure functions.

No public copy of a history with rows exists. The sentences are those of Tracker's activity
messages, as recorded API answers have them (`RECORDED`), and likely kin of these (`LIKELY`).
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
class Deed:
    """What one sentence says.

    Attributes:
        kind: Tracker's kind of activity, or `unparsed_history`.
        highlight: the words of the sentence that say it.
        resource: the kind of what it was done to.
        change_type: create, update or delete.
        values: the new values that the sentence tells.
        confidence: how sure that is, 0 to 1.
    """

    kind: str
    highlight: str
    resource: str = "story"
    change_type: str = "update"
    values: dict[str, Any] = field(default_factory=dict)
    confidence: float = RECORDED


def understand(message: str, performer: str, type_cell: str) -> Deed:
    """Read a sentence, with or without its performer's name in front.

    Args:
        message: the cell `Message`.
        performer: the cell `Performed By`.
        type_cell: the cell `Type`, which decides between kinds of resource.

    Returns:
        what was done; of kind `unparsed_history` and confidence 0 when it is not understood.
    """
    said = _without_performer(" ".join(message.split()), performer)
    for pattern, read in _RULES:
        if found := pattern.match(said):
            deed = read(found)
            is_epic = normalised(type_cell).replace("_", " ").startswith("epic")
            return _as_epic(deed) if is_epic and deed.kind.startswith("story_") else deed
    return Deed(UNPARSED, "", resource="", confidence=0.0)


def _without_performer(message: str, performer: str) -> str:
    name = " ".join(performer.split())
    if name and message.casefold().startswith(name.casefold() + " "):
        return message[len(name) + 1 :]
    return message


def _as_epic(deed: Deed) -> Deed:
    kind = deed.kind.replace("story_", "epic_", 1)
    return Deed(kind, deed.highlight, "epic", deed.change_type, {}, deed.confidence)


def _state(found: re.Match[str]) -> Deed:
    said = found["state"].lower()
    state = "started" if said == "restarted" else said
    confidence = LIKELY if said in ("restarted", "planned", "unscheduled") else RECORDED
    return Deed(
        "story_update_activity", said, values={"current_state": state}, confidence=confidence
    )


def _estimate(found: re.Match[str]) -> Deed:
    values = {"estimate": float(found["points"])}
    return Deed("story_update_activity", "estimated", values=values)


def _no_estimate(found: re.Match[str]) -> Deed:
    values = {"estimate": None}
    return Deed("story_update_activity", found[0], values=values, confidence=LIKELY)


def _owner(key: str) -> Callable[[re.Match[str]], Deed]:
    def read(found: re.Match[str]) -> Deed:
        values = {key: [each.strip() for each in re.split(r",| and ", found["names"])]}
        return Deed("story_update_activity", "edited", values=values, confidence=LIKELY)

    return read


def _created(found: re.Match[str]) -> Deed:
    values = {} if found["type"] == "story" else {"story_type": found["type"].lower()}
    return Deed("story_create_activity", found[1].lower(), "story", "create", values)


def _plain(
    kind: str, resource: str = "story", change_type: str = "update", confidence: float = RECORDED
) -> Callable[[re.Match[str]], Deed]:
    def read(found: re.Match[str]) -> Deed:
        return Deed(kind, found[1].lower(), resource, change_type, {}, confidence)

    return read


def _rules(
    *pairs: tuple[str, Callable[[re.Match[str]], Deed]],
) -> list[tuple[re.Pattern[str], Callable[[re.Match[str]], Deed]]]:
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
