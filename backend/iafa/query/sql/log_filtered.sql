-- Which events pass the filters?
select {columns}
from (
    {events}
)
where {conditions}
