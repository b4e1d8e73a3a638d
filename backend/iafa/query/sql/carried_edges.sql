-- Which identity edges may move an event of the time that was read?
select *
from identities
where identity_hash in (
    select user_hash
    from raw_events
    where created_at >= make_timestamptz($read_from_us)
        and created_at < make_timestamptz($read_to_us)
)
