{{ config(enabled=is_built('reports')) }}
with

cycle_times as (

    select * from {{ ref('fct_story_cycle_time') }}
    where
        accepted_at is not null
        and not is_deleted

),

stories as (

    select * from {{ ref('dim_story') }}

),

iterations as (

    select * from {{ ref('dim_iteration') }}

),

final as (

    select
        cycle_times.story_id,
        cycle_times.project_id,
        cycle_times.iteration_key,
        stories.project_name,
        stories.story_name,
        cycle_times.story_type,
        stories.owner_names,
        stories.label_names,
        stories.epic_names,
        cycle_times.history_coverage,
        iterations.iteration_number,
        cycle_times.estimate,
        cycle_times.cycle_time_seconds,
        cycle_times.lead_time_seconds,
        cycle_times.started_seconds,
        cycle_times.finished_seconds,
        cycle_times.delivered_seconds,
        cycle_times.rejected_seconds,
        cycle_times.started_count,
        cycle_times.finished_count,
        cycle_times.delivered_count,
        cycle_times.rejected_count,
        cycle_times.accepted_date,
        cycle_times.is_history_known,
        cycle_times.created_at,
        cycle_times.first_started_at,
        cycle_times.accepted_at
    from cycle_times
    inner join stories
        on cycle_times.story_id = stories.story_id
    left join iterations
        on cycle_times.iteration_key = iterations.iteration_key

)

select * from final
