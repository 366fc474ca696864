{{ config(enabled=is_built('trust')) }}
{%- set states = [
    'accepted', 'delivered', 'finished', 'started', 'rejected', 'planned', 'unstarted',
    'unscheduled'
] -%}
{%- set states_in_progress = ['started', 'finished', 'delivered', 'rejected'] -%}
{%- set story_figures = [(
    'total_cycle_time', 'milliseconds', '1000 * cycle_time_seconds',
    'tracker_total_cycle_time_ms', 'tolerance', 'total_explained', 'explanation'
)] -%}
{%- for state in states_in_progress -%}
    {%- do story_figures.append((
        state ~ '_time', 'milliseconds', '1000 * ' ~ state ~ '_seconds',
        'tracker_' ~ state ~ '_time_ms', 'tolerance', state ~ '_explained',
        'explanation'
    )) -%}
    {%- do story_figures.append((
        state ~ '_count', 'visits', state ~ '_count',
        'tracker_' ~ state ~ '_count', 0, state ~ '_visits_explained', 'explanation'
    )) -%}
{%- endfor -%}
{%- set day_figures = [] -%}
{%- for state in states -%}
{%- for figure, unit, suffix in [
    ('counts', 'stories', 'count'), ('points', 'points', 'points')
] -%}
    {%- do day_figures.append((
        figure ~ '_' ~ state, unit, state ~ '_' ~ suffix, figure ~ '_' ~ state, 0,
        'imported_' ~ suffix if state == 'accepted' else 'null',
        'accepted_explanation' if state == 'accepted' else 'explanation'
    )) -%}
{%- endfor -%}
{%- endfor -%}

with

extracts as (

    select
        load_id,
        max(as_of) as loaded_as_of
    from {{ ref('stg_pivotal_tracker__extracts') }}
    group by load_id

),

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

projects_with_iterations as (

    select * from {{ ref('int_projects_with_iterations') }}

),

velocities as (

    select * from {{ ref('int_iterations_with_velocity') }}

),

-- The last done iteration of a project has its current velocity and volatility.
projects_with_figures as (

    select
        projects.project_id,
        projects.project_id as entity_id,
        {{ as_text('projects.project_id') }} as entity_key,
        projects.load_id,
        projects.record_source,
        projects.updated_at as stated_at,
        projects_with_iterations.current_iteration_number,
        case
            when projects_with_iterations.current_iteration_number is null
                then 'no iteration that was read contains as_of'
        end as iteration_explanation,
        projects_with_iterations.current_velocity,
        100 * velocities.velocity_volatility as volatility_percent,
        velocities.weekly_points_deviation * project_settings.iteration_length_weeks
            as points_deviation,
        projects.tracker_current_iteration_number,
        projects.tracker_current_velocity,
        projects.tracker_current_volatility,
        projects.tracker_current_standard_deviation
    from projects
    inner join projects_with_iterations
        on projects.project_id = projects_with_iterations.project_id
    inner join project_settings
        on projects.project_id = project_settings.project_id
    left join velocities
        on projects_with_iterations.last_done_iteration_key = velocities.iteration_key

),

project_comparisons as (

    {{ figures_as_rows('projects_with_figures', 'project', [
        (
            'current_iteration_number', 'number',
            'current_iteration_number', 'tracker_current_iteration_number', 0,
            'null', 'iteration_explanation'
        ),
        ('current_velocity', 'points', 'current_velocity', 'tracker_current_velocity', 0),
        (
            'current_volatility', 'percent',
            'volatility_percent', 'tracker_current_volatility', 0.000001
        ),
        (
            'current_standard_deviation', 'points',
            'points_deviation', 'tracker_current_standard_deviation', 0.000001
        )
    ]) }}

),

cycle_time_details as (

    select * from {{ ref('stg_pivotal_tracker__cycle_time_details') }}

),

cycle_times as (

    select * from {{ ref('fct_story_cycle_time') }}

),

transitions as (

    select * from {{ ref('int_story_transitions') }}

),

