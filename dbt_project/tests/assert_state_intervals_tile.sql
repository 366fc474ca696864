-- Each interval of a story ends where the next one starts; the last one ends at the
-- story's deletion or at as_of.
with

intervals as (

    select * from {{ ref('fct_story_state_interval') }}

),

stories as (

    select * from {{ ref('int_stories') }}

),

with_next as (

    select
        *,
        lead(entered_at) over (partition by story_id order by interval_number)
            as next_entered_at
    from intervals

)

select
    with_next.story_id,
    with_next.interval_number,
    with_next.left_at,
    with_next.next_entered_at
from with_next
inner join stories
    on with_next.story_id = stories.story_id
where
    {{ differ(
        'with_next.left_at',
        'coalesce(with_next.next_entered_at, stories.deleted_at, stories.as_of)'
    ) }}
