"""Iterations: what was planned, what was added, and what was done."""

from statistics import median

from bi import words
from bi.pictures import look
from bi.pictures.picture import ENOUGH, Page, Picture, Row, Spec

_MOVES = {
    "committed": look.BLUE,
    "carried in": look.SKY,
    "added": look.ORANGE,
    "unknown": look.PINK,
    "removed": look.GREY,
    "spilled": look.RED,
}

# The chosen iteration, or else the latest one that has started.
_CHOSEN_ITERATION = """
chosen_iteration as (
    select *
    from dim_iteration
    where
        project_id = $project_id
        and not is_future
        and ($iteration_number is null or iteration_number = $iteration_number)
    order by iteration_number desc
    limit 1
)
"""


def _scope(rows: list[Row], facts: Row) -> Spec:
    return look.spec(
        rows,
        look.layer(
            "bar",
            x=look.iteration_axis(),
            y=look.quantity("signed_points", "Points in (up), out undone (down)"),
            color=look.category("kind", "Stories", scale=look.scale(_MOVES)),
            tooltip=look.tips("iteration_number", "kind", "story_count", "points"),
        ),
    )


def _scope_answer(rows: list[Row], facts: Row) -> str:
    counts = dict.fromkeys(_MOVES, 0)
    for row in rows:
        counts[row["kind"]] += row["story_count"]
    iterations = len({row["iteration_number"] for row in rows})
    planned = counts["committed"] + counts["carried in"]
    text = (
        f"In {words.count(iterations, 'iteration')}, {words.count(planned, 'story')} were planned "
        f"or carried in, {counts['added']:,} were added after the start, and "
        f"{counts['spilled']:,} were left over at the end"
    )
    return text + _unknown_entries(counts["unknown"])


def _unknown_entries(count: int) -> str:
    """The end of a sentence about how stories entered iterations."""
    return f"; how {words.count(count, 'more story')} came in is unknown." if count else "."


SCOPE = Picture(
    name="scope",
    question="How did the scope change during iterations?",
    definition="Points of the stories in each iteration. Up: carried in (in progress when it "
    "started), committed (planned when it started), or added later. Down: removed before it ended, "
    "or left over at its end (spilled).",
    measures=(
        ("fct_iteration_scope", "entry_kind"),
        ("fct_iteration_scope", "exit_kind"),
    ),
    sql="""
with moves as (
    select iteration_key, entry_kind as kind, points_at_entry as points, 1 as direction
    from fct_iteration_scope
    where project_id = $project_id

    union all

    select iteration_key, exit_kind as kind, points_at_exit as points, -1 as direction
    from fct_iteration_scope
    where
        project_id = $project_id
        and exit_kind in ('removed', 'spilled')
)
select
    iteration_number,
    kind,
    count(*) as story_count,
    cast(coalesce(sum(points), 0) as double) as points,
    cast(coalesce(sum(points * direction), 0) as double) as signed_points
from moves
inner join dim_iteration using (iteration_key)
where start_date between $first_date and $last_date
group by iteration_number, kind
order by iteration_number, kind
""",
    draw=_scope,
    answer=_scope_answer,
    empty="What was planned in these iterations is unknown. It needs the project's activities, "
    "from the API or an archive.",
)


def _say_do(rows: list[Row], facts: Row) -> Spec:
    title = "Accepted share of committed points"
    return look.iteration_line(rows, "say_do_ratio", title, "committed_points")


