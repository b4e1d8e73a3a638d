-- What is counted of some sessions?
count(*) as sessions,
count(distinct person) as people,
sum(events) as events,
sum(views) as views,
count(*) filter (where events = 1) as bounces,
sum(length_us) as length_us,
quantile_disc(length_us, 0.5) as median_us
