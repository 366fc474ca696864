{{ config(enabled=is_built('plans')) }}
-- A table: windows, paths and the tests of both read it.
{{ config(materialized='table') }}

with

cuts as (

    select * from {{ ref('int_forecast_cuts') }}

),

complete_weeks as (

    select * from {{ ref('int_complete_weeks') }}

),

acceptances as (

    select * from {{ ref('int_stories_put_aside') }}
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

window_weeks as (

    select * from ranked_weeks
    where weeks_back <= {{ var('forecast_window_weeks') }}

),

-- What stood as accepted at the cut: a later rejection or deletion was not known then.
final as (

    select
        window_weeks.project_id,
        window_weeks.cut_date,
        window_weeks.weeks_back,
        count(acceptances.story_id) as story_count,
        window_weeks.week_start_date,
        window_weeks.week_end_date
    from window_weeks
    left join acceptances
        on
            window_weeks.project_id = acceptances.project_id
            and window_weeks.week_start_date = acceptances.week_start_date
            and (
                acceptances.left_date is null
                or window_weeks.known_date < acceptances.left_date
            )
    group by
        window_weeks.project_id,
        window_weeks.cut_date,
        window_weeks.weeks_back,
        window_weeks.week_start_date,
        window_weeks.week_end_date

)

select * from final
