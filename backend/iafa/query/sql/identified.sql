-- Which events of the snapshot does a question read, and whose are they? A join with identity edges has its place here.
select user_hash as entity, {columns}
from (
    {events}
)
where created_at >= make_timestamptz($read_from_us)
    and created_at < make_timestamptz($read_to_us){and_no_bots}
