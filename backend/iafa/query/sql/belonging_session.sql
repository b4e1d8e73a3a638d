-- Which session of which person does the event belong to? A pause longer than the gap begins a new one.
select hash(entity, start_us) as entity, time_us, * exclude (entity, start_us, time_us)
from (
    select * exclude (begins), max(case when begins then time_us end) over (
        partition by entity
        order by time_us
        range between unbounded preceding and current row
    ) as start_us
    from (
        select epoch_us(created_at) as time_us, * exclude (created_at), coalesce(epoch_us(created_at) - lag(epoch_us(created_at)) over (
            partition by entity
            order by created_at
        ) > $session_gap_us, true) as begins
        from identified
    )
)
