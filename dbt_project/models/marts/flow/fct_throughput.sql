{{ config(enabled=is_built('flow')) }}
with

project_days as (

    select * from {{ ref('int_project_days') }}

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

stories as (

    select * from {{ ref('fct_story_cycle_time') }}

),

weeks as (

    select
        project_id,
        has_known_history,
        week_start_date,
        max(last_date) >= week_start_date + 7 as is_complete
    from project_days
    group by
        project_id,
        has_known_history,
        week_start_date

),

-- Stories that were deleted later still count as started, or as withdrawn by deletion.
{% for event, event_date, condition in [
    (
        'accepted', 'stories.accepted_date',
        'stories.is_accepted and not stories.is_deleted'
    ),
    (
        'started',
        local_date('stories.first_in_progress_at', 'project_settings.time_zone'),
        'stories.is_history_known'
    ),
    (
        'withdrawn', local_date('stories.withdrawn_at', 'project_settings.time_zone'),
        'stories.is_history_known'
    )
] %}
{{ event }}_stories as (

    select
        stories.project_id,
        coalesce(stories.story_type, 'unknown') as story_type,
        stories.estimate,
        {{ week_start(event_date, 'project_settings.week_start_day') }}
            as week_start_date
    from stories
    inner join project_settings
        on stories.project_id = project_settings.project_id
    where
        {{ condition }}
        and {{ event_date }} is not null

),

{{ event }}_by_week as (

    select
        project_id,
        story_type,
        week_start_date,
        count(*) as story_count,
        count(case when estimate is null then 1 end) as unestimated_story_count,
        sum(estimate) as points
    from {{ event }}_stories
    group by
        project_id,
        story_type,
        week_start_date

),

{% endfor %}
counted_story_types as (

    select
        project_id,
        story_type
    from accepted_stories
    union all
    select
        project_id,
        story_type
    from started_stories

),

-- The three types of work always have their weeks, even where none is accepted.
story_types as (

    {% for story_type in ['feature', 'bug', 'chore'] %}
    select
        project_id,
        '{{ story_type }}' as story_type
    from project_settings
    union all
    {% endfor %}
    -- Distinct: each other type once, however many stories have it.
    select distinct
        project_id,
        story_type
    from counted_story_types
    where story_type not in ('feature', 'bug', 'chore')

),

with_counts as (

    select
        weeks.project_id,
        story_types.story_type,
        coalesce(accepted_by_week.story_count, 0) as story_count,
        coalesce(accepted_by_week.unestimated_story_count, 0)
            as unestimated_story_count,
        {{ as_decimal('coalesce(accepted_by_week.points, 0)') }} as points,
        case
            when weeks.has_known_history
                then coalesce(started_by_week.story_count, 0)
        end as started_story_count,
        case
            when weeks.has_known_history
                then coalesce(withdrawn_by_week.story_count, 0)
        end as withdrawn_story_count,
        weeks.is_complete,
        weeks.week_start_date
    from weeks
    inner join story_types
        on weeks.project_id = story_types.project_id
    {% for event in ['accepted', 'started', 'withdrawn'] %}
    left join {{ event }}_by_week
        on
            weeks.project_id = {{ event }}_by_week.project_id
            and weeks.week_start_date = {{ event }}_by_week.week_start_date
            and story_types.story_type = {{ event }}_by_week.story_type
    {% endfor %}

),

final as (

    select
        project_id,
        story_type,
        story_count,
        unestimated_story_count,
        points,
        started_story_count,
        started_story_count - story_count as net_flow_count,
        withdrawn_story_count,
        is_complete,
        week_start_date
    from with_counts

)

select * from final
