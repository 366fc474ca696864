-- Throughput, velocity, daily flow and the burn-up must equal the daily sums of single
-- acceptances: the first two by a story's current project, the other two by its project
-- at that time.
with

projects as (

    select * from {{ ref('int_projects') }}

),

-- An acceptance ends when it is undone, or with the story.
acceptances as (

    select
        acceptances.story_id,
        acceptances.project_id,
        {{ week_start('acceptances.accepted_date', 'projects.week_start_day') }}
            as week_start_date,
        acceptances.accepted_at,
        {{ earliest('acceptances.undone_at', 'stories.deleted_at') }} as ended_at
    from {{ ref('fct_acceptance') }} as acceptances
    inner join projects
        on acceptances.project_id = projects.project_id
    inner join {{ ref('fct_story_cycle_time') }} as stories
        on acceptances.story_id = stories.story_id

),

-- Consecutive versions in one project are one period, because both numbers grow by one.
numbered_versions as (

    select
        *,
        version_number - row_number() over (
            partition by story_id, project_id
            order by version_number
        ) as stay_number
    from {{ ref('int_story_versions') }}

),

periods as (

    select
        story_id,
        project_id,
        min(version_number) = 1 as is_first,
        max(version_number) as last_version_number,
        min(valid_from) as valid_from,
        max(valid_to) as valid_to
    from numbered_versions
    group by
        story_id,
        project_id,
        stay_number

),

project_stays as (

    select
        *,
        last_version_number
        = max(last_version_number) over (partition by story_id) as is_last
    from periods

),

-- Daily flow also counts a story as accepted before its first known change, if that
-- change undid an acceptance.
accepted_intervals as (

    select
        story_id,
        true as is_recorded,
        accepted_at,
        ended_at
    from acceptances

    union all

    select
        intervals.story_id,
        false as is_recorded,
        intervals.entered_at as accepted_at,
        intervals.left_at as ended_at
    from {{ ref('fct_story_state_interval') }} as intervals
    inner join {{ ref('fct_story_cycle_time') }} as stories
        on intervals.story_id = stories.story_id
    where
        intervals.is_inferred
        and intervals.story_state = 'accepted'

),

-- The first period in a project also includes acceptances before the creation.
accepted_stays as (

    select
        accepted_intervals.story_id,
        project_stays.project_id,
        projects.time_zone,
        accepted_intervals.is_recorded,
        accepted_intervals.accepted_at,
        case
            when project_stays.is_first then accepted_intervals.accepted_at
            else {{ latest(
                'accepted_intervals.accepted_at', 'project_stays.valid_from'
            ) }}
        end as began_at,
        case
            when project_stays.is_last then accepted_intervals.ended_at
            else {{ earliest('accepted_intervals.ended_at', 'project_stays.valid_to') }}
        end as ended_at
    from accepted_intervals
    inner join project_stays
        on
            accepted_intervals.story_id = project_stays.story_id
            and (
                accepted_intervals.accepted_at < project_stays.valid_to
                or project_stays.is_last
            )
            and (
                accepted_intervals.ended_at is null
                or accepted_intervals.ended_at > project_stays.valid_from
                or project_stays.is_first
            )
    inner join projects
        on project_stays.project_id = projects.project_id

),

accepted_days as (

    select
        story_id,
        project_id,
        {{ local_date('began_at', 'time_zone') }} as began_date,
        {{ local_date('ended_at', 'time_zone') }} as ended_date
    from accepted_stays

),

-- A story that is accepted repeatedly counts once, from the last acceptance on, as in
-- all distinct counts of stories.
standing as (

    select
        project_id,
        story_id,
        max(accepted_at) as accepted_at,
        max(week_start_date) as week_start_date
    from acceptances
    where ended_at is null
    group by
        project_id,
        story_id

),

expected as (

    select
        'throughput' as mart_name,
        project_id || '-' || week_start_date as entity_key,
        count(*) as story_count
    from standing
    group by
        project_id,
        week_start_date
    union all
    select
        'velocity' as mart_name,
        iterations.iteration_key as entity_key,
        count(*) as story_count
    from standing
    inner join {{ ref('int_iterations') }} as iterations
        on
            standing.project_id = iterations.project_id
            and standing.accepted_at >= iterations.starts_at
            and standing.accepted_at < iterations.finishes_at
    group by iterations.iteration_key
    union all
    select
        'flow' as mart_name,
        flow.project_id || '-' || flow.flow_date as entity_key,
        count(distinct accepted_days.story_id) as story_count
    from {{ ref('fct_flow_daily') }} as flow
    inner join accepted_days
        on
            flow.project_id = accepted_days.project_id
            and flow.flow_date >= accepted_days.began_date
            and (
                accepted_days.ended_date is null
                or flow.flow_date < accepted_days.ended_date
            )
    where flow.story_state = 'accepted'
    group by
        flow.project_id,
        flow.flow_date
    union all
    select
        'burn' as mart_name,
        burn.iteration_burn_key as entity_key,
        count(distinct accepted_stays.story_id) as story_count
    from {{ ref('fct_iteration_burn_daily') }} as burn
    inner join {{ ref('int_iterations') }} as iterations
        on burn.iteration_key = iterations.iteration_key
    inner join accepted_stays
        on
            burn.project_id = accepted_stays.project_id
            and accepted_stays.is_recorded
            and iterations.starts_at <= accepted_stays.accepted_at
            and burn.ends_at > accepted_stays.began_at
            and (
                accepted_stays.ended_at is null
                or burn.ends_at <= accepted_stays.ended_at
            )
    group by burn.iteration_burn_key

),

counted as (

    select
        'throughput' as mart_name,
        project_id || '-' || week_start_date as entity_key,
        sum(story_count) as story_count
    from {{ ref('fct_throughput') }}
    group by
        project_id,
        week_start_date
    union all
    select
        'velocity' as mart_name,
        iteration_key as entity_key,
        accepted_story_count as story_count
    from {{ ref('fct_iteration_velocity') }}
    union all
    select
        'flow' as mart_name,
        project_id || '-' || flow_date as entity_key,
        story_count
    from {{ ref('fct_flow_daily') }}
    where story_state = 'accepted'
    union all
    select
        'burn' as mart_name,
        iteration_burn_key as entity_key,
        accepted_story_count as story_count
    from {{ ref('fct_iteration_burn_daily') }}

),

contradicted_projects as (

    {{ contradicted_projects() }}

),

compared as (

    select
        coalesce(expected.mart_name, counted.mart_name) as mart_name,
        coalesce(expected.entity_key, counted.entity_key) as entity_key,
        expected.story_count as expected_story_count,
        counted.story_count
    from expected
    full outer join counted
        on
            expected.mart_name = counted.mart_name
            and expected.entity_key = counted.entity_key
    where coalesce(expected.story_count, 0) != coalesce(counted.story_count, 0)

)

select compared.*
from compared
left join contradicted_projects
    on compared.entity_key like contradicted_projects.project_id || '-%'
where contradicted_projects.project_id is null
