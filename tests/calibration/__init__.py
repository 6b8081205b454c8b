"""How often measures are wrong where the truth is known (`make calibrate`), and of past months (`make backtest`)."""
