-- A warning, because a host may count differently, and files from different times may
-- disagree.
{{ config(severity='warn') }}

select
    reconciliation_key,
    our_value,
    tracker_value,
    difference
from {{ ref('fct_reconciliation') }}
where verdict = 'different'
