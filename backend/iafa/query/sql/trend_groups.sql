-- Which groups are the largest, by what the first series counts over the range?
select value
from (
    {marked}
)
where value is not null and {mark}
group by value
order by {measure} desc nulls last, value
limit $groups_max
