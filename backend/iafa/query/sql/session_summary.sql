-- How many sessions, altogether and by bucket; how long and how deep were they?
select
    grouping(bucket),
    bucket,
    count(*),
    count(distinct person),
    sum(events),
    sum(views),
    count(*) filter (where events = 1),
    sum(length_us),
    quantile_disc(length_us, 0.5)
from (
    select *, {bucket} as bucket
    from (
        {visits}
    )
)
group by grouping sets ((), (bucket))
