with

reviews as (

    select
        *,
        coalesce(part_status in ('pass', 'revise'), false) as is_reviewed
    from {{ ref('int_story_parts') }}
    where
        part_kind = 'review'
        and is_current

),

with_verdict as (

    select
        *,
        case when is_reviewed then status_changed_at end as reviewed_at
    from reviews

),

final as (

    select
        part_id as review_id,
        story_id,
        project_id,
        review_type_id,
        person_id as reviewer_id,
        review_type_name,
        part_status as review_status,
        {{ seconds_between('created_at', 'reviewed_at') }} as review_seconds,
        is_reviewed,
        created_date,
        created_at,
        reviewed_at,
        updated_at
    from with_verdict

)

select * from final
