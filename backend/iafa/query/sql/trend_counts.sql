-- What does each series count in each bucket, and over the range? A bucket or group that is null is all of them.
select {keys}, {measures}
from (
    {marked}
)
group by grouping sets ({sets})
