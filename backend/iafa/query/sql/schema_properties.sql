-- Which properties do the events of these types have, with values of which types, how often, from when to when?
with members as (
    select event_type, created_at, unnest(map_entries(from_json(properties, '"MAP(VARCHAR, JSON)"'))) as member
    from (
        {events}
    )
    where created_at >= make_timestamptz($from_us)
        and created_at < make_timestamptz($to_us)
        and hash(epoch_us(created_at)) % $parts = 0
        and list_contains($names, event_type)
),
typed as (
    select event_type, member.key as name, created_at,
        case json_type(member.value)
            when 'VARCHAR' then 'text'
            when 'BOOLEAN' then 'boolean'
            when 'ARRAY' then 'list'
            when 'OBJECT' then 'object'
            when 'DOUBLE' then 'number'
            when 'UBIGINT' then 'integer'
            when 'BIGINT' then 'integer'
            else 'null'
        end as kind
    from members
),
counted as (
    select event_type, name, kind, count(*) as events, epoch_us(min(created_at)) as first_us,
        epoch_us(max(created_at)) as last_us
    from typed
    group by event_type, name, kind
),
ranked as (
    select *, sum(events) over (partition by event_type, name) as of_name
    from counted
)
select event_type, name, kind, events, first_us, last_us, max(place) over (partition by event_type) as names
from (
    select *, dense_rank() over (partition by event_type order by of_name desc, name) as place
    from ranked
)
qualify place <= $most
order by event_type, place, kind
