"""What a window costs, how many streams a machine carries, and what others need for the same."""
