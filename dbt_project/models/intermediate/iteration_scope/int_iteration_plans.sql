with

starts as (

    select * from {{ ref('int_iteration_starts') }}
    where is_automatic_planning

),

points_in_progress as (

    select
        iteration_key,
        sum(points) as points
    from starts
    where story_state in {{ in_progress_states() }}
    group by iteration_key

),

-- Nobody kept the order of a backlog in the past. What was taken up first stood first;
-- the rest in the order that Tracker gives now.
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
