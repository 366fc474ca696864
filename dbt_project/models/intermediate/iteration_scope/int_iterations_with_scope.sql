with

scope as (

    select * from {{ ref('int_iteration_scope_with_points') }}

),

iterations as (

    select * from {{ ref('int_iterations_with_room') }}

),

projects_of_unknown_histories as (

    select
        project_id,
        count(*) as story_count
    from {{ ref('int_stories') }}
    where
        not is_history_known
        and not is_deleted
        and coalesce(story_type, '') != 'release'
    group by project_id

),

-- Unestimated counts as no points, here as in velocity. A story whose history is not
-- known counts in what was accepted alone.
totals as (

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
            case
                when is_committed and exit_kind = 'accepted'
                    then points_at_entry
            end
        ) as committed_points_accepted,
        sum(case when exit_kind = 'accepted' then points_at_exit end)
            as accepted_points_as_closed
    from scope
    group by iteration_key

),

final as (

    select
        {% for measure in [
            'committed_story_count', 'committed_points', 'carried_in_story_count',
            'carried_in_points', 'added_story_count', 'added_points',
            'removed_story_count', 'removed_points', 'spilled_story_count',
            'spilled_points', 'committed_points_accepted', 'accepted_points_as_closed'
        ] %}
        coalesce(totals.{{ measure }}, 0) as {{ measure }},
        {% endfor %}
        projects_of_unknown_histories.project_id is null
        or coalesce(totals.history_known_story_count, 0) > 0 as is_scope_known,
        iterations.iteration_key
    from iterations
    left join totals
        on iterations.iteration_key = totals.iteration_key
    left join projects_of_unknown_histories
        on iterations.project_id = projects_of_unknown_histories.project_id

)

select * from final
