{{ config(enabled=is_built('iterations')) }}
{%- set scope_measures = ['committed', 'carried_in', 'added', 'removed', 'spilled'] -%}

with

iterations as (

    select * from {{ ref('int_iterations_with_stories') }}

),

velocities as (

    select * from {{ ref('int_iterations_with_velocity') }}

),

stories as (

    select * from {{ ref('int_stories') }}

),

scope as (

    select
        scope.*,
        stories.is_history_known
    from {{ ref('fct_iteration_scope') }} as scope
    inner join stories
        on scope.story_id = stories.story_id

),

projects_of_unknown_histories as (

    select
        project_id,
        count(*) as story_count
    from stories
    where
        not is_history_known
        and not is_deleted
        and coalesce(story_type, '') != 'release'
    group by project_id

),

-- Only the API says that there are no stories.
projects_without_histories as (

    select projects.project_id
    from {{ ref('stg_pivotal_tracker__projects') }} as projects
    left join stories
        on projects.project_id = stories.project_id
    where projects.record_source != 'api'
    group by projects.project_id
    having count(case when stories.is_history_known then 1 end) = 0

),

-- Unestimated counts as no points, here as in velocity. A story whose history is not
-- known counts in what was accepted only.
scope_totals as (

    select
        iteration_key,
        count(case when is_history_known then 1 end) as history_known_story_count,
        {% for measure, condition in {
            'committed': 'is_committed',
            'carried_in': "entry_kind = 'carried in'",
            'added': "entry_kind in ('added', 'unknown')"
        }.items() %}
        count(case when is_history_known and {{ condition }} then 1 end)
            as {{ measure }}_story_count,
        sum(case when is_history_known and {{ condition }} then points_at_entry end)
            as {{ measure }}_points,
        {% endfor %}
        {% for exit_kind in ['removed', 'spilled'] %}
        count(case when exit_kind = '{{ exit_kind }}' then 1 end)
            as {{ exit_kind }}_story_count,
        sum(case when exit_kind = '{{ exit_kind }}' then points_at_exit end)
            as {{ exit_kind }}_points,
        {% endfor %}
        sum(
            case when is_committed and exit_kind = 'accepted' then points_at_entry end
        ) as committed_points_accepted,
        sum(case when exit_kind = 'accepted' then points_at_exit end)
            as accepted_points_as_closed
    from scope
    group by iteration_key

),

scopes as (

    select
        iterations.iteration_key,
        (
            projects_of_unknown_histories.project_id is null
            and projects_without_histories.project_id is null
        )
        or coalesce(scope_totals.history_known_story_count, 0) > 0 as is_scope_known,
        {% for measure in scope_measures %}
        coalesce(scope_totals.{{ measure }}_story_count, 0)
            as {{ measure }}_story_count,
        coalesce(scope_totals.{{ measure }}_points, 0) as {{ measure }}_points,
        {% endfor %}
        coalesce(scope_totals.committed_points_accepted, 0)
            as committed_points_accepted,
        coalesce(scope_totals.accepted_points_as_closed, 0)
            as accepted_points_as_closed
    from iterations
    left join scope_totals
        on iterations.iteration_key = scope_totals.iteration_key
    left join projects_of_unknown_histories
        on iterations.project_id = projects_of_unknown_histories.project_id
    left join projects_without_histories
        on iterations.project_id = projects_without_histories.project_id

),

with_velocities as (

    select
        iterations.*,
        velocities.velocity_per_week,
        velocities.velocity,
        velocities.velocity_source,
        velocities.planned_velocity,
        velocities.velocity_volatility,
        {% for measure in scope_measures %}
        case when scopes.is_scope_known then scopes.{{ measure }}_story_count end
            as {{ measure }}_story_count,
        case when scopes.is_scope_known then scopes.{{ measure }}_points end
            as {{ measure }}_points,
        {% endfor %}
        scopes.committed_points_accepted,
        case
            when iterations.is_done and scopes.is_scope_known
                then scopes.accepted_points_as_closed
        end as accepted_points_as_closed
    from iterations
    inner join velocities
        on iterations.iteration_key = velocities.iteration_key
    inner join scopes
        on iterations.iteration_key = scopes.iteration_key

),

final as (

    select
        iteration_key,
        project_id,
        iteration_number,
        length_weeks,
        {{ as_decimal('team_strength') }} as team_strength,
        {{ as_decimal('accepted_points') }} as accepted_points,
        {{ as_decimal('accepted_points_as_closed') }} as accepted_points_as_closed,
        {{ as_decimal('accepted_points - accepted_points_as_closed') }}
            as restated_points,
        accepted_story_count,
        accepted_feature_count,
        accepted_bug_count,
        accepted_chore_count,
        velocity_per_week,
        velocity,
        velocity_source,
        planned_velocity,
        velocity_volatility,
        history_known_story_count,
        rejectable_story_count,
        history_known_rejectable_story_count,
        rejected_story_count,
        {{ as_double('rejected_story_count') }}
        / nullif(history_known_rejectable_story_count, 0) as rejection_rate,
        bug_created_count,
        median_cycle_time_seconds,
        p85_cycle_time_seconds,
        {% for measure in scope_measures %}
        {{ measure }}_story_count,
        {{ as_decimal(measure ~ '_points') }} as {{ measure }}_points,
        {% endfor %}
        {{ as_double('committed_points_accepted') }} / nullif(committed_points, 0)
            as say_do_ratio,
        is_done,
        is_current,
        starts_at,
        finishes_at
    from with_velocities

)

select * from final
