-- A table: three models read it, and it reads all activities.
{{ config(materialized='table') }}

with

people_records as (

    select * from {{ ref('stg_pivotal_tracker__people') }}

),

living_stories as (

    select * from {{ ref('int_stories_last_known') }}
    where delete_evidence is null

),

activities as (

    select * from {{ ref('stg_pivotal_tracker__activities') }}

),

-- naming_rank: the order in which sources are trusted. Deleted stories do not contain
-- their owners' names, and activities keep the names of their time.
names as (

    select
        people_records.person_id,
        people_records.person_name,
        people_records.initials,
        people_records.username,
        people_records.email,
        case people_records.named_in
            when 'memberships' then 1
            when 'me' then 2
            when 'story_owners' then 3
            else 4
        end as naming_rank,
        people_records.updated_at as named_at
    from people_records
    left join living_stories
        on people_records.story_id = living_stories.story_id
    where
        people_records.named_in != 'story_owners'
        or living_stories.story_id is not null

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

),

ranked as (

    select
        *,
        row_number() over (
            partition by person_id
            order by
                case when person_name is null then 1 else 0 end asc,
                naming_rank asc,
                named_at desc,
                person_name asc,
                initials asc
        ) as name_number
    from names

),

people as (

    select
        person_id,
        max(case when name_number = 1 then person_name end) as person_name,
        max(case when name_number = 1 then initials end) as initials,
        max(username) as username,
        max(email) as email
    from ranked
    where person_id is not null
    group by person_id

),

-- Names are hidden here and nowhere else: marts take them from this model only.
final as (

    select
        person_id,
        {% for column, pseudonym in [
            ('person_name', 'Person #'), ('initials', '#'), ('username', 'person-#'),
            ('email', 'person-#@example.invalid')
        ] %}
        {{ name_or_pseudonym(column, 'person_id', pseudonym) }} as {{ column }},
        {% endfor %}
        person_name as unhidden_name
    from people

)

select * from final
