{{ config(enabled=is_built('trust')) }}
with

final as (

    {% for rule_name, severity, entity_kind, description, remedy in dq_rules() %}
    select
        '{{ rule_name }}' as rule_name,
        '{{ severity }}' as severity,
        '{{ entity_kind }}' as entity_kind,
        '{{ dbt.escape_single_quotes(description) }}' as rule_description,
        '{{ dbt.escape_single_quotes(remedy) }}' as remedy
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
