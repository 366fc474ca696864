with

story_labels as (

    select * from {{ ref('int_story_labels') }}

),

final as (

    select
        story_id,
        label_id,
        project_id,
        is_deleted
    from story_labels

)

select * from final
