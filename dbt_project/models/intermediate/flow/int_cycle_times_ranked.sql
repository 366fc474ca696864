with

projects as (

    select * from {{ ref('int_project_settings') }}

),

-- Every combination has its row, also the empty ones.
cohorts as (

    {% for time_window, days in cycle_time_windows().items() %}
    {% set window_loop = loop %}
    {% for story_type in ['all', 'feature', 'bug', 'chore'] %}
    select
        project_id,
        '{{ story_type }}' as story_type,
        '{{ time_window }}' as time_window,
        cast({{ days or 'null' }} as bigint) as window_days
    from projects
    {{ 'union all' if not (loop.last and window_loop.last) }}
    {% endfor %}
    {% endfor %}

),

accepted_stories as (

    select
        stories.story_id,
        stories.project_id,
        stories.story_type,
        stories.cycle_time_seconds,
        {{ seconds_between('stories.accepted_at', 'projects.as_of') }} as seconds_ago
    from {{ ref('fct_story_cycle_time') }} as stories
    inner join projects
        on stories.project_id = projects.project_id
    where
        stories.is_accepted
        and not stories.is_deleted
        and stories.cycle_time_seconds is not null

),

final as (

    select
        cohorts.project_id,
        cohorts.story_type,
        cohorts.time_window,
        cohorts.window_days,
        accepted_stories.story_id,
        accepted_stories.cycle_time_seconds,
        row_number() over (
            partition by cohorts.project_id, cohorts.story_type, cohorts.time_window
            order by accepted_stories.cycle_time_seconds
        ) as cycle_time_rank,
        count(accepted_stories.story_id) over (
            partition by cohorts.project_id, cohorts.story_type, cohorts.time_window
        ) as group_story_count
    from cohorts
    left join accepted_stories
        on
            cohorts.project_id = accepted_stories.project_id
            and cohorts.story_type in ('all', accepted_stories.story_type)
            and (
                cohorts.window_days is null
                or accepted_stories.seconds_ago < cohorts.window_days * 86400
            )

)

select * from final
