-- What did those who got to the last stage do next, how many of them, and how long after it?
with identified as (
    {identified}
),
belonging as (
    {belonging}
),
following as (
    select belonging.*, reached.last_us
    from belonging
    join reached using (entity)
    where time_us > reached.last_us
        and time_us <= reached.until_us
        and {is_seen}
    {nearest}
),
first_of_each as (
    select entity, event_type, page, min(time_us - last_us) as after_us
    from (
        select entity, event_type, {page} as page, time_us, last_us
        from following
        where {is_other}
    )
    where page is null or not regexp_matches(page, '[*?#]')
    group by entity, event_type, page
)
select event_type, page, count(*) as users, quantile_disc(after_us, 0.5)::bigint as median_us
from first_of_each
group by event_type, page
order by users desc, event_type, page nulls first
limit $limit
