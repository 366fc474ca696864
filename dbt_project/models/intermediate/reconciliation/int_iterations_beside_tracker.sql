with

iterations as (

    select * from {{ ref('int_iterations_with_tracker_points') }}

),

with_analytics as (

    select
        {% for figure in [
            'stories_accepted', 'bugs_created', 'cycle_time', 'rejection_rate'
        ] %}
        cast(
            {{ json_text('tracker_analytics', figure) }}
            as {{ engine_type('decimal(28, 10)') }}
        ) as tracker_{{ figure }},
        {% endfor %}
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
    from iterations

),

-- Of an iteration that has not begun we publish no analytics, and Tracker gives zeroes.
final as (

    {{ figures_as_rows('with_analytics', 'iteration', [
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

)

select * from final
