"""The fields of people, memberships and accounts (docs/tracker-api.md, People)."""

from __future__ import annotations

from simulator.entities import Account, Person
from simulator.fields import Selection
from simulator.rendering import (
    Kind,
    Renderer,
    attribute,
    constant,
    dated,
    moment,
    person,
    plain,
    zone_record,
)

PERSON = Kind(
    "person",
    plain("id", "name", "email", "initials", "username"),
    "kind id name email initials username",
)

PROJECT_MEMBERSHIP = Kind(
    "project_membership",
    {"favorite": constant(False)}
    | plain("id", "project_id", "role")
    | {"project_color": attribute("color")}
    | person("person", "person_id")
    | {"wants_comment_notification_emails": constant(True)}
    | {"will_receive_mention_notifications_or_emails": constant(True)}
    | {"last_viewed_at": moment("updated_at")}
    | dated("created_at", "updated_at"),
    "kind id person project_id role project_color favorite last_viewed_at "
    "wants_comment_notification_emails will_receive_mention_notifications_or_emails created_at "
    "updated_at",
)

MEMBERSHIP_SUMMARY = Kind(
    "membership_summary",
    {"favorite": constant(False)}
    | plain("id", "project_id", "role")
    | {"project_name": lambda r, each, n: r.workspace.projects[each.project_id].name}
    | {"project_color": attribute("color"), "last_viewed_at": moment("updated_at")},
    "kind id project_id project_name project_color favorite role last_viewed_at",
)


def _account_projects(renderer: Renderer, account: Account, nested: Selection) -> list[int]:
    projects = renderer.workspace.projects.values()
    return [each.id for each in projects if each.account_id == account.id]


_ACCOUNT_GETTERS = (
    plain("id", "name", "plan", "owner_id")
    | dated("created_at", "updated_at")
    | {"status": constant("active"), "days_left": constant(0), "admin_ids": constant([])}
    | {"over_the_limit": constant(False), "project_ids": _account_projects}
    | {"permissions": constant("administration"), "is_enterprise_guest": constant(False)}
    | {"number_of_projects": lambda r, each, n: len(_account_projects(r, each, n))}
)

ACCOUNT = Kind(
    "account",
    _ACCOUNT_GETTERS,
    "kind id name status plan days_left over_the_limit created_at updated_at",
)

ACCOUNT_SUMMARY = Kind(
    "account_summary",
    _ACCOUNT_GETTERS,
    "kind id name status plan",
)


def _my_memberships(renderer: Renderer, me: Person, nested: Selection) -> list[object]:
    projects = renderer.workspace.projects.values()
    mine = [each.memberships[me.id] for each in projects if me.id in each.memberships]
    return renderer.many("membership_summary", mine, nested)


def _my_zone(renderer: Renderer, me: Person, nested: Selection) -> dict[str, object]:
    projects = list(renderer.workspace.projects.values())
    name = projects[0].time_zone if projects else "UTC"
    return zone_record(renderer, name)


def me_kind(token: str) -> Kind:
    """Return the kind of `/me`, which contains the token."""
    return Kind(
        "me",
        PERSON.getters
        | {"time_zone": _my_zone, "api_token": constant(token)}
        | {"has_google_identity": constant(False), "projects": _my_memberships}
        | {"receives_in_app_notifications": constant(True)}
        | {"project_ids": lambda r, me, n: list(r.workspace.projects)}
        | {"workspace_ids": constant([])}
        | {"accounts": lambda r, me, n: r.many("account_summary", r.workspace.accounts.values(), n)}
        | {
            name: lambda r, me, n: r.moment(
                min(each.created_at for each in r.workspace.accounts.values())
            )
            for name in ("created_at", "updated_at")
        },
        "kind id name initials username time_zone api_token has_google_identity accounts projects "
        "email receives_in_app_notifications created_at updated_at",
    )
