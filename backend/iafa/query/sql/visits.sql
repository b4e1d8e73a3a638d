-- What was each session like? One row a session.
select
    session,
    any_value(person) as person,
    min(time_us) as start_us,
    max(time_us) - min(time_us) as length_us,
    count(*) as events,
    count(*) filter (where event_type = $page_event) as views{dimensions}
from (
    select *{values},
        case when event_type = $page_event then row_number() over (
            partition by session, event_type = $page_event
            order by time_us, id
        ) end as place_of_view
    from (
        {events}
    ) as event
    {chosen}
)
group by session
