with

stories as (

    select * from {{ ref('int_stories_living') }}

),

reviews as (

    select * from {{ ref('int_story_parts') }}
    where part_kind = 'review'

),

statuses as (

    select * from {{ ref('int_story_children_with_status') }}
    where part_kind = 'review'

),

reviews_at_as_of as (

    select
        reviews.part_id as review_id,
        reviews.story_id,
        stories.project_id,
        reviews.review_type_id,
        reviews.person_id as reviewer_id,
        reviews.review_type_name,
        coalesce(statuses.status_before_next_change, reviews.part_status)
            as review_status,
        statuses.last_status,
        statuses.last_changed_at,
        {{ local_date('reviews.created_at', 'stories.time_zone') }} as created_date,
        reviews.created_at,
        reviews.updated_at,
        stories.as_of
    from reviews
    inner join stories
        on reviews.story_id = stories.story_id
    left join statuses
        on reviews.part_id = statuses.part_id
    where
        (reviews.created_at is null or reviews.created_at <= stories.as_of)
        and (reviews.deleted_at is null or reviews.deleted_at > stories.as_of)

),

with_verdict as (

    select
        *,
        coalesce(review_status in ('pass', 'revise'), false) as is_reviewed,
        case
            when review_status in ('pass', 'revise') and last_status = review_status
                then last_changed_at
        end as reviewed_at
    from reviews_at_as_of

),

final as (

    select
        review_id,
        story_id,
        project_id,
        review_type_id,
        reviewer_id,
        review_type_name,
        review_status,
        {{ seconds_between('created_at', 'reviewed_at') }} as review_seconds,
        is_reviewed,
        created_date,
        created_at,
        reviewed_at,
        updated_at
    from with_verdict

)

select * from final
