-- Which properties do events of these types have, how often, with values of which types, how lately?
with members as (
    select created_at, unnest(map_entries(from_json(properties, '"MAP(VARCHAR, JSON)"'))) as member
    from (
        {events}
    )
    where {is_wanted}
),
typed as (
    select member.key as name, created_at,
        case json_type(member.value)
            when 'VARCHAR' then 'text'
            when 'BOOLEAN' then 'boolean'
            when 'ARRAY' then 'list'
            when 'OBJECT' then 'object'
            when 'DOUBLE' then 'number'
            when 'UBIGINT' then 'number'
            when 'BIGINT' then 'number'
            else 'null'
        end as kind
    from members
    where contains(lower(member.key), $search)
)
select name, count(*) as events, list_sort(list(distinct kind)), epoch_us(max(created_at))
from typed
group by name
order by events desc, name
limit $limit
