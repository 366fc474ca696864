{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('accounts') }}

),

renamed as (

    select
        -- ids
        id as account_id,

        -- text
        name as account_name,
        plan as account_plan,
        status as account_status,

        -- numbers
        days_left as days_left_count,

        -- lists
        project_ids,

        -- booleans
        over_the_limit as is_over_the_limit,

        -- instants
        {{ repaired('created_at', 'instant', repairs) }} as created_at,
        {{ repaired('updated_at', 'instant', repairs) }} as updated_at,

        -- row
        {{ repair_evidence(repairs) }} as repairs,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
