-- At the end of a day, all states of a project together have the stories that were
-- created in it or moved into it until then, minus those that were deleted or moved
-- out.
with

project_settings as (

    select * from {{ ref('int_projects') }}

),

entries as (

    select
        story_id,
        entered_at
    from {{ ref('fct_story_state_interval') }}

    union all

    select
        story_id,
        coalesce(created_at, as_of) as entered_at
    from {{ ref('int_stories') }}
    where
        not is_history_known
        and (created_at is not null or (accepted_at is null and not is_deleted))

),

first_entries as (

    select
        story_id,
        min(entered_at) as first_entered_at
    from entries
    group by story_id

),

-- A release counts as outside every project.
memberships as (

    select
        versions.*,
        first_entries.first_entered_at,
        case when versions.story_type = 'release' then null else versions.project_id end
            as member_of_id
    from {{ ref('int_story_versions') }} as versions
    inner join first_entries
        on versions.story_id = first_entries.story_id

),

with_neighbours as (

    select
        *,
        lag(member_of_id) over (partition by story_id order by version_number)
            as previous_id,
        lead(member_of_id) over (partition by story_id order by version_number)
            as next_id
    from memberships

),

moves as (

    select
        member_of_id as project_id,
        1 as story_count,
        case
            when version_number = 1 then first_entered_at
            else greatest(valid_from, first_entered_at)
        end as moved_at
    from with_neighbours
    where {{ differ('previous_id', 'member_of_id') }}

    union all

    select
        with_neighbours.member_of_id as project_id,
        -1 as story_count,
        greatest(with_neighbours.valid_to, with_neighbours.first_entered_at)
            as moved_at
    from with_neighbours
    inner join {{ ref('int_stories') }} as stories
        on with_neighbours.story_id = stories.story_id
    where
        (
            not with_neighbours.is_last
            and {{ differ('with_neighbours.next_id', 'with_neighbours.member_of_id') }}
        )
        or (with_neighbours.is_last and stories.is_deleted)

),

moves_by_day as (

    select
        moves.project_id,
        {{ local_date('moves.moved_at', 'project_settings.time_zone') }} as flow_date,
        sum(moves.story_count) as story_count
    from moves
    inner join project_settings
        on moves.project_id = project_settings.project_id
    group by
        moves.project_id,
        {{ local_date('moves.moved_at', 'project_settings.time_zone') }}

),

totals as (

    select
        project_id,
        flow_date,
        sum(story_count) as story_count
    from {{ ref('fct_flow_daily') }}
    group by
        project_id,
        flow_date

),

expected as (

    select
        totals.project_id,
        totals.flow_date,
        totals.story_count,
        coalesce(sum(moves_by_day.story_count), 0) as expected_story_count
    from totals
    left join moves_by_day
        on
            totals.project_id = moves_by_day.project_id
            and totals.flow_date >= moves_by_day.flow_date
    group by
        totals.project_id,
        totals.flow_date,
        totals.story_count

)

select * from expected
where story_count != expected_story_count
