"""The exact path of each person through a funnel: histories as arrays, solvers over them."""
