with

rules as (

    select * from {{ ref('dq_rule') }}

),

findings as (

    {% for theme in [
        'histories', 'transitions', 'changes', 'stories', 'work', 'iterations', 'plans',
        'people', 'projects', 'sources', 'repairs'
    ] %}
    select * from {{ ref('int_findings_in_' ~ theme) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

final as (

    select
        findings.rule_name || '-' || findings.entity_key as finding_key,
        findings.rule_name,
        findings.project_id,
        rules.severity,
        rules.entity_kind,
        findings.entity_key,
        findings.evidence,
        rules.remedy
    from findings
    inner join rules
        on findings.rule_name = rules.rule_name

)

select * from final
