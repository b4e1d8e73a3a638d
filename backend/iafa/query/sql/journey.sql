-- What did the person do after the place, in which session, and how long after the event before?
select session_start_us, time_us, id, event_type, page, gap_us
from (
    select *, max(case when gap_us is null or gap_us > $session_gap_us then time_us end) over (
        order by time_us, id
        rows unbounded preceding
    ) as session_start_us
    from (
        select time_us, id, event_type, {page} as page, time_us - lag(time_us) over (order by time_us, id) as gap_us
        from (
            {events}
        )
        where person = $person
    )
)
where time_us >= $range_from_us and time_us < $range_to_us
    and (time_us > $after_us or (time_us = $after_us and id > $after_id))
order by time_us, id
limit $limit
