with

stories as (

    select * from {{ ref('int_stories_living') }}

),

epics as (

    select * from {{ ref('int_epics') }}

),

story_comments as (

    select * from {{ ref('int_story_parts') }}
    where part_kind = 'comment'

),

epic_comments as (

    select * from {{ ref('stg_pivotal_tracker__epic_comments') }}

),

comments as (

    select
        story_comments.part_id as comment_id,
        stories.project_id,
        story_comments.story_id,
        cast(null as bigint) as epic_id,
        story_comments.person_id,
        story_comments.part_text as comment_text,
        story_comments.created_at,
        story_comments.updated_at,
        stories.time_zone,
        stories.as_of
    from story_comments
    inner join stories
        on story_comments.story_id = stories.story_id
    where
        story_comments.deleted_at is null
        or story_comments.deleted_at > stories.as_of

    union all

    select
        epic_comments.comment_id,
        epics.project_id,
        cast(null as bigint) as story_id,
        epic_comments.epic_id,
        epic_comments.person_id,
        epic_comments.comment_text,
        epic_comments.created_at,
        epic_comments.updated_at,
        epics.time_zone,
        epics.as_of
    from epic_comments
    inner join epics
        on epic_comments.epic_id = epics.epic_id

),

final as (

    select
        comment_id,
        project_id,
        story_id,
        epic_id,
        person_id,
        {{ free_text('comment_text') }} as comment_text,
        cast(length(comment_text) as bigint) as character_count,
        {{ local_date('created_at', 'time_zone') }} as created_date,
        created_at,
        updated_at
    from comments
    where
        created_at is null
        or created_at <= as_of

)

select * from final
