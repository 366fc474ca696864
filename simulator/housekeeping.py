"""Occasional events in a project: cleaning up, people joining and leaving, unusual weeks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from simulator import words
from simulator.crew import Crew, Process
from simulator.entities import IN_PROGRESS, Story
from simulator.work import resuming

if TYPE_CHECKING:
    from simulator.simulation import Simulation


def housekeeping(crew: Crew) -> Process:
    """About once per working week, trigger one of these events."""
    while True:
        for action, probability in _EVENTS:
            if crew.chance(probability):
                action(crew)
        yield crew.later(5)


def mover(simulation: Simulation) -> Process:
    """Move stories between projects, in whatever state they are."""
    rng, workspace = simulation.rng, simulation.workspace
    pause = 3 * 86_400 * 2000 // max(2000, sum(c.story_count for c in simulation.crews.values()))
    while True:
        yield simulation.now + pause + rng.randrange(36_000)
        crews = list(simulation.crews.values())
        source, target = rng.choice(crews), rng.choice(crews)
        stories = _movable(source, rng.random())
        if source is target or not stories or target.team.ends or target.team.begins > "2024":
            continue
        story = rng.choice(stories)
        workspace.move_to_project(story.id, target.project.id, by=source.manager())
        if story.current_state in IN_PROGRESS:
            simulation.spawn(resuming(target, story), target.later(1))


def _movable(crew: Crew, chance: float) -> list[Story]:
    stories, project = crew.workspace.stories, crew.project
    if chance < 0.25:
        ids = [story_id for _, story_id in project.accepted[-30:]]
    else:
        ids = project.active[:15] if chance < 0.7 else project.icebox[:30]
    found = [stories[each] for each in ids]
    # Imported acceptances would shift the other project's first iteration and renumber all.
    return [each for each in found if each.story_type != "release" and not each.external_id]


def _clear_icebox(crew: Crew) -> None:
    """Delete old stories from the icebox, several in one activity."""
    old = crew.project.icebox[-crew.rng.randrange(3, 18) :]
    if len(crew.project.icebox) > 18:
        crew.workspace.delete_stories(list(old), by=crew.manager())


def _delete_one(crew: Crew) -> None:
    """Delete a random story: waiting, in progress or accepted."""
    project = crew.project
    accepted = [story_id for _, story_id in project.accepted[-40:]]
    pools = [pool for pool in (accepted, project.active[:6], project.icebox) if pool]
    if pools:
        crew.workspace.delete_story(crew.rng.choice(crew.rng.choice(pools)), by=crew.manager())


def _free_labels(crew: Crew) -> list[int]:
    taken = [crew.workspace.epics[each].label_id for each in crew.project.epics]
    return [label_id for label_id in crew.project.labels if label_id not in taken]


def _rename_label(crew: Crew) -> None:
    if labels := _free_labels(crew):
        label_id = crew.rng.choice(labels)
        name = f"{crew.workspace.label_names[label_id]} ★"
        if name not in crew.project.label_ids_by_name and not name.endswith("★ ★"):
            crew.workspace.rename_label(crew.project.id, label_id, name, by=crew.manager())


def _delete_label(crew: Crew) -> None:
    labels = _free_labels(crew)
    if len(labels) > 6:
        label_id = crew.rng.choice(labels)
        crew.workspace.delete_label(crew.project.id, label_id, by=crew.manager())


def _merge_label(crew: Crew) -> None:
    labels = _free_labels(crew)
    if len(labels) > 6:
        label_id, target_id = crew.rng.sample(labels, 2)
        crew.workspace.merge_label(crew.project.id, label_id, target_id, by=crew.manager())


def _comment_on_epic(crew: Crew) -> None:
    if crew.project.epics:
        epic_id = crew.rng.choice(crew.project.epics)
        crew.workspace.add_epic_comment(epic_id, crew.comment(), by=crew.anybody())


def _edit_epic(crew: Crew) -> None:
    if crew.project.epics:
        epic_id, text = crew.rng.choice(crew.project.epics), crew.epic_text()
        if text != crew.workspace.epics[epic_id].description:
            crew.workspace.update_epic(epic_id, description=text, by=crew.manager())


def _new_epic(crew: Crew) -> None:
    label = crew.rng.choice(crew.team.words.things)
    name = words.epic_name(crew.rng, label)
    taken = [crew.workspace.epics[each].label_id for each in crew.project.epics]
    if crew.project.label_ids_by_name.get(label.lower()) not in taken:
        crew.workspace.create_epic(crew.project.id, name, label=label, by=crew.manager())


def _delete_epic(crew: Crew) -> None:
    if len(crew.project.epics) > len(crew.team.epics):
        crew.workspace.delete_epic(crew.project.epics[-1], by=crew.manager())


def _override_iteration(crew: Crew) -> None:
    """Override the length or team strength of the current or a recent iteration."""
    project = crew.project
    number = crew.workspace.calendar(project.id).current.number
    if crew.chance(0.3):
        number = max(number - crew.rng.randrange(3), 1)
    length = crew.rng.choice((None, None, None, 2, 3))
    strength = crew.rng.choice((0, 0.5, 0.5, 0.6, 0.8, 1, 1.5, 1.5))
    if number not in project.overrides and (length or strength != 1):
        crew.workspace.set_iteration_override(
            project.id, number, length=length, team_strength=strength, by=crew.manager()
        )


def _change_people(crew: Crew) -> None:
    """Replace a developer by another person."""
    everybody = list(crew.workspace.people)
    leaver, newcomer = crew.rng.choice(crew.developers), crew.rng.choice(everybody)
    if newcomer in crew.project.memberships or leaver in crew.managers:
        return
    if leaver == crew.workspace.me_id or len(crew.developers) < 2:
        return
    crew.workspace.add_member(crew.project.id, newcomer, by=crew.manager())
    if crew.project.memberships[leaver].role != "inactive":
        crew.workspace.change_role(crew.project.id, leaver, "inactive", by=crew.manager())
    crew.developers[crew.developers.index(leaver)] = newcomer


def _change_settings(crew: Crew) -> None:
    shown = crew.rng.randrange(4, 13)
    if shown != crew.project.number_of_done_iterations_to_show:
        crew.workspace.update_project(
            crew.project.id, number_of_done_iterations_to_show=shown, by=crew.manager()
        )


_EVENTS: tuple[tuple[Callable[[Crew], None], float], ...] = (
    (_clear_icebox, 0.06),
    (_delete_one, 0.16),
    (_rename_label, 0.02),
    (_delete_label, 0.02),
    (_merge_label, 0.035),
    (_comment_on_epic, 0.35),
    (_edit_epic, 0.1),
    (_new_epic, 0.045),
    (_delete_epic, 0.03),
    (_override_iteration, 0.07),
    (_change_people, 0.03),
    (_change_settings, 0.02),
)
