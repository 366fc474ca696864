-- naming_rank: whom to believe first. Activities keep the name of their day.
with

memberships as (

    select * from {{ ref('stg_pivotal_tracker__memberships') }}

),

me as (

    select * from {{ ref('stg_pivotal_tracker__me') }}

),

story_owner_people as (

    select * from {{ ref('stg_pivotal_tracker__story_owner_people') }}

),

living_stories as (

    select * from {{ ref('int_stories_last_known') }}
    where delete_evidence is null

),

archive_people as (

    select * from {{ ref('stg_pivotal_tracker__people') }}

),

activities as (

    select * from {{ ref('stg_pivotal_tracker__activities') }}

),

final as (

    {% for people in ['memberships', 'me'] %}
    select
        person_id,
        person_name,
        initials,
        username,
        email,
        {{ loop.index }} as naming_rank,
        updated_at as named_at
    from {{ people }}

    union all

    {% endfor %}
    select
        story_owner_people.person_id,
        story_owner_people.person_name,
        story_owner_people.initials,
        story_owner_people.username,
        story_owner_people.email,
        3 as naming_rank,
        null as named_at
    from story_owner_people
    inner join living_stories
        on story_owner_people.story_id = living_stories.story_id

    union all

    select
        person_id,
        person_name,
        initials,
        username,
        email,
        4 as naming_rank,
        null as named_at
    from archive_people

    union all

    select
        performed_by_id as person_id,
        performed_by_name as person_name,
        performed_by_initials as initials,
        null as username,
        null as email,
        5 as naming_rank,
        max(occurred_at) as named_at
    from activities
    group by
        performed_by_id,
        performed_by_name,
        performed_by_initials

)

select * from final
