-- The only model that marts may take names from: here they are hidden, if at all.
with

people as (

    select * from {{ ref('int_people_with_names') }}

),

final as (

    select
        person_id,
        {% for column, pseudonym in [
            ('person_name', 'Person #'), ('initials', '#'), ('username', 'person-#'),
            ('email', 'person-#@example.invalid')
        ] %}
        {{ name_or_pseudonym(column, 'person_id', pseudonym) }} as {{ column }},
        {% endfor %}
        {{ hides_people() | lower }} as is_hidden
    from people

)

select * from final
