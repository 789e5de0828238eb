"""Parts of the forecast that knows the learning rate (schedule_forecast.py)."""
