-- When was each session, and when in it was what? One row a session. What a person did within one stretch of time, no
-- longer than the gap, is of one session: stretches are taken together first, and few are left to put in order.
select person, session_start_us as start_us, max(last_us) - session_start_us as length_us,
    sum(events)::bigint as events{summed}
from (
    select *, max(case when begins then first_us end) over (
        partition by person
        order by first_us
        rows unbounded preceding
    ) as session_start_us
    from (
        select *, coalesce(first_us - lag(last_us) over (
            partition by person
            order by first_us
        ) > $session_gap_us, true) as begins
        from (
            select person, min(time_us) as first_us, max(time_us) as last_us, count(*) as events,
                bool_or(passes) as passes{seen}
            from (
                select person, time_us, {passes} as passes{flags}
                from (
                    {events}
                )
            )
            group by person, (time_us - $from_us) // ($session_gap_us + 1)
        )
    )
)
where {belongs}
group by person, session_start_us
having bool_or(passes)
