with

iterations as (

    select * from {{ ref('int_iterations_with_capacity') }}
    where is_automatic_planning

),

intervals as (

    select * from {{ ref('int_story_state_intervals_by_project') }}

),

versions as (

    select * from {{ ref('int_story_versions') }}

),

-- Where Tracker has the story now: the best evidence left of the backlog's order.
places as (

    select
        story_id,
        min(iteration_number) as place_iteration_number,
        min(story_index) as place_index
    from {{ ref('stg_pivotal_tracker__iteration_stories') }}
    group by story_id

),

-- What was in progress or in the backlog when the iteration started. Intervals of a
-- story, and its versions, are half-open and do not overlap: one of each.
starts as (

    select
        iterations.iteration_key,
        intervals.story_id,
        intervals.story_state,
        coalesce(versions.estimate, 0) as points,
        iterations.planned_points,
        intervals.next_worked_at,
        places.place_iteration_number,
        places.place_index
    from iterations
    inner join intervals
        on
            iterations.project_id = intervals.project_id
            and iterations.starts_at >= intervals.entered_at
            and iterations.starts_at < intervals.left_at
    inner join versions
        on
            intervals.story_id = versions.story_id
            and iterations.starts_at >= versions.valid_from
            and iterations.starts_at < versions.valid_to
    left join places
        on intervals.story_id = places.story_id
    where
        intervals.story_state in {{ in_progress_states() }}
        or intervals.story_state = 'unstarted'

),

points_in_progress as (

    select
        iteration_key,
        sum(points) as points
    from starts
    where story_state in {{ in_progress_states() }}
    group by iteration_key

),

-- No source kept the order of a backlog in the past. What was taken up first stood
-- first; the rest in the order that Tracker gives now.
ordered as (

    select
        starts.iteration_key,
        starts.story_id,
        starts.points,
        starts.planned_points,
        coalesce(points_in_progress.points, 0) as points_in_progress,
        sum(starts.points) over (
            partition by starts.iteration_key
            order by
                coalesce(starts.next_worked_at, {{ as_instant("'9999-12-31'") }}),
                coalesce(starts.place_iteration_number, 1000000),
                coalesce(starts.place_index, 1000000),
                starts.story_id
            rows between unbounded preceding and current row
        ) as points_so_far
    from starts
    left join points_in_progress
        on starts.iteration_key = points_in_progress.iteration_key
    where starts.story_state = 'unstarted'

),

with_points_above as (

    select
        iteration_key,
        story_id,
        points,
        planned_points,
        points_in_progress + points_so_far - points as points_above
    from ordered

),

-- Tracker's cut: the backlog is taken in until velocity is reached. The last story may
-- overshoot; one without points still enters when it is just reached.
final as (

    select
        iteration_key,
        story_id
    from with_points_above
    where
        points_above < planned_points
        or (points_above = planned_points and points = 0)

)

select * from final
