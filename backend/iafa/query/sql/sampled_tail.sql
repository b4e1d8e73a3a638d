-- How many events in no file yet are of a sample?
select count(*)
from tail
where sample_rate < 1
