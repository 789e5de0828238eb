"""What the rest of a learning-rate schedule brings, from the law of pipeline/statistics/schedule_forecast.py."""
