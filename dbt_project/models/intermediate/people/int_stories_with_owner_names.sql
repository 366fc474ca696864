with

story_owners as (

    select * from {{ ref('int_story_owners') }}

),

people as (

    select * from {{ ref('dim_person') }}

),

final as (

    select
        story_owners.story_id,
        count(*) as owner_count,
        {{ joined_text('people.person_name') }} as owner_names
    from story_owners
    left join people
        on story_owners.person_id = people.person_id
    group by story_owners.story_id

)

select * from final
