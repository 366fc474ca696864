with

comments as (

    select * from {{ ref('int_story_parts') }}
    where
        part_kind = 'comment'
        and is_current

),

final as (

    select
        part_id as comment_id,
        project_id,
        story_id,
        epic_id,
        person_id,
        {{ free_text('part_text') }} as comment_text,
        cast(length(part_text) as bigint) as character_count,
        created_date,
        created_at,
        updated_at
    from comments

)

select * from final
