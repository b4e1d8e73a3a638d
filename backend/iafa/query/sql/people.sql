-- How many people reach level {level}?
select count(distinct entity)
from reach_{level}
