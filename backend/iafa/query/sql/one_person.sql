-- Which of the events are one person's?
select *
from (
    {identified}
)
where entity = $person
