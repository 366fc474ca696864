{{ config(enabled=is_built('flow')) }}
{%- set measures = ['cycle_time', 'elapsed_cycle_time', 'lead_time'] -%}
{%- set percents = [50, 70, 85, 95] -%}
{%- set windows = {'all_time': 'null', 'last_180_days': 180, 'last_90_days': 90} -%}

with

projects as (

    select * from {{ ref('int_projects') }}

),

-- Every combination has a row, also the empty ones.
cohorts as (

    {% for measure in measures %}
    {% set measure_loop = loop %}
    {% for time_window, days in windows.items() %}
    {% set window_loop = loop %}
    {% for story_type in ['all', 'feature', 'bug', 'chore'] %}
    select
        project_id,
        '{{ measure }}' as measure,
        '{{ story_type }}' as story_type,
        '{{ time_window }}' as time_window,
        cast({{ days }} as bigint) as window_days
    from projects
    {{ 'union all' if not (loop.last and window_loop.last and measure_loop.last) }}
    {% endfor %}
    {% endfor %}
    {% endfor %}

),

accepted_stories as (

    {% for measure in measures %}
    select
        stories.story_id,
        stories.project_id,
        '{{ measure }}' as measure,
        stories.story_type,
        stories.{{ measure }}_seconds as measured_seconds,
        {{ seconds_between('stories.accepted_at', 'projects.as_of') }} as seconds_ago
    from {{ ref('fct_story_cycle_time') }} as stories
    inner join projects
        on stories.project_id = projects.project_id
    where
        stories.is_accepted
        and not stories.is_deleted
        and stories.{{ measure }}_seconds is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

ranked as (

    select
        cohorts.project_id,
        cohorts.measure,
        cohorts.story_type,
        cohorts.time_window,
        cohorts.window_days,
        accepted_stories.story_id,
        accepted_stories.measured_seconds,
        row_number() over (
            partition by
                cohorts.project_id,
                cohorts.measure,
                cohorts.story_type,
                cohorts.time_window
            order by accepted_stories.measured_seconds
        ) as seconds_rank,
        count(accepted_stories.story_id) over (
            partition by
                cohorts.project_id,
                cohorts.measure,
                cohorts.story_type,
                cohorts.time_window
        ) as group_story_count
    from cohorts
    left join accepted_stories
        on
            cohorts.project_id = accepted_stories.project_id
            and cohorts.measure = accepted_stories.measure
            and cohorts.story_type in ('all', accepted_stories.story_type)
            and (
                cohorts.window_days is null
                or accepted_stories.seconds_ago < cohorts.window_days * 86400
            )

),

percentiles as (

    select
        project_id,
        measure,
        story_type,
        time_window,
        window_days,
        {% for percent in percents %}
        {{ discrete_percentile(
            'measured_seconds', 'seconds_rank', 'group_story_count', percent
        ) }} as p{{ percent }}_seconds,
        {% endfor %}
        count(story_id) as story_count
    from ranked
    group by
        project_id,
        measure,
        story_type,
        time_window,
        window_days

),

final as (

    select
        project_id,
        measure,
        story_type,
        time_window,
        window_days,
        {% for percent in percents %}
        p{{ percent }}_seconds,
        cast(ceil({{ as_double('p' ~ percent ~ '_seconds') }} / 86400) as bigint)
            as p{{ percent }}_days,
        {% endfor %}
        story_count
    from percentiles

)

select * from final
