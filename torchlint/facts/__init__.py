"""What is known about torch, as tables: data only, no logic. Rules and the model read them; teaching a function is a row."""
