{{ config(enabled=is_built('plans')) }}
-- A table: dates, counts and marts read it, and it is small.
{{ config(materialized='table') }}

with

cuts as (

    select * from {{ ref('int_forecast_cuts') }}

),

weeks as (

    select * from {{ ref('int_forecast_weeks') }}

),

targets as (

    select * from {{ ref('int_forecast_targets') }}

),

sampled as (

    select
        project_id,
        cut_date,
        count(*) as sampled_week_count,
        cast(sum(story_count) as bigint) as sampled_story_count,
        cast(sum(story_count * story_count) as bigint) as squared_story_count,
        min(week_start_date) as window_from_date,
        max(week_end_date) as window_to_date
    from weeks
    group by
        project_id,
        cut_date

),

needs as (

    select
        project_id,
        cut_date,
        max(queued_story_count) as most_queued_story_count,
        max({{ days_between('cut_date', 'deadline_date') }}) as most_deadline_days
    from targets
    group by
        project_id,
        cut_date

),

with_lengths as (

    select
        cuts.project_id,
        cuts.cut_date,
        cuts.is_backtest,
        cuts.trial_count,
        cuts.last_whole_date,
        coalesce(sampled.sampled_week_count, 0) as sampled_week_count,
        coalesce(sampled.sampled_story_count, 0) as sampled_story_count,
        sampled.window_from_date,
        sampled.window_to_date,
        -- Twice the mean need, and thrice the spread of the weeks (the mean square over
        -- the squared mean): also of lumpy weeks, 97 of 100 paths then end at their
        -- target, and p95 asks for 95.
        {{ forecast_horizons() | max }} + 2 + greatest(
            coalesce(needs.most_deadline_days, 0) / 7.0,
            coalesce(
                2.0 * needs.most_queued_story_count * sampled.sampled_week_count
                / nullif(sampled.sampled_story_count, 0)
                + 3.0 * sampled.sampled_week_count * sampled.squared_story_count
                / nullif(sampled.sampled_story_count * sampled.sampled_story_count, 0),
                0
            )
        ) as week_count_needed
    from cuts
    left join sampled
        on
            cuts.project_id = sampled.project_id
            and cuts.cut_date = sampled.cut_date
    left join needs
        on
            cuts.project_id = needs.project_id
            and cuts.cut_date = needs.cut_date

),

final as (

    select
        project_id,
        cut_date,
        is_backtest,
        trial_count,
        sampled_week_count,
        sampled_story_count,
        case
            when
                sampled_week_count >= {{ fewest_weeks_for_a_forecast() }}
                and sampled_story_count >= {{ fewest_stories_for_a_forecast() }}
                then least(
                    cast(floor(week_count_needed) as bigint),
                    {{ var('forecast_horizon_weeks') }}
                )
            else 0
        end as simulated_week_count,
        last_whole_date,
        window_from_date,
        window_to_date
    from with_lengths

)

select * from final
