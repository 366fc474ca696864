-- A warning: a host may count otherwise, and files of several instants may disagree.
{{ config(severity='warn') }}

select
    reconciliation_key,
    our_value,
    tracker_value,
    difference
from {{ ref('fct_reconciliation') }}
where verdict = 'different'
