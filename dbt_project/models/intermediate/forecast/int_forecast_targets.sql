{{ config(enabled=is_built('plans')) }}
-- A table: dates, counts and marts read it, and it is small.
{{ config(materialized='table') }}

with

cuts as (

    select * from {{ ref('int_forecast_cuts') }}

),

plans as (

    select * from {{ ref('int_plans') }}
    where remaining_story_count > 0

),

past_backlogs as (

    select * from {{ ref('int_past_backlogs') }}

),

final as (

    select
        plans.project_id,
        cuts.cut_date,
        plans.target_kind,
        plans.target_id,
        plans.queue_gap_reason,
        plans.remaining_story_count,
        plans.queued_story_count,
        plans.deadline_date
    from plans
    inner join cuts
        on
            plans.project_id = cuts.project_id
            and not cuts.is_backtest

    union all

    select
        project_id,
        cut_date,
        'project' as target_kind,
        project_id as target_id,
        {{ as_text('null') }} as queue_gap_reason,
        story_count as remaining_story_count,
        story_count as queued_story_count,
        cast(null as date) as deadline_date
    from past_backlogs

)

select * from final
