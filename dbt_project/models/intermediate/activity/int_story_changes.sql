with

story_changes as (

    select * from {{ ref('int_activity_changes') }}
    where
        resource_kind = 'story'
        and resource_id is not null

),

-- Both projects have an activity for a move, at one instant.
moves_by_second as (

    select
        resource_id as story_id,
        project_id,
        min(project_version) as first_version,
        min(case when moved_to_project_id != project_id then project_version end)
            as first_departure,
        max(project_version) as last_version,
        max(case when moved_to_project_id = project_id then project_version end)
            as last_arrival,
        occurred_at
    from story_changes
    where moved_to_project_id is not null
    group by
        resource_id,
        project_id,
        occurred_at

),

-- Versions count within a project, so they do not say which project came first. The
-- moves do: a story began the second in the project that it left first, and ended it in
-- the one that it came to last, which can be the same.
final as (

    select
        story_changes.activity_id,
        story_changes.resource_id as story_id,
        story_changes.project_id,
        story_changes.change_type,
        story_changes.resource_name as story_name,
        story_changes.story_type,
        story_changes.to_state,
        story_changes.original_story_values,
        story_changes.new_story_values,
        case
            when
                moves_by_second.last_arrival = moves_by_second.last_version
                and story_changes.project_version >= moves_by_second.last_arrival
                then 3
            when
                moves_by_second.first_departure = moves_by_second.first_version
                and story_changes.project_version <= moves_by_second.first_departure
                then 1
            else 2
        end as order_in_second,
        story_changes.project_version,
        story_changes.change_index,
        story_changes.occurred_at,
        story_changes.read_by
    from story_changes
    left join moves_by_second
        on
            story_changes.resource_id = moves_by_second.story_id
            and story_changes.project_id = moves_by_second.project_id
            and story_changes.occurred_at = moves_by_second.occurred_at

)

select * from final
