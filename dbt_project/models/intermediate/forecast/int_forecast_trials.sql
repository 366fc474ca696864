{{ config(enabled=is_built('plans')) }}
-- A table: PostgreSQL and Spark put an expression wherever its name stands, and each
-- round names its number five times; kept here, no more than three rounds are nested.
{{ config(materialized='table') }}

with

windows as (

    select * from {{ ref('int_forecast_windows') }}

),

whole_numbers as (

    select * from {{ ref('int_whole_numbers') }}

),

-- The numbers of a path depend on seed, project, cut, trial and week alone: not on the
-- order of rows, nor on how many other paths there are.
seeded_by_project as (

    select
        *,
        {{ stirred(var('forecast_seed') | int % largest_prime() | int, 'project_id') }}
            as seed_number
    from windows

),

seeded_by_cut as (

    select
        *,
        {{ stirred(
            scrambled('seed_number'),
            'cast(extract(year from cut_date) * 10000 '
            ~ '+ extract(month from cut_date) * 100 '
            ~ '+ extract(day from cut_date) as bigint)'
        ) }} as cut_number
    from seeded_by_project

),

seeded_by_trial as (

    select
        seeded_by_cut.project_id,
        seeded_by_cut.cut_date,
        seeded_by_cut.sampled_week_count,
        seeded_by_cut.simulated_week_count,
        trials.whole_number as trial_number,
        {{ stirred(scrambled('cut_number'), 'trials.whole_number') }} as path_number
    from seeded_by_cut
    inner join whole_numbers as trials
        on seeded_by_cut.trial_count >= trials.whole_number

),

final as (

    select
        project_id,
        cut_date,
        trial_number,
        sampled_week_count,
        simulated_week_count,
        {{ scrambled('path_number') }} as path_seed
    from seeded_by_trial

)

select * from final