intervals as (

    select * from {{ ref('int_story_state_intervals') }}

),

-- Tracker records no transition for the creation of a story, so its own cycle times
-- leave out the first interval of a story that was created in progress.
created_in_progress as (

    select
        transitions.story_id,
        transitions.to_state as created_state,
        intervals.interval_seconds as created_state_seconds
    from transitions
    inner join intervals
        on
            transitions.story_id = intervals.story_id
            and transitions.transition_number = intervals.interval_number
    where
        transitions.is_creation
        and transitions.to_state in {{ in_progress_states() }}

),

-- What led into the state that the first known transition leaves was not read.
begun_late as (

    select * from transitions
    where
        transition_number = 1
        and not is_creation
        and recorded_from_state in {{ in_progress_states() }}

),

running_intervals as (

    select * from intervals
    where
        is_open
        and not is_inferred
        and story_state in {{ in_progress_states() }}

),

stories_with_figures as (

    select
        coalesce(cycle_times.project_id, cycle_time_details.project_id) as project_id,
        cycle_time_details.story_id as entity_id,
        {{ as_text('cycle_time_details.story_id') }} as entity_key,
        cycle_time_details.load_id,
        cycle_time_details.record_source,
        {{ as_instant('null') }} as stated_at,
        1000 as tolerance,
        cycle_time_details.tracker_total_cycle_time_ms,
        {% for state in states_in_progress %}
        cycle_time_details.tracker_{{ state }}_time_ms,
        cycle_time_details.tracker_{{ state }}_count,
        cycle_times.{{ state }}_seconds,
        cycle_times.{{ state }}_count,
        {% endfor %}
        cycle_times.cycle_time_seconds,
        cycle_times.story_id is null as is_not_read,
        created_in_progress.created_state,
        created_in_progress.created_state_seconds,
        running_intervals.story_state as running_state,
        running_intervals.interval_seconds as running_state_seconds,
        case
            when cycle_times.history_coverage != 'complete'
                then 'the history that was read is not complete'
            when begun_late.story_id is not null
                then 'the history that was read begins when work was under way'
        end as missing_history,
        case running_intervals.story_state
            {% for state in states_in_progress %}
            when '{{ state }}'
                then
                    1000 * cycle_times.{{ state }}_seconds
                    - cycle_time_details.tracker_{{ state }}_time_ms
            {% endfor %}
        end as running_difference,
        1000 * cycle_times.cycle_time_seconds
        - cycle_time_details.tracker_total_cycle_time_ms as total_difference
    from cycle_time_details
    left join cycle_times
        on cycle_time_details.story_id = cycle_times.story_id
    left join created_in_progress
        on cycle_times.story_id = created_in_progress.story_id
    left join begun_late
        on cycle_times.story_id = begun_late.story_id
    left join running_intervals
        on cycle_times.story_id = running_intervals.story_id

),

-- The clock of a story in progress has run on since Tracker gave its figures: in the
-- state that the story is in, and for no longer than it has been there.
stories_with_running_clocks as (

    select
        *,
        case
            when
                total_difference between -1000 and 1000 * running_state_seconds
                and running_difference = total_difference
                and created_state is null
                then total_difference
        end as run_on
    from stories_with_figures

),

stories_with_causes as (

    select
        *,
        coalesce(run_on, 1000 * created_state_seconds) as total_explained,
        {% for state in states_in_progress %}
        case
            when run_on is not null
                then case when running_state = '{{ state }}' then run_on else 0 end
            when created_state = '{{ state }}' then 1000 * created_state_seconds
            when created_state is not null then 0
        end as {{ state }}_explained,
        case
            when created_state = '{{ state }}' then 1
            when created_state is not null then 0
        end as {{ state }}_visits_explained,
        {% endfor %}
        case
            when is_not_read then 'a release, or not read'
            when run_on is not null then 'its clock ran on after Tracker gave it'
            when created_state is not null
                then 'created in progress: Tracker leaves out its first interval'
            else missing_history
        end as explanation
    from stories_with_running_clocks

),

