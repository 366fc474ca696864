"""The texts of the simulated teams: names, stories, comments, tasks, reasons.

Sentences use each team's own vocabulary, so that the demo looks plausible. Some contain characters
that are hard for a warehouse: accents, emoji, right-to-left text, quotes, line breaks, and very
long texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

FIRST_NAMES = (
    "Ada", "Björn", "Chidi", "Dolores", "Élodie", "Farid", "Grace", "Hanna", "Ilse", "Jamal",
    "Kavya", "Linh", "Marek", "Noémie", "Olu", "Priya", "Quentin", "Rosa", "Søren", "Tomás",
    "Ursula", "Víctor", "Wen", "Ximena", "Yusuf", "Zofia", "Aoife", "Dmytro", "İpek", "Łukasz",
)  # fmt: skip
LAST_NAMES = (
    "Obi", "Lindström", "Nakamura", "García", "Weiß", "Haddad", "O'Brien", "Novák", "Ferrari",
    "Iyer", "Nguyễn", "Kowalska", "Dupont-Moreau", "Andersen", "Okafor", "Peters", "Rao",
    "Silva", "Tanaka", "Ueda", "van den Berg", "Wójcik", "Yılmaz", "Zhou", "MacLeod", "Bauer",
    "Costa", "Petrov", "Said", "Murphy",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The vocabulary of one team."""

    actors: tuple[str, ...]
    things: tuple[str, ...]
    verbs: tuple[str, ...]
    places: tuple[str, ...]
    systems: tuple[str, ...]


_CONDITIONS = (
    "on slow connections", "when offline", "by date range", "in bulk", "from the home page",
    "with the keyboard only", "in dark mode", "for several accounts", "after signing in",
    "without leaving the page", "per team", "in the local currency", "with a screen reader",
    "on small screens", "before the trial ends", "as a draft",
)  # fmt: skip
_FAULTS = (
    "shows yesterday's figures", "times out under load", "loses its sort order",
    "is empty after a refresh", "accepts negative amounts", "breaks for names with accents",
    "is an hour off after the clocks change", "sends the e-mail twice", "ignores the filter",
    "overflows on narrow screens", "returns an error for “smart quotes”", "flickers on load",
    "counts archived entries", "cannot be closed with Escape",
)  # fmt: skip
_CHORES = (
    "Upgrade {system} to the next major version", "Rotate the credentials of {system}",
    "Move {system} to the new cluster", "Add alerts for {system}", "Write a runbook for {system}",
    "Remove dead feature flags around {thing}", "Archive old {thing} records",
    "Speed up the tests of {system}", "Document how {thing} data flows", "Load-test {system}",
)  # fmt: skip
_RELEASES = (
    "Version {number}.0", "Version {number}.{number}: {thing}", "{thing} for pilot customers",
    "Public beta of {thing}", "Demo day: {thing}", "Hotfix {thing}",
)  # fmt: skip
_EPICS = ("A better {thing}", "{thing} 2.0", "{thing} for teams", "Goodbye, old {thing}")
_UNUSUAL_NAMES = (
    "Support العربية in {thing} export", "Rename “{thing}” to 'Übersicht' — everywhere",
    "{thing}: 日本語 search returns nothing", "🚀 Launch {thing} for everyone",
    "Copy \\n in {thing} is shown literally", "{thing}, {place}, and \"the rest\"",
)  # fmt: skip
_COMMENTS = (
    "Looks good to me.", "Can we talk about this at stand-up?", "Pushed a first cut to staging.",
    "I could not reproduce this on {system}.", "Added screenshots of {place}.",
    "Waiting for an answer from legal.", "This touches {thing} as well, careful.",
    "Deployed to acceptance, please have a look.", "Split the second half into its own story.",
    "The numbers of {thing} match now.", "Paired on this with the {place} team.",
    "We agreed to keep it simple: no settings for now.", "Ready when {system} is back.",
)  # fmt: skip
_UNUSUAL_COMMENTS = (
    "Done ✅ – merci à tous 🎉", "يرجى مراجعة {thing} قبل الإصدار", "See \"{thing}\" & <{place}>",
    "Steps:\n1. Open {place}\n2. Choose {thing}\n3. Nothing happens\n\nExpected: it opens.",
    "注意: {system} は停止中です", "It's O'Brien's account; see #186000001.", "=SUM(1,2)?",
)  # fmt: skip
_REASONS = (
    "Does not work {condition}.", "The text in {place} is still the old one.",
    "Fails for {thing} with more than 100 entries.", "Please also cover {condition}.",
    "Close, but {thing} must stay sorted.\n\nRest is fine!",
)  # fmt: skip
_TASKS = (
    "Write the migration", "Agree on wording with support", "Cover {condition}",
    "Update the API description", "Add a metric for {thing}", "Check with {actor}",
    "Remove the old code path", "Try it on {system}",
)  # fmt: skip
_BLOCKERS = (
    "Waiting for access to {system}", "Blocked by #{number}", "Design for {place} is missing",
    "Vendor has to confirm {thing}", "Needs a decision on {condition}",
)  # fmt: skip
_STORY_LABELS = (
    "needs discussion", "tech debt", "quick win", "customer request", "regression", "security",
    "performance", "accessibility", "design", "q3 goals", "spike", "mobile", "api", "compliance",
)  # fmt: skip


