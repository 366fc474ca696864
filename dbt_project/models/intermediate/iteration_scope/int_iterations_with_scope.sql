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
        count(*) filter (where {{ condition }}) as {{ measure }}_story_count,
        coalesce(sum(points_at_entry) filter (where {{ condition }}), 0)
            as {{ measure }}_points,
        {% endfor %}
        {% for exit_kind in ['removed', 'spilled'] %}
        count(*) filter (where exit_kind = '{{ exit_kind }}')
            as {{ exit_kind }}_story_count,
        coalesce(sum(points_at_exit) filter (where exit_kind = '{{ exit_kind }}'), 0)
            as {{ exit_kind }}_points,
        {% endfor %}
        coalesce(
            sum(points_at_entry) filter (
                where is_committed and exit_kind = 'accepted'
            ),
            0
        ) as committed_points_accepted,
        coalesce(sum(points_at_exit) filter (where exit_kind = 'accepted'), 0)
            as accepted_points_as_closed
    from scope
    group by iteration_key

)

select * from final
