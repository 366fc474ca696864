"""After any commands the workspace is consistent; refused commands change nothing."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from simulator import CommandError, Workspace
from simulator.counts import NO_COUNTS, counts_moved
from simulator.entities import STATES, STORY_TYPES

COMMANDS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "create", "state", "state", "state", "estimate", "type", "move", "icebox", "delete",
                "away", "label", "unlabel", "merge", "drop_label", "override", "comment", "wait",
            )  # fmt: skip
        ),
        st.integers(0, 7),
        st.integers(0, 7),
    ),
    max_size=60,
)  # fmt: skip


def apply(workspace, name, first, second):
    """Run one command, selected by two small numbers."""
    project_ids = list(workspace.projects)
    project = workspace.projects[project_ids[first % 2]]
    ids = list(workspace.stories)
    story_id = ids[first % len(ids)] if ids else 0
    labels = list(project.labels)
    label_id = labels[first % len(labels)] if labels else 0
    other_id = labels[second % len(labels)] if labels else 0
    commands = {
        "create": lambda: workspace.create_story(
            project.id,
            f"Story {len(ids)}",
            STORY_TYPES[first % 4],
            current_state=STATES[second],
            estimate=second % 4 if first % 4 == 0 else None,
            labels=[f"label {second % 3}"] if second % 2 else [],
        ),
        "state": lambda: workspace.change_state(story_id, STATES[second]),
        "estimate": lambda: workspace.estimate_story(story_id, (0, 1, 2, 3, None)[second % 5]),
        "type": lambda: workspace.update_story(story_id, story_type=STORY_TYPES[second % 4]),
        "move": lambda: workspace.move_story(story_id, panel="active", index=second),
        "icebox": lambda: workspace.move_story(story_id, panel="icebox", index=second),
        "delete": lambda: workspace.delete_stories(ids[first : first + second]),
        "away": lambda: workspace.move_to_project(story_id, project_ids[second % 2]),
        "label": lambda: workspace.add_label(story_id, f"label {second}"),
        "unlabel": lambda: workspace.remove_label(story_id, f"label {second}"),
        "merge": lambda: workspace.merge_label(project.id, label_id, other_id),
        "drop_label": lambda: workspace.delete_label(project.id, label_id),
        "override": lambda: workspace.set_iteration_override(
            project.id, first, length=second or None, team_strength=first / 4
        ),
        "comment": lambda: workspace.add_comment(story_id, f"Comment {second}"),
        "wait": lambda: workspace.advance_to(workspace.now + 40_000 * (second + 1)),
    }
    commands[name]()


def snapshot(workspace):
    projects = [
        (p.version, p.story_ids, p.overrides, p.labels) for p in workspace.projects.values()
    ]
    return repr((projects, workspace.stories, len(workspace.activities)))


def check(workspace):
    for project in workspace.projects.values():
        stories = [workspace.stories[story_id] for story_id in project.story_ids]
        assert len(project.activities) == project.version
        assert {story.project_id for story in stories} <= {project.id}
        counts = dict.fromkeys(project.labels, NO_COUNTS)
        flow = Counter()
        for story in stories:
            for label_id in story.label_ids:
                standing = (story.current_state, story.points)
                counts[label_id] = counts_moved(counts[label_id], None, standing)
            assert (story.accepted_at is not None) == (story.current_state == "accepted")
        assert counts == {label.id: label.counts for label in project.labels.values()}
        for change in project.flow:
            flow[change.from_state] -= 1
            flow[change.to_state] += 1
        del flow[None]
        counted = [story for story in stories if story.story_type != "release"]
        assert +flow == Counter(story.current_state for story in counted)
        iterations = workspace.plan(project.id).iterations
        planned = [story_id for iteration in iterations for story_id in iteration.story_ids]
        assert sorted(planned) == sorted({*project.story_ids} - {*project.icebox})
    listed = [each for project in workspace.projects.values() for each in project.story_ids]
    assert sorted(listed) == sorted(workspace.stories)


@given(COMMANDS)
def test_random_histories(commands):
    workspace = Workspace("2025-03-03T09:00:00Z")
    workspace.add_person("Ada Obi")
    workspace.create_project("One", time_zone="Europe/Berlin")
    workspace.create_project("Two", time_zone="Asia/Kolkata", automatic_planning=False)
    for command in commands:
        before = snapshot(workspace)
        try:
            apply(workspace, *command)
        except CommandError:
            assert snapshot(workspace) == before
    check(workspace)
