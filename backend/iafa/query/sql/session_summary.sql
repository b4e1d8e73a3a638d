-- How many sessions, altogether and by bucket; how long and how deep were they?
select
    -1 as place,
    case when grouping(bucket) = 1 then 'total' else 'bucket' end as kind,
    bucket::varchar as value,
    {figures}
from (
    select *, {bucket} as bucket
    from visits
)
group by grouping sets ((), (bucket))
