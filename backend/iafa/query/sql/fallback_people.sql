-- How many of those who entered have no id but the fallback one?
with identified as (
    select *
    from (
        {identified}
    )
    where user_id is null
        and starts_with(anonymous_id, $prefix)
),
belonging as (
    {belonging}
)
select count(distinct entity)
from belonging
where time_us >= $from_us
    and time_us < $to_us
    and {is_entry}
