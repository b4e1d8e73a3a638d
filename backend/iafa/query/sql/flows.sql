-- Which ways do they go, step by step? Links between the most frequent events of each depth, and the whole paths.
with event as not materialized (
    select entity, time_us, id, {step_name} as name, {is_start} as is_start, is_end
    from (
        {events}
    )
    where {is_kept}
),
{bounds}changed as (
    select entity, time_us, id, name
    from (
        select entity, time_us, id, name{before}
        from event
        {joins}
        where {bounded}
    )
    where {is_new}
),
walk as (
    select {names}
    from changed
    window way as (partition by entity {order})
    qualify row_number() over way = 1
),
path as materialized (
    select [{places}] as names, count(*)::bigint as entities
    from walk
    group by {places}
),
step as materialized (
    select depth, names[depth] as name, names[depth + 1] as following, sum(entities)::bigint as entities
    from path
    cross join range(1, $depth + 1) as every(depth)
    where names[depth] is not null
    group by all
),
named as materialized (
    select depth, name
    from step
    group by depth, name
    qualify row_number() over (partition by depth order by sum(entities) desc, name) <= $top
),
link as (
    select step.depth, source.name as source,
        case when following is null then 'end' when step.depth = $depth then 'on'
            when target.name is null then 'other' else 'value' end as kind,
        target.name as target, sum(entities)::bigint as entities
    from step
    left join named as source on source.depth = step.depth and source.name = step.name
    left join named as target on target.depth = step.depth + 1 and target.name = step.following
    group by all
),
whole as (
    select list_filter(names[:$depth], lambda one: one is not null) as names, names[$depth + 1] is null as is_whole, sum(entities)::bigint as entities
    from path
    group by all
    order by entities desc, names, is_whole
    limit $paths
)
select depth, source, kind, target, entities, null::varchar[] as names
from link
union all
select null, null, case when is_whole then 'end' else 'on' end, null, entities, names
from whole
order by all
