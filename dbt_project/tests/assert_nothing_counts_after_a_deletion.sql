with

deleted_stories as (

    select
        story_id,
        deleted_at
    from {{ ref('int_stories') }}
    where is_deleted

),

instants as (

    select
        story_id,
        'transition' as counted,
        occurred_at as counted_at
    from {{ ref('fct_story_transition') }}

    union all

    select
        story_id,
        'start of an interval' as counted,
        entered_at as counted_at
    from {{ ref('fct_story_state_interval') }}

    union all

    select
        story_id,
        'end of an interval' as counted,
        left_at as counted_at
    from {{ ref('fct_story_state_interval') }}

)

select
    instants.story_id,
    instants.counted,
    instants.counted_at,
    deleted_stories.deleted_at
from instants
inner join deleted_stories
    on instants.story_id = deleted_stories.story_id
where instants.counted_at > deleted_stories.deleted_at
