with

scope as (

    select * from {{ ref('int_iteration_scope_with_points') }}

),

-- Unestimated counts as no points, here as in velocity.
final as (

    select
        iteration_key,
        {% for measure, condition in {
            'committed': 'is_committed',
            'carried_in': "entry_kind = 'carried in'",
            'added': "entry_kind in ('added', 'unknown')"
        }.items() %}
        count(case when {{ condition }} then 1 end) as {{ measure }}_story_count,
        coalesce(sum(case when {{ condition }} then points_at_entry end), 0)
            as {{ measure }}_points,
        {% endfor %}
        {% for exit_kind in ['removed', 'spilled'] %}
        count(case when exit_kind = '{{ exit_kind }}' then 1 end)
            as {{ exit_kind }}_story_count,
        coalesce(sum(
            case when exit_kind = '{{ exit_kind }}' then points_at_exit end
        ), 0)
            as {{ exit_kind }}_points,
        {% endfor %}
        coalesce(
            sum(
                case
                    when is_committed and exit_kind = 'accepted'
                        then points_at_entry
                end
            ),
            0
        ) as committed_points_accepted,
        coalesce(sum(case when exit_kind = 'accepted' then points_at_exit end), 0)
            as accepted_points_as_closed
    from scope
    group by iteration_key

)

select * from final
