-- How many people reach each stage in order, when no event can match two stages?
with identified as (
    {identified}
),
matched as materialized (
    select entity, time_us, stage
    from (
        select entity, epoch_us(created_at) as time_us, (case {stage_of_event} end)::utinyint as stage
        from identified
        where {is_relevant}
    )
    where stage is not null
),
reach_1 as (
    select entity, time_us, time_us as start_us
    from matched
    where stage = 1
        and time_us < $to_us
){reaches}
select {counts}
