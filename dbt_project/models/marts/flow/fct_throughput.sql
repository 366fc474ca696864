{{ config(enabled=is_built('flow')) }}
with

project_days as (

    select * from {{ ref('int_project_days') }}

),

accepted_stories as (

    select * from {{ ref('int_stories_with_accepted_weeks') }}

),

weeks as (

    select
        project_id,
        week_start_date,
        max(last_date) >= week_start_date + 7 as is_complete
    from project_days
    group by
        project_id,
        week_start_date

),

-- The three types of work always have their weeks, also where nobody accepts any.
story_types as (

    select 'feature' as story_type
    union all
    select 'bug' as story_type
    union all
    select 'chore' as story_type
    union all
    -- Distinct: each of the others once, however many stories are of it.
    select distinct story_type from accepted_stories
    where story_type not in ('feature', 'bug', 'chore')

),

accepted_by_week as (

    select
        project_id,
        story_type,
        week_start_date,
        count(*) as story_count,
        count(case when estimate is null then 1 end) as unestimated_story_count,
        sum(estimate) as points
    from accepted_stories
    group by
        project_id,
        story_type,
        week_start_date

),

final as (

    select
        weeks.project_id,
        story_types.story_type,
        coalesce(accepted_by_week.story_count, 0) as story_count,
        coalesce(accepted_by_week.unestimated_story_count, 0)
            as unestimated_story_count,
        {{ as_decimal('coalesce(accepted_by_week.points, 0)') }} as points,
        weeks.is_complete,
        weeks.week_start_date
    from weeks
    cross join story_types
    left join accepted_by_week
        on
            weeks.project_id = accepted_by_week.project_id
            and weeks.week_start_date = accepted_by_week.week_start_date
            and story_types.story_type = accepted_by_week.story_type

)

select * from final
