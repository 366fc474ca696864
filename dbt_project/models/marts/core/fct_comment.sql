with

story_comments as (

    select * from {{ ref('int_story_parts') }}
    where
        part_kind = 'comment'
        and is_current

),

epics as (

    select * from {{ ref('int_epics') }}

),

epic_comments as (

    select * from {{ ref('stg_pivotal_tracker__epic_comments') }}

),

comments as (

    select
        part_id as comment_id,
        project_id,
        story_id,
        cast(null as bigint) as epic_id,
        person_id,
        part_text as comment_text,
        created_date,
        created_at,
        updated_at
    from story_comments

    union all

    select
        epic_comments.comment_id,
        epics.project_id,
        cast(null as bigint) as story_id,
        epic_comments.epic_id,
        epic_comments.person_id,
        epic_comments.comment_text,
        {{ local_date('epic_comments.created_at', 'epics.time_zone') }}
            as created_date,
        epic_comments.created_at,
        epic_comments.updated_at
    from epic_comments
    inner join epics
        on epic_comments.epic_id = epics.epic_id
    where
        epic_comments.created_at is null
        or epic_comments.created_at <= epics.as_of

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
        created_date,
        created_at,
        updated_at
    from comments

)

select * from final
