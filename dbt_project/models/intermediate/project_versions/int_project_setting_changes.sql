with

settings_now as (

    select * from {{ ref('int_project_settings_now') }}

),

tellings as (

    select * from {{ ref('int_project_setting_tellings') }}

),

-- As for stories: a setting begins with what the first change replaced, and the
-- project's row has the last word.
unioned as (

    select
        settings_now.project_id,
        settings_now.attribute_name,
        case
            when tellings.is_creation then tellings.new_value
            when tellings.project_id is not null then tellings.original_value
            else settings_now.attribute_value
        end as attribute_value,
        0 as telling_number,
        tellings.is_creation is not null and tellings.is_creation as is_told,
        settings_now.first_at as changed_at
    from settings_now
    left join tellings
        on
            settings_now.project_id = tellings.project_id
            and settings_now.attribute_name = tellings.attribute_name
            and tellings.telling_number = 1

    union all

    select
        settings_now.project_id,
        settings_now.attribute_name,
        tellings.new_value as attribute_value,
        tellings.telling_number,
        true as is_told,
        {{ latest('tellings.occurred_at', 'settings_now.first_at') }} as changed_at
    from settings_now
    inner join tellings
        on
            settings_now.project_id = tellings.project_id
            and settings_now.attribute_name = tellings.attribute_name

    union all

    select
        settings_now.project_id,
        settings_now.attribute_name,
        settings_now.attribute_value,
        tellings.telling_number + 1 as telling_number,
        false as is_told,
        {{ latest(
            'settings_now.updated_at', 'tellings.occurred_at', 'settings_now.first_at'
        ) }}
            as changed_at
    from settings_now
    inner join tellings
        on
            settings_now.project_id = tellings.project_id
            and settings_now.attribute_name = tellings.attribute_name
            and tellings.telling_number = tellings.telling_count
    where {{ differ('settings_now.attribute_value', 'tellings.new_value') }}

),

-- Of the values of one instant only the last one lasted.
ranked as (

    select
        *,
        row_number() over (
            partition by project_id, attribute_name, changed_at
            order by telling_number desc
        ) as recency
    from unioned

),

final as (

    select * from ranked
    where recency = 1

)

select * from final
