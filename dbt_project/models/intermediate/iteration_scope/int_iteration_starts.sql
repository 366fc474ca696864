with

iterations as (

    select * from {{ ref('int_iterations_with_room') }}

),

stays as (

    select * from {{ ref('int_story_state_stays') }}

),

versions as (

    select * from {{ ref('int_story_versions') }}

),

-- Where Tracker has the story now: the best that is left of the backlog's order.
places as (

    select
        story_id,
        min(iteration_number) as place_iteration_number,
        min(story_index) as place_index
    from {{ ref('stg_pivotal_tracker__iteration_stories') }}
    group by story_id

),

-- Stays of a story, and its versions, are half-open and do not overlap: one of each.
final as (

    select
        iterations.iteration_key,
        stays.story_id,
        stays.story_state,
        coalesce(versions.estimate, 0) as points,
        iterations.planned_points,
        iterations.is_automatic_planning,
        stays.next_worked_at,
        places.place_iteration_number,
        places.place_index
    from iterations
    inner join stays
        on
            iterations.project_id = stays.project_id
            and iterations.starts_at >= stays.entered_at
            and iterations.starts_at < stays.left_at
    inner join versions
        on
            stays.story_id = versions.story_id
            and iterations.starts_at >= versions.valid_from
            and iterations.starts_at < versions.valid_to
    left join places
        on stays.story_id = places.story_id
    where
        stays.story_state in {{ in_progress_states() }}
        or stays.story_state in ('planned', 'unstarted')

)

select * from final
