{#-
    How staging repairs raw values. The macros below return the value to use, and the original
    value as evidence for `dq_finding`.

    `possible`: a value, or null if it is impossible. An instant is impossible before 2000, or after
    the data was read. `read_by` is the end of the day after the reading, because a host's clock may
    be ahead and times without a zone are taken as UTC.
-#}
{% macro possible(expression, kind) -%}
    case
        when
            {% if kind == 'instant' -%}
            {{ expression }} >= {{ as_instant("'2000-01-01'") }}
            and {{ expression }} <= read_by
            {%- elif kind == 'planned_instant' -%}
            {{ expression }} >= {{ as_instant("'2000-01-01'") }}
            and {{ expression }} < {{ as_instant("'2100-01-01'") }}
            {%- elif kind == 'date' -%}
            {{ expression }} >= cast('2000-01-01' as date)
            and {{ expression }} <= {{ local_date('read_by', "'UTC'") }}
            {%- elif kind == 'id_list' -%}
            {#- Any other text could be invalid JSON, at which engines fail. -#}
            {%- set id = '(0|-?[1-9][0-9]{0,17}|null)' %}
            {{ expression }} like '[%]'
            and regexp_replace(
                {{ expression }}, '^.( *{{ id }} *(, *{{ id }} *)*| *).$', ''
            ) = ''
            {%- elif kind == 'list' -%}
            {{ expression }} like '[%'
            {%- elif kind == 'time_zone' -%}
            {{ expression }} in ('{{ modules.pytz.all_timezones | join("', '") }}')
            {%- else -%}
            {%- set lowest, highest = {
                'points': (0, 10000), 'weeks': (1, 520), 'iteration_count': (1, 100),
                'team_strength': (0, 100), 'figure': (-1e12, 1e12)
            }[kind] -%}
            {{ expression }} >= {{ lowest | int }} and {{ expression }} <= {{ highest | int }}
            {%- endif %}
            then {{ expression }}
    end
{%- endmacro %}


{#- The latest possible instant of some columns; null if none is possible. -#}
{% macro latest_possible(columns) -%}
    {%- set instants = [] -%}
    {%- for column in columns -%}
        {%- do instants.append(possible(column, 'instant')) -%}
    {%- endfor -%}
    {{ latest(*instants) if instants | length > 1 else instants[0] }}
{%- endmacro %}


{#-
    A raw column with impossible values replaced by null.

    kind:    the kind of value, which decides what is possible; none if everything is
    repairs: the model's list of repairs, to which this one is added; see `repair_evidence`
    type:    the expected type, if the expression is text from JSON
    name:    the field's name in the evidence; by default the expression
-#}
{% macro repaired(expression, kind, repairs, type=none, name=none) -%}
    {%- set value = typed_text(expression, type) if type else expression -%}
    {%- if kind -%}
        {%- set value = possible(value, kind) -%}
    {%- endif -%}
    {%- do repairs.append((
        name or expression.replace('element_', ''), expression, value,
        type or ('list' if kind in ('list', 'id_list') else none)
    )) -%}
    {{ value }}
{%- endmacro %}


{#- The repairs of a row as evidence, `created_at 0001-01-01; estimate -1`; null if none. -#}
{% macro repair_evidence(repairs) -%}
    nullif(
        {% for name, expression, value, type in repairs -%}
        {{ '|| ' if not loop.first }}case
            when {{ expression }} is not null and ({{ value }}) is null
                then '{{ name }}'
                {#- Do not copy invalid text: people may have written it. -#}
                {%- if type %} || ' (no possible {{ type }}); '
                {%- else %} || ' ' || {{ as_text(expression) }} || '; '
                {%- endif %}
            else ''
        end
        {% endfor -%}
        , ''
    )
{%- endmacro %}


{#-
    The usable rows of a raw table, as the body of a CTE: one per key, with `read_by`, the latest
    possible instant in it. Unusable rows and rows of excluded projects and stories are left out.

    Only rows with repeated keys are ranked, because ranking 1.4 million activities takes longer
    than reading them.
-#}
{% macro raw_rows(name) -%}
    {%- set raw = raw_keys()[name] -%}
    select * from (
        {% for is_repeated in [false, true] -%}
        select
            raw_rows.*,
            {{ newest_first(raw.key, raw.newest) if is_repeated else '1' }} as row_choice
        from ({{ read_rows(name) }}) as raw_rows
        {{ 'inner' if is_repeated else 'left' }} join
            {{ ref('stg_pivotal_tracker__repeated_keys') }} as repeated_keys
            on
                repeated_keys.raw_name = '{{ name }}'
                and {{ row_key(raw.key) }} = repeated_keys.row_key
        where
            {{ is_usable(raw) }}
            and {{ is_included(raw.project, raw.story) }}
            {%- if not is_repeated %}
            and repeated_keys.row_key is null
            {%- endif %}
        {{ 'union all' if not loop.last }}
        {% endfor -%}
    ) as usable_rows
    where row_choice = 1
{%- endmacro %}


{#-
    All rows of a raw table, with `read_by`: the end of the day after their load ended, or 2100 if
    their load was not recorded.
-#}
{% macro read_rows(name) -%}
    {%- set reading = 'max(coalesce(ended_at, as_of))' -%}
    {%- set day_after_next = days_later(local_date(reading, "'UTC'"), 2) -%}
    select
        loaded.*,
        coalesce(readings.read_by, {{ as_instant("'2100-01-01'") }}) as read_by
    from {{ source('pivotal_tracker', name) }} as loaded
    left join (
        select
            _dlt_load_id as load_id,
            {{ local_midnight(day_after_next, "'UTC'") }} as read_by
        from {{ source('pivotal_tracker', 'extracts') }}
        group by _dlt_load_id
    ) as readings
        on loaded._dlt_load_id = readings.load_id
{%- endmacro %}


{#- The key of a row as text. -#}
{% macro row_key(columns) -%}
    {%- for column in columns -%}
        {{ "|| '-' || " if not loop.first }}{{ as_text(column) }}
    {%- endfor -%}
{%- endmacro %}


{#- Whether a row has all required values (see `raw_keys`). -#}
{% macro is_usable(raw) -%}
    {%- for column in raw.key + raw.required | default([]) %}
    {{- 'and ' if not loop.first }}{{ column }} is not null
    {% endfor -%}
    {%- for column in raw.instants | default([]) %}
    and {{ possible(column, 'instant') }} is not null
    {%- endfor -%}
{%- endmacro %}


{#-
    The rank of a row among those with its key: the newest record first, then the newest load, then
    the most trusted source (the API and activities, then JSON, history files, CSV).
-#}
{% macro newest_first(key, newest, position=none) -%}
    row_number() over (
        partition by {{ key | join(', ') }}
        order by
            {% if newest -%}
            case when {{ newest }} is null then 1 else 0 end,
            {{ newest }} desc,
            {% endif -%}
            _dlt_load_id desc,
            case record_source
                when 'json' then 2 when 'history_csv' then 3 when 'stories_csv' then 4 else 1
            end
            {%- if position %},
            {{ position }}
            {%- endif %}
    )
{%- endmacro %}


{#-
    The condition that excludes the projects and stories in the variables excluded_project_ids and
    excluded_story_ids. A table without project ids excludes the stories of excluded projects too.
-#}
{% macro is_included(project_id=none, story_id=none) -%}
    {%- set projects = excluded_ids('project') -%}
    {%- set stories = excluded_ids('story') -%}
    {%- set conditions = ['true'] -%}
    {%- if project_id and projects -%}
        {%- do conditions.append(project_id ~ ' not in (' ~ projects ~ ')') -%}
    {%- endif -%}
    {%- if story_id and stories -%}
        {%- do conditions.append(story_id ~ ' not in (' ~ stories ~ ')') -%}
    {%- endif -%}
    {%- if story_id and projects -%}
        {%- do conditions.append(
            story_id ~ ' not in (select id from ' ~ source('pivotal_tracker', 'stories')
            ~ ' where id is not null and project_id in (' ~ projects ~ '))'
        ) -%}
    {%- endif -%}
    {{ conditions | join(' and ') }}
{%- endmacro %}


{#- The variable excluded_<what>_ids, a number or a list of numbers, as SQL. -#}
{% macro excluded_ids(what) -%}
    {%- set given = var('excluded_' ~ what ~ '_ids') -%}
    {%- set ids = [] -%}
    {%- for id in ([given] if given is number else given or []) -%}
        {%- do ids.append(id | int) -%}
    {%- endfor -%}
    {{ return(ids | join(', ')) }}
{%- endmacro %}


{#-
    One row per key of an unnested list, as the body of a CTE: the newest, or else the first.
    Elements without a key are left out.
-#}
{% macro one_per_key(from_cte, list_name, newest=none) -%}
    {%- set key = raw_lists()[list_name][2] -%}
    select * from (
        select
            *,
            {{ newest_first(key, newest, 'element_index') }} as row_choice
        from {{ from_cte }}
        where {{ is_usable_element(list_name) }}
    ) as elements
    where row_choice = 1
{%- endmacro %}


{#-
    A value in an activity, typed and repaired; null if it is impossible.

    values: the column with the JSON object of values, such as new_story_values
-#}
{% macro activity_value(values, field, repairs=[]) -%}
    {%- set type, kind = activity_field_types()[field] -%}
    {%- set name = values.split('.')[-1].split('_')[0] ~ ' ' ~ field -%}
    {{ repaired(activity_field(values, field), kind, repairs, type, name) }}
{%- endmacro %}


{#- The same value as text, as Tracker wrote it. -#}
{% macro activity_value_as_text(values, field) -%}
    {%- set text = activity_field(values, field) -%}
    {%- if field in activity_field_types() -%}
        case when ({{ activity_value(values, field) }}) is not null then {{ text }} end
    {%- else -%}
        {{ text }}
    {%- endif -%}
{%- endmacro %}


{#- A field in an activity as text. A time zone is an object, as in a project, or only its name. -#}
{% macro activity_field(values, field) -%}
    {%- if field == 'time_zone' -%}
        coalesce(
            {{ json_text(values, 'time_zone.olson_name') }}, {{ json_text(values, field) }}
        )
    {%- else -%}
        {{ json_text(values, field) }}
    {%- endif -%}
{%- endmacro %}


{#- The fields of activities that are not text: type and kind of value (see `possible`). -#}
{% macro activity_field_types() -%}
    {{ return({
        'project_id': ('bigint', none),
        'requested_by_id': ('bigint', none),
        'story_id': ('bigint', none),
        'epic_id': ('bigint', none),
        'person_id': ('bigint', none),
        'reviewer_id': ('bigint', none),
        'review_type_id': ('bigint', none),
        'position': ('bigint', none),
        'estimate': ('decimal', 'points'),
        'label_ids': (none, 'id_list'),
        'owner_ids': (none, 'id_list'),
        'deadline': ('timestamp', 'planned_instant'),
        'accepted_at': ('timestamp', 'instant'),
        'created_at': ('timestamp', 'instant'),
        'updated_at': ('timestamp', 'instant'),
        'time_zone': (none, 'time_zone'),
        'iteration_length': ('bigint', 'weeks'),
        'velocity_averaged_over': ('bigint', 'iteration_count'),
        'initial_velocity': ('bigint', 'points'),
        'bugs_and_chores_are_estimatable': ('boolean', none),
        'automatic_planning': ('boolean', none),
        'public': ('boolean', none)
    }) }}
{%- endmacro %}
