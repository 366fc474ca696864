-- Compares entries into rejected and exits from accepted with the counts of each story.
with

stories as (

    select * from {{ ref('fct_story_cycle_time') }}

),

rejections as (

    select
        story_id,
        count(*) as rejected_count,
        max(rejection_number) as last_rejection_number
    from {{ ref('fct_rejection') }}
    group by story_id

),

acceptances as (

    select
        story_id,
        count(case when is_undone then 1 end) as unaccepted_count,
        count(case when is_first_pass then 1 end) as first_pass_count,
        min(accepted_at) as first_accepted_at
    from {{ ref('fct_acceptance') }}
    group by story_id

)

select
    stories.story_id,
    stories.rejected_count,
    rejections.rejected_count as rejections,
    stories.unaccepted_count,
    acceptances.unaccepted_count as unaccepts,
    stories.first_accepted_at,
    acceptances.first_accepted_at as first_acceptance_at
from stories
left join rejections
    on stories.story_id = rejections.story_id
left join acceptances
    on stories.story_id = acceptances.story_id
where
    stories.rejected_count != coalesce(rejections.rejected_count, 0)
    or rejections.last_rejection_number != rejections.rejected_count
    or stories.unaccepted_count != coalesce(acceptances.unaccepted_count, 0)
    or (
        stories.is_history_known
        and {{ differ('stories.first_accepted_at', 'acceptances.first_accepted_at') }}
    )
    or acceptances.first_pass_count > 1
