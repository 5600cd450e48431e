STAGES = {"cheap": 0, "full": 1}
