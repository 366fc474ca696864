{{ config(enabled=is_built('plans')) }}
-- A table: errors, curves and forecasts read it.
{{ config(materialized='table') }}

with

cuts as (

    select * from {{ ref('int_forecast_cuts') }}

),

complete_weeks as (

    select * from {{ ref('int_complete_weeks') }}

),

open_intervals as (

    select * from {{ ref('int_story_flow_intervals') }}
    where story_state not in ('accepted', 'unscheduled')

),

acceptances as (

    select * from {{ ref('int_stories_outside_backlog') }}
    where story_state = 'accepted'

),

ends_of_days as (

    select
        project_id,
        week_end_date as flow_date
    from complete_weeks

    union all

    select
        project_id,
        cut_date as flow_date
    from cuts
    where is_current

),

days as (

    select distinct
        project_id,
        flow_date
    from ends_of_days

),

-- What was open at the end of the day, as fct_flow_daily counts it.
daily_work as (

    select
        days.project_id,
        {{ as_double(
            'count(case when open_intervals.story_state in ' ~ in_progress_states()
            ~ ' then 1 end)'
        ) }} as in_progress_count,
        {{ as_double(
            "count(case when open_intervals.story_state in ('unstarted', 'planned') "
            "then 1 end)"
        ) }} as backlog_count,
        count(case when open_intervals.story_state = 'unknown' then 1 end)
            as unknown_count,
        days.flow_date
    from days
    left join open_intervals
        on
            days.project_id = open_intervals.project_id
            and days.flow_date >= open_intervals.entered_date
            and (
                open_intervals.left_date is null
                or days.flow_date < open_intervals.left_date
            )
    group by
        days.project_id,
        days.flow_date

),

ranked_weeks as (

    select
        cuts.project_id,
        cuts.cut_date,
        cuts.known_date,
        complete_weeks.week_start_date,
        complete_weeks.week_end_date,
        row_number() over (
            partition by cuts.project_id, cuts.cut_date
            order by complete_weeks.week_start_date desc
        ) as weeks_back
    from cuts
    inner join complete_weeks
        on
            cuts.project_id = complete_weeks.project_id
            and cuts.cut_date >= complete_weeks.week_end_date

),

-- What was accepted at the cut: a later rejection or deletion was not known then.
-- Weights are whole numbers, so that every engine sums up the same.
weeks as (

    select
        ranked_weeks.project_id,
        ranked_weeks.cut_date,
        ranked_weeks.weeks_back,
        {% for pace, weeks in half_lives().items() %}
        cast(round(65536 * power(
            0.5, (ranked_weeks.weeks_back - 1) / {{ weeks }}.0
        )) as bigint) as {{ pace }}_weight,
        {% endfor %}
        count(acceptances.story_id) as story_count,
        ranked_weeks.week_start_date,
        ranked_weeks.week_end_date
    from ranked_weeks
    left join acceptances
        on
            ranked_weeks.project_id = acceptances.project_id
            and ranked_weeks.week_start_date = acceptances.week_start_date
            and (
                acceptances.left_date is null
                or ranked_weeks.known_date < acceptances.left_date
            )
    where ranked_weeks.weeks_back <= {{ var('forecast_window_weeks') }}
    group by
        ranked_weeks.project_id,
        ranked_weeks.cut_date,
        ranked_weeks.weeks_back,
        ranked_weeks.week_start_date,
        ranked_weeks.week_end_date

),

weeks_by_size as (

    select
        *,
        row_number() over (
            partition by project_id, cut_date
            order by story_count desc
        ) as size_rank,
        count(*) over (partition by project_id, cut_date) as week_count
    from weeks

),

limits as (

    select
        project_id,
        cut_date,
        greatest(
            max(story_count),
            floor(3 * ({{ as_double('sum(story_count)') }} / count(*) + 1))
        ) as story_limit
    from weeks_by_size
    where
        size_rank > case when week_count < {{ baseline_weeks() }} then 1 else 2 end
    group by
        project_id,
        cut_date

),

-- The two largest weeks, in a short window only the largest, may be clean-ups or
-- imports, which will not be repeated. The limit comes from the other weeks.
limited_weeks as (

    select
        weeks.*,
        least(
            weeks.story_count, coalesce(limits.story_limit, weeks.story_count)
        ) as limited_story_count
    from weeks
    left join limits
        on
            weeks.project_id = limits.project_id
            and weeks.cut_date = limits.cut_date

),

sums as (

    select
        project_id,
        cut_date,
        count(*) as week_count,
        cast(sum(story_count) as bigint) as story_count,
        {% for pace in half_lives() %}
        {{ as_double('sum(' ~ pace ~ '_weight)') }} as {{ pace }}_weights,
        {{ as_double('sum(' ~ pace ~ '_weight * limited_story_count)') }}
            as {{ pace }}_stories,
        {% endfor %}
        {{ as_double('sum(steady_weight * steady_weight)') }} as steady_squared_weights,
        {{ as_double(
            'sum(steady_weight * limited_story_count * limited_story_count)'
        ) }} as steady_squares,
        {% for span, first_week in [('baseline', 1), ('earlier', 5)] %}
        {% set is_in =
            'case when weeks_back between ' ~ first_week ~ ' and ' ~ baseline_weeks()
            ~ ' then '
        %}
        {{ as_double('count(' ~ is_in ~ '1 end)') }} as {{ span }}_weeks,
        {{ as_double('sum(' ~ is_in ~ 'story_count else 0 end)') }}
            as {{ span }}_stories,
        {{ as_double('sum(' ~ is_in ~ 'story_count * story_count else 0 end)') }}
            as {{ span }}_squares,
        {% endfor %}
        min(case when story_count > 0 then weeks_back end) - 1 as idle_week_count,
        {{ as_double('sum(case when weeks_back <= 4 then story_count else 0 end)') }}
            as last_four_stories,
        min(week_start_date) as window_from_date,
        max(week_end_date) as window_to_date
    from limited_weeks
    group by
        project_id,
        cut_date

),

