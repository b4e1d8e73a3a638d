-- How far away from the range does each session at the edge reach? No pause in it is longer than the gap.
select person, max(place) as place
from (
    select person, place, sum(breaks) over (
        partition by person
        order by place
        rows unbounded preceding
    ) as broken
    from (
        select person, place, coalesce((place - lag(place) over (
            partition by person
            order by place
        ) > $session_gap_us)::integer, 0) as breaks
        from (
            select person, place
            from session_edge
            union all
            select person, {sign} * time_us as place
            from (
                {events}
            )
            where person in (select person from session_edge)
        )
    )
)
where broken = 0
group by person
