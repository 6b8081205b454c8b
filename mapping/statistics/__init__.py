"""Pure functions on numbers: no store, no wards, no words.

- `rates` one count, a rate, a ratio to what was expected; `changes` two counts
- `dispersion` how much more than Poisson counts vary; `discovery` many tests at once
- `regression` many series at once; `expected` what a month should have counted; `trends` how fast a series rises
- `funnels` areas beside comparable ones; `smoothing` small areas; `clusters` and `hot_spots` high areas that lie together
- `concentration` how unevenly incidents are spread; `harm` weighted incidents
- `apportionment` counts of other areas; `pile_ups` places that are no places
"""
