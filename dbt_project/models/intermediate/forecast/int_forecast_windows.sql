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

acceptances as (

    select * from {{ ref('int_stories_outside_backlog') }}
    where story_state = 'accepted'

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
        cast(round(65536 * power(
            0.5, (ranked_weeks.weeks_back - 1) / {{ recent_half_life_weeks() }}.0
        )) as bigint) as recent_weight,
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

sums as (

    select
        project_id,
        cut_date,
        count(*) as week_count,
        cast(sum(story_count) as bigint) as story_count,
        {{ as_double('sum(story_count * story_count)') }} as squares,
        {{ as_double('sum(recent_weight)') }} as weights,
        {{ as_double('sum(recent_weight * recent_weight)') }} as squared_weights,
        {{ as_double('sum(recent_weight * story_count)') }} as weighted_stories,
        {{ as_double('sum(recent_weight * story_count * story_count)') }}
            as weighted_squares,
        min(case when story_count > 0 then weeks_back end) - 1 as idle_week_count,
        {{ as_double('sum(case when weeks_back <= 4 then story_count else 0 end)') }}
            as last_four_stories,
        {{ as_double('sum(case when weeks_back > 4 then story_count else 0 end)') }}
            as earlier_stories,
        {{ as_double(
            'sum(case when weeks_back > 4 then story_count * story_count else 0 end)'
        ) }} as earlier_squares,
        {{ as_double('count(case when weeks_back > 4 then 1 end)') }} as earlier_weeks,
        min(week_start_date) as window_from_date,
        max(week_end_date) as window_to_date
    from weeks
    group by
        project_id,
        cut_date

),

means as (

    select
        *,
        {{ as_double('story_count') }} / nullif(week_count, 0) as even_mean,
        squares / nullif(week_count, 0) as even_mean_square,
        weighted_stories / nullif(weights, 0) as recent_mean,
        weighted_squares / nullif(weights, 0) as recent_mean_square,
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
        cuts.is_fourth_week,
        case
            when coalesce(means.week_count, 0) < {{ min_weeks_for_forecast() }}
                then 'too few weeks'
            when means.story_count < {{ min_stories_for_forecast() }}
                then 'too few accepted'
            -- Five stories or more would have been accepted at the pace before.
            when
                means.story_count * means.idle_week_count
                >= 5 * (means.week_count - means.idle_week_count)
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
        {{ as_double('means.week_count') }} as even_week_count,
        means.even_mean,
        greatest(
            means.even_mean_square - means.even_mean * means.even_mean,
            0.5 * means.even_mean
        ) as even_variance,
        -- The number of equally weighted weeks whose mean would be as precise.
        means.weights * means.weights / nullif(means.squared_weights, 0)
            as recent_week_count,
        means.recent_mean,
        greatest(
            means.recent_mean_square - means.recent_mean * means.recent_mean,
            0.5 * means.recent_mean
        ) as recent_variance,
        cuts.last_whole_date,
        means.window_from_date,
        means.window_to_date
    from cuts
    left join means
        on
            cuts.project_id = means.project_id
            and cuts.cut_date = means.cut_date

)

select * from final