def _say_do_answer(rows: list[Row], facts: Row) -> str:
    text = (
        f"In iteration {rows[-1]['iteration_number']}, {words.share(rows[-1]['say_do_ratio'])} of "
        "the committed points were accepted"
    )
    if len(rows) < ENOUGH:
        return f"{text}."
    typical = sorted(row["say_do_ratio"] for row in rows)[(len(rows) - 1) // 2]
    return f"{text}; in the typical iteration, {words.share(typical)}."


SAY_DO = Picture(
    name="say_do",
    question="How much of what we say do we do?",
    definition="Accepted points as a share of the points committed at the start of the iteration. "
    "Iterations without a commitment are excluded.",
    measures=(("fct_iteration_velocity", "say_do_ratio"),),
    sql="""
select
    fct_iteration_velocity.iteration_number,
    say_do_ratio,
    cast(committed_points as double) as committed_points
from fct_iteration_velocity
inner join dim_iteration using (iteration_key)
where
    fct_iteration_velocity.project_id = $project_id
    and fct_iteration_velocity.is_done
    and start_date between $first_date and $last_date
    and say_do_ratio is not null
order by fct_iteration_velocity.iteration_number
""",
    draw=_say_do,
    answer=_say_do_answer,
    empty="What was planned in these iterations is unknown. It needs the project's activities, "
    "from the API or an archive.",
)


def _listed_answer(rows: list[Row], facts: Row) -> str:
    text = words.count(len(rows), "iteration")
    accepted = [row["accepted_points"] for row in rows if row["accepted_points"] is not None]
    if not accepted:
        return f"{text}. Their accepted points are unknown."
    if len(accepted) < ENOUGH:
        return f"{text}, with {words.count(sum(accepted), 'accepted point')}."
    if not median(accepted):
        return f"{text}. In half of them or more, no point was accepted."
    return f"{text}. Half of them had {words.count(median(accepted), 'point')} or more accepted."


LISTED = Picture(
    name="iteration_list",
    question="Which iterations were there?",
    definition="Each iteration with its points and stories: committed at its start, added later, "
    "left over at its end, accepted in it. Choose one to see its stories and its burn-up.",
    measures=(
        ("fct_iteration_velocity", "committed_points"),
        ("fct_iteration_velocity", "accepted_points"),
    ),
    sql="""
select
    fct_iteration_velocity.iteration_number,
    start_date,
    last_date,
    cast(committed_points as double) as committed_points,
    cast(accepted_points as double) as accepted_points,
    accepted_story_count,
    added_story_count,
    removed_story_count,
    spilled_story_count,
    say_do_ratio,
    rejection_rate
from fct_iteration_velocity
inner join dim_iteration using (iteration_key)
where
    fct_iteration_velocity.project_id = $project_id
    and start_date between $first_date and $last_date
order by fct_iteration_velocity.iteration_number desc
""",
    answer=_listed_answer,
    empty="No iteration started in this period. Choose a longer period.",
)


def _burn_up(rows: list[Row], facts: Row) -> Spec:
    colors = {"Scope": look.GREY, "Accepted": look.GREEN, "Even pace": look.ORANGE}
    x = look.days_axis(rows, "burn_date", "End of the day")
    tooltip = look.tips(
        "burn_date", "scope_points", "accepted_points", "remaining_points", "even_pace_points"
    )
    accepted = look.layer(
        "area",
        mark_opacity=0.5,
        mark_line=True,
        x=x,
        y=look.quantity("accepted_points", "Points"),
        series=("Accepted", colors),
        tooltip=tooltip,
    )
    scope = look.layer(
        "line",
        mark_point=True,
        mark_interpolate="step-after",
        x=x,
        y=look.quantity("scope_points", "Points"),
        series=("Scope", colors),
        tooltip=tooltip,
    )
    even = look.layer(
        "line",
        mark_strokeDash=[5, 4],
        x=x,
        y=look.quantity("even_pace_points", "Points"),
        series=("Even pace", colors),
        tooltip=tooltip,
    )
    return look.spec(rows, accepted, scope, even)


def _burn_up_answer(rows: list[Row], facts: Row) -> str:
    known = [row for row in rows if None not in (row["scope_points"], row["accepted_points"])]
    if not known:
        return ""
    last = known[-1]
    text = (
        f"{last['accepted_points']:,.10g} of {words.count(last['scope_points'], 'point')} accepted "
        f"by the end of {words.day(last['burn_date'])}"
    )
    left = (rows[-1]["burn_date"] - last["burn_date"]).days
    if not left:
        return text + ", when the iteration ended."
    behind = (last["even_pace_points"] or 0) - last["accepted_points"]
    pace = (
        f"{words.count(behind, 'point')} behind an even pace"
        if round(behind, 1) > 0
        else "at an even pace or ahead of it"
    )
    return f"{text}, {words.count(left, 'day')} before its end: {pace}."


BURN_UP = Picture(
    name="burn_up",
    question="Will the iteration be completed?",
    definition="Points in the iteration (scope) and accepted points at the end of each day. The "
    "even pace rises from 0 to the scope by the same amount each day.",
    measures=(
        ("fct_iteration_burn_daily", "scope_points"),
        ("fct_iteration_burn_daily", "accepted_points"),
        ("fct_iteration_burn_daily", "ideal_remaining_points"),
    ),
    sql=f"""
with {_CHOSEN_ITERATION},
days as (
    select
        chosen_iteration.iteration_key,
        cast(unnest(generate_series(
            cast(start_date as timestamp), cast(last_date as timestamp), interval 1 day
        )) as date) as burn_date
    from chosen_iteration
),
observed as (
    select fct_iteration_burn_daily.*
    from fct_iteration_burn_daily
    inner join chosen_iteration using (iteration_key)
),
latest as (
    select scope_points from observed order by burn_date desc limit 1
),
numbered as (
    select
        days.burn_date,
        row_number() over (order by days.burn_date) as day_number,
        count(*) over () as day_count,
        observed.scope_points,
        observed.accepted_points,
        observed.remaining_points,
        observed.ideal_remaining_points
    from days
    left join observed using (burn_date)
)
select
    burn_date,
    cast(scope_points as double) as scope_points,
    cast(accepted_points as double) as accepted_points,
    cast(remaining_points as double) as remaining_points,
    coalesce(
        cast(scope_points as double) - ideal_remaining_points,
        cast((select scope_points from latest) as double) * day_number / day_count
    ) as even_pace_points
from numbered
where exists (select 1 from observed where scope_points is not null)
order by burn_date
""",
    draw=_burn_up,
    answer=_burn_up_answer,
    empty="The daily scope of the iteration is unknown. It needs the project's activities, from "
    "the API or an archive.",
)


def _stories_answer(rows: list[Row], facts: Row) -> str:
    def at(column: str, *values: str) -> int:
        return sum(row[column] in values for row in rows)

    text = (
        f"{at('came_in', 'committed'):,} planned, {at('came_in', 'carried in'):,} carried in, "
        f"{at('came_in', 'added'):,} added, {at('ended', 'removed'):,} removed, "
        f"{at('ended', 'accepted'):,} accepted, {at('ended', 'spilled'):,} carried over"
    )
    still = at("ended", "open")
    text = f"{text}, {still:,} still open" if still else text
    return text + _unknown_entries(at("came_in", "unknown"))


STORIES = Picture(
    name="iteration_stories",
    question="What was planned, added, removed, accepted and carried over?",
    definition="The stories in the iteration: how each entered (carried in: in progress at the "
    "start; committed: planned at the start; added later) and how it ended (accepted, removed "
    "before the end, spilled into the next one, or still open).",
    measures=(
        ("fct_iteration_scope", "entry_kind"),
        ("fct_iteration_scope", "exit_kind"),
    ),
    sql=f"""
with {_CHOSEN_ITERATION}
select
    fct_iteration_scope.story_id,
    dim_story.story_name,
    fct_iteration_scope.story_type,
    fct_iteration_scope.entry_kind as came_in,
    fct_iteration_scope.exit_kind as ended,
    cast(points_at_entry as double) as first_points,
    cast(points_at_exit as double) as last_points,
    dim_story.owner_names,
    dim_story.current_state
from fct_iteration_scope
inner join chosen_iteration using (iteration_key)
inner join dim_story on fct_iteration_scope.story_id = dim_story.story_id
order by
    list_position(['accepted', 'open', 'spilled', 'removed'], ended), came_in, story_id
""",
    answer=_stories_answer,
    empty="The stories in the iteration are unknown. They need the project's activities, from the "
    "API or an archive.",
)

ACCEPTED = Picture(
    name="iteration_accepted",
    question="What was accepted in the iteration?",
    definition="Stories accepted between the start and the end of the iteration.",
    measures=(("fct_story_cycle_time", "iteration_key"),),
    sql=f"""
with {_CHOSEN_ITERATION}
select
    dim_story.story_id,
    dim_story.story_name,
    dim_story.story_type,
    cast(dim_story.estimate as double) as points,
    dim_story.owner_names,
    fct_story_cycle_time.accepted_at,
    round(fct_story_cycle_time.cycle_time_seconds / 86400, 1) as cycle_days
from fct_story_cycle_time
inner join chosen_iteration using (iteration_key)
inner join dim_story on fct_story_cycle_time.story_id = dim_story.story_id
where not fct_story_cycle_time.is_deleted
order by fct_story_cycle_time.accepted_at
""",
    answer=lambda rows, facts: (
        f"{words.count(len(rows), 'story')} with "
        f"{words.count(sum(row['points'] or 0 for row in rows), 'point')}."
    ),
    empty="No story was accepted in the iteration.",
)

PAGE = Page("iterations", "Iterations", (LISTED, SCOPE, SAY_DO))
ONE_PAGE = Page("iteration", "Iteration", (BURN_UP, STORIES, ACCEPTED), is_listed=False)
