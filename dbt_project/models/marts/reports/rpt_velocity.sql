{{ config(enabled=is_built('reports')) }}
with

iterations as (

    select * from {{ ref('fct_iteration_velocity') }}
    where is_done

),

dates as (

    select * from {{ ref('dim_iteration') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by project_id
            order by iteration_number desc
        ) as recency
    from iterations

),

-- Tracker's velocity chart shows twelve iterations.
final as (

    select
        ranked.iteration_key,
        ranked.project_id,
        dates.project_name,
        ranked.iteration_number,
        ranked.length_weeks,
        ranked.team_strength,
        ranked.accepted_points,
        ranked.accepted_story_count,
        ranked.accepted_feature_count,
        ranked.accepted_bug_count,
        ranked.accepted_chore_count,
        ranked.velocity,
        ranked.velocity_source,
        ranked.velocity_per_week,
        ranked.velocity_volatility,
        dates.start_date,
        dates.last_date
    from ranked
    inner join dates
        on ranked.iteration_key = dates.iteration_key
    where ranked.recency <= 12

)

select * from final
