with

story_labels as (

    select * from {{ ref('int_story_labels') }}

),

labels as (

    select * from {{ ref('int_labels') }}

),

final as (

    select
        story_labels.story_id,
        {{ joined_text('labels.label_name') }} as label_names
    from story_labels
    inner join labels
        on story_labels.label_id = labels.label_id
    group by story_labels.story_id

)

select * from final
