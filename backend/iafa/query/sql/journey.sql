-- What did the person do after the place, in which session, and how long after the event before?
select session_start_us, time_us, id, received_us, event_type, page, gap_us
from (
    select *, max(case when gap_us is null or gap_us > $session_gap_us then time_us end) over (
        order by time_us, id, received_us
        rows unbounded preceding
    ) as session_start_us
    from (
        select time_us, id, epoch_us(received_at) as received_us, event_type, {page} as page,
            time_us - lag(time_us) over (order by time_us, id, received_at) as gap_us
        from (
            {events}
        )
        where person = $person
    )
)
where time_us >= $range_from_us and time_us < $range_to_us
    and (time_us, id, received_us) > ($after_us, $after_id, $after_received_us)
order by time_us, id, received_us
limit $limit
