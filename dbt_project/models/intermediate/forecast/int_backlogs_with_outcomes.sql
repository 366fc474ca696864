{{ config(enabled=is_built('plans')) }}
with

past_backlogs as (

    select * from {{ ref('int_past_backlogs') }}

),

accepted_stories as (

    select
        project_id,
        accepted_date,
        row_number() over (
            partition by project_id
            order by accepted_date, story_id
        ) as acceptance_number
    from {{ ref('int_stories_with_accepted_weeks') }}

),

with_past_counts as (

    select
        past_backlogs.project_id,
        past_backlogs.cut_date,
        past_backlogs.story_count,
        count(accepted_stories.acceptance_number) as accepted_story_count
    from past_backlogs
    left join accepted_stories
        on
            past_backlogs.project_id = accepted_stories.project_id
            and past_backlogs.cut_date >= accepted_stories.accepted_date
    group by
        past_backlogs.project_id,
        past_backlogs.cut_date,
        past_backlogs.story_count

),

-- As many acceptances after the cut as stories were open then: the day of the last one.
final as (

    select
        with_past_counts.project_id,
        with_past_counts.cut_date,
        accepted_stories.accepted_date as actual_date
    from with_past_counts
    inner join accepted_stories
        on
            with_past_counts.project_id = accepted_stories.project_id
            and with_past_counts.accepted_story_count + with_past_counts.story_count
            = accepted_stories.acceptance_number

)

select * from final
