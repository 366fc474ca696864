{#-
    The measures of the marts, read from dbt's graph, so that each is defined once: in the
    description of its column. A measure is a numeric column that is neither an id nor a position.
    Returns a list of objects: mart_name, metric_name, data_type, unit, formula, edge_rules, needs,
    guarded_by. The column's `config.meta`, or else the mart's, can set

    needs:      what a source must contain for the measure to have a value, such as `transitions`;
                by default `records`
    guarded_by: the test of the measure; by default `test_<mart>`, the comparison with plain Python
    unit:       the unit, if the column's name does not tell it (column only)
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
    {%- set is_ordinal = words[-1] in [
        'id', 'key', 'number', 'version', 'index', 'rank', 'seed', 'position', 'line', 'year',
        'quarter', 'month', 'week', 'day'
    ] and not column.name.endswith('_per_week') -%}
    {{ return(is_numeric and not is_ordinal) }}
{%- endmacro %}


{% macro described_measure(node, column) -%}
    {%- set formula = [] -%}
    {%- set edge_rules = [] -%}
    {%- for sentence in (column.description | replace('\n', ' ')).split('. ') -%}
        {%- set text = sentence.strip().rstrip('.') ~ '.' -%}
        {%- do (edge_rules if 'null' in text | lower else formula).append(text) -%}
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


{#- The unit of a measure, according to the words in its name. -#}
{% macro unit_of_measure(column_name) -%}
    {%- set words = column_name.split('_') -%}
    {%- for word, unit in [
        ('seconds', 'seconds'), ('weeks', 'weeks'), ('days', 'days'), ('count', 'count'),
        ('averaged', 'iterations'), ('confidence', 'ratio'), ('rate', 'ratio'),
        ('ratio', 'ratio'), ('share', 'ratio'), ('efficiency', 'ratio'), ('volatility', 'ratio'),
        ('strength', 'ratio'), ('fraction', 'ratio'),
        ('percentile', 'ratio'), ('percent', 'percent'), ('points', 'points'),
        ('estimate', 'points'), ('velocity', 'points')
    ] if word in words -%}
        {{ return(unit ~ (' per week' if column_name.endswith('_per_week') else '')) }}
    {%- endfor -%}
    {{ return('unknown') }}
{%- endmacro %}
