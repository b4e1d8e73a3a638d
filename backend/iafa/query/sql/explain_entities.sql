-- Which sessions or held values does the person have in the range that is read?
with identified as (
    {identified}
),
belonging as (
    {belonging}
)
select distinct entity
from belonging
order by entity
limit $most