story_comparisons as (

    {{ figures_as_rows('stories_with_causes', 'story', story_figures) }}

),

iterations as (

    select * from {{ ref('stg_pivotal_tracker__iterations') }}

),

our_iterations as (

    select * from {{ ref('fct_iteration_velocity') }}

),

-- Tracker decides which stories are in the current and future iterations; their points
-- are ours.
planned_points as (

    select
        iteration_stories.iteration_key,
        sum(stories.estimate) as points
    from {{ ref('stg_pivotal_tracker__iteration_stories') }} as iteration_stories
    inner join {{ ref('int_stories') }} as stories
        on iteration_stories.story_id = stories.story_id
    where not stories.is_deleted
    group by iteration_stories.iteration_key

),

iterations_not_done as (

    select
        iterations_not_done.iteration_key,
        projects_with_iterations.current_velocity,
        coalesce(planned_points.points, 0) as planned_points
    from {{ ref('int_iterations') }} as iterations_not_done
    left join projects_with_iterations
        on iterations_not_done.project_id = projects_with_iterations.project_id
    left join planned_points
        on iterations_not_done.iteration_key = planned_points.iteration_key
    where not iterations_not_done.is_done

),

-- A story that was created in progress has no cycle time of Tracker's if it was never
-- in progress again.
tracker_cycle_times as (

    select
        cycle_times.iteration_key,
        created_in_progress.story_id is not null as is_created_in_progress,
        case
            when
                cycle_times.started_count + cycle_times.finished_count
                + cycle_times.delivered_count + cycle_times.rejected_count
                > case when created_in_progress.story_id is null then 0 else 1 end
                then
                    cycle_times.cycle_time_seconds
                    - coalesce(created_in_progress.created_state_seconds, 0)
        end as cycle_time_seconds
    from cycle_times
    left join created_in_progress
        on cycle_times.story_id = created_in_progress.story_id
    where
        cycle_times.iteration_key is not null
        and not cycle_times.is_deleted

),

tracker_medians as (

    select
        iteration_key,
        count(case when is_created_in_progress then 1 end) as created_in_progress_count,
        {{ median('cycle_time_seconds') }} as median_cycle_time_seconds
    from tracker_cycle_times
    group by iteration_key

),

-- A done iteration contains the stories accepted in it, a later one the planned
-- stories.
iterations_with_figures as (

    select
        iterations.project_id,
        cast(null as bigint) as entity_id,
        iterations.iteration_key as entity_key,
        iterations.load_id,
        iterations.record_source,
        {{ as_instant('null') }} as stated_at,
        iterations.tracker_velocity,
        iterations.tracker_points,
        iterations.tracker_accepted_points,
        iterations.tracker_effective_points,
        iterations.tracker_stories_accepted,
        iterations.tracker_bugs_created,
        iterations.tracker_cycle_time,
        iterations.tracker_rejection_rate,
        iterations.length_weeks,
        iterations.team_strength,
        project_settings.iteration_length_weeks,
        coalesce(our_iterations.planned_velocity, iterations_not_done.current_velocity)
            as planned_velocity,
        case
            when our_iterations.is_done then our_iterations.accepted_points
            else iterations_not_done.planned_points
        end as points,
        coalesce(our_iterations.accepted_points, 0) as accepted_points,
        our_iterations.accepted_story_count,
        our_iterations.bug_created_count,
        our_iterations.median_cycle_time_seconds,
        our_iterations.median_cycle_time_seconds
        - tracker_medians.median_cycle_time_seconds as median_explained_seconds,
        case
            when tracker_medians.created_in_progress_count > 0
                then 'some were created in progress: Tracker leaves out that interval'
        end as median_explanation,
        case
            when
                our_iterations.is_done
                and iterations.tracker_points != iterations.tracker_accepted_points
                then 'Tracker gave it before the iteration was done'
        end as points_explanation,
        iterations.tracker_accepted_points - iterations.tracker_points
            as points_explained,
        our_iterations.rejection_rate
    from iterations
    left join our_iterations
        on iterations.iteration_key = our_iterations.iteration_key
    left join iterations_not_done
        on iterations.iteration_key = iterations_not_done.iteration_key
    left join tracker_medians
        on iterations.iteration_key = tracker_medians.iteration_key
    left join project_settings
        on iterations.project_id = project_settings.project_id

),

