-- Which session of which person does each event belong to? A pause longer than the gap begins a new one.
select hash(person, session_start_us) as session, * exclude (is_asked)
from (
    select * exclude (begins), max(case when begins then time_us end) over (
        partition by person
        order by time_us
        range between unbounded preceding and current row
    ) as session_start_us
    from (
        select *, coalesce(time_us - lag(time_us) over (
            partition by person
            order by time_us
        ) > $session_gap_us, true) as begins
        from (
            select {columns}, {is_asked} as is_asked
            from (
                {events}
            )
        )
    )
)
where is_asked and {belongs}
