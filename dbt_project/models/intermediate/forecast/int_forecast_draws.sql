{{ config(enabled=is_built('plans')) }}
with

trials as (

    select * from {{ ref('int_forecast_trials') }}

),

whole_numbers as (

    select * from {{ ref('int_whole_numbers') }}

),

seeded_by_week as (

    select
        trials.project_id,
        trials.cut_date,
        trials.sampled_week_count,
        trials.trial_number,
        future_weeks.whole_number as week_number,
        {{ stirred('trials.path_seed', 'future_weeks.whole_number') }} as week_seed
    from trials
    inner join whole_numbers as future_weeks
        on trials.simulated_week_count >= future_weeks.whole_number

),

stirred_twice as (

    select
        *,
        {{ stirred(scrambled('week_seed'), 'week_number') }} as week_draw
    from seeded_by_week

),

final as (

    select
        project_id,
        cut_date,
        trial_number,
        week_number,
        mod({{ scrambled('week_draw') }}, nullif(sampled_week_count, 0)) + 1
            as weeks_back
    from stirred_twice

)

select * from final