iterations_with_effective_points as (

    select
        {% for points, effective in [
            ('points', 'effective_points'),
            ('points_explained', 'effective_points_explained')
        ] %}
        case
            when team_strength = 0 then 0
            else
                {{ as_double(points) }} * iteration_length_weeks
                / nullif(length_weeks * team_strength, 0)
        end as {{ effective }},
        {% endfor %}
        *
    from iterations_with_figures

),

-- We publish no analytics of an iteration that has not begun; Tracker gives zeroes.
iteration_comparisons as (

    {{ figures_as_rows('iterations_with_effective_points', 'iteration', [
        ('velocity', 'points', 'planned_velocity', 'tracker_velocity', 0),
        (
            'points', 'points', 'points', 'tracker_points', 0,
            'points_explained', 'points_explanation'
        ),
        ('accepted_points', 'points', 'accepted_points', 'tracker_accepted_points', 0),
        (
            'effective_points', 'points',
            'effective_points', 'tracker_effective_points', 0.000001,
            'effective_points_explained', 'points_explanation'
        ),
        (
            'analytics.stories_accepted', 'stories',
            'coalesce(accepted_story_count, 0)', 'tracker_stories_accepted', 0
        ),
        (
            'analytics.bugs_created', 'stories',
            'coalesce(bug_created_count, 0)', 'tracker_bugs_created', 0
        ),
        (
            'analytics.cycle_time', 'milliseconds',
            '1000 * median_cycle_time_seconds', 'tracker_cycle_time', 1000,
            '1000 * median_explained_seconds', 'median_explanation'
        ),
        (
            'analytics.rejection_rate', 'percent',
            '100 * rejection_rate', 'tracker_rejection_rate', 0.000001
        )
    ]) }}

),

history_days as (

    select * from {{ ref('stg_pivotal_tracker__history_days') }}

),

flow_by_day as (

    select
        {% for state in states %}
        sum(case when story_state = '{{ state }}' then story_count end)
            as {{ state }}_count,
        sum(case when story_state = '{{ state }}' then points end)
            as {{ state }}_points,
        {% endfor %}
        project_id,
        flow_date
    from {{ ref('fct_flow_daily') }}
    group by
        project_id,
        flow_date

),

-- Tracker counts a story that was imported as accepted from its creation on.
imports_by_day as (

    select
        history_days.project_id,
        history_days.history_date,
        count(*) as story_count,
        sum(coalesce(versions.estimate, 0)) as points
    from history_days
    inner join project_settings
        on history_days.project_id = project_settings.project_id
    inner join {{ ref('int_story_versions') }} as versions
        on
            history_days.project_id = versions.project_id
            and versions.version_number = 1
    inner join intervals
        on
            versions.story_id = intervals.story_id
            and intervals.story_state = 'accepted'
            and versions.valid_from > intervals.counted_from
    where
        coalesce(versions.story_type, '') != 'release'
        and history_days.history_date
        >= {{ local_date('intervals.counted_from', 'project_settings.time_zone') }}
        and history_days.history_date
        < {{ local_date('versions.valid_from', 'project_settings.time_zone') }}
    group by
        history_days.project_id,
        history_days.history_date

),

