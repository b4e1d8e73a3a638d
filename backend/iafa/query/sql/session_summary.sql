-- How many sessions, altogether and by bucket; how long and how deep were they?
select
    bucket,
    {figures}
from (
    select *, {bucket} as bucket
    from visit
)
group by grouping sets ((), (bucket))
order by grouping(bucket), bucket
