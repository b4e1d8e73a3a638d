-- How many events, and of how many people, on each day: of all types (no name), and of each that is looked at?
select grouping(named) = 1 as is_all, named, day, count(*), count(distinct person)
from (
    select person, case when event_type in {names} then event_type end as named, {day} as day
    from (
        {events}
    )
)
group by grouping sets ((day), (named, day))
having is_all or named is not null