-- We have no figure for a day before our first or after our last one.
days_with_figures as (

    select
        {% for state in states %}
        flow_by_day.{{ state }}_count,
        flow_by_day.{{ state }}_points,
        history_days.counts_{{ state }},
        history_days.points_{{ state }},
        {% endfor %}
        history_days.project_id,
        cast(null as bigint) as entity_id,
        history_days.project_id || '-' || history_days.history_date as entity_key,
        history_days.load_id,
        history_days.record_source,
        {{ as_instant('null') }} as stated_at,
        history_days.history_date,
        case
            when flow_by_day.flow_date is null
                then 'a day that is not in fct_flow_daily'
        end as explanation,
        case
            when flow_by_day.flow_date is null
                then 'a day that is not in fct_flow_daily'
            when imports_by_day.story_count is not null
                then 'imported as accepted: Tracker counts it from its creation'
        end as accepted_explanation,
        imports_by_day.story_count as imported_count,
        imports_by_day.points as imported_points
    from history_days
    left join flow_by_day
        on
            history_days.project_id = flow_by_day.project_id
            and history_days.history_date = flow_by_day.flow_date
    left join imports_by_day
        on
            history_days.project_id = imports_by_day.project_id
            and history_days.history_date = imports_by_day.history_date

),

day_comparisons as (

    {{ figures_as_rows(
        'days_with_figures', 'day', day_figures, compared_date='history_date'
    ) }}

),

all_comparisons as (

    {% for entity in ['project', 'story', 'iteration', 'day'] %}
    select * from {{ entity }}_comparisons
    union all
    {% endfor %}
    select * from {{ ref('int_plans_compared_with_tracker') }}

),

-- We have no value of what was not read.
comparisons as (

    select
        all_comparisons.project_id,
        all_comparisons.entity_id,
        all_comparisons.load_id,
        all_comparisons.record_source,
        all_comparisons.stated_at,
        all_comparisons.entity_kind,
        all_comparisons.entity_key,
        all_comparisons.metric_name,
        all_comparisons.unit,
        case
            when project_settings.are_stories_read
                then all_comparisons.explanation
            else 'the stories of the project were not read'
        end as explanation,
        case
            when project_settings.are_stories_read
                then all_comparisons.our_value
        end as our_value,
        all_comparisons.tracker_value,
        all_comparisons.tolerance,
        case
            when project_settings.are_stories_read
                then all_comparisons.explained_difference
        end as explained_difference,
        all_comparisons.compared_date
    from all_comparisons
    inner join project_settings
        on all_comparisons.project_id = project_settings.project_id

),

-- An API confirms with each sync what it stated before. A record of an archive states
-- its figures as of its own instant, whatever else was exported later.
compared as (

    select
        comparisons.*,
        comparisons.our_value - comparisons.tracker_value as difference,
        abs(comparisons.our_value - comparisons.tracker_value) as distance,
        comparisons.explanation is not null
        and (
            comparisons.explained_difference is null
            or abs(
                comparisons.our_value - comparisons.tracker_value
                - comparisons.explained_difference
            ) <= comparisons.tolerance
        ) as is_explained,
        project_settings.as_of as our_as_of,
        case
            when comparisons.record_source = 'api'
                then coalesce(project_settings.api_as_of, extracts.loaded_as_of)
            when comparisons.stated_at is not null then comparisons.stated_at
            else {{ earliest(
                'extracts.loaded_as_of', 'project_settings.newest_known_at'
            ) }}
        end as tracker_as_of
    from comparisons
    inner join project_settings
        on comparisons.project_id = project_settings.project_id
    left join extracts
        on comparisons.load_id = extracts.load_id

),

final as (

    select
        entity_kind || '-' || entity_key || '-' || metric_name as reconciliation_key,
        project_id,
        entity_id,
        entity_kind,
        entity_key,
        metric_name,
        unit,
        case
            -- Engines add doubles in different orders, so the last digits vary.
            when distance < 0.000000001 then 'equal'
            when distance <= tolerance then 'within tolerance'
            when is_explained then 'explained'
            when our_as_of < tracker_as_of then 'not comparable'
            when our_as_of > tracker_as_of then 'older'
            else 'different'
        end as verdict,
        case
            when coalesce(distance <= tolerance, false) then null
            when is_explained then explanation
            when our_as_of < tracker_as_of then 'as_of is before Tracker stated it'
            when our_as_of > tracker_as_of then 'Tracker stated it before as_of'
        end as explanation,
        our_value,
        tracker_value,
        difference,
        tolerance,
        compared_date,
        our_as_of,
        tracker_as_of
    from compared

)

select * from final
