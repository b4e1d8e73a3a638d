-- What is in the time that the question read: all events, those of the range, bots, late ones?
select count(*),
    count(*) filter (where {is_in_range}),
    count(*) filter (where {is_in_range} and is_bot),
    count(*) filter (where created_at <= make_timestamptz($as_of_us) and received_at > make_timestamptz($as_of_us)),
    count(*) filter (where created_at > make_timestamptz($as_of_us))
from (
    {events}
)
where created_at >= make_timestamptz($read_from_us)
    and created_at < make_timestamptz($read_to_us)
