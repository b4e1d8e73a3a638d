-- What did each person do that matters to the funnel, whoever entered? Person by person, in time.
with identified as (
    {identified}
),
belonging as (
    {belonging}
)
select entity, time_us, {steps} as steps, {optional} as optional, {excluded} as excluded{values}
from belonging
where {is_kept}
order by entity, time_us
