{#-
    How far a story has come: the order of the eight states on the way to accepted. Rejected stands
    before started, so that a rejection goes back and the restart forward. Null for another state.
-#}
{% macro story_state_rank(story_state) -%}
    case {{ story_state }}
        when 'unscheduled' then 1
        when 'unstarted' then 2
        when 'planned' then 3
        when 'rejected' then 4
        when 'started' then 5
        when 'finished' then 6
        when 'delivered' then 7
        when 'accepted' then 8
    end
{%- endmacro %}
