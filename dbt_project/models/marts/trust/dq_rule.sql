with

final as (

    {% for rule_name, severity, entity_kind, description, remedy in dq_rules() %}
    select
        '{{ rule_name }}' as rule_name,
        '{{ severity }}' as severity,
        '{{ entity_kind }}' as entity_kind,
        '{{ description | replace("'", "''") }}' as rule_description,
        '{{ remedy | replace("'", "''") }}' as remedy
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