-- How many more stories than usual are in progress and in the backlog. It is not known
-- if the state of a story is unknown on one of the days.
usual_work as (

    select
        weeks.project_id,
        weeks.cut_date,
        {{ as_double('sum(weeks.steady_weight * daily_work.in_progress_count)') }}
        / {{ as_double('sum(weeks.steady_weight)') }} as in_progress_mean,
        {{ as_double('sum(weeks.steady_weight * daily_work.backlog_count)') }}
        / {{ as_double('sum(weeks.steady_weight)') }} as backlog_mean,
        sum(daily_work.unknown_count) as unknown_count
    from weeks
    inner join daily_work
        on
            weeks.project_id = daily_work.project_id
            and weeks.week_end_date = daily_work.flow_date
    group by
        weeks.project_id,
        weeks.cut_date

),

excesses as (

    select
        usual_work.project_id,
        usual_work.cut_date,
        daily_work.in_progress_count - usual_work.in_progress_mean
            as in_progress_excess,
        daily_work.backlog_count - usual_work.backlog_mean as backlog_excess
    from usual_work
    inner join daily_work
        on
            usual_work.project_id = daily_work.project_id
            and usual_work.cut_date = daily_work.flow_date
    where usual_work.unknown_count + daily_work.unknown_count = 0

),

means as (

    select
        *,
        recent_stories / nullif(recent_weights, 0) as recent_mean,
        steady_stories / nullif(steady_weights, 0) as steady_mean,
        steady_squares / nullif(steady_weights, 0) as steady_mean_square,
        baseline_stories / nullif(baseline_weeks, 0) as baseline_mean,
        baseline_squares / nullif(baseline_weeks, 0) as baseline_mean_square,
        earlier_stories / nullif(earlier_weeks, 0) as earlier_mean,
        earlier_squares / nullif(earlier_weeks, 0) as earlier_mean_square
    from sums

),

-- The variance is at least half the mean, because a few equal weeks do not mean that
-- all will be equal.
final as (

    select
        cuts.project_id,
        cuts.cut_date,
        cuts.is_current,
        cuts.is_backtest,
        case
            when coalesce(means.week_count, 0) < {{ min_weeks_for_forecast() }}
                then 'too few weeks'
            when means.baseline_stories < {{ min_stories_for_forecast() }}
                then 'too few accepted'
            -- Five stories or more would have been accepted at the pace before.
            when
                means.baseline_stories * means.idle_week_count
                >= 5 * (means.baseline_weeks - means.idle_week_count)
                then 'stopped'
            -- More than four standard deviations from what came before.
            when
                means.earlier_weeks >= {{ min_weeks_for_forecast() }}
                and (means.last_four_stories - 4 * means.earlier_mean)
                * (means.last_four_stories - 4 * means.earlier_mean)
                > 16 * (
                    4 * (
                        means.earlier_mean_square
                        - means.earlier_mean * means.earlier_mean
                    ) * (1 + 4 / nullif(means.earlier_weeks, 0))
                    + 1
                )
                then 'unlike its window'
        end as gap_reason,
        coalesce(means.week_count, 0) as sampled_week_count,
        coalesce(means.story_count, 0) as sampled_story_count,
        means.recent_mean,
        -- The number of equally weighted weeks whose mean would be as precise.
        means.steady_weights * means.steady_weights
        / nullif(means.steady_squared_weights, 0) as steady_week_count,
        {% for pace in ['steady', 'baseline'] %}
        means.{{ pace }}_mean,
        greatest(
            means.{{ pace }}_mean_square
            - means.{{ pace }}_mean * means.{{ pace }}_mean,
            0.5 * means.{{ pace }}_mean
        ) as {{ pace }}_variance,
        {% endfor %}
        -- Beyond five weeks of work it counts less, and from ten on not at all: that is
        -- an import or a clean-up, which says nothing about the next weeks.
        {% for place in ['in_progress', 'backlog'] %}
        {% set excess = 'excesses.' ~ place ~ '_excess' %}
        coalesce(
            greatest(
                least({{ excess }}, 10 * means.steady_mean - {{ excess }}), 0
            )
            - greatest(
                least(-{{ excess }}, 10 * means.steady_mean + {{ excess }}), 0
            ),
            0
        ) as {{ place }}_excess,
        {% endfor %}
        cuts.last_whole_date,
        means.window_from_date,
        means.window_to_date
    from cuts
    left join means
        on
            cuts.project_id = means.project_id
            and cuts.cut_date = means.cut_date
    left join excesses
        on
            cuts.project_id = excesses.project_id
            and cuts.cut_date = excesses.cut_date

)

select * from final
