{#-
    The measures that the marts publish, read from dbt's own graph, so that each is defined once: in
    the description of its column. A measure is a numeric column that is neither an id nor a place
    in an order. Gives a list of objects: mart_name, metric_name, data_type, unit, formula,
    edge_rules, needs, guarded_by.

    What a source must give for a measure to have a value is named by `config.meta.needs` of the
    column, or of the mart: `transitions`, `comments` and so on. Else the rows are enough.

    The test that guards a measure is called `test_<mart>` (the comparison with plain Python);
    another one is named by `config.meta.guarded_by` of the mart, or of the column. A unit that the
    column's name does not tell is named by `config.meta.unit`.
-#}
{% macro published_measures() -%}
    {%- set measures = [] -%}
    {%- if graph is defined and execute -%}
        {%- for node in graph.nodes.values() | sort(attribute='name') -%}
            {%- if node.resource_type == 'model' and 'marts' in node.fqn
                and node.name != 'dim_date' -%}
                {%- for column in node.columns.values() if is_measure(column) -%}
                    {%- do measures.append(described_measure(node, column)) -%}
                {%- endfor -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(measures) }}
{%- endmacro %}


{% macro is_measure(column) -%}
    {%- set words = column.name.split('_') -%}
    {%- set is_numeric = column.data_type.split('(')[0] in [
        'bigint', 'integer', 'smallint', 'decimal', 'double'
    ] -%}
    {%- set is_a_place = words[-1] in [
        'id', 'key', 'number', 'version', 'index', 'rank', 'seed', 'position', 'line', 'year',
        'quarter', 'month', 'week', 'day'
    ] and not column.name.endswith('_per_week') -%}
    {{ return(is_numeric and not is_a_place) }}
{%- endmacro %}


{% macro described_measure(node, column) -%}
    {%- set formula = [] -%}
    {%- set edge_rules = [] -%}
    {%- for sentence in (column.description | replace('\n', ' ')).split('. ') -%}
        {%- set told = sentence.strip().rstrip('.') ~ '.' -%}
        {%- do (edge_rules if 'null' in told | lower else formula).append(told) -%}
    {%- endfor -%}
    {%- set node_meta = node.config.get('meta', {}) -%}
    {%- set column_meta = column.get('config', {}).get('meta', {}) or column.get('meta', {}) -%}
    {{ return({
        'mart_name': node.name,
        'metric_name': column.name,
        'data_type': column.data_type,
        'unit': column_meta.get('unit') or unit_of_measure(column.name),
        'formula': formula | join(' ') or edge_rules | join(' '),
        'needs': column_meta.get('needs') or node_meta.get('needs') or 'records',
        'edge_rules': edge_rules | join(' ') or 'Never null.',
        'guarded_by': column_meta.get('guarded_by') or node_meta.get('guarded_by')
            or 'test_' ~ node.name,
    }) }}
{%- endmacro %}


{#- What a measure is counted in, told by the words of its name, as the mart contract has them. -#}
{% macro unit_of_measure(column_name) -%}
    {%- set words = column_name.split('_') -%}
    {%- for word, unit in [
        ('seconds', 'seconds'), ('weeks', 'weeks'), ('days', 'days'), ('count', 'count'),
        ('averaged', 'iterations'), ('confidence', 'ratio'), ('rate', 'ratio'), ('ratio', 'ratio'), ('share', 'ratio'), ('efficiency', 'ratio'),
        ('volatility', 'ratio'), ('strength', 'ratio'), ('fraction', 'ratio'),
        ('percentile', 'ratio'), ('percent', 'percent'), ('points', 'points'),
        ('estimate', 'points'), ('velocity', 'points')
    ] if word in words -%}
        {{ return(unit ~ (' per week' if column_name.endswith('_per_week') else '')) }}
    {%- endfor -%}
    {{ return('unknown') }}
{%- endmacro %}
