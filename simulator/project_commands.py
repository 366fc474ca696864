"""Commands on projects: epics, settings, memberships, iteration overrides."""

from __future__ import annotations

from simulator.activities import Activity, Change
from simulator.core import CommandError, changed_values, command, note_update
from simulator.entities import Comment, Epic, Membership, Override
from simulator.part_commands import PartCommands

_COLORS = ("8100ea", "e46642", "00a3d6", "3cb371", "d6a800", "555555")
_ROLES = ("owner", "member", "viewer", "inactive")
SETTINGS = frozenset({
    "name", "description", "iteration_length", "week_start_day", "point_scale",
    "point_scale_is_custom", "bugs_and_chores_are_estimatable", "automatic_planning",
    "enable_tasks", "time_zone", "velocity_averaged_over", "number_of_done_iterations_to_show",
    "initial_velocity", "public", "start_date",
})  # fmt: skip


class ProjectCommands(PartCommands):
    """Commands on epics, settings, memberships and iterations."""

    @command
    def create_epic(
        self,
        project_id: int,
        name: str,
        *,
        at: int,
        by: int,
        label: str | None = None,
        description: str = "",
    ) -> Epic:
        """Create an epic with a label (default: its name), which is created if missing."""
        project = self.project(project_id)
        wanted = project.label_ids_by_name.get((label or name).strip().lower())
        if wanted and any(self.epics[each].label_id == wanted for each in project.epics):
            raise CommandError(f"label {wanted} belongs to an epic already")
        label_id = self._label_ids(project, [label or name], at=at, by=by)[0]
        epic = Epic(self._next_id("epic"), project_id, name, description, label_id, at, at)
        self.epics[epic.id] = epic
        self.epic_names[epic.id] = name
        project.epics.append(epic.id)
        values: dict[str, object] = {"id": epic.id, "project_id": project_id, "name": name}
        values |= {"description": description} if description else {}
        values |= {"label_id": label_id, "comment_ids": [], "follower_ids": []}
        values |= {"created_at": at, "updated_at": at}
        change = Change("epic", "create", epic.id, None, values)
        self._log(epic, "epic_create", "added this epic", "added", [change], at, by)
        return epic

    @command
    def update_epic(self, epic_id: int, *, at: int, by: int, **values: object) -> Activity:
        """Change an epic's `name` or `description`."""
        epic = self.epic(epic_id)
        if unknown := values.keys() - {"name", "description"}:
            raise CommandError(f"an epic has no {', '.join(sorted(unknown))}")
        original, new = changed_values(epic, values)
        if not new:
            raise CommandError(f"nothing changes on epic {epic_id}")
        note_update(epic, original, new, at)
        self.epic_names[epic_id] = epic.name
        change = Change("epic", "update", epic_id, original, new)
        return self._log(epic, "epic_update", "edited this epic", "edited", [change], at, by)

    @command
    def delete_epic(self, epic_id: int, *, at: int, by: int) -> Activity:
        """Delete an epic; its label stays on its stories."""
        epic = self.epic(epic_id)
        change = Change("epic", "delete", epic_id, None, None)
        self.projects[epic.project_id].epics.remove(epic_id)
        del self.epics[epic_id]
        return self._log(epic, "epic_delete", "deleted this epic", "deleted", [change], at, by)

    @command
    def add_epic_comment(self, epic_id: int, text: str, *, at: int, by: int) -> Comment:
        """Comment on an epic."""
        epic = self.epic(epic_id)
        changes = [self._new_comment(epic, text, at, by), *self._note_change(epic, at)]
        wording = "added comment:"
        self._log(epic, "comment_create", wording, wording, changes, at, by, quoted=text)
        return epic.comments[-1]

    @command
    def update_project(self, project_id: int, *, at: int, by: int, **settings: object) -> Activity:
        """Change settings of a project; a new start day or date removes all overrides."""
        project = self.project(project_id)
        if unknown := settings.keys() - SETTINGS:
            raise CommandError(f"a project has no {', '.join(sorted(unknown))}")
        if project.bugs_and_chores_are_estimatable and not settings.get(
            "bugs_and_chores_are_estimatable", True
        ):
            raise CommandError("estimation of bugs and chores cannot be switched off again")
        original, new = changed_values(project, settings)
        if not new:
            raise CommandError(f"nothing changes on project {project_id}")
        if new.keys() & {"week_start_day", "start_date"}:
            project.overrides = {}
        note_update(project, original, new, at)
        change = Change("project", "update", project_id, original, new)
        wording = "edited this project's settings"
        return self._log(project, "project_update", wording, "edited", [change], at, by)

    @command
    def add_member(
        self, project_id: int, person_id: int, role: str = "member", *, at: int, by: int
    ) -> Membership:
        """Add a person to a project."""
        project = self.project(project_id)
        if person_id in project.memberships or person_id not in self.people:
            raise CommandError(f"person {person_id} cannot join project {project_id}")
        membership = self._join(project_id, person_id, role, at)
        values: dict[str, object] = {"id": membership.id, "project_id": project_id}
        values |= {"person_id": person_id, "role": role, "created_at": at, "updated_at": at}
        change = Change("project_membership", "create", membership.id, None, values)
        kind, wording = "project_membership_create", "added a member:"
        name = self.people[person_id].name
        self._log(membership, kind, wording, "added", [change], at, by, quoted=name)
        return membership

    @command
    def change_role(
        self, project_id: int, person_id: int, role: str, *, at: int, by: int
    ) -> Activity:
        """Change a member's role; `inactive` means that the person has left."""
        project = self.project(project_id)
        if role not in _ROLES or person_id not in project.memberships:
            raise CommandError(f"person {person_id} cannot become {role} of {project_id}")
        membership = project.memberships[person_id]
        original, new = changed_values(membership, {"role": role})
        if not new:
            raise CommandError(f"person {person_id} is {role} already")
        note_update(membership, original, new, at)
        change = Change("project_membership", "update", membership.id, original, new)
        kind, wording = "project_membership_update", "changed the role of"
        name = self.people[person_id].name
        return self._log(membership, kind, wording, "edited", [change], at, by, quoted=name)

    @command
    def set_iteration_override(
        self,
        project_id: int,
        number: int,
        *,
        at: int,
        by: int,
        length: int | None = None,
        team_strength: float = 1,
    ) -> Activity:
        """Override an iteration's length (weeks) or team strength; later iterations shift.

        Raises:
            CommandError: for a length outside 1-99, a strength below 0, or a future iteration.
        """
        project = self.project(project_id)
        if (length is not None and not 1 <= length <= 99) or team_strength < 0:
            raise CommandError("an iteration has 1 to 99 weeks and a strength of 0 or more")
        if not 1 <= number <= self.calendar(project_id, at).current.number:
            raise CommandError("only current and done iterations have overrides")
        old = project.overrides.get(number, Override(None, 1))
        new = Override(length, team_strength)
        if old == new:
            raise CommandError(f"nothing changes on iteration {number}")
        project.overrides[number] = new
        before = {"length": old.length or "default", "team_strength": old.team_strength}
        after = {"length": new.length or "default", "team_strength": new.team_strength}
        changed = [key for key in before if before[key] != after[key]]
        change = Change(
            "iteration",
            "update",
            number,
            {key: before[key] for key in changed},
            {key: after[key] for key in changed},
        )
        kind, wording = "iteration_update", f"edited iteration {number}"
        primary = (("iteration", number),)
        return self._log(project, kind, wording, "edited", [change], at, by, primary=primary)

    # ------------------------------------------------------------------ shared by the commands

    def _join(self, project_id: int, person_id: int, role: str, at: int) -> Membership:
        if role not in _ROLES:
            raise CommandError(f"no role {role}")
        number = self._next_id("membership")
        color = _COLORS[number % len(_COLORS)]
        membership = Membership(number, project_id, person_id, role, color, at, at)
        self.projects[project_id].memberships[person_id] = membership
        return membership
