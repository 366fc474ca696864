with

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

settings as (

    {{ unnest_json_list('projects', 'inferred_settings', keep=['project_id']) }}

),

columns_inferred as (

    select
        project_id,
        case
            when element = 'iteration_length' then 'iteration_length_weeks'
            else element
        end as setting_name
    from settings

),

final as (

    select
        project_id,
        {{ joined_text('setting_name') }} as inferred_settings
    from columns_inferred
    group by project_id

)

select * from final
