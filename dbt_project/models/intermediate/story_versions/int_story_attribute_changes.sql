with

stories as (

    select * from {{ ref('int_stories') }}

),

unioned as (

    select * from {{ ref('int_story_attribute_openings') }}

    union all

    select
        story_id,
        attribute_name,
        new_value as attribute_value,
        telling_number,
        true as is_told,
        told_at as changed_at
    from {{ ref('int_story_attribute_tellings') }}

    union all

    select * from {{ ref('int_story_attribute_closings') }}

),

-- Of the values of one instant only the last one lasted.
ranked as (

    select
        *,
        row_number() over (
            partition by story_id, attribute_name, changed_at
            order by telling_number desc
        ) as recency
    from unioned

),

with_previous as (

    select
        ranked.story_id,
        ranked.attribute_name,
        ranked.attribute_value,
        lag(ranked.attribute_value) over (
            partition by ranked.story_id, ranked.attribute_name
            order by ranked.changed_at
        ) as previous_value,
        row_number() over (
            partition by ranked.story_id, ranked.attribute_name
            order by ranked.changed_at
        ) as change_number,
        ranked.is_told,
        ranked.changed_at
    from ranked
    inner join stories
        on ranked.story_id = stories.story_id
    where
        ranked.recency = 1
        and ranked.changed_at <= stories.as_of
        and (stories.deleted_at is null or ranked.changed_at <= stories.deleted_at)

),

final as (

    select
        story_id,
        attribute_name,
        attribute_value,
        is_told,
        changed_at
    from with_previous
    where
        change_number = 1
        or {{ differ('attribute_value', 'previous_value') }}

)

select * from final
