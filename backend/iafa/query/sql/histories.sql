-- What did each person do that matters to the funnel? Person by person, in time, ties by id.
with identified as (
    {identified}
),
belonging as (
    {belonging}
),
marked as materialized (
    select entity, time_us, id, {steps} as steps, {optional} as optional, {excluded} as excluded{values}
    from belonging
    where {is_kept}
)
select entity, time_us, id, steps, optional, excluded{value_names}
from marked
semi join (
    select entity
    from marked
    where steps & {entry_bits} <> 0
        and time_us >= $from_us
        and time_us < $to_us
) using (entity)
order by entity, time_us, id
