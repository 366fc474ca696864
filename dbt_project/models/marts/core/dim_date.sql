with

project_settings as (

    select * from {{ ref('int_projects') }}

),

-- The calendar serves all projects: it reaches to the year after the newest as_of.
newest as (

    select max(as_of) as as_of from project_settings

),

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

stories as (

    select * from {{ ref('int_stories') }}

),

activities as (

    select * from {{ ref('stg_pivotal_tracker__activities') }}

),

story_parts as (

    select * from {{ ref('int_story_parts') }}

),

-- An imported story can be older than its project, and an archive can contain
-- activities or comments without their stories.
first_instants as (

    select
        project_id,
        started_at as first_at
    from projects

    union all

    select
        project_id,
        {{ earliest('created_at', 'accepted_at') }} as first_at
    from stories

    union all

    select
        project_id,
        min(occurred_at) as first_at
    from activities
    group by project_id

    union all

    select
        project_id,
        created_at as first_at
    from story_parts
    where is_current

),

first_dates as (

    select
        {{ local_date('first_instants.first_at', 'project_settings.time_zone') }}
            as first_date
    from first_instants
    inner join project_settings
        on first_instants.project_id = project_settings.project_id

),

bounds as (

    select
        cast(
            {{ as_text('extract(year from max(newest.as_of)) + 1') }} || '-12-31'
            as date
        ) as last_date,
        min(first_dates.first_date) as first_date
    from first_dates
    cross join newest

),

days as (

    {{ day_series('bounds', 'first_date', 'last_date') }}

),

with_parts as (

    select
        calendar_date,
        {{ week_start('calendar_date', "'Monday'") }} as week_start_date,
        cast({{ dbt.date_trunc('month', 'calendar_date') }} as date)
            as month_start_date,
        cast({{ dbt.date_trunc('quarter', 'calendar_date') }} as date)
            as quarter_start_date,
        cast(extract(year from calendar_date) as bigint) as calendar_year,
        cast(extract(quarter from calendar_date) as bigint) as quarter_of_year,
        cast(extract(month from calendar_date) as bigint) as month_of_year,
        cast(extract(day from calendar_date) as bigint) as day_of_month
    from days

),

-- An ISO week is of the year in which its Thursday lies.
with_weeks as (

    select
        *,
        cast({{ dbt.date_trunc('year', 'week_start_date + 3') }} as date)
            as iso_year_start_date,
        {{ days_between('week_start_date', 'calendar_date') }} + 1 as iso_day_of_week
    from with_parts

),

with_week_numbers as (

    select
        *,
        cast(extract(year from iso_year_start_date) as bigint) as iso_year,
        1 + cast(floor(
            {{ days_between('iso_year_start_date', 'week_start_date + 3') }} / 7.0
        ) as bigint) as iso_week
    from with_weeks

),

final as (

    select
        calendar_date,
        {% for name, number, names in [
            ('weekday_name', 'iso_day_of_week', [
                'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday',
                'Sunday'
            ]),
            ('month_name', 'month_of_year', [
                'January', 'February', 'March', 'April', 'May', 'June', 'July',
                'August', 'September', 'October', 'November', 'December'
            ])
        ] %}
        case {{ number }}
            {% for each in names %}
            when {{ loop.index }} then '{{ each }}'
            {% endfor %}
        end as {{ name }},
        {% endfor %}
        {{ as_text('iso_year') }} || '-W'
        || lpad({{ as_text('iso_week') }}, 2, '0') as week_label,
        {{ as_text('calendar_year') }} || '-'
        || lpad({{ as_text('month_of_year') }}, 2, '0') as month_label,
        {{ as_text('calendar_year') }} || '-Q'
        || {{ as_text('quarter_of_year') }} as quarter_label,
        calendar_year,
        quarter_of_year,
        month_of_year,
        day_of_month,
        iso_year,
        iso_week,
        iso_day_of_week,
        iso_day_of_week in (6, 7) as is_weekend,
        week_start_date,
        month_start_date,
        quarter_start_date
    from with_week_numbers

)

select * from final
