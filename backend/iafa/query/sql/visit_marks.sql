-- What does each event say, in any order, by hashes? Does it pass, and has it a user?
select person as entity, time_us, {marks} as marks{said}{columns}
from (
    {events}
)