def story_name(rng: Random, words: Vocabulary, story_type: str) -> str:
    """Return a name for a story of a type."""
    thing, place = rng.choice(words.things), rng.choice(words.places)
    if story_type == "release":
        return rng.choice(_RELEASES).format(thing=thing, number=rng.randrange(2, 9))
    if rng.random() < 0.02:
        return rng.choice(_UNUSUAL_NAMES).format(thing=thing, place=place)
    if story_type == "bug":
        subject = thing if rng.random() < 0.6 else f"{place} {thing}"
        return f"{subject[0].upper()}{subject[1:]} {rng.choice(_FAULTS)}"
    if story_type == "chore":
        return rng.choice(_CHORES).format(system=rng.choice(words.systems), thing=thing)
    name = f"{rng.choice(words.actors)} can {rng.choice(words.verbs)} {thing}"
    return f"{name} {rng.choice(_CONDITIONS)}" if rng.random() < 0.5 else f"{name} in {place}"


def epic_name(rng: Random, thing: str) -> str:
    """Return a name for an epic about something."""
    name = rng.choice(_EPICS).format(thing=thing)
    return name[0].upper() + name[1:]


def description(rng: Random, words: Vocabulary) -> str:
    """Return a story's description, sometimes a very long one."""
    actor, thing = rng.choice(words.actors), rng.choice(words.things)
    lines = [
        f"As a {actor.lower()} I want to {rng.choice(words.verbs)} {thing}",
        f"so that {rng.choice(words.places)} stays useful {rng.choice(_CONDITIONS)}.",
    ]
    if rng.random() < 0.3:
        lines += ["", "Acceptance:"]
        lines += [f"* works {rng.choice(_CONDITIONS)}" for _ in range(rng.randrange(1, 5))]
    if rng.random() < 0.01:
        lines += [f"{index}. {comment(rng, words)}" for index in range(1, 120)]
    return "\n".join(lines)


def comment(rng: Random, words: Vocabulary) -> str:
    """Return a comment."""
    chance = rng.random()
    pool = _UNUSUAL_COMMENTS if chance < 0.06 else _COMMENTS
    text = _filled(rng, rng.choice(pool), words)
    if chance > 0.995:
        text = "\n\n".join(_filled(rng, each, words) for each in _COMMENTS * 12)
    return text


def reason(rng: Random, words: Vocabulary) -> str:
    """Return the reason of a rejection."""
    return _filled(rng, rng.choice(_REASONS), words)


def task(rng: Random, words: Vocabulary) -> str:
    """Return a task."""
    return _filled(rng, rng.choice(_TASKS), words)


def blocker(rng: Random, words: Vocabulary, other_story_id: int) -> str:
    """Return a blocker's text, which sometimes refers to another story."""
    return _filled(rng, rng.choice(_BLOCKERS), words, other_story_id)


def label(rng: Random) -> str:
    """Return a label that any team might use."""
    # Squaring makes the first labels frequent and the last ones rare.
    return _STORY_LABELS[int(len(_STORY_LABELS) * rng.random() ** 2)]


def _filled(rng: Random, template: str, words: Vocabulary, number: int = 0) -> str:
    if "{" not in template:
        return template
    return template.format(
        actor=rng.choice(words.actors),
        thing=rng.choice(words.things),
        place=rng.choice(words.places),
        system=rng.choice(words.systems),
        condition=rng.choice(_CONDITIONS),
        number=number,
    )
