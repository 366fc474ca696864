"""The life cycle of stories: created, groomed, started, delivered, accepted or rejected."""

from __future__ import annotations

from simulator import story_actions, words
from simulator.crew import Crew, Process
from simulator.entities import IN_PROGRESS, Story
from simulator.instants import DAY, HOUR, MINUTE
from simulator.priorities import first_idle_index
from simulator.shifts import NEVER

# ---------------------------------------------------------------------- writing stories


def product_manager(crew: Crew) -> Process:
    """Create all of a team's stories: an initial backlog, then some every day."""
    stock = max(crew.story_count // 12, min(crew.story_count, 4))
    span = crew.shifts.seconds
    instants = [int(crew.rng.random() * span * 0.02) for _ in range(stock)]
    instants += [int(crew.rng.random() * span) for _ in range(crew.story_count - stock)]
    imported = 12 if crew.team.imports and crew.story_count > 60 else 0
    for each in sorted(instants)[imported:]:
        # The simulation ends during the last working day: create that day's remaining stories now.
        at = min(crew.shifts.at(each), crew.simulation.until)
        if at > crew.now:
            yield at
        story = _write(crew)
        if story.story_type == "release":
            crew.simulation.spawn(releasing(crew, story), crew.later(3))
        elif story.current_state in IN_PROGRESS:
            crew.simulation.spawn(resuming(crew, story), crew.later(1))
        else:
            crew.simulation.spawn(grooming(crew, story), crew.later(2))


def importer(crew: Crew) -> Process:
    """Import stories from an older system, accepted before they were created here."""
    if crew.story_count > 60:
        for each in range(12):
            accepted_at = crew.now - (6 + 4 * each) * DAY - crew.rng.randrange(6 * HOUR)
            crew.workspace.create_story(
                crew.project.id,
                words.story_name(crew.rng, crew.team.words, "feature"),
                current_state="accepted",
                accepted_at=accepted_at,
                estimate=crew.rng.choice(crew.team.points),
                external_id=f"OLD-{100 + each}",
                labels=["imported"],
                by=crew.manager(),
            )
    yield NEVER


def _write(crew: Crew) -> Story:
    """Create one story: mostly rough and unscheduled, sometimes already in progress."""
    rng = crew.rng
    story_type = rng.choices(("feature", "bug", "chore", "release"), (58, 24, 15.5, 2.5))[0]
    values: dict[str, object] = {}
    state = "unscheduled" if crew.chance(0.8) else "unstarted"
    if story_type == "release":
        state = "unstarted" if crew.chance(0.9) else "unscheduled"
        if crew.chance(0.7):
            values["deadline"] = crew.now + rng.randrange(14, 70) * DAY
    elif story_type != "chore" and crew.chance(0.03):
        state = rng.choice(("started", "started", "finished", "delivered"))
        values["estimate"] = crew.points(story_type)
        values["owner_ids"] = [rng.choice(crew.developers)]
    if crew.chance(0.7):
        values["description"] = words.description(rng, crew.team.words)
    if crew.chance(0.3):
        values["story_priority"] = rng.choice(("p0", "p1", "p2", "p2", "p3", "p3"))
    labels = [crew.label() for _ in range(rng.choice((0, 0, 0, 1, 1, 2)))]
    return crew.workspace.create_story(
        crew.project.id,
        words.story_name(rng, crew.team.words, story_type),
        story_type,
        current_state=state,
        labels=labels,
        by=crew.manager() if crew.chance(0.75) else crew.anybody(),
        **values,
    )


# ---------------------------------------------------------------------- grooming


def grooming(crew: Crew, story: Story) -> Process:
    """Discuss a story, estimate it and schedule it, or leave it in the icebox."""
    for action, probability in story_actions.GROOMING:
        if crew.has(story) and crew.chance(probability):
            action(crew, story, crew.anybody())
            yield crew.later(0.15)
    if not crew.has(story) or (story.current_state == "unscheduled" and crew.chance(0.16)):
        return
    if story.current_state == "unscheduled":
        _schedule(crew, story)
        yield crew.later(0.3)
    if crew.has(story) and story.estimate is None and story.current_state == "unstarted":
        points = crew.points(story.story_type)
        if points is not None:
            crew.workspace.estimate_story(story.id, points, by=crew.anybody())
    yield crew.later(1.5)
    if crew.chance(0.5) and _is_in_backlog(crew, story):
        _reprioritize(crew, story)
    yield crew.later(2)
    if crew.chance(0.07) and _is_in_backlog(crew, story):
        crew.workspace.move_story(story.id, panel="icebox", by=crew.manager())
        yield crew.later(8)
        if crew.chance(0.7) and crew.has(story) and story.current_state == "unscheduled":
            _schedule(crew, story)


def _is_in_backlog(crew: Crew, story: Story) -> bool:
    return crew.has(story) and story.current_state in {"unstarted", "planned"}


def _schedule(crew: Crew, story: Story) -> None:
    """Move a story out of the icebox: mostly by dragging, sometimes by editing it."""
    if crew.chance(0.25):
        crew.workspace.change_state(story.id, "unstarted", by=crew.manager())
        return
    length = len(crew.project.active)
    urgent = story.story_type == "bug" and crew.chance(0.5)
    idle = first_idle_index(crew.project, crew.workspace.stories)
    index = idle if urgent else crew.rng.randint((idle + length) // 2, length)
    crew.workspace.move_story(story.id, panel="active", index=index, by=crew.manager())


def _reprioritize(crew: Crew, story: Story) -> None:
    active = crew.project.active
    index = crew.rng.randrange(len(active))
    if active[index] != story.id:
        crew.workspace.move_story(story.id, index=index, by=crew.manager())


# ---------------------------------------------------------------------- working


def developer(crew: Crew, person_id: int) -> Process:
    """Take a story from the backlog, work on it until it is delivered, then take the next one."""
    while True:
        yield crew.later(0.2)
        story = crew.next_story()
        if story is not None:
            yield from _take(crew, story, person_id)


def planner(crew: Crew) -> Process:
    """With manual planning, move the top of the backlog into the current iteration."""
    while True:
        stories = crew.workspace.stories
        wanted = len(crew.developers) + 2
        for story_id in list(crew.project.active):
            story = stories[story_id]
            ready = story.story_type != "release" and not story.needs_estimate
            if story.current_state == "planned":
                wanted -= 1
            elif wanted > 0 and story.current_state == "unstarted" and ready:
                crew.workspace.change_state(story_id, "planned", by=crew.manager())
                wanted -= 1
        yield crew.later(2)


def _take(crew: Crew, story: Story, person_id: int) -> Process:
    """Start a story, mostly as owner; a few are accepted or delivered without being started."""
    if crew.chance(0.02) and not story.needs_estimate:
        crew.workspace.change_state(story.id, "accepted", by=crew.manager())
        return
    if story.needs_estimate:
        crew.workspace.estimate_story(story.id, crew.points("feature"), by=person_id)
        yield crew.now + MINUTE
        if not _is_in_backlog(crew, story):
            return
    owners = list(dict.fromkeys([person_id, *story.owner_ids]))
    if crew.chance(0.4) and owners != story.owner_ids:
        crew.workspace.update_story(story.id, owner_ids=owners, by=person_id)
    state = "started"
    if story.story_type != "chore" and crew.chance(0.02):
        state = crew.rng.choice(("finished", "delivered"))
    crew.workspace.update_story(story.id, current_state=state, owner_ids=owners, by=person_id)
    if state == "started":
        yield from _work(crew, story, person_id, crew.duration(story))
    yield from _hand_over(crew, story, person_id)


def _work(crew: Crew, story: Story, person_id: int, seconds: int) -> Process:
    """Work on a started story, with the events that happen meanwhile."""
    events = [action for action, probability in story_actions.WORKING if crew.chance(probability)]
    if crew.chance(0.06):
        events.insert(crew.rng.randrange(len(events) + 1), _pause)
    step = seconds // (len(events) + 1)
    for action in events:
        yield crew.shifts.later(crew.now, step)
        if not crew.has(story) or story.current_state != "started":
            return
        action(crew, story, person_id)
        if story.current_state == "unstarted":
            yield crew.later(1.5)
            if crew.has(story) and story.current_state == "unstarted" and not story.needs_estimate:
                crew.workspace.change_state(story.id, "started", by=person_id)
    yield crew.shifts.later(crew.now, step)


def _pause(crew: Crew, story: Story, person_id: int) -> None:
    crew.workspace.change_state(story.id, "unstarted", by=person_id)


def _hand_over(crew: Crew, story: Story, person_id: int) -> Process:
    """Finish and deliver a story; a chore is accepted by its developer."""
    if crew.has(story) and story.current_state == "started":
        if story.story_type == "chore":
            crew.workspace.change_state(story.id, "accepted", by=person_id)
            crew.simulation.spawn(after_acceptance(crew, story), crew.later(1))
            return
        crew.workspace.change_state(story.id, "finished", by=person_id)
        if not crew.chance(0.06):  # otherwise delivered in the same second
            yield crew.later(0.5)
    if crew.has(story) and story.current_state == "finished":
        crew.workspace.change_state(story.id, "delivered", by=person_id)
    if crew.has(story) and story.current_state == "delivered":
        crew.simulation.spawn(acceptance(crew, story), crew.later(1.2))


def resuming(crew: Crew, story: Story) -> Process:
    """Continue a story that was moved to the team while in progress."""
    person_id = story.owner_ids[0] if story.owner_ids else crew.rng.choice(crew.developers)
    if crew.has(story) and story.current_state == "rejected":
        yield from _rework(crew, story)
    elif crew.has(story) and story.current_state == "started":
        yield from _work(crew, story, person_id, crew.duration(story) // 2)
    yield from _hand_over(crew, story, person_id)


# ---------------------------------------------------------------------- acceptance


def acceptance(crew: Crew, story: Story) -> Process:
    """Accept a delivered story, or reject it and have it reworked."""
    while crew.has(story) and story.current_state == "delivered":
        if not crew.chance(crew.team.rejects):
            crew.workspace.change_state(story.id, "accepted", by=crew.manager())
            crew.simulation.spawn(after_acceptance(crew, story), crew.later(1))
            return
        why = words.reason(crew.rng, crew.team.words)
        with_comment = crew.chance(0.6)
        crew.workspace.change_state(
            story.id, "rejected", by=crew.manager(), comment=why if with_comment else None
        )
        if not with_comment and crew.chance(0.6):
            crew.workspace.add_comment(story.id, why, at=crew.now + 20, by=crew.manager())
        if crew.chance(0.04):
            return
        yield crew.later(0.8)
        yield from _rework(crew, story)


def _rework(crew: Crew, story: Story) -> Process:
    """Restart a rejected story and deliver it again."""
    person_id = story.owner_ids[0] if story.owner_ids else crew.rng.choice(crew.developers)
    for state, wait in (("started", 0.8), ("finished", 0.1), ("delivered", 0.5)):
        if not crew.has(story) or story.current_state in {"accepted", "unscheduled", state}:
            return
        crew.workspace.change_state(story.id, state, by=person_id)
        yield crew.later(wait)


def after_acceptance(crew: Crew, story: Story) -> Process:
    """Change accepted stories: comments, corrections, and sometimes a reopened story."""
    if crew.has(story) and crew.chance(0.15):
        story_actions.add_comment(crew, story, crew.anybody())
    yield crew.now + crew.rng.randrange(MINUTE, 9 * DAY)  # at any time of day, including weekends
    if not crew.has(story) or story.current_state != "accepted":
        return
    if crew.chance(0.03):
        story_actions.estimate(crew, story, crew.manager())
    if crew.chance(0.02):
        story_actions.correct_comment(crew, story, crew.manager())
    if crew.chance(0.035):
        state = "started" if story.story_type == "chore" or crew.chance(0.4) else "rejected"
        crew.workspace.change_state(story.id, state, by=crew.manager())
        if crew.chance(0.7):
            yield crew.later(1)
            yield from resuming(crew, story)


# ---------------------------------------------------------------------- releases


def releasing(crew: Crew, story: Story) -> Process:
    """Accept a release once no unstarted story is above its marker."""
    while crew.has(story) and story.current_state != "accepted":
        if story.current_state == "unstarted":
            idle = first_idle_index(crew.project, crew.workspace.stories)
            if crew.project.active[idle : idle + 1] == [story.id] and crew.chance(0.5):
                crew.workspace.change_state(story.id, "accepted", by=crew.manager())
        yield crew.later(1.5)
