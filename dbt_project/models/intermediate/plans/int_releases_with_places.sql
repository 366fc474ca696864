with

releases as (

    select * from {{ ref('int_stories') }}
    where
        story_type = 'release'
        and not is_deleted

),

listed_releases as (

    select * from {{ ref('stg_pivotal_tracker__releases') }}
    where story_ids is not null

),

stories_in_order as (

    select * from {{ ref('int_stories_in_backlog_order') }}

),

-- Use Tracker's own list, or else the marker's position in the iterations, or else the
-- stories that the team labelled for the release.
final as (

    select
        releases.story_id as release_id,
        releases.project_id,
        releases.story_name as release_name,
        releases.current_state,
        case
            when listed_releases.release_id is not null then 'marker'
            when stories_in_order.story_id is not null then 'order'
            else 'label'
        end as membership_source,
        stories_in_order.backlog_place,
        releases.deadline_at,
        releases.accepted_at
    from releases
    left join listed_releases
        on releases.story_id = listed_releases.release_id
    left join stories_in_order
        on releases.story_id = stories_in_order.story_id

)

select * from final
