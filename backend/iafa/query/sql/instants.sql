-- What did each person do at each instant, when an event may match several stages? Bit i - 1 of a mask is stage i.
create temp table instant as
with identified as (
    {identified}
),
matched as materialized (
    select entity, time_us, mask
    from (
        select entity, epoch_us(created_at) as time_us, {mask_of_event} as mask
        from identified
        where {is_relevant}
    )
    where mask <> 0
),
counted as materialized (
    select entity, time_us, count(*) as events, bit_or(mask) as mask
    from matched
    group by entity, time_us
),
alike as (
    -- no path fills more stages with alike events than they match
    select entity, time_us, mask, least(count(*), bit_count(mask)) as events
    from matched
    semi join (from counted where events > 1) using (entity, time_us)
    group by entity, time_us, mask
),
tied as (
    select entity, time_us, list_sort(flatten(list(repeat([mask], events::bigint)))) as masks
    from alike
    group by entity, time_us
)
select entity, time_us, time_us < $to_us as is_entry, mask, null::integer[] as masks
from counted
where events = 1
union all
select entity, time_us, time_us < $to_us as is_entry, null::integer as mask, masks
from tied
