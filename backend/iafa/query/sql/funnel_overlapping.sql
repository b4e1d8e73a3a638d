-- How many people reach each stage in order, when an event may match several stages but fills only one?
with way as (
    select unnest($masks::integer[][]) as masks,
        unnest($is_entry::boolean[]) as is_entry,
        unnest($level::integer[]) as level,
        unnest($previous::integer[]) as previous
),
tied as materialized (
    select entity, time_us, level, previous
    from instant
    join way using (masks, is_entry)
),
{reaches}
select {counts}
