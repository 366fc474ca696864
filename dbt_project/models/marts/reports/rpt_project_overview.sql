{{ config(enabled=is_built('reports')) }}
{%- set states = [
    'unscheduled', 'unstarted', 'planned', 'started', 'finished', 'delivered', 'rejected'
] -%}

with

projects as (

    select * from {{ ref('dim_project') }}

),

-- By where stories are now, as dim_project counts them: daily flow counts a story where
-- it was, which at an earlier as_of can be another project.
stories_by_state as (

    select
        {% for state in states %}
        count(case when current_state = '{{ state }}' then 1 end)
            as {{ state }}_story_count,
        {% endfor %}
        project_id
    from {{ ref('fct_story_cycle_time') }}
    where not is_deleted
    group by project_id

),

iterations as (

    select * from {{ ref('fct_iteration_velocity') }}

),

last_done as (

    select
        *,
        row_number() over (
            partition by project_id
            order by iteration_number desc
        ) as recency
    from iterations
    where is_done

),

lead_times as (

    select * from {{ ref('fct_cycle_time_percentile') }}
    where
        measure = 'lead_time'
        and story_type = 'all'
        and time_window = 'last_180_days'

),

final as (

    select
        projects.project_id,
        projects.project_name,
        projects.current_iteration_number,
        projects.current_velocity,
        projects.velocity_source,
        last_done.velocity_volatility,
        current_iterations.accepted_points as current_accepted_points,
        projects.story_count,
        {% for state in states %}
        case
            when projects.story_count is not null
                then coalesce(stories_by_state.{{ state }}_story_count, 0)
        end as {{ state }}_story_count,
        {% endfor %}
        projects.accepted_story_count,
        projects.accepted_points,
        case
            when projects.story_count is not null
                then coalesce(lead_times.story_count, 0)
        end as lead_time_story_count,
        lead_times.p50_days as p50_lead_time_days,
        lead_times.p85_days as p85_lead_time_days,
        projects.member_count,
        projects.last_activity_at,
        projects.as_of
    from projects
    left join stories_by_state
        on projects.project_id = stories_by_state.project_id
    left join last_done
        on
            projects.project_id = last_done.project_id
            and last_done.recency = 1
    left join lead_times
        on projects.project_id = lead_times.project_id
    left join iterations as current_iterations
        on
            projects.project_id = current_iterations.project_id
            and current_iterations.is_current

)

select * from final
