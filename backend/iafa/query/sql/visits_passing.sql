-- Which sessions hold an event that passes the filters?
semi join (
    {passing}
) as passing using (session)
