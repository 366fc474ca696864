{{ config(enabled=is_built('plans')) }}
with

forecasts as (

    select * from {{ ref('int_forecasts') }}
    where is_backtest

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

done_iterations as (

    select * from {{ ref('int_iterations_with_velocity') }}
    where is_done

),

accepted_stories as (

    select
        project_id,
        accepted_date,
        row_number() over (
            partition by project_id
            order by accepted_date, story_id
        ) as acceptance_number
    from {{ ref('fct_story_cycle_time') }}
    where
        is_accepted
        and not is_deleted
        and accepted_date is not null

),

cuts as (

    select
        project_id,
        cut_date,
        max(queued_story_count) as queued_story_count
    from forecasts
    group by
        project_id,
        cut_date

),

accepted_by_cut as (

    select
        cuts.project_id,
        cuts.cut_date,
        cuts.queued_story_count,
        count(accepted_stories.acceptance_number) as accepted_story_count
    from cuts
    left join accepted_stories
        on
            cuts.project_id = accepted_stories.project_id
            and cuts.cut_date >= accepted_stories.accepted_date
    group by
        cuts.project_id,
        cuts.cut_date,
        cuts.queued_story_count

),

-- The day on which as many stories had been accepted after the cut as were open then.
actual_dates as (

    select
        accepted_by_cut.project_id,
        accepted_by_cut.cut_date,
        accepted_stories.accepted_date as actual_date
    from accepted_by_cut
    inner join accepted_stories
        on
            accepted_by_cut.project_id = accepted_stories.project_id
            and accepted_by_cut.accepted_story_count
            + accepted_by_cut.queued_story_count
            = accepted_stories.acceptance_number

),

horizons as (

    select
        project_id,
        cut_date,
        horizon_date
    from forecasts
    where
        question = 'how_many'
        and horizon_date <= last_whole_date
    group by
        project_id,
        cut_date,
        horizon_date

),

actual_counts as (

    select
        horizons.project_id,
        horizons.cut_date,
        horizons.horizon_date,
        count(accepted_stories.acceptance_number) as actual_story_count
    from horizons
    left join accepted_stories
        on
            horizons.project_id = accepted_stories.project_id
            and horizons.cut_date < accepted_stories.accepted_date
            and horizons.horizon_date >= accepted_stories.accepted_date
    group by
        horizons.project_id,
        horizons.cut_date,
        horizons.horizon_date

),

velocities as (

    select
        cuts.project_id,
        cuts.cut_date,
        done_iterations.velocity_per_week,
        row_number() over (
            partition by cuts.project_id, cuts.cut_date
            order by done_iterations.iteration_number desc
        ) as recency
    from cuts
    inner join project_settings
        on cuts.project_id = project_settings.project_id
    inner join done_iterations
        on
            cuts.project_id = done_iterations.project_id
            and cuts.cut_date + 1 >= {{ local_date(
                'done_iterations.finishes_at', 'project_settings.time_zone'
            ) }}

),

-- At Tracker's velocity the points of the backlog take so many weeks: so long for its
-- stories, and as many of them a week.
tracker_paces as (

    select
        forecasts.project_id,
        forecasts.cut_date,
        max(
            velocities.velocity_per_week * forecasts.queued_story_count
            / nullif({{ as_double('forecasts.queued_points') }}, 0)
        ) as stories_per_week
    from forecasts
    inner join velocities
        on
            forecasts.project_id = velocities.project_id
            and forecasts.cut_date = velocities.cut_date
            and velocities.recency = 1
    where velocities.velocity_per_week > 0
    group by
        forecasts.project_id,
        forecasts.cut_date

),

deviates as (

    {% for percentile, deviate in normal_deviates().items() %}
    select
        {{ percentile }} as percentile,
        {{ as_double(deviate) }} as deviate
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- A forecast is decided on its day and not before; otherwise early successes would
-- count before failures could.
with_outcomes as (

    select
        forecasts.*,
        coalesce(
            forecasts.gap_reason is null
            and coalesce(forecasts.forecast_date, forecasts.horizon_date)
            <= forecasts.last_whole_date,
            false
        ) as is_decided,
        case
            when forecasts.question = 'how_many' then actual_counts.actual_story_count
        end as actual_story_count,
        case when forecasts.question = 'when' then actual_dates.actual_date end
            as actual_date,
        {{ as_double(days_between('forecasts.cut_date', 'forecasts.last_whole_date')) }}
            as known_day_count,
        {{ as_double(days_between('forecasts.cut_date', 'actual_dates.actual_date')) }}
            as actual_day_count,
        tracker_paces.stories_per_week as tracker_stories_per_week,
        deviates.deviate * sqrt(forecasts.baseline_variance) as weekly_deviation
    from forecasts
    inner join deviates
        on forecasts.percentile = deviates.percentile
    left join actual_dates
        on
            forecasts.project_id = actual_dates.project_id
            and forecasts.cut_date = actual_dates.cut_date
    left join actual_counts
        on
            forecasts.project_id = actual_counts.project_id
            and forecasts.cut_date = actual_counts.cut_date
            and forecasts.horizon_date = actual_counts.horizon_date
    left join tracker_paces
        on
            forecasts.project_id = tracker_paces.project_id
            and forecasts.cut_date = tracker_paces.cut_date

),

-- Weeks are needed until mean x weeks - deviation x root(weeks) is what is queued: this
-- is the root, times twice the mean.
with_roots as (

    select
        *,
        weekly_deviation + sqrt(
            weekly_deviation * weekly_deviation
            + 4 * baseline_mean * greatest(queued_story_count - 0.5, 0)
        ) as root
    from with_outcomes

),

-- What independent weeks would say, as drawn many times from the last 26: a sum of
-- weeks is about normal, and done at the end of the week that reaches the target.
with_baselines as (

    select
        *,
        case
            when question = 'how_many'
                then greatest(floor(
                    horizon_week_count * baseline_mean
                    - weekly_deviation * sqrt(horizon_week_count)
                    + 0.5
                ), 0)
        end as bootstrap_story_count,
        case
            when question = 'when'
                then 7 * ceil(
                    root * root / nullif(4 * baseline_mean * baseline_mean, 0)
                )
        end as bootstrap_day_count,
        case
            when question = 'how_many'
                then floor(horizon_week_count * tracker_stories_per_week + 0.5)
        end as tracker_story_count,
        case
            when question = 'when'
                then ceil(7 * queued_story_count / nullif(tracker_stories_per_week, 0))
        end as tracker_day_count
    from with_roots
    where gap_reason is null

    union all

    select
        *,
        {{ as_double('null') }} as bootstrap_story_count,
        {{ as_double('null') }} as bootstrap_day_count,
        {{ as_double('null') }} as tracker_story_count,
        {{ as_double('null') }} as tracker_day_count
    from with_roots
    where gap_reason is not null

),

-- Dates are compared up to the last day that is known: a date beyond it, forecast or
-- actual, counts as that day. So each forecast has a loss, the late ones too. An 85 %
-- count should be reached in 85 of 100 cases: it is the 15th percentile.
with_values as (

    select
        *,
        {% for forecast in ['forecast', 'bootstrap', 'tracker'] %}
        case
            when question = 'how_many' then {{ forecast }}_story_count
            when {{ forecast }}_day_count > known_day_count then known_day_count
            else {{ forecast }}_day_count
        end as {{ forecast }}_value,
        {% endfor %}
        case
            when question = 'how_many' then actual_story_count
            when actual_day_count <= known_day_count then actual_day_count
            else known_day_count
        end as actual_value,
        case when question = 'how_many' then 100 - percentile else percentile end
            as expected_percent
    from with_baselines

),

final as (

    select
        {{ as_text('project_id') }} || '-' || {{ as_text('cut_date') }}
        || '-' || question || '-p' || {{ as_text('percentile') }}
        || case
            when question = 'how_many'
                then '-' || {{ as_text('horizon_week_count') }} || 'w'
            else ''
        end as forecast_key,
        project_id,
        question,
        gap_reason,
        percentile,
        sampled_week_count,
        sampled_story_count,
        queued_story_count,
        horizon_week_count,
        forecast_day_count,
        forecast_story_count,
        actual_story_count,
        cast(bootstrap_day_count as bigint) as bootstrap_day_count,
        cast(bootstrap_story_count as bigint) as bootstrap_story_count,
        cast(tracker_day_count as bigint) as tracker_day_count,
        cast(tracker_story_count as bigint) as tracker_story_count,
        {% for forecast in ['forecast', 'bootstrap', 'tracker'] %}
        greatest(
            expected_percent * (actual_value - {{ forecast }}_value),
            (100 - expected_percent) * ({{ forecast }}_value - actual_value)
        ) / {{ as_double('100') }} as {{ forecast }}_loss,
        {% endfor %}
        is_decided,
        case
            when is_decided and question = 'when'
                then coalesce(actual_date <= forecast_date, false)
            when is_decided
                then actual_story_count >= forecast_story_count
        end as is_held,
        cut_date,
        window_from_date,
        window_to_date,
        horizon_date,
        forecast_date,
        actual_date
    from with_values

)

select * from final
