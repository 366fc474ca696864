"""Count the odd cases in a simulated workspace that a warehouse must handle."""

from collections import Counter
from itertools import pairwise

from simulator.entities import IN_PROGRESS
from simulator.instants import iso

WEEKEND_DAYS = {"2024-03-09", "2024-06-15", "2024-09-21", "2025-02-01"}


def oddities(workspace):
    stories = [*workspace.stories.values(), *workspace.deleted_stories.values()]
    return (
        of_histories(stories)
        | of_the_log(workspace)
        | of_moves_and_deletions(workspace)
        | of_edits(workspace)
        | of_parts(stories)
        | of_stories(stories, workspace.now)
        | of_projects(workspace)
    )


def of_histories(stories):
    paths = [(story, [row.state for row in story.transitions]) for story in stories]
    pairs = [(story, *pair) for story in stories for pair in pairwise(story.transitions)]
    left = [story for story, before, _ in pairs if before.state == "accepted"]
    return {
        "rejected": sum("rejected" in path for _, path in paths),
        "rejected twice": sum(path.count("rejected") > 1 for _, path in paths),
        "unaccepted": len(left),
        "accepted again": sum(path.count("accepted") > 1 for _, path in paths),
        "never accepted again": sum(story.current_state != "accepted" for story in left),
        "restarted": sum(
            (one.state, two.state) == ("started", "unstarted") for _, one, two in pairs
        ),
        "accepted directly": sum(path[-2:] == ["unstarted", "accepted"] for _, path in paths),
        "never in progress": sum(
            story.current_state == "accepted" and not IN_PROGRESS & set(path)
            for story, path in paths
        ),
        "two in one second": sum(one.occurred_at == two.occurred_at for _, one, two in pairs),
        "planned": sum("planned" in path for _, path in paths),
    }


def of_the_log(workspace):
    kinds = Counter(activity.kind for activity in workspace.activities)
    logged = {
        "edited comments": "comment_update",
        "deleted comments": "comment_delete",
        "deleted blockers": "blocker_delete",
        "deleted reviews": "review_delete",
        "deleted tasks": "task_delete",
        "renamed labels": "label_update",
        "deleted labels": "label_delete",
        "merged labels": "label_merge",
        "edited epics": "epic_update",
        "deleted epics": "epic_delete",
        "changed settings": "project_update",
        "members who joined": "project_membership_create",
        "members who left": "project_membership_update",
    }
    return {name: kinds[f"{kind}_activity"] for name, kind in logged.items()} | {
        "rejected with a comment": sum(
            {"comment", "story"} <= {change.kind for change in activity.changes}
            for activity in workspace.activities
            if activity.highlight == "rejected"
        ),
        "weekend work": sum(
            iso(activity.occurred_at)[:10] in WEEKEND_DAYS for activity in workspace.activities
        ),
    }


def of_moves_and_deletions(workspace):
    deletions = [
        activity for activity in workspace.activities if activity.kind == "story_delete_activity"
    ]
    moved = [
        story
        for story in workspace.stories.values()
        if any(each.kind == "story_move_into_project_activity" for each in story.activities)
    ]
    deleted = workspace.deleted_stories.values()
    return {
        "moved while accepted": sum(
            story.accepted_at is not None and story.flow[-1].occurred_at > story.accepted_at
            for story in moved
        ),
        "moved while in progress": sum(
            {row.project_id for row in story.transitions if row.state in IN_PROGRESS}
            > {story.project_id}
            for story in moved
        ),
        "deleted alone": sum(len(each.primary) == 1 for each in deletions),
        "deleted together": sum(len(each.primary) > 2 for each in deletions),
        "deleted in progress": sum(story.current_state in IN_PROGRESS for story in deleted),
        "deleted when accepted": sum(story.accepted_at is not None for story in deleted),
    }


def of_edits(workspace):
    changes = [
        (activity, change)
        for activity in workspace.activities
        for change in activity.changes
        if change.kind == "story" and change.new is not None
    ]
    created = [change.new for _, change in changes if change.change_type == "create"]
    updates = [pair for pair in changes if pair[1].change_type == "update"]

    def re_estimated(activity, change):
        story = workspace.stories.get(change.id)
        if story is None or "estimate" not in change.new or story.accepted_at is None:
            return False
        return story.accepted_at < activity.occurred_at

    return {
        "created in progress": sum(each["current_state"] in IN_PROGRESS for each in created),
        "created delivered": sum(each["current_state"] == "delivered" for each in created),
        "estimate cleared by type": sum(
            "story_type" in change.new and change.new.get("estimate", 0) is None
            for _, change in updates
        ),
        "estimated after acceptance": sum(re_estimated(*pair) for pair in updates),
        "dragged to the icebox": sum(
            activity.kind == "story_move_activity"
            and change.new.get("current_state") == "unscheduled"
            for activity, change in updates
        ),
        "owner removed": sum(
            len(change.new.get("owner_ids", ())) < len(change.original.get("owner_ids", ()))
            for _, change in updates
        ),
    }


def of_parts(stories):
    comments = [comment.text for story in stories for comment in story.comments]
    blockers = [blocker for story in stories for blocker in story.blockers]
    reviews = [review for story in stories for review in story.reviews]
    tasks = [task for story in stories for task in story.tasks]
    statuses = Counter(review.status for review in reviews)
    return {
        "long comments": sum(len(text) > 4000 for text in comments),
        "emoji": sum("✅" in text for text in comments),
        "right to left": sum("يرجى" in text for text in comments),
        "quotes": sum('"' in text for text in comments),
        "newlines": sum("\n" in text for text in comments),
        "resolved blockers": sum(blocker.resolved for blocker in blockers),
        "open blockers": sum(not blocker.resolved for blocker in blockers),
        "unstarted reviews": statuses["unstarted"],
        "reviews under way": statuses["in_review"],
        "passed reviews": statuses["pass"],
        "reviews to revise": statuses["revise"],
        "reviews without a reviewer": sum(review.reviewer_id is None for review in reviews),
        "completed tasks": sum(task.complete for task in tasks),
        "open tasks": sum(not task.complete for task in tasks),
    }


def of_stories(stories, now):
    releases = [story for story in stories if story.story_type == "release"]
    dated = [release for release in releases if release.deadline is not None]
    return {
        "long descriptions": sum(len(story.description) > 4000 for story in stories),
        "several owners": sum(len(story.owner_ids) > 1 for story in stories),
        "imported": sum((story.accepted_at or now) < story.created_at for story in stories),
        "fractions": sum(isinstance(story.estimate, float) for story in stories),
        "zero points": sum(story.estimate == 0 for story in stories),
        "estimated bugs": sum(story.story_type == "bug" and story.points > 0 for story in stories),
        "late releases": sum(each.deadline < (each.accepted_at or now) for each in dated),
        "accepted releases": sum(each.accepted_at is not None for each in releases),
        "unscheduled releases": sum(each.current_state == "unscheduled" for each in releases),
        "open releases": sum(each.current_state == "unstarted" for each in releases),
    }


def of_projects(workspace):
    projects = workspace.projects.values()
    overrides = [each for project in projects for each in project.overrides.values()]
    return {
        "long iterations": sum((each.length or 0) > 1 for each in overrides),
        "weak iterations": sum(0 < each.team_strength < 1 for each in overrides),
        "strong iterations": sum(each.team_strength > 1 for each in overrides),
        "iterations without a team": sum(each.team_strength == 0 for each in overrides),
        "epics with comments": sum(bool(epic.comments) for epic in workspace.epics.values()),
    }
