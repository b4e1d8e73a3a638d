-- What did each person do that matters to the funnel, whoever entered? In any order, what an event matches as one number.
with identified as (
    {identified}
),
belonging as (
    {belonging}
)
select entity, time_us, {marks} as marks
from belonging
where {is_kept}
