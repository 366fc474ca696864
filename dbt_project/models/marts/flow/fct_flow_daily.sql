{{ config(enabled=is_built('flow')) }}
{%- set states = [
    'unscheduled', 'unstarted', 'planned', 'started', 'finished', 'delivered',
    'rejected', 'accepted'
] -%}
{%- set summed_columns = [
    'story_count_change', 'points_change', 'aged_story_count_change',
    'age_at_epoch_change'
] -%}

with

project_days as (

    select * from {{ ref('int_project_days') }}

),

-- Intervals that begin and end on one day change nothing.
intervals as (

    select * from {{ ref('int_story_flow_intervals') }}
    where {{ differ('entered_date', 'left_date') }}

),

changes_by_story as (

    select
        project_id,
        story_state,
        1 as story_count,
        coalesce(estimate, 0) as points,
        case when age_at_epoch_seconds is not null then 1 else 0 end
            as aged_story_count,
        coalesce(age_at_epoch_seconds, 0) as age_at_epoch_seconds,
        entered_date as flow_date
    from intervals

    union all

    select
        project_id,
        story_state,
        -1 as story_count,
        0 - coalesce(estimate, 0) as points, -- Sail's minus sign has another scale
        case when age_at_epoch_seconds is not null then -1 else 0 end
            as aged_story_count,
        0 - coalesce(age_at_epoch_seconds, 0) as age_at_epoch_seconds,
        left_date as flow_date
    from intervals
    where left_date is not null

),

changes as (

    select
        project_id,
        story_state,
        sum(story_count) as story_count_change,
        sum(points) as points_change,
        sum(aged_story_count) as aged_story_count_change,
        sum(age_at_epoch_seconds) as age_at_epoch_change,
        flow_date
    from changes_by_story
    group by
        project_id,
        story_state,
        flow_date

),

-- Projects end on different days, so totals over all of them end with the first of
-- these.
last_common_day as (

    select min(last_date) as last_date
    from project_days

),

story_states as (

    {% for state in states %}
    select '{{ state }}' as story_state
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

states_by_project as (

    select
        project_days.project_id,
        story_states.story_state,
        project_days.calendar_date,
        project_days.has_known_history,
        project_days.last_date,
        project_days.ends_at
    from project_days
    cross join story_states

    union all

    select
        project_days.project_id,
        'unknown' as story_state,
        project_days.calendar_date,
        project_days.has_known_history,
        project_days.last_date,
        project_days.ends_at
    from project_days
    where project_days.project_id in (
        select changes.project_id from changes
        where changes.story_state = 'unknown'
    )

),

-- Days and changes in one sequence: running sums include what was there before the
-- first day.
moments as (

    select
        project_id,
        story_state,
        {% for column in summed_columns %}
        0 as {{ column }},
        {% endfor %}
        1 as is_day,
        has_known_history,
        calendar_date as flow_date,
        last_date,
        ends_at
    from states_by_project

    union all

    select
        project_id,
        story_state,
        {% for column in summed_columns %}
        {{ column }},
        {% endfor %}
        0 as is_day,
        null as has_known_history,
        flow_date,
        null as last_date,
        null as ends_at
    from changes

),

-- A day is ordered after its own changes, so that its sum includes them.
summed as (

    select
        project_id,
        story_state,
        {% for column in summed_columns %}
        sum({{ column }}) over (
            partition by project_id, story_state
            order by flow_date, is_day
            rows between unbounded preceding and current row
        ) as {{ column.replace('_change', '') }},
        {% endfor %}
        is_day,
        has_known_history,
        flow_date,
        last_date,
        {{ seconds_between(as_instant("'1970-01-01'"), 'ends_at') }} as ends_at_seconds
    from moments

),

final as (

    select
        summed.project_id,
        summed.story_state,
        cast(summed.story_count as bigint) as story_count,
        {{ as_decimal('summed.points') }} as points,
        case
            when
                summed.story_state in {{ in_progress_states() }}
                and summed.has_known_history
                then cast(summed.aged_story_count as bigint)
        end as aged_story_count,
        case
            when
                summed.story_state in {{ in_progress_states() }}
                and summed.has_known_history
                and (summed.aged_story_count > 0 or summed.story_count = 0)
                then cast(
                    summed.age_at_epoch
                    + summed.aged_story_count * summed.ends_at_seconds
                    as bigint
                )
        end as total_age_seconds,
        case
            when summed.story_state != 'unknown'
                then summed.story_state in {{ in_progress_states() }}
        end as is_in_progress,
        summed.flow_date < summed.last_date as is_complete,
        summed.flow_date <= last_common_day.last_date as is_in_all_projects,
        summed.flow_date
    from summed
    cross join last_common_day
    where summed.is_day = 1

)

select * from final
