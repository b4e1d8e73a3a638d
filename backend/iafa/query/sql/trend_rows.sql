-- How often is each combination of bucket, group, sample rate and series there? Few are left of many events.
select *, count(*) as events
from (
    {marked}
)
group by all
