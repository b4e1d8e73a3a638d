-- How many events came in on each UTC day of receipt, and how many of them were sent by bots?
select
    date_trunc('day', received_at)::date::varchar as day,
    count(*) as stored,
    count(*) filter (where is_bot) as bots
from (
    {events}
)
where received_at >= make_timestamptz($from_us) and received_at < make_timestamptz($to_us)
group by day
order by day
