with

story_labels as (

    select * from {{ ref('int_story_labels') }}

),

final as (

    select
        story_id,
        {{ joined_text('label_name') }} as label_names
    from story_labels
    group by story_id

)

select * from final
